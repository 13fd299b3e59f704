// A relation of which is known how the secondary holds it.
#pragma once

#include "db/engine/relation.hpp"

#include <utility>

namespace abgleich::db {

/// `stored`, `equality` and `bytewise` of a column are those of the secondary's own where it is
/// there, and otherwise of the one that would be made. `renamed_from` of one whose table is not to
/// be renamed any more is empty. Only `SecondarySchema::locate` makes one, so whoever is given one
/// need not ask; what writes to people's tables takes nothing else.
class LocatedRelation : public Relation {
 private:
  friend class SecondarySchema;
  explicit LocatedRelation(Relation relation) : Relation(std::move(relation)) {}
};

}  // namespace abgleich::db
