#include "state/attempts.hpp"

#include "core/error.hpp"
#include "core/shallow_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <fstream>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace abgleich::state {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kName = "attempts";
constexpr const char* kFormat = "abgleich.attempts/1";
constexpr std::array<std::string_view, 3> kStates{"at work", "ended", "killed"};
constexpr std::size_t kLongestReason = 300;   // bytes, of the place
constexpr std::size_t kLongestTrouble = 120;  // each of two

/// The beginning of a text, cut between characters, and without those that JSON would escape.
std::string shortened(std::string_view text, std::size_t most) {
  std::string cut;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (cut.size() >= most && (byte & 0xc0U) != 0x80U) {
      return cut + "…";
    }
    cut += byte < 0x20U ? ' ' : c == '"' || c == '\\' ? '\'' : c;
  }
  return cut;
}

std::string padded(const std::string& line) {
  return line + std::string(kPlaceSize - 1 - line.size(), ' ') + "\n";
}

/// Leaves out troubles, then the reason, until the line fits. The numbers always fit.
std::string fitting(Json json) {
  for (const char* words : {"troubles", "reason"}) {
    auto text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    if (text.size() < kPlaceSize) {
      return text;
    }
    json.erase(words);
  }
  return json.dump();
}

/// The first place says what the file is.
std::string header() {
  return padded(Json({{"format", kFormat}}).dump());
}

off_t place_of(std::int64_t number) {
  return static_cast<off_t>(kPlaceSize) * (1 + (number - 1) % kKeptAttempts);
}

/// The number that a place begins with, without reading the rest; 0: none.
std::int64_t number_in(std::string_view place) {
  constexpr std::string_view kBegin = "{\"n\":";
  std::int64_t number = 0;
  if (place.starts_with(kBegin)) {
    place.remove_prefix(kBegin.size());
    std::from_chars(place.data(), place.data() + place.size(), number);
  }
  return number;
}

bool says_at_work(std::string_view place) {
  constexpr std::string_view kAtWork = ",\"state\":\"at work\"";
  constexpr std::size_t kFar = 64;
  return place.substr(0, kFar).find(kAtWork) != std::string_view::npos;
}

std::string why(std::string_view what, const std::filesystem::path& path, int number) {
  return fmt::format("the record of attempts '{}' cannot be {}: {}", path.string(), what,
                     std::generic_category().message(number));
}

/// The file, locked while this lives, so that two attempts do not take the same place.
class Ring {
 public:
  enum class Access : std::uint8_t { read, write };

