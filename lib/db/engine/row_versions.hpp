// Row versions: what an engine knows of when each row was written. Where it can tell which rows a
// transaction can have written since an earlier snapshot, a run reads these alone. When that is
// right is the engine's to say: lib/db/postgresql/row_versions.hpp.
#pragma once

#include "core/catalog.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace abgleich::db {

struct RowVersions {
  bool usable = false;  // the table has row versions, here and now
  bool moved = false;   // replaced between the snapshot and now
  std::string facts;
  std::uint64_t horizon = 0;  // of this snapshot: what was written before it is in it
  std::uint64_t next = 0;     // the first transaction that had not begun
};

/// Whether `now` can say what has changed since a reading with these facts and numbers.
bool follows(const RowVersions& now, const std::string& facts, std::uint64_t horizon,
             std::uint64_t next);

/// What is asked for the versions of.
struct VersionedTable {
  const CatalogTable& table;
  const std::vector<const CatalogColumn*>& columns;  // that are read
  const DatabaseIdentity& database;
  bool may_ask_facts = false;  // see Watch
};

}  // namespace abgleich::db
