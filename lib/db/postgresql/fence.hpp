// Holds the primary's tables still while they are read. The catalogue is read in the snapshot, but
// the server resolves names by what is committed now: DDL in between would hand over another
// column's values under an accepted name, and a table that was rewritten or truncated looks empty
// to an older snapshot.
#pragma once

#include "core/catalog.hpp"
#include "db/connection.hpp"
#include "db/source.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace abgleich::db::postgresql {

enum class Hold : std::uint8_t {
  held,   // locked until the transaction ends, and as `catalog` says
  moved,  // changed since the snapshot, or being changed: a newer snapshot is needed
};

/// What a name or a right that is gone is taken for: the vendor at work, or a lasting state.
enum class Gone : std::uint8_t { by_ddl, for_good };

/// Locks (ACCESS SHARE) what exists of `readings` and all tables behind it, and compares it with
/// the snapshot's catalogue. Needs no right but SELECT on the columns. Throws Fault for everything
/// that is no DDL. REQUIRES: the transaction whose snapshot `catalog` was read in is open.
Hold hold(Connection& connection, const Catalog& catalog, const std::vector<Reading>& readings,
          Gone gone);

/// Stands for all labels of all enumerations: no table's lock keeps them from being renamed.
std::string labels_mark(Connection& connection);

}  // namespace abgleich::db::postgresql
