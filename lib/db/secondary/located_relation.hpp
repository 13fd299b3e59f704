// A relation, with how the secondary stores it: that was looked up.
#pragma once

#include "db/engine/relation.hpp"

#include <utility>

namespace abgleich::db {

/// `stored`, `equality` and `bytewise` of a column are those of the secondary's own column or,
/// where there is none yet, of the one that would be made. `renamed_from` is empty where the table
/// already has its name. Only SecondarySchema makes these, and what writes to people's tables takes
/// nothing else: so nothing is written before it was looked up.
class LocatedRelation : public Relation {
 private:
  friend class SecondarySchema;
  explicit LocatedRelation(Relation relation) : Relation(std::move(relation)) {}
};

}  // namespace abgleich::db
