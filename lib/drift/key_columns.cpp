#include "drift/key_columns.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_set>

namespace abgleich::drift {

namespace {

struct Names {
  std::unordered_set<std::string_view> all;
  std::unordered_set<std::string_view> filled;  // NOT NULL
};

/// The key of the table that keeps rows apart by these columns; a key over fewer of them does so,
/// too. A primary key has no NULLs, a unique key only if its columns are NOT NULL.
const CatalogKey* keeper(const CatalogTable& table, const Names& names) {
  const auto within = [](const CatalogKey& key,
                         const std::unordered_set<std::string_view>& columns) {
    return !key.columns.empty() && std::ranges::all_of(key.columns, [&](const std::string& name) {
      return columns.contains(name);
    });
  };
  if (table.primary_key && within(*table.primary_key, names.all)) {
    return &*table.primary_key;
  }
  const auto unique = std::ranges::find_if(
      table.uniques, [&](const CatalogKey& key) { return within(key, names.filled); });
  return unique == table.uniques.end() ? nullptr : &*unique;
}

}  // namespace

const CatalogKey* lost_key(const CatalogTable& accepted, const CatalogTable& live,
                           const std::vector<KeyColumn>& columns) {
  Names before;
  Names after;
  for (const auto& [was, now] : columns) {
    before.all.insert(was->name);
    after.all.insert(now->name);
    if (!was->nullable) {
      before.filled.insert(was->name);
    }
    if (!was->nullable || !now->nullable) {
      after.filled.insert(now->name);
    }
  }
  const CatalogKey* was = keeper(accepted, before);
  return was != nullptr && keeper(live, after) == nullptr ? was : nullptr;
}

}  // namespace abgleich::drift
