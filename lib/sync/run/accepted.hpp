// The accepted catalogue cannot get lost: its hash stands in the secondary, and a copy of it in the
// state directory says what `drift accept` has accepted here.
#pragma once

#include "core/catalog.hpp"
#include "db/secondary/target.hpp"
#include "sync/pairing.hpp"

#include <optional>

namespace abgleich::sync {

/// Throws Failure{drift_decision} where the accepted catalogue is gone, or is another one than the
/// last run used that nobody has accepted here. Does nothing before the first run.
void expect_accepted(const Pairing& pairing, db::Target& target);

/// The same for what can do without the secondary: where it cannot be asked, nothing is refused.
void expect_accepted(const Pairing& pairing);

/// Before a run commits: says in the secondary which catalogue it used. Where there was none yet,
/// what the run has read is the accepted one from now on.
void remember_accepted(const Pairing& pairing, db::Target& target, const Catalog& live,
                       std::int64_t epoch);

/// A person goes on with another primary: what was accepted of the old one goes on to be so of this
/// one, file and copy included, so that whatever happens to its columns from here on is told. Does
/// nothing with a catalogue that nobody has accepted. REQUIRES: the state directory is locked.
void carry_accepted(const Pairing& pairing, db::Target& target, const Catalog& live,
                    std::int64_t epoch);

/// Whether `expect_accepted` refuses nothing.
bool counts(const Pairing& pairing);

/// What was accepted last: the file, or its copy where the file is gone or nobody has accepted it.
std::optional<Catalog> last_accepted(const Pairing& pairing);

/// A person has accepted this catalogue: writes the file, and the copy that witnesses it.
/// REQUIRES: the state directory is locked.
void accept_catalogue(const Pairing& pairing, const Catalog& catalog);

}  // namespace abgleich::sync
