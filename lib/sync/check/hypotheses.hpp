// Tries hypotheses in a dry run, before a person accepts them: renames that the contract states and
// no identity proves, and changes of which only the values can tell whether they do harm.
#pragma once

#include "drift/drift.hpp"
#include "sync/pairing.hpp"
#include "sync/progress.hpp"

#include <vector>

namespace abgleich::sync {

/// Replaces the undecided events of `drift::compare` by what a dry run makes of them: adapt or
/// block, with the number of rows that show it. Reads no rows where values decide nothing.
void rehearse_hypotheses(const Pairing& pairing, const Catalog& live, Progress& progress,
                         std::vector<drift::Event>& events);

}  // namespace abgleich::sync
