#include "sync/mapping/table_matches.hpp"

#include "sync/mapping/column_history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace abgleich::sync {

namespace {

/// The tables of the primary by their identity, where that can be known.
std::multimap<std::string, const CatalogTable*> by_identity(const Catalog& primary) {
  std::multimap<std::string, const CatalogTable*> tables;
  for (const auto& table : primary.tables) {
    if (auto identity = identity_of(primary.identity, table); !identity.empty()) {
      tables.emplace(std::move(identity), &table);
    }
  }
  return tables;
}

}  // namespace

TableMatches::TableMatches(const contract::Contract& contract, const Catalog& primary,
                           const std::vector<db::TrackedRow>& tracked,
                           const std::set<std::string>& by_name) {
  // for each tracked table: the primary's tables with the identity that it was read from
  const auto tables = by_identity(primary);
  std::map<const db::TrackedRow*, std::vector<const CatalogTable*>> heirs;
  for (const auto& row : tracked) {
    auto& of_row = heirs[&row];
    const auto [first, last] = tables.equal_range(table_of(read_column_history(row)));
    std::transform(first, last, std::back_inserter(of_row),
                   [](const auto& table) { return table.second; });
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
  // A contract's names (its own and `was`) say which tables may be the same; between several of
  // them identity decides. The same name is not enough if the old table still exists under another.
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

const db::TrackedRow* TableMatches::of(const contract::Table& table) const {
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
