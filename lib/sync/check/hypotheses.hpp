// Renames that the contract says and no identity proves, and what only the values can tell: what
// they say, before a person accepts.
#pragma once

#include "drift/drift.hpp"
#include "sync/pairing.hpp"
#include "sync/progress.hpp"

#include <vector>

namespace abgleich::sync {

/// Makes of the events of `drift::compare` what a rehearsed run makes of them: adapt or block, with
/// how many rows say so. Where the values decide nothing, neither side's rows are looked at.
void rehearse_hypotheses(const Pairing& pairing, const Catalog& live, Progress& progress,
                         std::vector<drift::Event>& events);

}  // namespace abgleich::sync
