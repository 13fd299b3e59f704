// The repair of a base that is not what the last run has left.
#pragma once

#include "report/verification.hpp"
#include "sync/pairing.hpp"
#include "sync/progress.hpp"

#include <string>

namespace abgleich::sync {

/// Repairs in one run of kind "repair", and touches no data. Base rows that nothing explains are
/// rewritten (`merge::corrected_base`): where both sides agree, the next sync does nothing; where
/// they do not, it shows a conflict. So no edit of the secondary is lost. Where base rows are
/// missing, a row that only the primary has is a conflict as well: it may have been deleted in the
/// secondary. The bases get new seals, and other damage to the bookkeeping from before this run is
/// accepted. Removes the latch. Without damage it writes nothing in the secondary. Throws
/// Failure{drift_decision} where drift blocks a damaged table or the secondary's owner has to run
/// statements first, Failure{configuration} where the contract's columns are no longer those of the
/// last run, Failure{integrity} where neither the head nor the last run is genuine.
report::Repair repair_base(const Pairing& pairing, const std::string& reason, Progress& progress);

}  // namespace abgleich::sync
