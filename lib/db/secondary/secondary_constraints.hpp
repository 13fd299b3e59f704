// Constraints that this program made follow those of the primary. One that the primary no longer
// has is dropped with the changes of the schema, before rows are written. A new one is made after
// the rows are written, if every row of the secondary meets it.
#pragma once

#include "core/catalog.hpp"
#include "db/secondary/located_relation.hpp"

#include <string>
#include <vector>

namespace abgleich::db {

class Target;

/// Uses the catalogue that the target has loaded.
class SecondaryConstraints {
 public:
  explicit SecondaryConstraints(Target& target) : target_(target) {}

  /// Whether a foreign key of a table of the secondary is written as this program writes its own.
  [[nodiscard]] bool is_ours(const std::string& table, const CatalogForeignKey& key) const;

  /// The statements that make `new_keys`, and NOT NULL where the primary has it from now on, as far
  /// as every row of the secondary meets them now.
  std::vector<std::string> lacking(const std::vector<LocatedRelation>& relations);
  /// Makes the same, but for what the secondary refuses. Returns what was executed.
  std::vector<std::string> add(const std::vector<LocatedRelation>& relations);

 private:
  [[nodiscard]] std::vector<std::string> new_key_ddl(const Relation& relation,
                                                     std::size_t key) const;
  /// Whether both tables are there, and no row of the relation's data would violate the key.
  bool keeps(const Relation& relation, const RelationForeignKey& key);
  /// False where the secondary refuses them: then nothing was done.
  bool try_ddl(const std::vector<std::string>& statements);

  Target& target_;
};

}  // namespace abgleich::db
