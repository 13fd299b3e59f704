// The table of the secondary that holds one relation. It belongs to people; a run writes in it.
#pragma once

#include "core/value.hpp"
#include "db/secondary/located_relation.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace abgleich::db {

class Target;

/// Target and relation outlive it.
class DataTable {
 public:
  DataTable(Target& target, const LocatedRelation& relation);
  DataTable(Target& target, LocatedRelation&& relation) = delete;  // it is kept by reference

  [[nodiscard]] bool is_empty();
  /// Whether the table stores exactly what is written to it: a plain table with exactly the
  /// exported types, without triggers, rules, row security or tables that inherit from it, and
  /// without foreign keys that change its own rows. Then the number of rows that a statement gives
  /// is that of the rows that were written.
  [[nodiscard]] bool stores_as_sent();

  std::optional<Row> find(const Row& key);
  /// Streams the rows, but for those of other pairings (Relation::shared_bases): the key's cells,
  /// and the bytes that `RowBytes` makes of the whole row.
  /// Nothing else may run on the secondary meanwhile.
  using OnRow = std::function<void(const Row& key, std::string_view bytes)>;
  void read(const OnRow& on_row);

  /// Sets a column that the relation does not export to NULL in every row, but for those of other
  /// pairings.
  void empty_column(const std::string& column);
  /// Lays the rows down anew, in the order of their keys. Returns what the table's owner has to run
  /// where this role may not, or where triggers would see rows move; empty: the rows lie so now, or
  /// lie by their keys anyway. REQUIRES: no cursor is open.
  std::string lay_down();

 private:
  Target& target_;
  const LocatedRelation& relation_;
};

}  // namespace abgleich::db
