// Rows that are there already, laid down anew in the order of their keys, by new row numbers.
#pragma once

#include "db/engine/engine.hpp"
#include "db/engine/session.hpp"

#include <string>

namespace abgleich::db::sqlite {

/// Returns the statements that somebody has to run where the table has triggers, which are not to
/// see rows move; empty: rows lie so now, or have no numbers of their own.
std::string lay_down(Session& session, const RowsToLayDown& rows);

}  // namespace abgleich::db::sqlite
