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

/// The epoch that the secondary's pseudonyms are of, where that is an older one than the key's.
std::optional<int> epoch_to_rotate(db::Target& target, const mask::Keyring& keyring);

/// What a rotation did.
struct Rotation {
  std::string run;
  int from = 0;  // epochs of the key
  int to = 0;
  std::int64_t rows = 0;          // of the data that have new pseudonyms
  std::int64_t orphans = 0;       // pseudonyms of nobody that the primary still has
  std::vector<std::string> left;  // of tables that still lie in the old order, see `lay_down`
};

/// Rekeys data, bases, journal, conflicts and quarantine, and commits. Edits of the secondary,
/// conflicts and the number of rows stay what they are. Columns of `refill` the run behind it fills
/// from the primary. Throws Failure where it cannot be done whole: nothing has changed then.
Rotation rotate(const WritingRun& frame, RunAttempt& run, db::Source& source, int from,
                const std::set<std::string>& refill, Progress& progress);

/// "key rotated from epoch 1 to 2: …", for people.
std::string text_of(const Rotation& rotation);

}  // namespace abgleich::sync