  Ring(const std::filesystem::path& directory, Access access) : path_(directory / kName) {
    const bool write = access == Access::write;
    if (write && !own(directory)) {
      return;
    }
    file_ =
        ::open(path_.c_str(),
               (write ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (file_ < 0) {
      trouble_ = !write && (errno == ENOENT || errno == ENOTDIR) ? "" : why("opened", path_, errno);
      return;
    }
    struct stat status {};
    // a file with another hard link may be somebody else's, and could be emptied here
    if (::fstat(file_, &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink != 1) {
      give_up(why("opened", path_, EINVAL));
    } else if (!lock(write ? LOCK_EX : LOCK_SH)) {
      give_up(why("locked", path_, EWOULDBLOCK));
    } else {
      read_header();
    }
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() {
    if (file_ >= 0) {
      ::close(file_);
    }
  }

  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  [[nodiscard]] bool open() const { return file_ >= 0; }

  /// Calls `on_place` for every place that begins with a number. Gives the file up where it cannot
  /// be read to its end.
  template <class OnPlace>
  void each(const OnPlace& on_place) {
    constexpr auto kEnd = kPlaceSize * (1 + static_cast<std::size_t>(kKeptAttempts));
    std::string chunk;
    for (std::size_t at = kPlaceSize; usable_ && at < kEnd; at += chunk.size()) {
      if (!read(at, std::min(kChunk, kEnd - at), chunk) || chunk.size() < kPlaceSize) {
        return;
      }
      chunk.resize(chunk.size() / kPlaceSize * kPlaceSize);
      for (std::size_t in = 0; in < chunk.size(); in += kPlaceSize) {
        const auto place = std::string_view(chunk).substr(in, kPlaceSize);
        if (const auto number = number_in(place); number > 0) {
          on_place(number, place);
        }
      }
    }
  }

  /// 0: there is none yet.
  [[nodiscard]] std::int64_t newest() {
    std::int64_t newest = 0;
    each([&](std::int64_t number, std::string_view) { newest = std::max(newest, number); });
    return newest;
  }

  /// False: it could not be written, and `trouble` says why.
  bool write(off_t at, const std::string& place) {
    const auto written = ::pwrite(file_, place.data(), place.size(), at);
    if (written != static_cast<ssize_t>(place.size())) {
      trouble_ = why("written", path_, written < 0 ? errno : ENOSPC);
      return false;
    }
    return true;
  }

  /// Begins the file anew where it is empty or not readable.
  bool begin() {
    if (!usable_ && ::ftruncate(file_, 0) != 0) {
      trouble_ = why("written", path_, errno);
      return false;
    }
    return usable_ || write(0, header());
  }

 private:
  /// Makes and checks the directory as StateLock does: an attempt that failed early has taken no
  /// lock.
  bool own(const std::filesystem::path& directory) {
    struct stat status {};
    if ((::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) ||
        ::stat(directory.c_str(), &status) != 0) {
      trouble_ = why("opened", path_, errno);
      return false;
    }
    if (!S_ISDIR(status.st_mode) || (status.st_mode & 0077U) != 0) {
      trouble_ = why("opened", path_, EACCES);
      return false;
    }
    return true;
  }

  void give_up(std::string trouble) {
    trouble_ = std::move(trouble);
    ::close(file_);
    file_ = -1;
    usable_ = false;
  }

  /// Waits for half a second at most: others hold the lock for a moment only, unless they were
  /// stopped.
  [[nodiscard]] bool lock(int how) const {
    constexpr int kTries = 50;
    constexpr int kPause = 10'000;  // microseconds
    for (int i = 0; i < kTries; ++i) {
      if (::flock(file_, how | LOCK_NB) == 0) {
        return true;
      }
      ::usleep(kPause);
    }
    return false;
  }

  static constexpr std::size_t kChunk = 64 * kPlaceSize;

  /// Reads so many bytes, or as many as there are. False: it could not, and the file was given up.
  bool read(std::size_t at, std::size_t most, std::string& into) {
    into.resize(most);
    std::size_t size = 0;
    while (size < most) {
      const auto got =
          ::pread(file_, into.data() + size, most - size, static_cast<off_t>(at + size));
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got < 0) {
        give_up(why("read", path_, errno));
        return false;
      }
      if (got == 0) {
        break;
      }
      size += static_cast<std::size_t>(got);
    }
    into.resize(size);
    return true;
  }

  void read_header() {
    std::string text;
    if (!read(0, kPlaceSize, text)) {
      return;
    }
    usable_ = text == header();
    if (!usable_ && !text.empty()) {
      trouble_ = fmt::format("the record of attempts '{}' is not readable; it is begun anew",
                             path_.string());
    }
  }

  std::filesystem::path path_;
  std::string trouble_;
  int file_ = -1;
  bool usable_ = false;
};

std::int64_t number_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

std::string text_of(const Json& json) {
  return json.is_string() ? json.get<std::string>() : std::string();
}

/// When a process started, from /proc; 0: there is none, or this user may not know.
std::int64_t start_of(std::int64_t process) {
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  std::string text;
  std::getline(file, text);
  // the second field is a name in brackets, which can contain any character; the start is the 22nd
  const auto end = text.rfind(')');
  if (end == std::string::npos) {
    return 0;
  }
  constexpr int kBetween = 20;
  std::size_t at = end;
  for (int i = 0; i < kBetween && at != std::string::npos; ++i) {
    at = text.find(' ', at + 1);
  }
  std::int64_t start = 0;
  if (at != std::string::npos) {
    std::from_chars(text.data() + at + 1, text.data() + text.size(), start);
  }
  return start;
}

}  // namespace

bool succeeded(const Attempt& attempt) {
  return attempt.state == Attempt::State::ended &&
         (attempt.exit == static_cast<int>(Code::done) ||
          attempt.exit == static_cast<int>(Code::conflicts_open) ||
          attempt.exit == static_cast<int>(Code::quarantine_or_drift));
}

std::string line_of(const Attempt& attempt) {
  Json json = {{"n", attempt.number},
               {"state", kStates.at(static_cast<std::size_t>(attempt.state))},
               {"began", attempt.began},
               {"process", {attempt.process, attempt.process_start}},
               {"success", attempt.last_success},
               {"open", {attempt.conflicts, attempt.quarantined}},
               {"drift", {attempt.drift_info, attempt.drift_adapt, attempt.drift_block}}};
  if (attempt.state == Attempt::State::ended) {
    json["ended"] = attempt.ended;
    json["ms"] = attempt.milliseconds;
    json["exit"] = attempt.exit;
    json["rows"] = {attempt.inserted, attempt.updated, attempt.deleted};
    if (!attempt.reason.empty()) {
      json["reason"] = shortened(attempt.reason, kLongestReason);
    }
    constexpr std::size_t kMostTroubles = 2;
    for (const auto& trouble : attempt.troubles) {
      auto& troubles = json["troubles"];
      if (troubles.size() < kMostTroubles) {
        troubles.push_back(shortened(trouble, kLongestTrouble));
      }
    }
  }
  return padded(fitting(std::move(json)));
}

std::optional<Attempt> attempt_of(std::string_view line) {
  const auto json = line.size() == kPlaceSize && line.back() == '\n'
                        ? parse_shallow<Json>(line)
                        : Json(Json::value_t::discarded);
  if (!json.is_object() || number_of(json, "n") <= 0 || number_of(json, "began") <= 0 ||
      !json.contains("state")) {
    return std::nullopt;
  }
  const auto state = std::ranges::find(kStates, text_of(json["state"]));
  if (state == kStates.end()) {
    return std::nullopt;
  }
  const auto nth = [&](const char* name, std::size_t n) -> std::int64_t {
    const auto found = json.find(name);
    return found != json.end() && found->is_array() && n < found->size() &&
                   (*found)[n].is_number_integer()
               ? (*found)[n].get<std::int64_t>()
               : 0;
  };
  Attempt attempt{.number = number_of(json, "n"),
                  .state = static_cast<Attempt::State>(state - kStates.begin()),
                  .began = number_of(json, "began"),
                  .ended = number_of(json, "ended"),
                  .milliseconds = number_of(json, "ms"),
                  .exit = static_cast<int>(number_of(json, "exit")),
                  .process = nth("process", 0),
                  .process_start = nth("process", 1),
                  .inserted = nth("rows", 0),
                  .updated = nth("rows", 1),
                  .deleted = nth("rows", 2),
                  .last_success = number_of(json, "success"),
                  .conflicts = nth("open", 0),
                  .quarantined = nth("open", 1),
                  .drift_info = nth("drift", 0),
                  .drift_adapt = nth("drift", 1),
                  .drift_block = nth("drift", 2)};
  attempt.reason = json.contains("reason") ? text_of(json["reason"]) : std::string();
  if (const auto troubles = json.find("troubles"); troubles != json.end()) {
    for (const auto& trouble : *troubles) {
      attempt.troubles.push_back(text_of(trouble));
    }
  }
  return attempt;
}

Record read_attempts(const std::filesystem::path& directory) {
  Ring ring(directory, Ring::Access::read);
  Record record;
  ring.each([&](std::int64_t, std::string_view place) {
    if (auto attempt = attempt_of(place)) {
      record.attempts.push_back(*std::move(attempt));
    }
  });
  record.trouble = ring.trouble();
  std::ranges::sort(record.attempts, {}, &Attempt::number);
  return record;
}

Recent AttemptRecord::recent() const {
  Ring ring(directory_, Ring::Access::read);
  Recent recent;
  std::int64_t last = 0;
  std::string newest;
  ring.each([&](std::int64_t number, std::string_view place) {
    if (number > last) {
      last = number;
      newest = place;
    }
    auto attempt = says_at_work(place) ? attempt_of(place) : std::nullopt;
    if (attempt && attempt->state == Attempt::State::at_work) {
      recent.at_work.push_back(*std::move(attempt));
    }
  });
  recent.newest = attempt_of(newest);
  recent.trouble = ring.trouble();
  return recent;
}

std::string AttemptRecord::write(Attempt& attempt) const {
  Ring ring(directory_, Ring::Access::write);
  if (!ring.open() || !ring.begin()) {
    return ring.trouble();
  }
  if (attempt.number == 0) {
    const auto newest = ring.newest();
    if (!ring.open()) {  // it could not be read to its end
      return ring.trouble();
    }
    attempt.number = newest + 1;
  }
  ring.write(place_of(attempt.number), line_of(attempt));
  return ring.trouble();
}

Process this_process() {
  const auto number = static_cast<std::int64_t>(::getpid());
  return {.number = number, .start = start_of(number)};
}

bool still_runs(const Attempt& attempt) {
  return attempt.process > 0 && attempt.process_start > 0 &&
         start_of(attempt.process) == attempt.process_start;
}

}  // namespace abgleich::state
