// A week of cron at every five minutes, with a clock of the test's own: which mails are written,
// word for word.
#include "report/mail.hpp"

#include "core/clock.hpp"
#include "journal/head.hpp"
#include "state/heartbeat.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <functional>
#include <map>
#include <string>
#include <variant>
#include <vector>

using namespace abgleich;
using namespace abgleich::report;

namespace {

constexpr std::int64_t kMonday = 1'764'547'200;  // 2025-12-01T00:00:00Z
constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kStep = 5 * kMinute;
constexpr std::int64_t kWeek = 7 * kDay;

using Ended = std::variant<Outcome, Error>;
using Mails = std::map<std::string, std::string>;  // by when they were written

Outcome well() {
  return {.tables = {{.table = "person", .unchanged = 100}}};
}

Outcome in_conflict(std::vector<std::string> ids) {
  auto outcome = well();
  outcome.code = Code::conflicts_open;
  outcome.open_conflicts = static_cast<std::int64_t>(ids.size());
  outcome.tables.front().conflicts = outcome.open_conflicts;
  for (const auto& id : ids) {
    outcome.conflicts.push_back({.table = "person", .id = id});
  }
  return outcome;
}

Outcome held(std::int64_t rows) {
  auto outcome = well();
  outcome.code = rows > 0 ? Code::quarantine_or_drift : Code::done;
  outcome.open_quarantined = rows;
  outcome.tables.front().quarantined = rows;
  return outcome;
}

Outcome drifted(const std::string& column, drift::Verdict verdict) {
  auto outcome = well();
  outcome.drift = {{.kind = drift::EventKind::new_column,
                    .table = "person",
                    .column = column,
                    .was = "",
                    .now = "text",
                    .verdict = verdict,
                    .hint = "say what becomes of it"}};
  outcome.code =
      verdict == drift::Verdict::block ? Code::drift_decision : Code::quarantine_or_drift;
  if (verdict == drift::Verdict::block) {
    outcome.error = Error{.code = Code::drift_decision, .message = "drift needs a decision"};
  }
  return outcome;
}

const Error kDown{.code = Code::try_again,
                  .message = "the primary cannot be reached: SQLSTATE 08006",
                  .hint = "look at the server"};
const Error kLockedTable{.code = Code::try_again,
                         .message = "table 'person' of the secondary is locked by process 4711",
                         .hint = "wait for it"};
const Error kOverlap{.code = Code::locked, .message = "another run of this pairing is at work"};
const Error kPaused{.code = Code::paused, .message = "this pairing is paused: holidays"};

/// What `Watch` does around each attempt, with the test's clock.
class Cron {
 public:
  explicit Cron(std::optional<std::chrono::seconds> max_age = {})
      : patience_(state::patience_of(max_age)) {}

  void attempt(std::int64_t now, const Ended& ended) {
    const auto* outcome = std::get_if<Outcome>(&ended);
    const auto* error = std::get_if<Error>(&ended);
    const auto code = outcome != nullptr ? outcome->code : error->code;
    state::Attempt attempt{.number = static_cast<std::int64_t>(attempts_.size()) + 1,
                           .state = state::Attempt::State::ended,
                           .began = now,
                           .ended = now,
                           .exit = static_cast<int>(code),
                           .last_success = last_success_};
    if (state::succeeded(attempt)) {
      last_success_ = attempt.last_success = now;
    }
    attempts_.push_back(attempt);
    const auto reach = outcome != nullptr ? reach_of(*outcome) : state::reach_of(code);
    auto found = outcome != nullptr ? matters_of(*outcome) : matters_of(*error);
    if ((reach == state::Reach::nowhere || reach == state::Reach::part) &&
        state::heartbeat_of(attempts_, patience_, now).overdue) {
      found.push_back(overdue());
    }
    const auto speech = state::decide(told_, found, reach, now);
    told_ = speech.told;
    const LastSuccess last{.when = utc_of(last_success_), .max_age = "30 minutes"};
    const auto text = outcome != nullptr ? mail_text(speech, *outcome, last, Colour::off)
                                         : mail_text(speech, *error, last, Colour::off);
    if (!text.empty()) {
      mails_[utc_of(now)] = text;
    }
  }

