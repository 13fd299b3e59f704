// The text of the statements that lay rows down anew, in the order of their keys. Pure.
#pragma once

#include "db/dialect.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db {

/// PostgreSQL: the rows of `table` (quoted) in the order of its index (a plain name), and the table
/// as it was otherwise. `clustered`: the index that people have clustered it on; empty: none.
std::vector<std::string> cluster_statements(const Dialect& dialect, const std::string& table,
                                            std::string_view index, std::string_view clustered);

/// PostgreSQL: one row, the name of the index that the table ($1, quoted) is clustered on.
std::string select_clustered();
/// PostgreSQL: 1 where this role may rewrite the table ($1, quoted): it owns it.
std::string count_owned();
/// PostgreSQL: how many rows do not lie where their key says. `key`: of the index, in its order.
std::string count_out_of_order(const std::string& table, const std::string& key);

/// SQLite: rows of `table` get numbers behind all others, in the order of `key`. `rowid` is a name
/// of the number that no column of the table has; `order` a name for a temporary table.
std::vector<std::string> renumber_statements(const std::string& table, std::string_view rowid,
                                             const std::string& key, const std::string& order);
/// SQLite: not 0 where the table ($1, not quoted) has no row numbers of its own: its rows lie by
/// their primary key.
std::string count_by_key();

}  // namespace abgleich::db
