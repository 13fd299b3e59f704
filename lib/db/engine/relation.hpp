// One exported table, as the secondary holds it: the layout of its rows, of its base and of the
// temporary tables of a run.
#pragma once

#include "core/catalog.hpp"
#include "core/type.hpp"
#include "core/value.hpp"
#include "db/engine/equality.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace abgleich::db {

struct RelationColumn {
  std::string source;  // name in the primary
  std::string name;    // name in the secondary
  Type type;           // logical type of what is exported
  Type stored;         // of the secondary's own column
  bool pseudonym = false;
  bool bytewise = false;  // PostgreSQL: the secondary's own column has the collation "C"
  Equality equality;      // of the secondary's own column
  bool nullable = true;
  std::string renamed_from;  // its name in the secondary before this run, where that was another
  std::optional<Type> widened_from;  // what was exported before, where the type now holds more
  bool loosened = false;             // it could not be NULL when it was exported before
  bool tightened = false;            // … and here it could
};

/// A column of the table that is exported no longer. Its values stay, and rows without one come.
struct KeptColumn {
  std::string name;
  std::string renamed_from;  // where another column takes its name in this run
};

struct RelationForeignKey {
  std::vector<std::size_t> columns;  // indexes into Relation::columns
  std::string table;                 // in the secondary
  std::vector<std::string> referenced;
  bool promised = true;  // the primary's rows keep it, and in the secondary they do so byte by byte
};

struct Relation {
  std::string source;        // name in the primary
  std::string name;          // name in the secondary
  std::string renamed_from;  // its name there before this run, where that was another
  bool name_leaves =
      false;  // the table that has its name now is another one, and gets another name
  std::vector<RelationColumn> columns;  // exported, in the contract's order: a Row's layout
  std::vector<std::size_t> key;         // indexes into columns
  std::vector<RelationForeignKey> foreign_keys;
  std::vector<std::size_t> new_keys;  // of these: those that its table, which is there, is to get
  /// Foreign keys that this program made and the primary has no longer, as the secondary calls them
  /// before this run's renames.
  std::vector<CatalogForeignKey> lost_keys;
  /// Columns beside the key that a foreign key refers to: their values occur once.
  std::vector<std::vector<std::size_t>> uniques;
  std::vector<KeptColumn> kept;
  std::int64_t id = 0;  // number of its base and temporary tables

  [[nodiscard]] bool is_key(std::size_t column) const {
    return std::ranges::find(key, column) != key.end();
  }
  /// All columns, those of the key before the others.
  [[nodiscard]] std::vector<std::size_t> key_first() const {
    auto order = key;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (!is_key(i)) {
        order.push_back(i);
      }
    }
    return order;
  }
};

/// Gives a row its key as `spelling` writes it. A secondary may take two texts for the same key
/// (`Bob` and `bob`); digests are of the primary's.
inline void respell_key(const Relation& relation, const Row& spelling, Row& row) {
  for (const auto i : relation.key) {
    row.cells[i] = spelling.cells[i];
  }
}

}  // namespace abgleich::db
