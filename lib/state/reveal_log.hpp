// Who asked for whom: the log of `reveal` and `token` in the state directory, and how often that
// may be.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace abgleich::state {

/// Pseudonyms that may be asked for in one hour: enough for a case, too few for a register.
inline constexpr std::int64_t kMostAnHour = 100;

struct Asked {
  std::string command;                  // "reveal", "token"
  std::string subject;                  // the table, or the identity
  std::vector<std::string> pseudonyms;  // never a value
  std::string reason;
};

/// Appends one line (JSON: time, operator, what was asked) to `reveal.log`, mode 0600, and brings
/// it to the disk; only then may be answered. Throws Failure{try_again} where more than
/// `kMostAnHour` pseudonyms were asked for within an hour, Failure{out_of_space} where the log
/// cannot be written.
void log_asked(const std::filesystem::path& state_directory, const Asked& asked);

}  // namespace abgleich::state
