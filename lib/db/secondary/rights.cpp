#include "db/secondary/rights.hpp"

#include "db/engine/engine.hpp"
#include "db/secondary/target.hpp"

#include <algorithm>
#include <iterator>
#include <set>

namespace abgleich::db {

std::vector<std::string> missing_rights(Target& target, const std::vector<Relation>& relations,
                                        const std::vector<std::string>& ddl) {
  return target.backend().missing_rights(target.session(), relations, ddl);
}

std::optional<Grants> grants(Target& target, const std::vector<Relation>& relations,
                             const std::vector<std::string>& ddl) {
  const auto& session = target.session();
  KeptTables kept{.books = {session.books}, .data = {}};
  for (const auto& relation : relations) {
    kept.data.emplace(session.schema, relation.name);
  }
  // what the role needs for other pairings is not taken from it
  for (const auto& other : target.books().beside()) {
    kept.books.insert(other.name);
    const auto schema = other.schema_name();
    for (const auto& table : other.tables) {
      if (schema.empty()) {
        kept.anywhere.insert(table.target);
      } else {
        kept.data.emplace(schema, table.target);
      }
    }
  }
  auto grants = target.backend().grants_beyond(target.session(), kept);
  if (grants) {
    std::ranges::move(missing_rights(target, relations, ddl),
                      std::back_inserter(grants->statements));
  }
  return grants;
}

std::vector<std::string> strangers(Target& target, const std::vector<Relation>& relations) {
  return target.backend().strangers(target.session(), relations, target.peoples_path());
}

}  // namespace abgleich::db
