// What catalogues leave open, and values can tell: whether a name means what it meant, where its
// column or its table was made anew, or where columns have no identity (SQLite). They are compared
// here: what is in doubt does not reach the secondary.
#pragma once

#include "core/error.hpp"
#include "db/primary/source.hpp"
#include "db/secondary/target.hpp"
#include "drift/drift.hpp"
#include "mask/keyring.hpp"
#include "sync/pairing.hpp"

#include <optional>
#include <vector>

namespace abgleich::sync {

/// Whether the values can decide what this event blocks.
bool values_can_tell(const drift::Event& event);

/// Turns into `adapt`, or takes back, what the values confirm row by row; of the rest, says how
/// many rows speak against it. Adds tables whose contract has another key than the secondary's rows
/// are known by.
void judge_by_values(std::vector<drift::Event>& events, const Pairing& pairing, db::Source& source,
                     db::Target& target, const mask::Keyring& keyring);

/// Why the schema cannot be accepted yet: a run has to carry over first what the values confirm,
/// as the accepted schema no longer tells of it.
std::optional<Error> not_carried_over(const std::vector<drift::Event>& events,
                                      const Pairing& pairing, const Catalog& live);

}  // namespace abgleich::sync
