// The rotation of the key: after `keys rotate`, the next run gives every pseudonym of the secondary
// its new form, in one transaction and as a run of its own, before it does anything else.
#pragma once

#include "db/primary/source.hpp"
#include "db/secondary/target.hpp"
#include "mask/keyring.hpp"
#include "sync/progress.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace abgleich::sync {

class RunAttempt;  // writing_run.hpp
class WritingRun;

/// The epoch of the secondary's pseudonyms, where it is older than the key's; else empty.
std::optional<int> epoch_to_rotate(db::Target& target, const mask::Keyring& keyring);

/// What a rotation did.
struct Rotation {
  std::string run;
  int from = 0;  // epochs of the key
  int to = 0;
  std::int64_t rows = 0;          // of the data that have new pseudonyms
  std::int64_t orphans = 0;       // pseudonyms of values that the primary no longer has
  std::vector<std::string> left;  // for tables that still lie in the old order, see `lay_down_data`
};

/// Rekeys data, bases, journal, conflicts and quarantine, and commits. Edits of the secondary,
/// conflicts and the number of rows stay what they are. Columns in `refill` are filled from the
/// primary by the run that follows. Throws Failure where not all of it can be done; then nothing
/// has changed.
Rotation rotate(const WritingRun& frame, RunAttempt& run, db::Source& source, int from,
                const std::set<std::string>& refill, Progress& progress);

/// "key rotated from epoch 1 to 2: …", for people.
std::string text_of(const Rotation& rotation);

}  // namespace abgleich::sync
