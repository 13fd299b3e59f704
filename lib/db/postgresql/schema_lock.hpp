// Holds the primary's tables still while they are read. The catalogue is read in the snapshot, but
// the server resolves names by what is committed now: DDL in between would hand over another
// column's values under an accepted name, and a table that was rewritten or truncated looks empty
// to an older snapshot.
#pragma once

#include "core/catalog.hpp"
#include "db/engine/connection.hpp"
#include "db/engine/schema_lock.hpp"

#include <string>
#include <vector>

namespace abgleich::db::postgresql {

/// Locks (ACCESS SHARE) what exists of `readings` and all tables behind it, and compares it with
/// the snapshot's catalogue. Needs no right but SELECT on the columns. Throws Fault for everything
/// that is no DDL. REQUIRES: the transaction whose snapshot `catalog` was read in is open.
SchemaLock hold(Connection& connection, const Catalog& catalog,
                const std::vector<Reading>& readings, Gone gone);

/// The fault of a table that stays locked: who holds the lock, if that can be seen.
Fault locked(Connection& connection, const std::string& table);

/// Stands for all labels of all enumerations: no table's lock keeps them from being renamed.
std::string labels_mark(Connection& connection);

}  // namespace abgleich::db::postgresql
