// Checks where the secondary stands, and whether everything is as the last run left it.
#pragma once

#include "db/primary/source.hpp"
#include "db/secondary/target.hpp"
#include "mask/keyring.hpp"
#include "report/change.hpp"
#include "sync/pairing.hpp"
#include "sync/run/books_key.hpp"

#include <optional>
#include <vector>

namespace abgleich::sync {

/// The primary that is read: which one it is, and how far it has got.
struct Primary {
  DatabaseIdentity identity;
  db::Position position;
};
Primary primary_of(db::Source& source);

/// Locks the head (in a real run) and finds out whether an interrupted run was committed. Throws
/// Failure for another secondary (22), another primary or an older one (21), a standby that lags
/// (24), another key (25), another accepted catalogue (23), a paused pairing (in a real run: 13)
/// and a head that somebody else has written (41). Empty before the first run.
std::optional<db::HeadRow> recover(const Pairing& pairing, db::Target& target,
                                   const mask::Keyring& keyring, const Primary& primary,
                                   report::Run kind);

/// Whether the last run is the repair whose beginning the latch has noted: then the latch is out of
/// date. REQUIRES: the bookkeeping was opened.
bool repair_stands(const Pairing& pairing, db::Target& target,
                   const std::optional<db::HeadRow>& head);

/// Throws Failure{integrity} while the latch is set. Takes it off where a repair was killed after
/// its commit and before it could do so. REQUIRES: the state directory is locked.
void expect_unlatched(const Pairing& pairing, const mask::Keyring& keyring);

/// Throws Failure{configuration} where both URLs, whatever their spelling, lead to the same schema
/// of the same database: no run may write to the primary. Loads the target's catalogue.
void refuse_same_database(const Pairing& pairing, const Catalog& primary, db::Target& target);

/// Throws Failure{integrity} where the run that `head` names is not the last one in the
/// bookkeeping. A quick check for every run; `verify` checks everything.
void check_books(db::Target& target, const std::optional<db::HeadRow>& head);

/// Drift of the live catalogue against the accepted one. Throws Failure{source_incomplete} where
/// the role has lost the right to read an exported column or row security would hide rows.
std::vector<drift::Event> drift_events(const Pairing& pairing, const Catalog& live);

}  // namespace abgleich::sync
