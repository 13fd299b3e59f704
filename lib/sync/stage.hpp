// Detect and mask: the primary's rows, masked and digested, into the secondary's stage.
#pragma once

#include "db/source.hpp"
#include "db/target.hpp"
#include "mask/keyring.hpp"
#include "report/change.hpp"
#include "sync/exported.hpp"
#include "sync/known_rows.hpp"
#include "sync/progress.hpp"
#include "sync/sides.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace abgleich::sync {

/// What was read of one table.
struct Staged {
  std::int64_t rows = 0;       // read from the primary
  std::int64_t usable = 0;     // staged with digests
  std::int64_t nameless = 0;   // held back, and not even their key is known
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

/// Reads the whole table, masks every row and stages it. A row that cannot be masked or held goes
/// to quarantine: its key, where it has one, is staged all the same, so that it does not look
/// deleted.
Staged stage_table(db::Source& source, db::Target& target, const ExportedTable& exported,
                   const mask::Keyring& keyring, Progress& progress);

/// For `verify`, of a table of which most rows agree on all sides: stages only those that may not.
/// Rows that agree count as `agreed`.
Staged stage_doubted(db::Source& source, db::Target& target, const ExportedTable& exported,
                     const mask::Keyring& keyring, const Sides& sides, Progress& progress);

/// Where rows go that can be compared: into the stage, or straight into the table.
struct Into {
  db::Target::Fill* fill = nullptr;
  const Sides* doubted = nullptr;  // only what may differ; the rest is left out
};

/// The same for what is not known yet: `reading` of the table, whose rows `known` is asked about.
/// Rows that are as they were count as staged and are not.
Staged stage_unknown(db::Source& source, db::Target& target, const ExportedTable& exported,
                     const mask::Keyring& keyring, const db::Source::Scan& reading,
                     const Fingerprinter& fingerprinter, KnownRows& known,
                     const db::Source::IsKnown& is_known, Into into, Progress& progress);

}  // namespace abgleich::sync
