// What the role may do in the secondary, and what others could do to a run: for `check`, so that it
// is known before a run fails. Everything is empty where the engine has no roles.
#pragma once

#include "db/engine/grants.hpp"
#include "db/engine/relation.hpp"

#include <optional>
#include <string>
#include <vector>

namespace abgleich::db {

class Target;

/// The statements by which an administrator gives this role the rights that it lacks for a run on
/// these relations. `ddl`: the statements that the run has to execute for them first.
std::vector<std::string> missing_rights(Target& target, const std::vector<Relation>& relations,
                                        const std::vector<std::string>& ddl);

/// The rights that the role lacks for a run on these relations, and those that it has
/// to other tables.
std::optional<Grants> grants(Target& target, const std::vector<Relation>& relations,
                             const std::vector<std::string>& ddl);

/// How others could disturb a run, or let their code run with this role's rights, in words: who
/// else may create objects where names are looked up, and which tables of these relations or of the
/// bookkeeping have an unexpected owner, or triggers.
std::vector<std::string> strangers(Target& target, const std::vector<Relation>& relations);

}  // namespace abgleich::db
