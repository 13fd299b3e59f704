// The repair of a base that is not what the last run has left.
#pragma once

#include "report/verification.hpp"
#include "sync/pairing.hpp"
#include "sync/progress.hpp"

#include <string>

namespace abgleich::sync {

/// In one run of kind "repair": rewrites the base rows that nothing explains, so that the next sync
/// is quiet where both sides agree and shows a conflict where they do not (`merge::corrected_base`;
/// no edit of the secondary is lost, and a row that is in the primary alone, where base rows have
/// gone, is a conflict too: it may have been deleted in the secondary), gives the bases new seals,
/// and accepts what else is damaged in the bookkeeping before it. No data is touched. Takes the
/// latch off. Without damage it writes nothing in the secondary. Throws Failure{drift_decision}
/// where a damaged table cannot be read now, Failure{configuration} where the contract's columns
/// are no longer those of the last run.
report::Repair repair_base(const Pairing& pairing, const std::string& reason, Progress& progress);

}  // namespace abgleich::sync
