#include "core/error.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>

namespace abgleich {
namespace {

// From harmless to grave, written down a second time: an operator's order, not the numbers'.
constexpr std::array kHarmlessToGrave{Code::done,
                                      Code::differences,
                                      Code::quarantine_or_drift,
                                      Code::conflicts_open,
                                      Code::locked,
                                      Code::paused,
                                      Code::drift_decision,
                                      Code::try_again,
                                      Code::out_of_space,
                                      Code::secondary_refuses,
                                      Code::source_incomplete,
                                      Code::limit,
                                      Code::other_primary,
                                      Code::other_secondary,
                                      Code::key_or_trust,
                                      Code::usage,
                                      Code::configuration,
                                      Code::outcome_unknown,
                                      Code::integrity,
                                      Code::bug};

TEST_CASE("the severer of two codes is the later one in the operator's order, either way round") {
  for (std::size_t a = 0; a < kHarmlessToGrave.size(); ++a) {
    for (std::size_t b = 0; b < kHarmlessToGrave.size(); ++b) {
      const auto expected = kHarmlessToGrave[std::max(a, b)];
      CHECK(severer(kHarmlessToGrave[a], kHarmlessToGrave[b]) == expected);
    }
  }
}

TEST_CASE("open conflicts outweigh quarantined rows, though their number is smaller") {
  CHECK(severer(Code::conflicts_open, Code::quarantine_or_drift) == Code::conflicts_open);
}

TEST_CASE("a code that nobody knows is the severest") {
  CHECK(severer(static_cast<Code>(99), Code::bug) == static_cast<Code>(99));
}

TEST_CASE("the codes are the exit codes of the command line") {
  CHECK(static_cast<int>(Code::done) == 0);
  CHECK(static_cast<int>(Code::differences) == 1);
  CHECK(static_cast<int>(Code::conflicts_open) == 10);
  CHECK(static_cast<int>(Code::quarantine_or_drift) == 11);
  CHECK(static_cast<int>(Code::locked) == 12);
  CHECK(static_cast<int>(Code::paused) == 13);
  CHECK(static_cast<int>(Code::limit) == 20);
  CHECK(static_cast<int>(Code::other_primary) == 21);
  CHECK(static_cast<int>(Code::other_secondary) == 22);
  CHECK(static_cast<int>(Code::drift_decision) == 23);
  CHECK(static_cast<int>(Code::source_incomplete) == 24);
  CHECK(static_cast<int>(Code::key_or_trust) == 25);
  CHECK(static_cast<int>(Code::secondary_refuses) == 26);
  CHECK(static_cast<int>(Code::try_again) == 30);
  CHECK(static_cast<int>(Code::out_of_space) == 31);
  CHECK(static_cast<int>(Code::outcome_unknown) == 40);
  CHECK(static_cast<int>(Code::integrity) == 41);
  CHECK(static_cast<int>(Code::usage) == 64);
  CHECK(static_cast<int>(Code::bug) == 70);
  CHECK(static_cast<int>(Code::configuration) == 78);
}

TEST_CASE("a failure carries code, message and hint") {
  const Failure failure(Code::locked, "another run holds the lock", "wait");
  CHECK(failure.error() ==
        Error{.code = Code::locked, .message = "another run holds the lock", .hint = "wait"});
  CHECK(std::string(failure.what()) == "another run holds the lock");
}

}  // namespace
}  // namespace abgleich
