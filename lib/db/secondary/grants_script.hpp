// Statements for one role of one database, for a script that may be given to several databases.
#pragma once

#include "core/catalog.hpp"
#include "db/engine/grants.hpp"

#include <string>
#include <string_view>

namespace abgleich::db {

/// `script` between lines of psql's that leave it out in another database than this one, and where
/// there is no such role.
std::string only_here(const Grants& grants, const DatabaseIdentity& database,
                      std::string_view script);

}  // namespace abgleich::db
