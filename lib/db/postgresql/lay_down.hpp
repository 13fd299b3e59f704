// Puts the rows of a table into the order of their keys, by CLUSTER.
#pragma once

#include "db/engine/engine.hpp"
#include "db/engine/session.hpp"

#include <string>

namespace abgleich::db::postgresql {

/// Returns the statements that the table's owner has to run where this role may not. Empty: the
/// rows are in order now, or no index has just the key's columns.
std::string lay_down(Session& session, const RowsToLayDown& rows);

}  // namespace abgleich::db::postgresql
