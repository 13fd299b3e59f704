// The main job, from lock to report: one run.
#pragma once

#include "report/change.hpp"
#include "sync/options.hpp"
#include "sync/pairing.hpp"
#include "sync/progress.hpp"

namespace abgleich::sync {

/// One run. A dry one (Run::dry) takes no lock, writes nothing to the state directory, and rolls
/// the secondary's transaction back. With Detail::changes, `on_change` is called for every row that
/// changes, conflicts or is held back, with masked values and the secondary's names. Expected
/// outcomes are returned. Throws Failure where the run cannot go on: then nothing in the secondary
/// has changed, unless the code is Code::outcome_unknown.
report::Outcome run(const Pairing& pairing, const Options& options, Progress& progress,
                    const OnChange& on_change);
/// The same. In a dry run `on_counts` is called once, before the first call of `on_change`.
report::Outcome run_counted(const Pairing& pairing, const Options& options, Progress& progress,
                            const OnCounts& on_counts, const OnChange& on_change);

}  // namespace abgleich::sync
