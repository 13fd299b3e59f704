// Detect and mask: the primary's rows, masked and digested, into the secondary's stage.
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
  std::int64_t rows = 0;       // read from the primary
  std::int64_t usable = 0;     // staged with digests
  std::int64_t keyless = 0;    // held back, and not even their key is known
  std::int64_t late = 0;       // of these: the secondary has said so, when they counted as usable
  std::int64_t looked_at = 0;  // staged, and not only known to be as they were
  std::int64_t gone = 0;       // keys that were named as gone
  std::int64_t rare = 0;       // held back by min_k
  std::int64_t agreed = 0;     // usable, and left out as they agree on all sides
  /// Whether rows that were not staged are deleted ones, or only those that were named as gone.
  enum class Absent : std::uint8_t { unstaged, named };
  Absent absent = Absent::unstaged;
  bool recent_only = false;  // what its row versions say has not changed was not read

  [[nodiscard]] bool nothing_new() const { return recent_only && looked_at == 0 && gone == 0; }
};

/// What is kept of a row's marks with the row itself: fingerprints and place, to find it again in
/// the cache (`stage_N.mark`). None of it tells anything of the row.
struct Mark {
  Fingerprint row;
  Fingerprint key;
  std::string place;
};
std::string pack(const Mark& mark);
/// Empty where `bytes` is not what `pack` made.
std::optional<Mark> unpack_mark(std::string_view bytes);

/// One table on its way from the primary into its stage, and what that takes.
struct TableReading {
  db::Source& source;
  db::StagedTable& table;
  const ExportedTable& exported;
  const mask::Keyring& keyring;
  Progress& progress;
};

/// Reads the whole table, masks every row and stages it. A row that cannot be masked or held goes
/// to quarantine: its key, where it has one, is staged nevertheless, so that it does not look
/// deleted.
Staged stage_table(const TableReading& reading);

/// For `verify`, of a table of which most rows agree on all sides: stages only those whose
/// checksums are not equal. Rows that agree count as `agreed`.
Staged stage_unequal(const TableReading& reading, const BucketChecksums& checksums);

/// Where rows go that can be compared: into the stage, or straight into the table.
struct Into {
  db::FirstLoadTable* fill = nullptr;
  const BucketChecksums* only_unequal = nullptr;  // rows that agree by these are left out
};

/// What is read of a table of which the cache knows rows, and how to tell those.
struct CachedScan {
  const db::Source::Scan& rows;
  const Fingerprinter& fingerprinter;
  CacheMatch& known;                    // is told of the others
  const db::Source::IsKnown& is_known;  // whether a row is as it was
};

/// The same for what the cache does not know. Rows that are as they were count as staged and are
/// not.
Staged stage_unknown(const TableReading& reading, const CachedScan& scan, Into into);

}  // namespace abgleich::sync
