// Rows that are there already, laid down anew in the order of their keys, by CLUSTER.
#pragma once

#include "db/engine/engine.hpp"
#include "db/engine/session.hpp"

#include <string>

namespace abgleich::db::postgresql {

/// Returns the statements that the table's owner has to run where this role may not; empty: rows
/// lie so now.
std::string lay_down(Session& session, const RowsToLayDown& rows);

}  // namespace abgleich::db::postgresql
