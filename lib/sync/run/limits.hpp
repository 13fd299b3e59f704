// Judges, before anything is written, whether a run may change as many rows as it would.
#pragma once

#include "sync/options.hpp"
#include "sync/pairing.hpp"
#include "sync/run/apply.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace abgleich::sync {

/// The error that refuses the run; empty: it may go on. It is refused if a table of the primary is
/// empty now that was not (whatever the limits, because absence is not deletion), or for more
/// deletes or updates than contract or configuration allow. `options` can accept both; `emptied`
/// (see `known_emptied`) only the first.
std::optional<Error> judge_limits(const Pairing& pairing, const Options& options,
                                  const std::set<std::string>& emptied,
                                  const std::vector<Judged>& judged);

/// Tables of which a person has accepted that they are empty, and that have had no row since. Where
/// the base still has rows of them, these are open conflicts.
std::set<std::string> known_emptied(db::Target& target);

/// Before a run commits: records the empty tables that `options` accepts, and forgets those that
/// have rows again. `epoch`: the run's number.
void remember_emptied(const Options& options, const std::set<std::string>& emptied,
                      const std::vector<Judged>& judged, std::int64_t epoch, db::Target& target);

}  // namespace abgleich::sync
