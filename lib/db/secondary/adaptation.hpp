// What has to be done to a table of the secondary so that it can hold what a relation is now: which
// columns get new names, which hold more than before, which may be NULL. Pure.
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
  std::vector<std::string> loosened;  // names, after the renames
  /// The table's own column for each of the relation's, before the renames; empty where there is
  /// none yet.
  std::vector<std::string> holders;

  [[nodiscard]] bool needed() const {
    return !renames.empty() || !missing.empty() || !widenings.empty() || !loosened.empty();
  }
};

/// `table` is what the relation's table is in the secondary now.
Adaptation adapt(const Dialect& dialect, const CatalogTable& table, const Relation& relation);

/// The tables that are to get other names, in such an order too. One that has its new name already
/// is not among them: somebody may have done it by hand.
std::vector<Adaptation::Rename> table_renames(const Catalog& secondary,
                                              const std::vector<Relation>& relations);

/// The statements, in order.
std::vector<std::string> adaptation_ddl(const Dialect& dialect, const std::string& schema,
                                        const Relation& relation, const Adaptation& adaptation);

/// The statements that take these back, in order. Values that came into new columns go with them.
std::vector<std::string> undo_ddl(const Dialect& dialect, const std::string& schema,
                                  const Relation& relation, const Adaptation& adaptation);

}  // namespace abgleich::db
