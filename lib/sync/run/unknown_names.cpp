#include "sync/run/unknown_names.hpp"

#include "contract/words.hpp"
#include "core/error.hpp"
#include "sync/mapping/table_mapping.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace abgleich::sync {

namespace {

[[noreturn]] void unknown(const contract::Place& place, const std::string& what,
                          const std::string& name, const std::vector<std::string_view>& known) {
  const auto near = contract::nearest(name, known);
  throw Failure(
      Code::configuration,
      fmt::format("{}: the primary has no {} {}", place.text(), what, contract::in_quotes(name)),
      fmt::format("{}, or delete its lines from the contract; nothing was changed",
                  near
                      ? fmt::format("did you mean {}? Correct the name", contract::in_quotes(*near))
                      : "correct the name"));
}

/// Whether the secondary has the column from an earlier run. It is asked itself, because the
/// bookkeeping forgets a dropped column, while its values are kept.
bool holds(db::Target& secondary, const db::TrackedRow* tracked, const contract::Column& column) {
  if (tracked == nullptr) {
    return false;
  }
  secondary.load_catalog();
  const auto* table = secondary.catalog().find_table(tracked->target);
  return table != nullptr && table->find_column(column.as) != nullptr;
}

void look_at_columns(const contract::Table& table, const CatalogTable* accepted,
                     const CatalogTable& live, db::Target& secondary,
                     const db::TrackedRow* tracked) {
  for (const auto& column : table.columns) {
    const bool known = !table.reads(column) || live.find_column(column.name) != nullptr ||
                       (!column.was.empty() && live.find_column(column.was) != nullptr) ||
                       (accepted != nullptr &&
                        (accepted->find_column(column.name) != nullptr ||
                         (!column.was.empty() && accepted->find_column(column.was) != nullptr))) ||
                       (column.exported() && holds(secondary, tracked, column));
    if (!known) {
      std::vector<std::string_view> names;
      for (const auto& other : live.columns) {
        names.emplace_back(other.name);
      }
      unknown(column.place, fmt::format("column of {} called", contract::in_quotes(table.name)),
              column.name, names);
    }
  }
}

}  // namespace

void refuse_unknown_names(const Pairing& pairing, const Catalog& live, db::Target& secondary,
                          const std::vector<db::TrackedRow>& tracked) {
  const auto in = [](const Catalog* catalog, const contract::Table& table) -> const CatalogTable* {
    const auto* found = catalog == nullptr ? nullptr : catalog->find_table(table.name);
    return found == nullptr && catalog != nullptr && !table.was.empty()
               ? catalog->find_table(table.was)
               : found;
  };
  for (const auto& table : pairing.contract.tables) {
    const auto* accepted = in(pairing.accepted ? &*pairing.accepted : nullptr, table);
    const auto* found = in(&live, table);
    const auto* known = find_tracked(tracked, table);
    if (found != nullptr) {
      look_at_columns(table, accepted, *found, secondary, known);
    } else if (accepted == nullptr && known == nullptr) {
      std::vector<std::string_view> names;
      for (const auto& other : live.tables) {
        names.emplace_back(other.name);
      }
      unknown(table.place, "table", table.name, names);
    }
  }
}

}  // namespace abgleich::sync