  [[nodiscard]] const Mails& mails() const { return mails_; }

 private:
  state::Patience patience_;
  state::Told told_;
  std::vector<state::Attempt> attempts_;
  std::int64_t last_success_ = 0;
  Mails mails_;
};

/// A week in which `scene` says how the attempt at a moment (seconds since Monday) ends. Attempts
/// do not begin to the second.
Mails a_week(const std::function<Ended(std::int64_t)>& scene,
             std::optional<std::chrono::seconds> max_age = {}) {
  Cron cron(max_age);
  std::int64_t n = 0;
  for (std::int64_t at = 0; at < kWeek; at += kStep) {
    constexpr std::int64_t kJitter = 3;
    cron.attempt(kMonday + at + n++ % kJitter, scene(at));
  }
  CHECK(n == 2016);
  return cron.mails();
}

bool between(std::int64_t at, std::int64_t from, std::int64_t to) {
  return at >= from && at < to;
}

void check(const Mails& found, const Mails& expected) {
  for (const auto& [when, text] : found) {
    CAPTURE(when);
    const auto other = expected.find(when);
    REQUIRE_MESSAGE(other != expected.end(), "an unexpected mail: ", text);
    CHECK(text == other->second);
  }
  CHECK(found.size() == expected.size());
}

}  // namespace

TEST_CASE("mail: a week in which nothing is wrong has none") {
  check(a_week([](std::int64_t) { return well(); }), {});
}

TEST_CASE("mail: a conflict that is open for three days: one, and a reminder a day") {
  const auto mails = a_week([](std::int64_t at) -> Ended {
    return between(at, 9 * kHour, 9 * kHour + 3 * kDay) ? in_conflict({"8a33ecfccb6f"}) : well();
  });
  const std::string reminder =
      "still open since 2025-12-01T09:00:00Z (a reminder, once a day)\n"
      "1 open conflict; see them: abgleich conflicts\n";
  check(mails, {{"2025-12-01T09:00:00Z",
                 "new conflict: person 8a33ecfccb6f\n"
                 "person: 0 inserted, 0 updated, 0 deleted, 100 unchanged, 1 in conflict\n"
                 "nothing was written\n"
                 "1 open conflict; see them: abgleich conflicts\n"},
                {"2025-12-02T09:00:00Z", reminder},
                {"2025-12-03T09:00:00Z", reminder}});
}

TEST_CASE(
    "mail: the primary is down for an hour: one, one when it is overdue, one when it is over") {
  const auto scene = [](std::int64_t at) -> Ended {
    return between(at, 2 * kDay, 2 * kDay + kHour) ? Ended(kDown) : Ended(well());
  };
  const std::string down =
      "error: the primary cannot be reached: SQLSTATE 08006\nhint: look at the server\n";
  const std::string over =
      "syncing works again; it had failed since 2025-12-03T00:00:00Z\n"
      "nothing to do: the secondary is up to date\n";
  check(a_week(scene), {{"2025-12-03T00:00:00Z", down}, {"2025-12-03T01:00:00Z", over}});
  check(a_week(scene, std::chrono::minutes(30)),
        {{"2025-12-03T00:00:00Z", down},
         {"2025-12-03T00:30:00Z",
          "overdue: syncing last worked: 2025-12-02T23:55:02Z; max_age is 30 minutes\n" + down},
         {"2025-12-03T01:00:00Z", over}});
}

TEST_CASE("mail: a table that stays locked for two days: one, a reminder a day, and the end") {
  int n = 0;
  const auto mails = a_week([&](std::int64_t at) -> Ended {
    if (!between(at, kDay, 3 * kDay)) {
      return well();
    }
    auto error = kLockedTable;  // by another process each time, which is no news
    error.message = fmt::format("table 'person' of the secondary is locked by process {}", ++n);
    return error;
  });
  check(mails,
        {{"2025-12-02T00:00:00Z",
          "error: table 'person' of the secondary is locked by process 1\nhint: wait for it\n"},
         {"2025-12-03T00:00:00Z",
          "still failing since 2025-12-02T00:00:00Z (a reminder, once a day)\n"
          "error: table 'person' of the secondary is locked by process 289\nhint: wait for it\n"},
         {"2025-12-04T00:00:00Z",
          "syncing works again; it had failed since 2025-12-02T00:00:00Z\n"
          "nothing to do: the secondary is up to date\n"}});
}

