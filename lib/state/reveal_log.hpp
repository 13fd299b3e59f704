// The log of `reveal` and `token` in the state directory: who asked for which pseudonyms. It also
// limits how many may be asked for.
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

/// Appends one line (JSON: time, operator, what was asked) to `reveal.log`, mode 0600, and waits
/// until it is on disk. Answer only after that. Throws Failure{try_again} where more than
/// `kMostAnHour` pseudonyms were asked for within an hour, Failure{out_of_space} or
/// Failure{configuration} where the log cannot be written.
void log_asked(const std::filesystem::path& state_directory, const Asked& asked);

}  // namespace abgleich::state
