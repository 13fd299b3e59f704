// What Prometheus is told of a pairing's last attempt: the text format of its exporters. Pure.
#pragma once

#include "state/attempts.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace abgleich::report {

/// The whole file. Every series has the label `pairing`, and every file has the same series, except
/// the last success where there was none yet and the limit where none is set.
std::string metrics_text(const state::Attempt& attempt, std::string_view pairing,
                         const std::optional<std::chrono::seconds>& max_age);

}  // namespace abgleich::report
