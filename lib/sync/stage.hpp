// Detect and mask: the primary's rows, masked and digested, into the secondary's stage.
#pragma once

#include "db/source.hpp"
#include "db/target.hpp"
#include "mask/keyring.hpp"
#include "report/change.hpp"
#include "sync/exported.hpp"
#include "sync/progress.hpp"

namespace abgleich::sync {

/// What was read of one table.
struct Staged {
  std::int64_t rows = 0;      // read from the primary
  std::int64_t usable = 0;    // staged with digests
  std::int64_t nameless = 0;  // held back, and not even their key is known
};

/// Reads the whole table, masks every row and stages it. A row that cannot be masked or held goes
/// to quarantine: its key, where it has one, is staged all the same, so that it does not look
/// deleted.
Staged stage_table(db::Source& source, db::Target& target, const ExportedTable& exported,
                   const mask::Keyring& keyring, Progress& progress);

}  // namespace abgleich::sync
