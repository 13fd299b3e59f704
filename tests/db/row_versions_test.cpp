#include "db/postgresql/row_versions.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace abgleich::db {

namespace {

constexpr std::uint64_t kEpoch = std::uint64_t{1} << 32U;
constexpr std::uint64_t kHalf = std::uint64_t{1} << 30U;

bool after(const RowVersions& now) {
  return follows(now, "facts", 100, 110);
}

}  // namespace

TEST_CASE("row versions follow a reading with the same facts and no later numbers") {
  const RowVersions now{.usable = true, .facts = "facts", .horizon = 100, .next = 110};
  CHECK(after(now));
  auto other = now;
  other.usable = false;
  CHECK_FALSE(after(other));
  other = now;
  other.moved = true;
  CHECK_FALSE(after(other));
  other = now;
  other.facts = "other facts";
  CHECK_FALSE(after(other));
  other = now;
  other.next = 109;
  CHECK_FALSE(after(other));
  other = now;
  other.horizon = 99;
  CHECK_FALSE(after(other));
}

TEST_CASE("row versions are not compared over more xids than have an order") {
  for (const auto next : {100 + kHalf - 1, 100 + kHalf, 100 + 2 * kHalf, 100 + kEpoch}) {
    CAPTURE(next);
    CHECK(after({.usable = true, .facts = "facts", .horizon = next, .next = next}) ==
          (next < 100 + kHalf));
  }
}

TEST_CASE("row versions are asked for with the xid as the server's rows have it") {
  using postgresql::recent;
  using postgresql::recent_or_at;
  CHECK(recent(kEpoch + 7) == recent(7));
  CHECK(recent(7).find("'7'") != std::string::npos);
  CHECK(recent_or_at(7, {}) == recent(7));
  CHECK(recent_or_at(7, {"(0,1)", "(2,3')\""}).ends_with("'{\"(0,1)\",\"(2,3)\"}' AS tid[]))"));
}

}  // namespace abgleich::db
