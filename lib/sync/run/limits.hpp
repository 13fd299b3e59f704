// Is this run allowed to change that much? Judged before anything is written.
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

/// What refuses the run, if anything does: a table that was not empty and now is, whatever the
/// limits, as absence is not deletion; or more deletes or updates than the contract or the
/// configuration allows. `options` can accept either.
std::optional<Error> judge_limits(const Pairing& pairing, const Options& options,
                                  const std::set<std::string>& emptied,
                                  const std::vector<Judged>& judged);

/// Tables that a person has said are empty on purpose, and that have had no row since: what is left
/// of them in the base is open conflicts.
std::set<std::string> known_emptied(db::Target& target);

/// Before a run commits: says so of those that `options` accepts, and no longer of those with rows.
void remember_emptied(const Options& options, const std::set<std::string>& emptied,
                      const std::vector<Judged>& judged, std::int64_t epoch, db::Target& target);

}  // namespace abgleich::sync