TEST_CASE("mail: a deliberate pause has none, and what was open before is told when it is over") {
  const auto paused = [](std::int64_t at) { return between(at, kDay, 4 * kDay); };
  check(a_week([&](std::int64_t at) -> Ended { return paused(at) ? Ended(kPaused) : well(); },
               std::chrono::minutes(30)),
        {});
  const auto mails = a_week([&](std::int64_t at) -> Ended {
    return paused(at)                          ? Ended(kPaused)
           : between(at, 12 * kHour, 5 * kDay) ? Ended(in_conflict({"8a33ecfccb6f"}))
                                               : well();
  });
  REQUIRE(mails.size() == 2);
  CHECK(mails.begin()->first == "2025-12-01T12:00:00Z");
  CHECK(mails.rbegin()->first == "2025-12-05T00:00:00Z");
  CHECK(mails.rbegin()->second.starts_with("still open since 2025-12-01T12:00:00Z"));
}

TEST_CASE("mail: an overlap is worth a word only when it repeats") {
  // once an hour a run takes longer than five minutes
  check(a_week([](std::int64_t at) -> Ended {
          return at % kHour == kStep ? Ended(kOverlap) : well();
        }),
        {});
  // and one hangs for two hours
  const auto mails = a_week([](std::int64_t at) -> Ended {
    return between(at, kDay, kDay + 2 * kHour) ? Ended(kOverlap) : well();
  });
  check(mails, {{"2025-12-02T00:05:01Z", "error: another run of this pairing is at work\n"},
                {"2025-12-02T02:00:00Z",
                 "syncing works again; it had failed since 2025-12-02T00:00:00Z\n"
                 "nothing to do: the secondary is up to date\n"}});
}

TEST_CASE("mail: what comes and goes is told once a day, and at once when it stays") {
  // every second attempt fails, for a day
  auto mails = a_week([](std::int64_t at) -> Ended {
    return at < kDay && at % (2 * kStep) == 0 ? Ended(kDown) : well();
  });
  REQUIRE(mails.size() == 2);  // the first failure, and that it was over
  CHECK(mails.rbegin()->first == "2025-12-01T00:05:01Z");
  // an outage, and a second one in the afternoon of the same day
  mails = a_week([](std::int64_t at) -> Ended {
    return between(at, 9 * kHour, 10 * kHour) || between(at, 15 * kHour, 16 * kHour) ? Ended(kDown)
                                                                                     : well();
  });
  std::vector<std::string> times;
  for (const auto& [when, text] : mails) {
    times.push_back(when.substr(11, 5));
  }
  CHECK(times == std::vector<std::string>{"09:00", "10:00", "15:05", "16:00"});
}

TEST_CASE("mail: only what is new is told in full, and more of the same is new") {
  Cron cron;
  const auto said = [&](std::int64_t at, const Ended& ended) {
    cron.attempt(kMonday + at, ended);
    const auto found = cron.mails().find(utc_of(kMonday + at));
    return found == cron.mails().end() ? std::string() : found->second;
  };
  CHECK(said(0, in_conflict({"aaa"})).find("new conflict: person aaa\n") == 0);
  const auto second = said(300, in_conflict({"aaa", "bbb"}));
  CHECK(second.find("new conflict: person bbb\n") == 0);
  CHECK(second.find("aaa") == std::string::npos);
  CHECK(second.find("2 open conflicts") != std::string::npos);
  CHECK(said(600, in_conflict({"bbb"})).empty());               // one was decided
  CHECK_FALSE(said(900, in_conflict({"bbb", "aaa"})).empty());  // and has come again
  CHECK_FALSE(said(1200, held(3)).empty());
  CHECK(said(1500, held(3)).empty());
  CHECK(said(1800, held(2)).empty());
  CHECK_FALSE(said(2100, held(3)).empty());
  CHECK(said(2400, drifted("phone", drift::Verdict::info)) ==
        "info new_column person.phone: (nothing) -> text\n    hint: say what becomes of it\n"
        "nothing to do: the secondary is up to date\n");
  CHECK(said(2700, drifted("phone", drift::Verdict::info)).empty());
  const auto blocked = said(3000, drifted("phone", drift::Verdict::block));
  CHECK(blocked.find("block new_column person.phone") == 0);
  CHECK(blocked.find("error:") == std::string::npos);  // what drift blocks is told by the drift
  CHECK(said(3300, drifted("phone", drift::Verdict::block)).empty());
  auto noted = well();
  noted.notes = {"3 rows of 'person' are held back by min_k"};
  CHECK(said(3600, noted) == "note: 3 rows of 'person' are held back by min_k\n");
  noted.notes = {"4 rows of 'person' are held back by min_k"};
  CHECK(said(3900, noted).empty());
  CHECK(said(2 * kDay, noted).empty());  // a note is no reason for a reminder
}

