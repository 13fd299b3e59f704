// Detect and mask: reads the primary's rows, masks and digests them, and writes them to the stage.
#pragma once

#include "db/primary/source.hpp"
#include "db/secondary/first_load.hpp"
#include "db/secondary/staged_table.hpp"
#include "mask/keyring.hpp"
#include "report/change.hpp"
#include "sync/detect/bucket_checksums.hpp"
#include "sync/detect/cache_match.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/progress.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace abgleich::sync {

/// What was read of one table.
struct Staged {
  std::int64_t rows = 0;        // read from the primary
  std::int64_t usable = 0;      // not held back: staged with digests, or left out as unchanged
  std::int64_t keyless = 0;     // held back without a usable key
  std::int64_t unresolved = 0;  // their tokens stand for nothing, so they count as not there
  std::int64_t late = 0;        // of these: known only when the secondary refused them
  std::int64_t looked_at = 0;   // staged, held back ones included; not those left out as unchanged
  std::int64_t gone = 0;        // keys that were named as gone
  std::int64_t rare = 0;        // held back by min_k
  std::int64_t agreed = 0;      // usable, and left out because they agree on all sides
  /// Which rows of the base count as deleted: all that were not staged, or only those that were
  /// named as gone.
  enum class Absent : std::uint8_t { unstaged, named };
  Absent absent = Absent::unstaged;
  bool recent_only = false;  // only rows that are new by their row versions were read
  bool elsewhere = false;    // no row was read, but the primary has some, which go to other peers

  [[nodiscard]] bool nothing_new() const { return recent_only && looked_at == 0 && gone == 0; }
};

/// Fingerprints and place of a row, which are staged with it (`stage_N.mark`) to find it again in
/// the cache. They tell nothing about its values.
struct Mark {
  Fingerprint row;
  Fingerprint key;
  std::string place;
};
std::string pack(const Mark& mark);
/// Empty where `bytes` is not what `pack` made.
std::optional<Mark> unpack_mark(std::string_view bytes);

/// What is needed to read one table from the primary into its stage.
struct TableReading {
  db::Source& source;
  db::StagedTable& table;
  const ExportedTable& exported;
  const mask::Keyring& keyring;
  Progress& progress;
};

/// Reads the whole table, masks every row and stages it. A row that cannot be masked or stored goes
/// to quarantine; its key, if it is usable, is staged nevertheless, so that the row does not look
/// deleted.
Staged stage_table(const TableReading& reading);

/// The same for `verify`, where most rows agree on all sides: stages only rows whose checksums
/// differ. The others count as `agreed`.
Staged stage_unequal(const TableReading& reading, const BucketChecksums& checksums);

/// Where usable rows go: into the stage, or (`fill`) directly into the table.
struct Into {
  db::FirstLoadTable* fill = nullptr;
  const BucketChecksums* only_unequal = nullptr;  // rows that agree by these are left out
};

/// What is read of a table of which the cache knows rows, and how to recognise these.
struct CachedScan {
  const db::Source::Scan& rows;
  const Fingerprinter& fingerprinter;
  CacheMatch& known;                    // gets the other rows as candidates
  const db::Source::IsKnown& is_known;  // whether a row is unchanged
};

/// The same for rows that the cache does not know. Unchanged rows count in `rows` and `usable`, but
/// are not staged.
Staged stage_unknown(const TableReading& reading, const CachedScan& scan, Into into);

}  // namespace abgleich::sync
