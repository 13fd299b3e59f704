#include "state/heartbeat.hpp"

#include "core/clock.hpp"

#include <algorithm>

namespace abgleich::state {

namespace {

constexpr std::int64_t kDay = 86'400;  // seconds

std::int64_t rows_of(const Attempt& attempt) {
  return attempt.inserted + attempt.updated + attempt.deleted;
}

/// Counts an attempt of the last day.
void count(const Attempt& attempt, Heartbeat& beat) {
  ++beat.attempts;
  if (succeeded(attempt)) {
    ++beat.successes;
  } else if (attempt.state == Attempt::State::ended) {
    ++beat.failures[attempt.exit];
  } else if (attempt.state == Attempt::State::killed) {
    ++beat.killed;
  }
}

/// What an attempt brought over was changed after `since`, when the last success had begun.
void judge(const Attempt& attempt, std::int64_t since, const Patience& patience,
           Freshness& freshness) {
  const auto waited = std::max<std::int64_t>(0, attempt.ended - since);
  freshness.changes += rows_of(attempt);
  freshness.in_time += waited <= patience.within.count() ? rows_of(attempt) : 0;
  freshness.worst = std::max(freshness.worst, waited);
}

}  // namespace

Patience patience_of(const std::optional<std::chrono::seconds>& max_age) {
  Patience patience{.max_age = max_age};
  patience.within = max_age.value_or(patience.within);
  return patience;
}

bool is_overdue(std::int64_t last_success, std::int64_t first, const Patience& patience,
                std::int64_t now) {
  // without any record nobody has tried to sync: that is overdue as well
  const auto since = last_success > 0 ? last_success : first;
  return patience.max_age && now - since > patience.max_age->count();
}

Heartbeat heartbeat_of(std::span<const Attempt> attempts, const Patience& patience,
                       std::int64_t now) {
  Heartbeat beat;
  std::optional<std::int64_t> read_at;  // when the last success began
  for (const auto& attempt : attempts) {
    if (attempt.last_success > 0) {
      beat.last_success = attempt.last_success;
    }
    const bool within_day = attempt.began > now - kDay;
    if (within_day) {
      count(attempt, beat);
    }
    if (within_day && rows_of(attempt) > 0 && read_at) {
      judge(attempt, *read_at, patience, beat.freshness);
    }
    (attempt.state == Attempt::State::at_work ? beat.at_work : beat.newest) = attempt;
    if (succeeded(attempt)) {
      read_at = attempt.began;
      beat.failing_since.reset();
    } else if (attempt.state != Attempt::State::at_work && !beat.failing_since) {
      beat.failing_since = attempt.began;
    }
  }
  beat.overdue = is_overdue(beat.last_success.value_or(0),
                            attempts.empty() ? 0 : attempts.front().began, patience, now);
  return beat;
}

Pulse pulse_of(const std::filesystem::path& state_directory, const Patience& patience) {
  const auto record = read_attempts(state_directory);
  Pulse pulse{.beat = {},
              .at_work = false,
              .now = now_seconds(),
              .patience = patience,
              .trouble = record.trouble};
  pulse.beat = heartbeat_of(record.attempts, patience, pulse.now);
  pulse.at_work = pulse.beat.at_work && still_runs(*pulse.beat.at_work);
  return pulse;
}

}  // namespace abgleich::state
