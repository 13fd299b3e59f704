#include "drift/foreign_keys.hpp"

#include "drift/columns.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>

namespace abgleich::drift {

namespace {

/// A foreign key, with all names as in the contract.
struct Carried {
  std::vector<std::string> columns;
  std::string table;
  std::vector<std::string> referenced;

  bool operator==(const Carried&) const = default;
};

template <class Things>
auto* called(const Things& things, const std::string& name) {
  const auto by = [&](auto member) {
    const auto found = std::ranges::find(things, name, member);
    return found == things.end() ? nullptr : &*found;
  };
  using Thing = typename Things::value_type;
  auto* found = by(&Thing::name);
  return found != nullptr || name.empty() ? found : by(&Thing::was);
}

const CatalogTable* table_of(const Catalog& catalog, const contract::Table& table) {
  const auto* found = catalog.find_table(table.name);
  return found != nullptr || table.was.empty() ? found : catalog.find_table(table.was);
}

bool has_column(const CatalogTable& table, const contract::Column& column) {
  return table.find_column(column.name) != nullptr ||
         (!column.was.empty() && table.find_column(column.was) != nullptr);
}

/// Empty where the secondary cannot have the foreign key: a table or column is not exported, or the
/// values of its two ends differ there.
std::optional<Carried> carried(const contract::Contract& contract, const contract::Table& table,
                               const CatalogForeignKey& key) {
  const auto* parent = called(contract.tables, key.table);
  if (!key.valid || parent == nullptr) {
    return std::nullopt;
  }
  const bool to_key =
      key.referenced.size() == parent->key.size() &&
      std::ranges::all_of(key.referenced, [&](const std::string& name) {
        const auto* to = called(parent->columns, name);
        return to != nullptr && std::ranges::find(parent->key, to->name) != parent->key.end();
      });
  Carried found{.columns = {}, .table = parent->name, .referenced = {}};
  for (std::size_t i = 0; i < key.columns.size(); ++i) {
    const auto* from = called(table.columns, key.columns[i]);
    const auto* to = called(parent->columns, key.referenced[i]);
    if (from == nullptr || to == nullptr || !from->exported() || from->cls != to->cls ||
        from->identity != to->identity || !(to_key || to->stays_distinct())) {
      return std::nullopt;
    }
    found.columns.push_back(from->name);
    found.referenced.push_back(to->name);
  }
  return found;
}

std::vector<Carried> carried_of(const contract::Contract& contract, const contract::Table& table,
                                const CatalogTable& in) {
  std::vector<Carried> all;
  for (const auto& key : in.foreign_keys) {
    if (auto one = carried(contract, table, key)) {
      all.push_back(std::move(*one));
    }
  }
  return all;
}

/// Whether the catalogue has all columns of the foreign key.
bool could_have(const Catalog& catalog, const contract::Contract& contract,
                const contract::Table& table, const CatalogTable& in, const Carried& key) {
  const auto* parent = called(contract.tables, key.table);
  const auto* there = table_of(catalog, *parent);
  return there != nullptr &&
         std::ranges::all_of(
             key.columns,
             [&](const std::string& name) { return has_column(in, *table.find_column(name)); }) &&
         std::ranges::all_of(key.referenced, [&](const std::string& name) {
           return has_column(*there, *parent->find_column(name));
         });
}

std::string text_of(const Carried& key) {
  return fmt::format("({}) -> {} ({})", fmt::join(key.columns, ", "), key.table,
                     fmt::join(key.referenced, ", "));
}

}  // namespace

void compare_foreign_keys(const contract::Contract& contract, const Catalog& accepted,
                          const Catalog& live, std::vector<Event>& events) {
  for (const auto& table : contract.tables) {
    const auto* before = table_of(accepted, table);
    const auto* now = table_of(live, table);
    if (before == nullptr || now == nullptr) {
      continue;
    }
    const auto was = carried_of(contract, table, *before);
    const auto is = carried_of(contract, table, *now);
    for (const auto& key : was) {
      if (std::ranges::find(is, key) == is.end() && could_have(live, contract, table, *now, key)) {
        events.push_back({.kind = EventKind::dropped_foreign_key,
                          .table = table.name,
                          .column = key.columns.size() == 1 ? key.columns.front() : std::string(),
                          .was = text_of(key),
                          .now = {},
                          .verdict = Verdict::adapt,
                          .hint = std::string(kAccept)});
      }
    }
  }
}

}  // namespace abgleich::drift
