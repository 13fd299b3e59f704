// When syncing last worked, and why it does not work now, for `status`.
#pragma once

#include "core/error.hpp"
#include "state/heartbeat.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <string>

namespace abgleich::report {

/// A few lines; the first says whether syncing works. Empty where nobody has tried yet.
std::string text_of(const state::Pulse& pulse);

/// The member `heartbeat` of `status --json`.
nlohmann::ordered_json json_of(const state::Pulse& pulse);

/// The exit code of `status --exit-code`, by the record of attempts alone: `overdue`, or, where the
/// configuration has no max_age, the code of the last attempt (`overdue` where it was killed).
Code code_of(const state::Pulse& pulse);

/// "30 minutes".
std::string span_text(std::int64_t seconds);

}  // namespace abgleich::report
