// What several lines of a contract must agree on: keys, groups, and names in the secondary. Each
// function throws Failure{configuration} where its comment does not hold.
#pragma once

#include "contract/contract.hpp"
#include "contract/document.hpp"

#include <vector>

namespace abgleich::contract {

/// Every column of the key is exported, is not generalised, has no single owner and is named once.
void expect_key(const Table& table, const std::vector<Named>& key);

/// Every column of `together` is exported, not of the key, in one group only, and owned like the
/// rest of its group. REQUIRES: `table.key` is set.
void expect_groups(const Table& table, const std::vector<std::vector<Named>>& groups);

/// The subject is an exported pseudonym; a table with a shifted column has one. REQUIRES:
/// `table.subject` is set.
void expect_subject(const Table& table, const Place& place);

/// Quasi-identifiers and sensitive columns are exported, not of the key, and named once.
void expect_quasi_identifiers(const Table& table, const std::vector<Named>& quasi_identifiers,
                              const std::vector<Named>& sensitive);

/// Every column of `fixed` is exported, not of the key, and named once.
void expect_fixed(const Table& table, const std::vector<Named>& fixed);

/// Every column of `where`, which may be withheld, has a line. REQUIRES: `table.where` is set.
void expect_deciding(const Table& table);

/// The columns of `route` and `follows`, which may be withheld, have lines.
void expect_routable(const Table& table, const Place& place);

/// What `follows` names are tables of the contract that are routed themselves and have a key of one
/// column, and no table follows itself, by whatever way.
void expect_followed(const Contract& contract);

/// No column of the key and no subject has on_unusable = "null", since no row can do without them.
/// REQUIRES: `table.key` and `subject` are set.
void expect_usable(const Table& table);

/// Not more columns are exported than the engines can compare in one statement.
void expect_width(const Table& table, const Place& place);

/// No two exported columns have the same name in the secondary, or the same `was`.
void expect_distinct_columns(const Table& table);

/// No two tables have the same name in the secondary, or the same `was`.
void expect_distinct_tables(const Contract& contract);

}  // namespace abgleich::contract
