// The secondary's tables: which of them hold the relations of a run, what they lack, and the DDL
// that makes it.
#pragma once

#include "core/catalog.hpp"
#include "db/engine/relation.hpp"
#include "db/secondary/adaptation.hpp"
#include "db/secondary/located_relation.hpp"
#include "db/secondary/shared_tables.hpp"

#include <string>
#include <vector>

namespace abgleich::db {

class Target;

/// Relations in the order in which they were asked for.
struct LocatedRelations {
  std::vector<LocatedRelation> relations;
  /// The DDL that the secondary needs for them and their bases, in order.
  std::vector<std::string> missing_ddl;
};

/// Uses the catalogue that the target has loaded.
class SecondarySchema {
 public:
  explicit SecondarySchema(Target& target) : target_(target) {}

  /// Throws Failure{secondary_refuses} where an existing table cannot serve (a generated column, no
  /// unique key over the contract's key).
  /// Says of each relation where other peers write to its table, too, and throws what
  /// `find_shared_bases` throws.
  [[nodiscard]] LocatedRelations locate(std::vector<Relation> relations,
                                        OthersBases which = OthersBases::all) const;
  [[nodiscard]] LocatedRelation locate(const Relation& relation) const;
  /// The same table by another key, which need not be unique in it yet. REQUIRES: the columns of
  /// `now` are the first ones of `before`, in the same order.
  [[nodiscard]] LocatedRelation by_another_key(const LocatedRelation& before, Relation now) const;

  /// The statements that would undo `missing_ddl` on the data's tables, as they are now; not
  /// on the bookkeeping.
  [[nodiscard]] std::vector<std::string> undo_ddl(const LocatedRelations& located) const;

  /// For a dry run: makes temporary stand-ins for tables, columns and bases that are missing, and
  /// for tables whose constraints the run would drop, since a rehearsal cannot drop them.
  /// `released`: a foreign key that refers to the table is to be dropped.
  void stand_in(const LocatedRelation& relation, bool released);

 private:
  /// The relation's table, under the name that it has now; null where there is none yet.
  [[nodiscard]] const CatalogTable* holding_table(const Relation& relation) const;
  [[nodiscard]] Adaptation hold_existing(const CatalogTable& table, Relation& relation) const;
  [[nodiscard]] Relation with_possible_foreign_keys(const Relation& relation,
                                                    const std::vector<Relation>& all) const;
  [[nodiscard]] std::vector<std::string> widen_base(const Relation& relation) const;

  Target& target_;
};

}  // namespace abgleich::db
