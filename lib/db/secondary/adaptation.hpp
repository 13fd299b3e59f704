// What has to be done to a table of the secondary so that it can hold a relation as it is now:
// columns that are missing, that get another name, that get a type which holds more, and that may
// be NULL. Pure.
#pragma once

#include "core/catalog.hpp"
#include "db/engine/dialect.hpp"
#include "db/engine/relation.hpp"

#include <string>
#include <vector>

namespace abgleich::db {

struct Adaptation {
  struct Rename {
    std::string from;
    std::string to;
  };
  struct Widening {
    std::size_t column = 0;  // index into Relation::columns
    std::string type;
  };

  /// In an order in which no name is taken while it is still in use; a swap goes over a third name.
  std::vector<Rename> renames;
  std::vector<std::size_t> missing;  // indexes into Relation::columns
  std::vector<Widening> widenings;
  std::vector<std::string> loosened;  // columns that lose NOT NULL: names after the renames
  /// For each column of the relation, the name of the table's column before the renames; empty
  /// where the table has none yet.
  std::vector<std::string> holders;

  [[nodiscard]] bool needed() const {
    return !renames.empty() || !missing.empty() || !widenings.empty() || !loosened.empty();
  }
};

/// `table`: the relation's table as it is in the secondary now.
Adaptation adapt(const Dialect& dialect, const CatalogTable& table, const Relation& relation);

/// The tables that are to be renamed, in an order of the same kind. A table that has its new name
/// already is left out: a person may have renamed it by hand.
std::vector<Adaptation::Rename> table_renames(const Catalog& secondary,
                                              const std::vector<Relation>& relations);

/// The statements, in order.
std::vector<std::string> adaptation_ddl(const Dialect& dialect, const std::string& schema,
                                        const Relation& relation, const Adaptation& adaptation);

/// The statements that undo these, in order. They drop the new columns, and the values in them.
std::vector<std::string> undo_ddl(const Dialect& dialect, const std::string& schema,
                                  const Relation& relation, const Adaptation& adaptation);

}  // namespace abgleich::db
