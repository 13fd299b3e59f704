#include "core/catalog.hpp"

#include <algorithm>
#include <array>

namespace abgleich {

namespace {

constexpr std::array<std::string_view, 6> kTableKinds{
    "table", "partitioned", "partition", "view", "materialised view", "foreign table"};

}  // namespace

std::string_view name_of(TableKind kind) {
  return kTableKinds.at(static_cast<std::size_t>(kind));
}

std::optional<TableKind> table_kind_from(std::string_view name) {
  const auto found = std::ranges::find(kTableKinds, name);
  if (found == kTableKinds.end()) {
    return std::nullopt;
  }
  return static_cast<TableKind>(found - kTableKinds.begin());
}

const CatalogColumn* CatalogTable::find_column(std::string_view column) const {
  const auto found = std::ranges::find(columns, column, &CatalogColumn::name);
  return found == columns.end() ? nullptr : &*found;
}

bool CatalogTable::is_unique(std::vector<std::string> names) const {
  std::ranges::sort(names);
  const auto matches = [&](const CatalogKey& key) {
    auto its = key.columns;
    std::ranges::sort(its);
    return its == names;
  };
  return (primary_key && matches(*primary_key)) || std::ranges::any_of(uniques, matches);
}

const CatalogTable* Catalog::find_table(std::string_view table) const {
  const auto found = std::ranges::find(tables, table, &CatalogTable::name);
  return found == tables.end() ? nullptr : &*found;
}

bool DatabaseIdentity::same_database(const DatabaseIdentity& other) const {
  return engine == other.engine && !system.empty() && system == other.system &&
         database == other.database;
}

}  // namespace abgleich
