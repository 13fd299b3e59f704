// Row versions: what an engine knows of when each row was written. Where it can tell which rows may
// have been written since an earlier snapshot, a run reads only these. Under which conditions that
// is right: lib/db/postgresql/row_versions.hpp.
#pragma once

#include "core/catalog.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace abgleich::db {

struct RowVersions {
  bool usable = false;        // the table has row versions, here and now
  bool moved = false;         // replaced between the snapshot and now
  std::string facts;          // has to be the same in two readings that are compared
  std::uint64_t horizon = 0;  // the oldest transaction that was not over in this snapshot
  std::uint64_t next = 0;     // one more than the newest transaction that was over
  /// How large the table's storage is, in pages of the engine; empty: not known. REQUIRES: usable.
  std::optional<std::uint64_t> pages{};
};

/// Whether `now` can say what has changed since a reading with these facts and numbers.
bool follows(const RowVersions& now, const std::string& facts, std::uint64_t horizon,
             std::uint64_t next);

/// The table whose row versions are asked for.
struct VersionedTable {
  const CatalogTable& table;
  std::vector<const CatalogColumn*> columns;  // that are read; at least one
  const DatabaseIdentity& database;
  bool may_ask_facts = false;  // see Watch
  bool locked = false;         // this transaction has locked it (Backend::hold)
};

}  // namespace abgleich::db
