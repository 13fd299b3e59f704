// Locks the primary's tables against DDL while they are read. The catalogue is read in the
// snapshot, but the server resolves names by what is committed now: DDL in between would hand over
// another column's values under an accepted name, and a table that was rewritten or truncated looks
// empty to an older snapshot.
#pragma once

#include "core/catalog.hpp"
#include "db/engine/connection.hpp"
#include "db/engine/schema_lock.hpp"

#include <string>
#include <vector>

namespace abgleich::db::postgresql {

/// Locks (ACCESS SHARE) those tables of `readings` that exist, and the tables behind views, and
/// compares them with the snapshot's catalogue. Needs no right but SELECT on the columns. Throws
/// Fault for what DDL does not cause. REQUIRES: the transaction in whose snapshot `catalog` was
/// read is open.
SchemaLock hold(Connection& connection, const Catalog& catalog,
                const std::vector<Reading>& readings, Gone gone);

/// The Fault of a table that stays locked. It says who holds the lock, if that can be seen.
Fault locked(Connection& connection, const std::string& table);

/// A checksum of all labels of all enumerations: no lock on a table keeps these from being renamed.
std::string labels_mark(Connection& connection);

}  // namespace abgleich::db::postgresql