TEST_CASE("mail: other statements that the secondary lacks are news") {
  Cron cron;
  Outcome lacks{.result = Result::refused,
                .code = Code::drift_decision,
                .ddl = {"ALTER TABLE visit ADD COLUMN a text"},
                .error = Error{.code = Code::drift_decision, .message = "the secondary lacks"}};
  cron.attempt(kMonday, lacks);
  cron.attempt(kMonday + kStep, lacks);
  CHECK(cron.mails().size() == 1);
  lacks.ddl = {"ALTER TABLE visit ADD COLUMN b text"};
  cron.attempt(kMonday + 2 * kStep, lacks);
  CHECK(cron.mails().size() == 2);
}

TEST_CASE("mail: thousands of conflicts are told by their number") {
  Cron cron;
  auto many = well();
  many.code = Code::conflicts_open;
  many.open_conflicts = 5000;
  cron.attempt(kMonday, many);
  cron.attempt(kMonday + 300, many);
  CHECK(cron.mails().size() == 1);
  many.open_conflicts = 5001;
  cron.attempt(kMonday + 600, many);
  CHECK(cron.mails().size() == 2);

  Cron listed;
  std::vector<std::string> ids;
  for (int i = 0; i < 25; ++i) {
    ids.push_back(fmt::format("id{}", i));
  }
  listed.attempt(kMonday, in_conflict(ids));
  CHECK(listed.mails().begin()->second.find("id19\n5 more new conflicts\n") != std::string::npos);
}

TEST_CASE("mail: another failure while one is open is news, and each is told once") {
  Cron cron;
  for (int i = 0; i < 40; ++i) {
    cron.attempt(kMonday + i * kStep, i % 2 == 0 ? kDown : kLockedTable);
  }
  CHECK(cron.mails().size() == 2);
}

TEST_CASE("mail: a clock that was ahead does not silence it") {
  Cron cron;
  cron.attempt(kMonday + 300 * kDay, kDown);
  CHECK(cron.mails().size() == 1);
  cron.attempt(kMonday, kDown);  // it is right again
  CHECK(cron.mails().size() == 1);
  cron.attempt(kMonday + kDay, kDown);
  CHECK(cron.mails().size() == 2);
}

TEST_CASE("mail: killed attempts are told by the next one, at most once a day") {
  state::Told told;
  const auto says = [&](std::int64_t at) {
    const auto speech = state::decide(told, {killed()}, state::Reach::begun, kMonday + at);
    told = speech.told;
    return !speech.silent();
  };
  CHECK(says(0));
  CHECK_FALSE(says(kStep));  // that one was killed as well, and so on
  CHECK_FALSE(says(12 * kHour));
  CHECK(says(kDay));
  // nothing else is touched before the run has ended
  told = state::decide({}, matters_of(kDown), state::Reach::nowhere, kMonday).told;
  const auto speech = state::decide(told, {killed()}, state::Reach::begun, kMonday + kStep);
  CHECK(speech.told.known.size() == 2);
  CHECK_FALSE(speech.works_again);
  CHECK(killed_text("2025-12-01T00:00:00Z").find("never ended") != std::string::npos);
}
