#include "db/engine/retry.hpp"

#include <doctest/doctest.h>

#include <string>

namespace abgleich::db {

namespace {

using std::chrono::milliseconds;

Fault fault(const std::string& state, Fault::Cause cause = Fault::Cause::unreachable) {
  return {cause, state, Error{.code = Code::try_again, .message = "no", .hint = "again"}};
}

/// Fails so often, then is done; tells how often it was called, or with which message it ended.
std::string call(const Fault& with, int failures, milliseconds in_all, const bool& told = false) {
  int calls = 0;
  try {
    with_retries({.in_all = in_all, .told = &told}, [&] {
      if (++calls <= failures) {
        throw Fault(with);
      }
      return 0;
    });
    return std::to_string(calls);
  } catch (const Failure& failure) {
    CHECK(failure.error().code == Code::try_again);
    return failure.error().message;
  }
}

}  // namespace

TEST_CASE("what passes is tried again, and nothing else is") {
  for (const auto* state :
       {"53300", "57P01", "57P02", "57P03", "57014", "55P03", "25P03", "08006", "40001", "40P01"}) {
    CAPTURE(state);
    CHECK(call(fault(state), 1, milliseconds(2'000)) == "2");
  }
  CHECK(call(fault("SQLITE_BUSY_SNAPSHOT", Fault::Cause::serialization), 1, milliseconds(2'000)) ==
        "2");
  for (const auto* state : {"08001", "3D000", "53100", "42501", "22001", "SQLITE_BUSY"}) {
    CAPTURE(state);
    CHECK(call(fault(state, Fault::Cause::other), 1, milliseconds(2'000)) == "no");
  }
}

TEST_CASE("it is tried five times at most, and says so") {
  CHECK(call(fault("53300"), 4, milliseconds(2'000)) == "5");
  CHECK(call(fault("53300"), 5, milliseconds(2'000)) == "no; tried 5 times");
}

TEST_CASE("it is not tried again where that is not wanted, or where something was told") {
  CHECK(call(fault("53300"), 1, milliseconds(0)) == "no");
  CHECK(call(fault("53300"), 1, milliseconds(2'000), true) == "no");
}

}  // namespace abgleich::db
