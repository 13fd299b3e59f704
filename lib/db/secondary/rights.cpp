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
  std::set<std::string> tables;
  for (const auto& relation : relations) {
    tables.insert(relation.name);
  }
  auto grants = target.backend().grants_beyond(target.session(), tables);
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
