// Proves that both sides agree: reads them whole, explains every cell that differs, and checks that
// the bookkeeping is what the runs have left.
#pragma once

#include "report/verification.hpp"
#include "sync/pairing.hpp"
#include "sync/progress.hpp"

#include <functional>
#include <string>

namespace abgleich::sync {

using OnDifference = std::function<void(const report::Difference&)>;

/// Verifies every table that drift does not block. Calls `on_difference` for every row that does
/// not agree, explained or not, table by table; memory is bounded. Writes nothing in either
/// database. Where bookkeeping or base are damaged, sets the latch in the state directory, which
/// keeps every run from writing; otherwise removes it. Throws Failure like `run`.
report::Verification verify(const Pairing& pairing, Progress& progress,
                            const OnDifference& on_difference);

/// Whether some row is not yet synced or is unexplained; for `--exit-code`.
bool differs(const report::Verification& verification);

}  // namespace abgleich::sync
