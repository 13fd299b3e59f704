#include "journald.hpp"

#include <array>
#include <cstdlib>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace abgleich::cmd {

namespace {

// syslog(3)
constexpr char kWarning = '4';
constexpr char kInformation = '6';

/// The level of a line, by how it begins. A hint or an indented line has that of the line before
/// it.
char level_of(std::string_view line, char before) {
  constexpr std::array<std::pair<std::string_view, char>, 6> kBeginnings{{{"error: ", '3'},
                                                                          {"{\"error\":", '3'},
                                                                          {"warning: ", kWarning},
                                                                          {"{\"warning\":", '4'},
                                                                          {"block ", kWarning},
                                                                          {"note: ", '5'}}};
  for (const auto& [beginning, level] : kBeginnings) {
    if (line.starts_with(beginning)) {
      return level;
    }
  }
  return line.starts_with("hint: ") || line.starts_with(' ') ? before : kInformation;
}

}  // namespace

bool stderr_is_journal() {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  return stream != nullptr && ::fstat(STDERR_FILENO, &status) == 0 &&
         stream == std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

std::string with_levels(std::string_view text) {
  std::string all;
  auto level = kInformation;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    level = level_of(line, level);
    all += std::string("<") + level + ">" + std::string(line) + "\n";
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return all;
}

}  // namespace abgleich::cmd
