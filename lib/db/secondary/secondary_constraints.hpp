// Constraints that this program made follow the primary's: what it no longer has goes with the
// schema before the rows come; what is new comes once they are there, if every row of the secondary
// keeps it.
#pragma once

#include "core/catalog.hpp"
#include "db/secondary/located_relation.hpp"

#include <string>
#include <vector>

namespace abgleich::db {

class Target;

/// By the catalogue that the target has loaded.
class SecondaryConstraints {
 public:
  explicit SecondaryConstraints(Target& target) : target_(target) {}

  /// Whether a foreign key of a table of the secondary is written as this program writes its own.
  [[nodiscard]] bool is_ours(const std::string& table, const CatalogForeignKey& key) const;

  /// The statements that make `new_keys`, of those that every row keeps now.
  std::vector<std::string> lacking(const std::vector<LocatedRelation>& relations);
  /// Makes `new_keys`, and NOT NULL where the primary has it from now on, as far as the secondary's
  /// rows allow; returns what was executed.
  std::vector<std::string> add(const std::vector<LocatedRelation>& relations);

 private:
  [[nodiscard]] std::vector<std::string> new_key_ddl(const Relation& relation,
                                                     std::size_t key) const;
  /// Whether no row of the relation's data would break the key.
  bool keeps(const Relation& relation, const RelationForeignKey& key);
  /// False where the secondary refuses them: then nothing was done.
  bool try_ddl(const std::vector<std::string>& statements);

  Target& target_;
};

}  // namespace abgleich::db
