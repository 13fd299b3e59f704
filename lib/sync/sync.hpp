// The main job, from lock to report: one run.
#pragma once

#include "report/change.hpp"
#include "sync/options.hpp"
#include "sync/pairing.hpp"
#include "sync/progress.hpp"

namespace abgleich::sync {

/// Runs once. With Run::dry, everything but the writes: no state directory, no lock, and the
/// secondary's transaction is rolled back. With Detail::changes, `on_change` is told of every row
/// that changes, conflicts or is held back, in the secondary's terms. Expected outcomes are
/// returned; throws Failure where the run cannot go on, and then nothing in the secondary has
/// changed (but see Code::outcome_unknown).
report::Outcome run(const Pairing& pairing, const Options& options, Progress& progress,
                    const OnChange& on_change);
/// The same, for a dry one: `on_counts` is called once, before `on_change` is for the first row.
report::Outcome run_counted(const Pairing& pairing, const Options& options, Progress& progress,
                            const OnCounts& on_counts, const OnChange& on_change);

}  // namespace abgleich::sync
