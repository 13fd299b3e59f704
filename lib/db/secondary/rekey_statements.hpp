// The text of the statements that replace keys or pseudonyms by new ones, in data and bases.
//
// rekey_N, a temporary table of a rotation or a rekey: the row's old key (kI for the column of
// index I, typed as the secondary's columns), c0…cn (its new cells), in_data (1: the secondary has
// the row, and it changes), cells (its new base; NULL: it has none).
#pragma once

#include "core/catalog.hpp"
#include "db/engine/dialect.hpp"
#include "db/engine/relation.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace abgleich::db {

/// One table of a rotation.
struct RekeyWork {
  const Relation* relation = nullptr;
  std::string data;                   // quoted, with its schema
  std::string base;                   // the same
  std::vector<std::size_t> columns;   // that hold pseudonyms
  std::vector<std::size_t> integers;  // those of them that hold integers
};

std::string rekey_name(const Dialect& dialect, const Relation& relation);
std::string create_rekey(const Dialect& dialect, const Relation& relation);
std::vector<std::string> rekey_columns(const Relation& relation);
/// After the last row: makes the table ready to be joined.
std::string finish_rekey(const Dialect& dialect, const Relation& relation);

/// Integer pseudonyms are a permutation of integers, and their column may be unique: a new value
/// may still be the old value of another row. So they change in two steps: `aside` writes all
/// new keys and pseudonyms, but an integer n as -1 - n, which is no pseudonym; `home` changes
/// these to n.
enum class RekeyStep : std::uint8_t { aside, home };

/// The statements of one step. Where the engine can update several tables in one statement, it is
/// one statement for all tables, so that foreign keys that cannot be deferred are checked only at
/// its end. Otherwise it is one for each table, children first.
struct RekeyUpdates {
  std::vector<std::string> statements{};
  bool counted = false;  // it is a query that gives the number of changed rows
};
RekeyUpdates rekey_data(const Dialect& dialect, const std::vector<RekeyWork>& work, RekeyStep step);

/// Makes and drops an index over the columns of one foreign key. Without it, the whole child table
/// is read to check each parent row whose key changes. `schema` is the secondary's.
std::string create_key_index(const Dialect& dialect, const RekeyWork& work, std::size_t key);
std::string drop_key_index(const Dialect& dialect, const std::string& schema, const RekeyWork& work,
                           std::size_t key);

/// How many rows `rekey_data` is to change, of one table.
std::string count_rekeyed(const Dialect& dialect, const Relation& relation);

/// For a column that is no longer exported: its different values; a temporary table (was, now) of
/// those that change; and the UPDATE by that table. `data` is quoted.
std::string select_distinct(const Dialect& dialect, const std::string& data,
                            const CatalogColumn& column);
std::string create_kept_map(const Dialect& dialect, const std::string& map);
std::string rekey_kept_column(const Dialect& dialect, const std::string& data,
                              const CatalogColumn& column, const std::string& map);

std::string clear_base(const RekeyWork& work);
/// `by`: the relation with the new key.
std::string fill_base(const Dialect& dialect, const RekeyWork& work, const Relation& by);

}  // namespace abgleich::db
