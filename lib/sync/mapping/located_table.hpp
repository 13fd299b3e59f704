// A located table of the contract: how the secondary stores it was looked up.
#pragma once

#include "db/secondary/located_relation.hpp"
#include "sync/mapping/table_mapping.hpp"

#include <utility>
#include <vector>

namespace abgleich::sync {

/// An exported table whose `relation` is the one that was located in the secondary.
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

/// Joins each table with its located relation. REQUIRES: both vectors have the same order.
std::vector<LocatedTable> located_tables(std::vector<ExportedTable> tables,
                                         std::vector<db::LocatedRelation> relations);
/// The relations of all of them, in the same order.
std::vector<db::LocatedRelation> relations_of(const std::vector<LocatedTable>& tables);

}  // namespace abgleich::sync
