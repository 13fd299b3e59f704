#include "state/reveal_log.hpp"

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/shallow_json.hpp"
#include "core/shortage.hpp"
#include "state/operator_name.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sstream>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace abgleich::state {

namespace {

constexpr std::int64_t kHour = 3600;  // seconds

class Log {
 public:
  explicit Log(const std::filesystem::path& file)
      : file_(file),
        number_(::open(file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
    // the lock makes counting and appending one step; closing the file releases it
    if (number_ < 0 || ::flock(number_, LOCK_EX) != 0) {
      fail("opened");
    }
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }

  [[nodiscard]] std::string text() const {
    std::string text;
    std::array<char, 65536> buffer{};
    for (;;) {
      const auto got =
          ::pread(number_, buffer.data(), buffer.size(), static_cast<off_t>(text.size()));
      if (got < 0 && errno != EINTR) {
        fail("read");
      }
      if (got == 0) {
        return text;
      }
      text.append(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    }
  }

  void append(const std::string& line) {
    try {
      write_whole(number_, line);
    } catch (const std::system_error& error) {
      errno = error.code().value();
      fail("written");
    }
    if (::fsync(number_) != 0) {
      fail("written");
    }
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    const int number = errno;
    const auto shortage = shortage_of(number);
    throw Failure(shortage ? shortage->code : Code::configuration,
                  fmt::format("the log of what was revealed, '{}', cannot be {}: {}",
                              file_.string(), what, std::generic_category().message(number)),
                  std::string(shortage ? shortage->hint : "look at its owner and rights") +
                      "; nothing is revealed that cannot be logged");
  }

  std::filesystem::path file_;
  int number_;
};

/// Pseudonyms that were asked for within the last hour. Lines that are no log lines count for
/// nothing: whoever can write them can also delete the log.
std::int64_t asked_lately(const std::string& text) {
  std::int64_t asked = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto json = parse_shallow<nlohmann::json>(line);
    if (json.is_object() && json.contains("time") && json["time"].is_string() &&
        json.contains("pseudonyms") && json["pseudonyms"].is_array() &&
        seconds_since(json["time"].get<std::string>()) < kHour) {
      asked += static_cast<std::int64_t>(json["pseudonyms"].size());
    }
  }
  return asked;
}

}  // namespace

void log_asked(const std::filesystem::path& state_directory, const Asked& asked) {
  std::error_code error;
  if (!std::filesystem::exists(state_directory, error)) {
    std::filesystem::create_directories(state_directory, error);
    std::filesystem::permissions(state_directory, std::filesystem::perms::owner_all, error);
  }
  Log log(state_directory / "reveal.log");
  const auto wanted = static_cast<std::int64_t>(asked.pseudonyms.size());
  const auto lately = asked_lately(log.text());
  if (lately + wanted > kMostAnHour) {
    throw Failure(Code::try_again,
                  fmt::format("{} were asked for within the last hour, and {} more are too many: "
                              "{} an hour may be",
                              lately, wanted, kMostAnHour),
                  "ask for fewer, or later");
  }
  const nlohmann::ordered_json line = {
      {"time", now_utc()},
      {"operator", operator_name()},
      {"command", asked.command},
      {asked.command == "token" ? "identity" : "table", asked.subject},
      {"pseudonyms", asked.pseudonyms},
      {"reason", asked.reason}};
  log.append(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace abgleich::state
