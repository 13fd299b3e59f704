// The proof: both sides read whole, every cell that differs explained, the bookkeeping what the
// runs have left.
#pragma once

#include "report/verification.hpp"
#include "sync/pairing.hpp"
#include "sync/progress.hpp"

#include <functional>
#include <string>

namespace abgleich::sync {

using OnDifference = std::function<void(const report::Difference&)>;

/// Verifies everything that no drift blocks. Calls `on_difference` for every row that does not
/// agree, explained or not, table by table; memory is bounded. Writes nothing in either database.
/// Where bookkeeping or base are damaged, sets the latch in the state directory, which keeps every
/// run from writing; where nothing is, takes it off. Throws Failure like `run`.
report::Verification verify(const Pairing& pairing, Progress& progress,
                            const OnDifference& on_difference);

/// Whether something is left to do or unexplained: what `--exit-code` tells.
bool differs(const report::Verification& verification);

}  // namespace abgleich::sync
