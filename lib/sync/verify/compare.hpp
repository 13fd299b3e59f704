// Compares primary, secondary and base of a table. Each is read whole and by itself, into checksums
// that tell which of the rows may differ.
#pragma once

#include "db/primary/source.hpp"
#include "db/secondary/base_table.hpp"
#include "db/secondary/target.hpp"
#include "mask/keyring.hpp"
#include "sync/detect/bucket_checksums.hpp"
#include "sync/mapping/located_table.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/progress.hpp"

#include <cstdint>

namespace abgleich::sync {

/// The result.
struct Compared {
  std::int64_t usable = 0;   // rows of the primary that can be compared
  std::int64_t keyless = 0;  // rows of it without a usable key
  db::MeasuredBase base;     // as it was read
};

/// Whether `compare` can be used for a table: it and its base exist as the contract has them, and
/// no row is held back because of what other rows are (`min_k`).
bool may_compare(const db::Target& target, const ExportedTable& exported);

/// Reads primary and secondary at the same time, in two threads. REQUIRES: `may_compare`. Throws
/// what either side throws.
Compared compare(db::Source& source, db::Target& target, const LocatedTable& exported,
                 const mask::Keyring& keyring, BucketChecksums& sides, Progress& progress);

}  // namespace abgleich::sync
