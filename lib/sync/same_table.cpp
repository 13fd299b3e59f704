#include "sync/same_table.hpp"

#include "sync/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

namespace abgleich::sync {

namespace {

/// The tables of the primary that have the identity of what a tracked one was read from.
std::vector<const CatalogTable*> heirs_of(const db::TrackedRow& row, const Catalog& primary) {
  std::vector<const CatalogTable*> heirs;
  const auto remembered = table_of(read_layout(row));
  for (const auto& table : primary.tables) {
    if (!remembered.empty() && remembered == identity_of(primary.identity, table)) {
      heirs.push_back(&table);
    }
  }
  return heirs;
}

}  // namespace

SameTable::SameTable(const contract::Contract& contract, const Catalog& primary,
                     const std::vector<db::TrackedRow>& tracked,
                     const std::set<std::string>& by_name) {
  std::map<const db::TrackedRow*, std::vector<const CatalogTable*>> heirs;
  for (const auto& row : tracked) {
    heirs.emplace(&row, heirs_of(row, primary));
  }
  std::set<const db::TrackedRow*> taken;
  const auto each = [&](const auto& same) {
    for (const auto& table : contract.tables) {
      for (const auto& row : tracked) {
        if (!rows_.contains(&table) && !taken.contains(&row) && same(row, table)) {
          rows_.emplace(&table, &row);
          taken.insert(&row);
        }
      }
    }
  };
  const auto has_heir = [&](const db::TrackedRow& row, const contract::Table& table) {
    return std::ranges::find(heirs.at(&row), primary.find_table(table.name)) !=
           heirs.at(&row).end();
  };
  const auto renamed = [](const db::TrackedRow& row, const contract::Table& table) {
    return !table.was.empty() && row.source == table.was;
  };
  // A contract says by its names which table may be which; where two may, identity decides, and a
  // table that is another one now is not the same for its name.
  each([&](const auto& row, const auto& table) {
    return (row.source == table.name || renamed(row, table)) && has_heir(row, table);
  });
  each([&](const auto& row, const auto& table) {
    return row.source == table.name && (heirs.at(&row).empty() || by_name.contains(table.name));
  });
  each([&](const auto& row, const auto& table) {
    return renamed(row, table) && heirs.at(&row).empty();
  });
}

const db::TrackedRow* SameTable::of(const contract::Table& table) const {
  const auto found = rows_.find(&table);
  return found == rows_.end() ? nullptr : found->second;
}

void free_names(db::Books& books, const std::vector<db::TrackedRow>& tracked,
                const std::vector<db::TrackedRow>& next) {
  for (auto row : tracked) {
    const bool needed = std::ranges::any_of(next, [&](const db::TrackedRow& other) {
      return other.source == row.source && other.id != row.id;
    });
    if (needed) {
      row.source += fmt::format("#{}", row.id);
      books.put_tracked(row);
    }
  }
}

}  // namespace abgleich::sync
