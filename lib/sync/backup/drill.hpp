// `abgleich restore --drill`: the proof that a backup can be restored. It is restored beside the
// original, and everything that can be checked of it is checked. Nothing of the original is written
// but the record of the drill in the state directory.
#pragma once

#include "db/secondary/target.hpp"
#include "state/latch.hpp"
#include "sync/backup/manifest.hpp"
#include "sync/pairing.hpp"
#include "sync/progress.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace abgleich::sync {

struct DrillOptions {
  std::filesystem::path directory;  // empty: the backup that was made last
  /// The URL of an empty database to restore to, which stays. Empty: one is made, and dropped.
  std::optional<std::string> to;
};

struct Drilled {
  std::filesystem::path directory;
  Manifest manifest;
  std::int64_t age = 0;  // seconds
  std::string key;       // where the key came from: "backup" or "this machine"
  bool counts = true;    // false: it is of another history than the secondary's
  /// What is not as the runs have left it; empty: all of it is.
  std::vector<state::Damage> damage;
  /// How many runs the secondary is ahead of the backup; empty: not known.
  std::optional<std::int64_t> runs_behind;
  /// How many rows differ from the primary as it is now and are not explained by edits, conflicts
  /// or the contract; empty: the primary could not be compared.
  std::optional<std::int64_t> rows_behind;
  std::vector<std::string> notes;  // for people
  std::string stays;               // the URL of `to`
  Code code = Code::done;          // integrity where there is damage
};

/// Throws Failure: usage (no such backup), integrity (a file of it was changed: nothing is restored
/// then), key_or_trust (another key), secondary_refuses (the role may not make a database, or `to`
/// is not empty), and as `db::restore_copy` does.
Drilled drill(const Pairing& pairing, const DrillOptions& options, Progress& progress);

/// Restores the secondary of a backup that is whole, as a drill does, and hands it over with its
/// bookkeeping open and its catalogue loaded. Throws as `drill` does.
void look_into_backup(const Pairing& pairing, const std::filesystem::path& directory,
                      const std::function<void(db::Target&)>& look);

}  // namespace abgleich::sync
