#include "state/heartbeat.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace abgleich::state;

namespace {

constexpr std::int64_t kStart = 1'764'000'000;
constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 60 * kMinute;

/// Attempts as a record has them: each with what was last known.
struct History {
  std::vector<Attempt> attempts;

  void add(std::int64_t began, int exit, std::int64_t rows = 0, std::int64_t seconds = 10) {
    Attempt attempt{.number = static_cast<std::int64_t>(attempts.size()) + 1,
                    .state = Attempt::State::ended,
                    .began = began,
                    .ended = began + seconds,
                    .exit = exit,
                    .updated = rows,
                    .last_success = attempts.empty() ? 0 : attempts.back().last_success};
    attempt.last_success = succeeded(attempt) ? attempt.ended : attempt.last_success;
    attempts.push_back(attempt);
  }
  [[nodiscard]] Heartbeat at(std::int64_t now, std::optional<std::chrono::seconds> max_age = {}) {
    return heartbeat_of(attempts, patience_of(max_age), now);
  }
};

}  // namespace

TEST_CASE("heartbeat: 0, 10 and 11 are successes, and nothing else is") {
  for (const int code : {0, 10, 11}) {
    CHECK(succeeded({.state = Attempt::State::ended, .exit = code}));
    CHECK_FALSE(succeeded({.state = Attempt::State::at_work, .exit = code}));
    CHECK_FALSE(succeeded({.state = Attempt::State::killed, .exit = code}));
  }
  for (const int code : {1, 12, 13, 14, 20, 23, 30, 41, 70, 78}) {
    CHECK_FALSE(succeeded({.state = Attempt::State::ended, .exit = code}));
  }
}

TEST_CASE("heartbeat: overdue is what has not succeeded for longer than max_age") {
  using std::chrono::minutes;
  History history;
  CHECK_FALSE(history.at(kStart).overdue);         // nobody has said when it would be
  CHECK(history.at(kStart, minutes(30)).overdue);  // nobody has ever tried
  history.add(kStart, 30);
  CHECK_FALSE(history.at(kStart + 30 * kMinute, minutes(30)).overdue);
  CHECK(history.at(kStart + 30 * kMinute + 1, minutes(30)).overdue);
  history.add(kStart + kHour, 10);
  CHECK_FALSE(history.at(kStart + kHour + 30 * kMinute + 10, minutes(30)).overdue);
  CHECK(history.at(kStart + kHour + 30 * kMinute + 11, minutes(30)).overdue);
  for (int i = 1; i < 10; ++i) {
    history.add(kStart + kHour + i * 5 * kMinute, 12);
  }
  const auto beat = history.at(kStart + 2 * kHour, minutes(30));
  CHECK(beat.overdue);
  CHECK(beat.last_success == kStart + kHour + 10);
  CHECK(beat.failing_since == kStart + kHour + 5 * kMinute);
  CHECK(beat.attempts == 11);
  CHECK(beat.successes == 1);
  CHECK(beat.failures == std::map<int, std::int64_t>{{12, 9}, {30, 1}});
}

TEST_CASE("heartbeat: the last success is known when its attempt has left the record") {
  History history;
  history.add(kStart, 0);
  for (int i = 1; i <= 30; ++i) {
    history.add(kStart + i * kHour, 30);
  }
  history.attempts.erase(history.attempts.begin(), history.attempts.begin() + 10);
  const auto beat = history.at(kStart + 31 * kHour, std::chrono::minutes(30));
  CHECK(beat.last_success == kStart + 10);
  CHECK(beat.overdue);
  CHECK(beat.attempts == 21);  // those of the last day, which are all there are now
}

TEST_CASE("heartbeat: a change is at most as old as the beginning of the success before it") {
  History history;
  history.add(kStart, 0, 1000);  // the first load: nothing had waited
  history.add(kStart + 5 * kMinute, 0, 3);
  CHECK(history.at(kStart + 6 * kMinute).freshness.changes == 3);
  CHECK(history.at(kStart + 6 * kMinute).freshness.in_time == 3);
  CHECK(history.at(kStart + 6 * kMinute).freshness.worst == 5 * kMinute + 10);
  for (int i = 2; i < 14; ++i) {  // the primary is down for an hour
    history.add(kStart + i * 5 * kMinute, 30);
  }
  history.add(kStart + 70 * kMinute, 10, 1);
  auto fresh = history.at(kStart + 71 * kMinute).freshness;
  CHECK(fresh.changes == 4);
  CHECK(fresh.in_time == 3);
  CHECK(fresh.worst == 65 * kMinute + 10);  // since the success at 5 minutes had begun
  // within as much as max_age says
  fresh = history.at(kStart + 71 * kMinute, std::chrono::hours(2)).freshness;
  CHECK(fresh.in_time == 4);
  // a run that left out a table brought over what it did, and does not vouch for the rest
  history.add(kStart + 75 * kMinute, 23, 5);
  history.add(kStart + 80 * kMinute, 0, 2);
  fresh = history.at(kStart + 81 * kMinute).freshness;
  CHECK(fresh.changes == 11);
  CHECK(fresh.in_time == 10);
  // and tomorrow nobody asks any more
  CHECK(history.at(kStart + 26 * kHour).freshness.changes == 0);
}

TEST_CASE("heartbeat: what was killed or goes on is no success, and told apart") {
  History history;
  history.add(kStart, 0);
  history.attempts.push_back({.number = 2,
                              .state = Attempt::State::killed,
                              .began = kStart + kHour,
                              .last_success = kStart + 10});
  history.attempts.push_back({.number = 3,
                              .state = Attempt::State::at_work,
                              .began = kStart + 2 * kHour,
                              .last_success = kStart + 10});
  const auto beat = history.at(kStart + 3 * kHour);
  CHECK(beat.killed == 1);
  CHECK(beat.failing_since == kStart + kHour);
  REQUIRE(beat.at_work);
  CHECK(beat.at_work->number == 3);
  REQUIRE(beat.newest);
  CHECK(beat.newest->number == 2);
  CHECK(beat.last_success == kStart + 10);
}
