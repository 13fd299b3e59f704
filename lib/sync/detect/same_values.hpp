// Compares values where catalogues alone cannot tell whether a name still means the same: where its
// column or table was made anew, or where columns have no identity (SQLite). What remains in doubt
// does not reach the secondary.
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

/// Whether this event blocks, and is of a kind that values can decide.
bool values_can_tell(const drift::Event& event);

/// Compares the primary's values with the base, for events that values can decide. Where they are
/// as before, the event becomes `adapt` or is removed; otherwise its hint says how many rows
/// differ. Also adds events for tables whose contract names another key than the one by which the
/// secondary knows their rows.
void judge_by_values(std::vector<drift::Event>& events, const Pairing& pairing, db::Source& source,
                     db::Target& target, const mask::Keyring& keyring);

/// Why the schema cannot be accepted yet; empty: it can. A run has to carry over first what the
/// values confirm: once the schema is accepted, there is no event for it any more.
std::optional<Error> not_carried_over(const std::vector<drift::Event>& events,
                                      const Pairing& pairing, const Catalog& live);

}  // namespace abgleich::sync
