// Is this run allowed to change that much? Judged before anything is written.
#pragma once

#include "sync/apply.hpp"
#include "sync/pairing.hpp"
#include "sync/sync.hpp"

#include <optional>
#include <vector>

namespace abgleich::sync {

/// Absence is not deletion: throws Failure{limit} for a table that was not empty and now is,
/// whatever the limits.
void judge_absence(const std::vector<Judged>& judged);

/// What refuses the run, if anything does: more deletes or updates than the contract or the
/// configuration allows and `options` does not accept.
std::optional<Error> judge_limits(const Pairing& pairing, const Options& options,
                                  const std::vector<Judged>& judged);

}  // namespace abgleich::sync
