// Renames that the contract says and no identity proves: what the values say of them, before a
// person accepts.
#pragma once

#include "drift/drift.hpp"
#include "sync/pairing.hpp"
#include "sync/progress.hpp"

#include <vector>

namespace abgleich::sync {

/// Adds to the events of `drift::compare` what a rehearsed run finds of such renames: adapt or
/// block, with how many rows say so. Where there are none, neither side's rows are looked at.
void weigh_claims(const Pairing& pairing, const Catalog& live, Progress& progress,
                  std::vector<drift::Event>& events);

}  // namespace abgleich::sync
