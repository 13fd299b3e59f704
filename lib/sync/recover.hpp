// Where does the secondary stand, and is everything as the last run left it?
#pragma once

#include "db/source.hpp"
#include "db/target.hpp"
#include "mask/keyring.hpp"
#include "report/change.hpp"
#include "sync/books_key.hpp"
#include "sync/pairing.hpp"

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

/// Throws Failure{configuration} where both URLs lead to the same schema of the same database,
/// however they are written: the primary is never written. Loads the target's catalogue.
void refuse_same_database(const Pairing& pairing, const Catalog& primary, db::Target& target);

/// Throws Failure{integrity} where the bookkeeping is evidently damaged: a table of it is gone, or
/// the run that `head` names. A glance, for every run; all that can be found, `verify` finds.
void check_books(db::Target& target, const std::optional<db::HeadRow>& head);

/// The tables that the secondary's bookkeeping knows; none before the first run.
std::vector<db::TrackedRow> known_tables(db::Target& target);

/// Drift of the live catalogue against the accepted one. Throws Failure{source_incomplete} where
/// the role has lost the right to read an exported column or row security would hide rows.
std::vector<drift::Event> drift_events(const Pairing& pairing, const Catalog& live);

}  // namespace abgleich::sync
