#include "sync/mapping/located_table.hpp"

namespace abgleich::sync {

std::vector<LocatedTable> located_tables(std::vector<ExportedTable> tables,
                                         std::vector<db::LocatedRelation> relations) {
  std::vector<LocatedTable> located;
  located.reserve(tables.size());
  for (std::size_t i = 0; i < tables.size(); ++i) {
    located.emplace_back(std::move(tables[i]), std::move(relations[i]));
  }
  return located;
}

std::vector<db::LocatedRelation> relations_of(const std::vector<LocatedTable>& tables) {
  std::vector<db::LocatedRelation> relations;
  relations.reserve(tables.size());
  for (const auto& table : tables) {
    relations.push_back(table.located());
  }
  return relations;
}

}  // namespace abgleich::sync
