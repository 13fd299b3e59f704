// When syncing last worked, and how fresh the secondary has been: what the record of attempts says
// at a given moment. Pure, except for `pulse_of`.
#pragma once

#include "state/attempts.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>

namespace abgleich::state {

/// How fast changes have reached the secondary. It is not known when a row of the primary was
/// changed. But what a run brings over was changed after the last success before this run had
/// begun. So `in_time` is a lower bound, and `worst` an upper bound.
struct Freshness {
  std::int64_t changes = 0;  // rows
  std::int64_t in_time = 0;  // of these, within `Patience::within`
  std::int64_t worst = 0;    // seconds
};

struct Heartbeat {
  std::optional<Attempt> newest;   // that has ended or was killed
  std::optional<Attempt> at_work;  // the newest that has not: it runs, or was killed just now
  std::optional<std::int64_t> last_success;  // Unix time
  /// When the first unsuccessful attempt after the last success began.
  std::optional<std::int64_t> failing_since;
  bool overdue = false;  // no success for longer than `Patience::max_age`
  // Of the day before `now`:
  std::int64_t attempts = 0;
  std::int64_t successes = 0;
  std::int64_t killed = 0;
  std::map<int, std::int64_t> failures;  // how many by exit code
  Freshness freshness;
};

/// What counts as late.
struct Patience {
  std::optional<std::chrono::seconds> max_age;
  std::chrono::seconds within{900};
};
/// `within` is `max_age`; a quarter of an hour where the configuration has no `max_age`.
Patience patience_of(const std::optional<std::chrono::seconds>& max_age);

/// `attempts` oldest first; `now` in Unix time.
Heartbeat heartbeat_of(std::span<const Attempt> attempts, const Patience& patience,
                       std::int64_t now);

/// Whether the last success is longer ago than `max_age` allows; where there was none (0), whether
/// the first known attempt is. `first`: when that began; 0: there is none. All in Unix time.
bool is_overdue(std::int64_t last_success, std::int64_t first, const Patience& patience,
                std::int64_t now);

/// What the record in a state directory says now.
struct Pulse {
  Heartbeat beat;
  bool at_work = false;  // `beat.at_work` still runs
  std::int64_t now = 0;
  Patience patience;
  std::string trouble;  // why the record could not be read whole; empty: it could
};
Pulse pulse_of(const std::filesystem::path& state_directory, const Patience& patience);

}  // namespace abgleich::state
