#include "drift/carry_over.hpp"

namespace abgleich::drift {

Catalog carry_over(const Catalog& accepted, const Catalog& live) {
  if (accepted.identity.engine != live.identity.engine || live.identity.system.empty() ||
      accepted.identity.same_database(live.identity)) {
    return accepted;
  }
  auto carried = accepted;
  carried.identity = live.identity;
  for (auto& table : carried.tables) {
    const auto* now = live.find_table(table.name);
    table.identity = now == nullptr ? 0 : now->identity;
    for (auto& column : table.columns) {
      const auto* same = now == nullptr ? nullptr : now->find_column(column.name);
      column.identity = same == nullptr ? 0 : same->identity;
    }
  }
  return carried;
}

}  // namespace abgleich::drift
