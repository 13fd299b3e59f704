// Who may do what in a secondary, and which names are looked up where.
#pragma once

#include "db/engine/relation.hpp"
#include "db/engine/session.hpp"

#include <string>
#include <vector>

namespace abgleich::db::postgresql {

/// The search path that people's own sessions have, with the session's schema at its end.
std::string peoples_path(Session& session);
/// In this transaction. Empty: the server's own names only.
void look_up_by(Session& session, const std::string& path);

/// GRANTs, for what this role lacks.
std::vector<std::string> missing_rights(Session& session, const std::vector<Relation>& relations,
                                        const std::vector<std::string>& ddl);

/// What others could put in the way of a run's statements, or run with its rights, in words: who
/// else may create where names are looked up, and tables of these relations or of the bookkeeping
/// with an owner that nobody expects, or with triggers.
std::vector<std::string> strangers(Session& session, const std::vector<Relation>& relations,
                                   const std::string& peoples_path);

}  // namespace abgleich::db::postgresql
