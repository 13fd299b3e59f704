#include "state/attempts.hpp"

#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <set>
#include <sstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace abgleich::state;
using abgleich::test::TemporaryDirectory;

namespace {

constexpr std::int64_t kBegan = 1'764'000'000;

struct State : TemporaryDirectory {
  [[nodiscard]] std::filesystem::path file() const { return path() / "attempts"; }
  [[nodiscard]] std::string bytes() const {
    std::ostringstream text;
    text << std::ifstream(file(), std::ios::binary).rdbuf();
    return text.str();
  }
  void put(const std::string& bytes) const { std::ofstream(file(), std::ios::binary) << bytes; }
};

Attempt ended(std::int64_t began, int exit = 0) {
  return {.state = Attempt::State::ended, .began = began, .ended = began + 2, .exit = exit};
}

std::string write(const State& state, Attempt attempt) {
  return AttemptRecord(state.path()).write(attempt);
}

}  // namespace

TEST_CASE("attempts: what is written is read again, and takes one place whatever it says") {
  Attempt attempt{.number = 7,
                  .state = Attempt::State::ended,
                  .began = kBegan,
                  .ended = kBegan + 61,
                  .milliseconds = 61'250,
                  .exit = 30,
                  .reason = "the primary cannot be reached: SQLSTATE 08006",
                  .process = 4711,
                  .process_start = 123'456,
                  .inserted = 1,
                  .updated = 2,
                  .deleted = 3,
                  .last_success = kBegan - 300,
                  .conflicts = 4,
                  .quarantined = 5,
                  .drift_info = 6,
                  .drift_adapt = 7,
                  .drift_block = 8,
                  .troubles = {"the ping failed", "the metrics failed"}};
  CHECK(line_of(attempt).size() == kPlaceSize);
  CHECK(attempt_of(line_of(attempt)) == attempt);

  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  for (auto* number :
       {&attempt.number, &attempt.began, &attempt.ended, &attempt.milliseconds, &attempt.process,
        &attempt.process_start, &attempt.inserted, &attempt.updated, &attempt.deleted,
        &attempt.last_success, &attempt.conflicts, &attempt.quarantined, &attempt.drift_info,
        &attempt.drift_adapt, &attempt.drift_block}) {
    *number = kMost;
  }
  for (const std::string text : {"\"\\\n\t\"", "ä", "\xff", "x"}) {
    std::string longest;
    while (longest.size() < 5000) {
      longest += text;
    }
    attempt.reason = longest;
    attempt.troubles = {longest, longest, longest};
    const auto line = line_of(attempt);
    CHECK(line.size() == kPlaceSize);
    CHECK(line.find('\n') == kPlaceSize - 1);
    const auto again = attempt_of(line);
    REQUIRE(again);
    CHECK(again->deleted == kMost);
  }
}

