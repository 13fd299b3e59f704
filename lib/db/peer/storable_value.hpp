// A cell that a peer has sent, as it is stored in its table, and one that is sent, as it is stored
// in the outbox. Both files are of the same engine, so a value goes by its storage class: what a
// text means, such as a date, the column's declared type says.
#pragma once

#include "core/value.hpp"
#include "db/engine/connection.hpp"
#include "db/sqlite/declared_type.hpp"

namespace abgleich::db {

/// Whether a column of this affinity gives the value back as it was put. False, too, where the
/// value is not in its canonical form, or of a kind that is never sent.
bool is_kept(sqlite::Affinity column, const Value& value);

/// REQUIRES: `is_kept`. The cell points into the value.
Cell stored_cell(const Value& value);

/// The inverse. False: a text that is not UTF-8, which no value is.
[[nodiscard]] bool read_stored(const Cell& cell, Value& value);

}  // namespace abgleich::db
