// Statements for one role of one database, for a script that may be given to several databases.
#pragma once

#include "core/catalog.hpp"
#include "db/engine/grants.hpp"

#include <string>
#include <string_view>

namespace abgleich::db {

/// `script` between commands of psql that skip it in every other database than `database`, and
/// where the role does not exist.
std::string only_here(const Grants& grants, const DatabaseIdentity& database,
                      std::string_view script);

}  // namespace abgleich::db
