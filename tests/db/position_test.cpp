#include "db/engine/position.hpp"

#include <doctest/doctest.h>

namespace abgleich::db {
namespace {

TEST_CASE("behind is who lacks something: each mark counts, and what is not known says nothing") {
  const Position then{.timeline = 2, .wal = 100, .next = 50};
  CHECK_FALSE(behind(then, then));
  CHECK_FALSE(behind({.timeline = 3, .wal = 100, .next = 50}, then));
  CHECK(behind({.timeline = 1, .wal = 200, .next = 60}, then));
  CHECK(behind({.timeline = 2, .wal = 99, .next = 60}, then));
  CHECK(behind({.timeline = 2, .wal = 200, .next = 49}, then));
  CHECK_FALSE(behind({}, then));
  CHECK_FALSE(behind(then, {}));
  // a standby's transactions are not asked for
  CHECK_FALSE(behind({.standby = true, .timeline = 2, .wal = 100}, then));
  const Position file{.changes = 5, .sequences = {{"person", 4}}};
  CHECK_FALSE(behind({.changes = 6, .sequences = {{"person", 4}}}, file));
  CHECK(behind({.changes = 4, .sequences = {{"person", 4}}}, file));
  CHECK(behind({.changes = 6, .sequences = {{"person", 3}}}, file));
  CHECK_FALSE(behind({.changes = 6}, file));  // a table that is gone is drift
  // the counter goes round
  CHECK_FALSE(behind({.changes = 1}, {.changes = 0xffff'ffff}));
  CHECK(behind({.changes = 0xffff'ffff}, {.changes = 1}));
}

}  // namespace
}  // namespace abgleich::db
