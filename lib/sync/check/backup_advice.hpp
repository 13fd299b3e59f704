// For `check`: whether a backup that was made has also been tried out.
#pragma once

#include "sync/check/check.hpp"
#include "sync/pairing.hpp"

#include <optional>

namespace abgleich::sync {

/// A warning where backups were made here and none was restored in a drill within the last 30 days;
/// a line that says when it was, where it was; empty where no backup was made here.
std::optional<Checked> judge_backups(const Pairing& pairing);

}  // namespace abgleich::sync
