// Where does the secondary stand, and is everything as the last run left it?
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

/// Locks the head (a real run), settles an interrupted run by looking, and refuses another
/// secondary (22), another primary or an older one (21), a standby that lags (24), another key
/// (25), another accepted catalogue (23), a paused pairing (13) or a head that somebody else has
/// written (41). Empty before the first run.
std::optional<db::HeadRow> recover(const Pairing& pairing, db::Target& target,
                                   const mask::Keyring& keyring, const Primary& primary,
                                   report::Run kind);

/// Whether the repair that a latch says has begun is the last run there: then the latch says what
/// is no longer true. REQUIRES: the bookkeeping was opened.
bool repair_stands(const Pairing& pairing, db::Target& target,
                   const std::optional<db::HeadRow>& head);

/// Throws Failure{integrity} while damage is latched. The latch of a repair that was ended between
/// its commit and its end is taken off. REQUIRES: the state directory is locked.
void expect_unlatched(const Pairing& pairing, const mask::Keyring& keyring);

/// Throws Failure{configuration} where both URLs lead to the same schema of the same database,
/// however they are written: the primary is never written. Loads the target's catalogue.
void refuse_same_database(const Pairing& pairing, const Catalog& primary, db::Target& target);

/// Throws Failure{integrity} where the bookkeeping is evidently damaged: a table of it is gone, or
/// the run that `head` names. A glance, for every run; all that can be found, `verify` finds.
void check_books(db::Target& target, const std::optional<db::HeadRow>& head);

/// Drift of the live catalogue against the accepted one. Throws Failure{source_incomplete} where
/// the role has lost the right to read an exported column or row security would hide rows.
std::vector<drift::Event> drift_events(const Pairing& pairing, const Catalog& live);

}  // namespace abgleich::sync
