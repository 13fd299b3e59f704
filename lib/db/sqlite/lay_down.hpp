// Puts the rows of a table into the order of their keys, by new row numbers.
#pragma once

#include "db/engine/engine.hpp"
#include "db/engine/session.hpp"

#include <string>

namespace abgleich::db::sqlite {

/// Returns statements for the user to run where the table has triggers, which must not see how rows
/// move. Empty: the rows are in order now, or have no numbers of their own.
std::string lay_down(Session& session, const RowsToLayDown& rows);

}  // namespace abgleich::db::sqlite
