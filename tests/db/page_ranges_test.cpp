#include "db/postgresql/page_ranges.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>

using abgleich::db::postgresql::PageRanges;

TEST_CASE("page ranges: every page is in one of them, and the last has no end") {
  const PageRanges ranges(700, 300);
  CHECK(ranges.count() == 3);
  CHECK(ranges.condition(0) == "ctid >= CAST('(0,0)' AS tid) AND ctid < CAST('(300,0)' AS tid)");
  CHECK(ranges.condition(1) == "ctid >= CAST('(300,0)' AS tid) AND ctid < CAST('(600,0)' AS tid)");
  CHECK(ranges.condition(2) == "ctid >= CAST('(600,0)' AS tid)");
}

TEST_CASE("page ranges: of no pages, of whole ranges, of the largest table") {
  CHECK(PageRanges(0, 10).count() == 1);
  CHECK(PageRanges(0, 10).condition(0) == "ctid >= CAST('(0,0)' AS tid)");
  CHECK(PageRanges(9, 10).count() == 1);
  CHECK(PageRanges(10, 10).count() == 1);
  CHECK(PageRanges(20, 10).count() == 2);
  const std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
  const PageRanges largest(most, 32);
  CHECK(largest.count() == 134'217'728);
  CHECK(largest.condition(largest.count() - 1) == "ctid >= CAST('(4294967264,0)' AS tid)");
}
