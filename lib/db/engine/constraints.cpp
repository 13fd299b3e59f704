#include "db/engine/constraints.hpp"

#include "db/engine/engine.hpp"

#include <optional>

namespace abgleich::db {

Dependants read_dependants(Session& session, const Catalog& catalog) {
  return session.backend->read_dependants(session, catalog);
}

std::vector<std::vector<std::string>> read_uniques(Session& session, const std::string& table) {
  std::vector<std::vector<std::string>> uniques;
  std::optional<std::string> last;
  session.backend->query_uniques(session, table, [&](std::span<const Cell> cells) {
    if (last != cells[0].bytes) {
      last = cells[0].bytes;
      uniques.emplace_back();
    }
    uniques.back().emplace_back(cells[1].bytes);
  });
  return uniques;
}

}  // namespace abgleich::db