TEST_CASE("attempts: the last 2,304 stay, more than a week at one every five minutes") {
  const State state;
  const AttemptRecord record(state.path());
  constexpr std::int64_t kMore = 10;
  for (std::int64_t i = 1; i <= kKeptAttempts + kMore; ++i) {
    auto attempt = ended(kBegan + i * 300);
    REQUIRE(record.write(attempt).empty());
    REQUIRE(attempt.number == i);
  }
  const auto read = read_attempts(state.path());
  CHECK(read.trouble.empty());
  REQUIRE(read.attempts.size() == kKeptAttempts);
  CHECK(read.attempts.front().number == kMore + 1);
  CHECK(read.attempts.back().number == kKeptAttempts + kMore);
  CHECK(read.attempts.back().began - read.attempts.front().began > 7 * 86'400);
  CHECK(state.bytes().size() == kPlaceSize * (kKeptAttempts + 1));
  struct stat status {};
  REQUIRE(::stat(state.file().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600);
}

TEST_CASE("attempts: an end takes the place of its beginning") {
  const State state;
  const AttemptRecord record(state.path());
  Attempt attempt{.began = kBegan, .process = 1};
  CHECK(record.write(attempt).empty());
  REQUIRE(record.recent().at_work.size() == 1);
  attempt.state = Attempt::State::ended;
  attempt.ended = kBegan + 1;
  CHECK(record.write(attempt).empty());
  CHECK(record.recent().at_work.empty());
  CHECK(record.recent().newest == attempt);
  CHECK(read_attempts(state.path()).attempts.size() == 1);
}

TEST_CASE("attempts: a place that was being written is none, and the others stay") {
  const State state;
  for (int i = 0; i < 3; ++i) {
    CHECK(write(state, ended(kBegan + i)).empty());
  }
  const auto whole = state.bytes();
  for (const std::size_t torn : {1UL, 5UL, 8UL, 100UL, kPlaceSize - 1}) {
    // the third place: half the new, half of what was there, or the end of the file
    auto mixed = whole;
    mixed.replace(3 * kPlaceSize + torn, 10, "##########");
    state.put(mixed.substr(0, whole.size()));
    CHECK(read_attempts(state.path()).attempts.size() >= 2);
    state.put(whole.substr(0, 3 * kPlaceSize + torn));
    CHECK(read_attempts(state.path()).attempts.size() == 2);
    CHECK(read_attempts(state.path()).trouble.empty());
    CHECK(write(state, ended(kBegan + 9)).empty());  // and the next one takes its place
    CHECK(read_attempts(state.path()).attempts.back().began == kBegan + 9);
  }
}

TEST_CASE("attempts: what is no record is told, begun anew, and stops nothing") {
  for (const std::string bytes : {"x", "{}\n", "{\"format\":\"abgleich.attempts/9\"}"}) {
    const State state;
    state.put(bytes);
    const auto read = read_attempts(state.path());
    CHECK(read.attempts.empty());
    CHECK(read.trouble.find("is not readable") != std::string::npos);
    CHECK(write(state, ended(kBegan)).find("is not readable") != std::string::npos);
    CHECK(read_attempts(state.path()).trouble.empty());
    CHECK(read_attempts(state.path()).attempts.size() == 1);
  }
  const State state;
  CHECK(read_attempts(state.path()).trouble.empty());  // none yet
  CHECK(read_attempts(state / "nowhere").trouble.empty());
  std::filesystem::create_directory(state.file());
  CHECK_FALSE(read_attempts(state.path()).trouble.empty());
  CHECK_FALSE(write(state, ended(kBegan)).empty());
  std::filesystem::remove(state.file());
  std::filesystem::create_symlink("/dev/null", state.file());
  CHECK_FALSE(write(state, ended(kBegan)).empty());
  std::filesystem::remove(state.file());
  REQUIRE(::mkfifo(state.file().c_str(), 0600) == 0);
  CHECK_FALSE(write(state, ended(kBegan)).empty());  // and does not wait for a reader
  CHECK_FALSE(read_attempts(state.path()).trouble.empty());
  std::filesystem::remove(state.file());
  std::filesystem::permissions(state.path(), std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);
  CHECK_FALSE(write(state, ended(kBegan)).empty());  // others could read it
}

TEST_CASE("attempts: several at once take a place each") {
  const State state;
  constexpr int kWriters = 4;
  constexpr int kEach = 40;
  std::vector<pid_t> writers;
  for (int i = 0; i < kWriters; ++i) {
    const auto writer = ::fork();
    REQUIRE(writer >= 0);
    if (writer == 0) {
      bool well = true;
      for (int n = 0; n < kEach; ++n) {
        auto attempt = ended(kBegan + n);
        std::string trouble;
        do {  // on a busy machine the lock may be held for long; a run would go on without
          trouble = AttemptRecord(state.path()).write(attempt);
        } while (trouble.find("locked") != std::string::npos);
        well = well && trouble.empty();
      }
      ::_exit(well ? 0 : 1);
    }
    writers.push_back(writer);
  }
  for (const auto writer : writers) {
    int status = 0;
    REQUIRE(::waitpid(writer, &status, 0) == writer);
    CHECK(status == 0);
  }
  std::set<std::int64_t> numbers;
  for (const auto& attempt : read_attempts(state.path()).attempts) {
    numbers.insert(attempt.number);
  }
  CHECK(numbers.size() == kWriters * kEach);
}

TEST_CASE("attempts: killed while it writes, all that was written before stays") {
  for (int round = 0; round < 20; ++round) {
    const State state;
    CHECK(write(state, ended(kBegan)).empty());
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    const auto writer = ::fork();
    REQUIRE(writer >= 0);
    if (writer == 0) {
      for (std::int64_t n = 1;; ++n) {
        (void)write(state, ended(kBegan + n));
        (void)!::write(ends[1], &n, sizeof n);
      }
    }
    std::int64_t told = 0;  // how many it has written for sure
    for (int i = 0; i <= round; ++i) {
      REQUIRE(::read(ends[0], &told, sizeof told) == sizeof told);
    }
    ::kill(writer, SIGKILL);
    REQUIRE(::waitpid(writer, nullptr, 0) == writer);
    ::close(ends[0]);
    ::close(ends[1]);
    const auto read = read_attempts(state.path());
    CHECK(read.trouble.empty());
    CHECK(read.attempts.size() > static_cast<std::size_t>(told));
    CHECK(write(state, ended(kBegan)).empty());
  }
}

TEST_CASE("attempts: whether the process of one still runs") {
  const auto process = this_process();
  Attempt attempt{.began = kBegan, .process = process.number, .process_start = process.start};
  CHECK(process.start > 0);
  CHECK(still_runs(attempt));
  ++attempt.process_start;  // another process has its number now
  CHECK_FALSE(still_runs(attempt));
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::_exit(0);
  }
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  attempt.process = child;
  CHECK_FALSE(still_runs(attempt));
}
