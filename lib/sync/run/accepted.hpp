// Notices when the accepted catalogue is lost or exchanged: the secondary has its hash, and the
// state directory has a copy of what `drift accept` has accepted here.
#pragma once

#include "core/catalog.hpp"
#include "db/secondary/target.hpp"
#include "sync/pairing.hpp"

#include <optional>

namespace abgleich::sync {

/// Throws Failure{drift_decision} where the accepted catalogue is gone, or is neither the one that
/// the last run used nor one that was accepted here since. Does nothing before the first run.
void expect_accepted(const Pairing& pairing, db::Target& target);

/// The same for commands that work without the secondary: if it cannot be opened, refuses nothing.
void expect_accepted(const Pairing& pairing);

/// Before a run commits: records in the secondary which catalogue the run used. If none was
/// accepted yet, `live` is the accepted one from now on. `epoch`: the run's number.
void remember_accepted(const Pairing& pairing, db::Target& target, const Catalog& live,
                       std::int64_t epoch);

/// Where a person goes on with another primary: changes the accepted catalogue (file, copy and
/// hash) so that it fits this one, and later drift of its columns is found. Does nothing where
/// nobody has accepted the catalogue. REQUIRES: the state directory is locked.
void carry_accepted(const Pairing& pairing, db::Target& target, const Catalog& live,
                    std::int64_t epoch);

/// Whether the accepted catalogue counts: `expect_accepted` refuses nothing.
bool counts(const Pairing& pairing);

/// What was accepted last: the file, or its copy where the file is gone or nobody has accepted it.
std::optional<Catalog> last_accepted(const Pairing& pairing);

/// Where a person has accepted this catalogue: writes the file and the copy. REQUIRES: the state
/// directory is locked.
void accept_catalogue(const Pairing& pairing, const Catalog& catalog);

}  // namespace abgleich::sync
