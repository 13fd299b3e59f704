// A table of the contract of which is known how the secondary holds it.
#pragma once

#include "db/secondary/located_relation.hpp"
#include "sync/mapping/table_mapping.hpp"

#include <utility>
#include <vector>

namespace abgleich::sync {

/// What is read of it, how it is masked and merged, and, of the secondary's side, what was found
/// there: its `relation` is the one that was located.
class LocatedTable : public ExportedTable {
 public:
  LocatedTable(ExportedTable exported, db::LocatedRelation located)
      : ExportedTable(std::move(exported)), located_(std::move(located)) {
    relation = located_;
  }

  [[nodiscard]] const db::LocatedRelation& located() const { return located_; }

 private:
  db::LocatedRelation located_;
};

/// Each table with its relation as it was located. REQUIRES: these are theirs, in the same order.
std::vector<LocatedTable> located_tables(std::vector<ExportedTable> tables,
                                         std::vector<db::LocatedRelation> relations);
/// The relations of all of them, in the same order.
std::vector<db::LocatedRelation> relations_of(const std::vector<LocatedTable>& tables);

}  // namespace abgleich::sync
