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
  bool tightened = false;            // it could be NULL then, and cannot now
};

/// A column of the table that is no longer exported. Its values stay; new rows have none.
struct KeptColumn {
  std::string name;
  std::string renamed_from;  // its name before, where another column takes that in this run
};

struct RelationForeignKey {
  std::vector<std::size_t> columns;  // indexes into Relation::columns
  std::string table;                 // in the secondary
  std::vector<std::string> referenced;
  /// The primary's rows satisfy it, and their copies in the secondary do, compared by bytes.
  bool promised = true;
};

/// The base of another pairing that writes to the same table.
struct SharedBase {
  std::string books;  // the name of that pairing's bookkeeping
  std::string base;   // as SQL names it
};

struct Relation {
  std::string source;        // name in the primary
  std::string name;          // name in the secondary
  std::string renamed_from;  // its name there before this run, where that was another
  bool name_leaves = false;  // another table has its name now, and is renamed in this run
  std::vector<RelationColumn> columns;  // exported, in the contract's order: a Row's layout
  std::vector<std::size_t> key;         // indexes into columns
  std::vector<RelationForeignKey> foreign_keys;
  std::vector<std::size_t> new_keys;  // indexes into these: what an existing table is to get
  /// Foreign keys that this program made and that the primary no longer has, with the names that
  /// the secondary has before this run's renames.
  std::vector<CatalogForeignKey> lost_keys;
  /// Columns other than the key that foreign keys refer to: their values are unique.
  std::vector<std::vector<std::size_t>> uniques;
  std::vector<KeptColumn> kept;
  std::int64_t id = 0;  // number of its base and temporary tables
  /// Where other pairings write to this table, too: a row whose key is in one of these bases is not
  /// this pairing's.
  std::vector<SharedBase> shared_bases;

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

/// Gives `row` the key of `spelling`. A secondary may take two texts for the same key (`Bob` and
/// `bob`); digests are made of the primary's.
inline void respell_key(const Relation& relation, const Row& spelling, Row& row) {
  for (const auto i : relation.key) {
    row.cells[i] = spelling.cells[i];
  }
}

}  // namespace abgleich::db
