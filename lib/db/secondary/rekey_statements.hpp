// The text of the statements that put new pseudonyms in the place of old ones, in data and bases.
//
// rekey_N, a temporary table of a rotation: k0…kn (the row's key until now, typed as the
// secondary's columns), c0…cn (its cells from now on), in_data (1: the secondary has the row, and
// it changes), cells (its base from now on; NULL: it has none).
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
/// After the last row: what lets the joins go fast.
std::string finish_rekey(const Dialect& dialect, const Relation& relation);

/// Integers are permuted among themselves, and a column of them may be unique: they go by numbers
/// that no pseudonym has. `aside` moves rows to their new key and pseudonyms, integers to -1 - n;
/// `home` moves these to n.
enum class RekeyStep : std::uint8_t { aside, home };

/// The statements of one step, which each say how many rows they changed. One for all tables where
/// the engine has such a one, so that foreign keys that cannot be deferred hold at its end;
/// otherwise one a table, children first.
struct RekeyUpdates {
  std::vector<std::string> statements{};
  bool counted = false;  // its result is the number
};
RekeyUpdates rekey_data(const Dialect& dialect, const std::vector<RekeyWork>& work, RekeyStep step);

/// The columns of one foreign key as an index, and its end. The check of a parent whose key changes
/// reads the whole child for each row without one. `schema` is the secondary's.
std::string create_key_index(const Dialect& dialect, const RekeyWork& work, std::size_t key);
std::string drop_key_index(const Dialect& dialect, const std::string& schema, const RekeyWork& work,
                           std::size_t key);

/// How many rows `rekey_data` is to change, of one table.
std::string count_rekeyed(const Dialect& dialect, const Relation& relation);

/// Of a column that is exported no longer: its values, and a temporary table (was, now) of those
/// that change. `data` is quoted.
std::string select_distinct(const Dialect& dialect, const std::string& data,
                            const CatalogColumn& column);
std::string create_kept_map(const Dialect& dialect, const std::string& map);
std::string rekey_kept_column(const Dialect& dialect, const std::string& data,
                              const CatalogColumn& column, const std::string& map);

std::string clear_base(const RekeyWork& work);
/// `by`: the relation whose key the base's rows are known by from then on.
std::string fill_base(const Dialect& dialect, const RekeyWork& work, const Relation& by);

}  // namespace abgleich::db
