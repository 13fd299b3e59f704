// Rights of roles in a secondary, and its search paths.
#pragma once

#include "db/engine/relation.hpp"
#include "db/engine/session.hpp"

#include <string>
#include <vector>

namespace abgleich::db::postgresql {

/// The search path of people's own sessions, with pg_catalog before it and the session's schema
/// after it.
std::string peoples_path(Session& session);
/// Sets the search path for this transaction. Empty: only the server's own names are found.
void look_up_by(Session& session, const std::string& path);

/// See Backend::missing_rights.
std::vector<std::string> missing_rights(Session& session, const std::vector<Relation>& relations,
                                        const std::vector<std::string>& ddl);

/// See Backend::strangers_in_books.
std::vector<std::string> strangers_in_books(Session& session);

/// What other users could do to disturb a run's statements, or to run code with its rights, in
/// words: who else may create objects in a schema of the search path, and which tables of these
/// relations or of the bookkeeping have triggers or an owner that is not expected.
std::vector<std::string> strangers(Session& session, const std::vector<Relation>& relations,
                                   const std::string& peoples_path);

}  // namespace abgleich::db::postgresql
