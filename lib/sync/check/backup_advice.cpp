#include "sync/check/backup_advice.hpp"

#include "core/clock.hpp"
#include "state/backups.hpp"
#include "sync/backup/manifest.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

namespace abgleich::sync {

std::optional<Checked> judge_backups(const Pairing& pairing) {
  constexpr std::int64_t kDay = 86'400;  // seconds
  auto backups = state::read_backups(pairing.config.state_directory);
  std::error_code error;
  std::erase_if(backups.made, [&](const state::BackupMade& made) {  // deleted, or never finished
    return !std::filesystem::exists(made.directory / kManifestFile, error) && !error;
  });
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
