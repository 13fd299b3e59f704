// The secondary's tables: made from the contract where they are missing, if abgleich may.
#pragma once

#include "db/target.hpp"
#include "mask/keyring.hpp"
#include "report/change.hpp"
#include "sync/exported.hpp"
#include "sync/pairing.hpp"

#include <set>
#include <string>
#include <vector>

namespace abgleich::sync {

struct Schema {
  std::vector<std::string> executed;  // DDL that this run has executed
  std::vector<std::string> refused;   // DDL that it would have needed, but may not execute
  bool swaps = false;  // that changes names in a circle: nobody can tell later whether it was run
};

/// Leaves only the tables that were asked for, by their names in the contract. Throws
/// Failure{usage} for a name that the contract does not have.
void keep_chosen(const std::set<std::string>& chosen, std::vector<ExportedTable>& tables);

/// Throws Failure{other_secondary} where a table with rows of an earlier run is not there, or not
/// under its name: one that was dropped is nobody's delete of its rows.
void refuse_lost_tables(db::Target& target, const std::vector<ExportedTable>& tables);

/// Makes what is missing (a dry run: stands in for it), with `held` filled in afterwards, and
/// rewrites the base of tables whose exported columns have changed.
Schema bring_schema(const Pairing& pairing, db::Target& target, std::vector<ExportedTable>& tables,
                    report::Run kind);

/// What a run would be refused for, found without running: throws Failure where tables are missing
/// and abgleich must not make them (23), or where the role lacks rights (26, with the statements
/// that grant them).
void check_schema(const Pairing& pairing, db::Target& target, std::vector<ExportedTable>& tables);

/// Adds what constraints the primary has and the secondary lacks, where its rows, those of this run
/// included, allow it.
void bring_constraints(const Pairing& pairing, db::Target& target,
                       const std::vector<ExportedTable>& tables, Schema& schema);

report::Outcome refuse_for_schema(const Schema& schema, report::Outcome outcome);

}  // namespace abgleich::sync
