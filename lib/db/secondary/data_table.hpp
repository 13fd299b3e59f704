// The table of the secondary that holds one relation: people's own, in which a run writes.
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
  /// Whether it cannot become anything else than what is written to it: a plain table, of exactly
  /// the exported types, without triggers, rules, heirs or foreign keys of its own that change it.
  /// Then what a statement says that it did is what was done.
  [[nodiscard]] bool stores_as_sent();

  std::optional<Row> find(const Row& key);
  /// Streams its rows in the bytes that `RowBytes` makes of them, with the key's cells. Nothing
  /// else may run on the secondary meanwhile.
  using OnRow = std::function<void(const Row& key, std::string_view bytes)>;
  void read(const OnRow& on_row);

  /// Sets a column that the relation does not export to NULL in every row.
  void empty_column(const std::string& column);
  /// Lays the rows down in the order of their keys. Returns what the table's owner has to run where
  /// this role may not, or where a trigger would see rows move; empty: they lie so now, or have no
  /// order of their own. No cursor may be open.
  std::string lay_down();

 private:
  Target& target_;
  const LocatedRelation& relation_;
};

}  // namespace abgleich::db
