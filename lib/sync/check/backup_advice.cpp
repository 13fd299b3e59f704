#include "sync/check/backup_advice.hpp"

#include "core/clock.hpp"
#include "state/backups.hpp"

#include <fmt/format.h>

namespace abgleich::sync {

std::optional<Checked> judge_backups(const Pairing& pairing) {
  constexpr std::int64_t kDay = 86'400;  // seconds
  const auto backups = state::read_backups(pairing.config.state_directory);
  if (backups.made.empty()) {
    return std::nullopt;
  }
  Checked checked{.what = "backups"};
  const auto made = fmt::format("the last one is of {}", backups.made.back().made);
  const auto days = backups.drill ? seconds_since(backups.drill->at) / kDay : 0;
  checked.warning = !backups.drill || days > state::kDrillEvery;
  if (!backups.drill) {
    checked.result = made + ", and none was ever restored in a drill";
  } else {
    checked.result = fmt::format("{}; the last drill was at {}", made, backups.drill->at);
  }
  if (checked.warning) {
    checked.hint = "whether it can be restored, is shown by: abgleich restore --drill";
  }
  return checked;
}

}  // namespace abgleich::sync
