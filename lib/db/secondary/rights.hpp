// What the role may do in the secondary, and what others might: for `check`, before a run finds
// out. Empty everywhere where the engine has no roles.
#pragma once

#include "db/engine/grants.hpp"
#include "db/engine/relation.hpp"

#include <optional>
#include <string>
#include <vector>

namespace abgleich::db {

class Target;

/// The statements with which an administrator would give this role the rights that a run needs and
/// that it lacks, for these relations, of which `ddl` is missing.
std::vector<std::string> missing_rights(Target& target, const std::vector<Relation>& relations,
                                        const std::vector<std::string>& ddl);

/// The rights that the role lacks for a run on these relations, and those that it has to tables
/// which are none of them.
std::optional<Grants> grants(Target& target, const std::vector<Relation>& relations,
                             const std::vector<std::string>& ddl);

/// What others could put in the way of a run, or let run with this role's rights, in words: who
/// else may create where names are looked up, and tables of these relations or of the bookkeeping
/// with an owner that nobody expects, or with triggers.
std::vector<std::string> strangers(Target& target, const std::vector<Relation>& relations);

}  // namespace abgleich::db
