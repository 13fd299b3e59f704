#include "db/postgresql/page_ranges.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace abgleich::db::postgresql {

PageRanges::PageRanges(std::uint64_t pages, std::uint64_t pages_each)
    : pages_each_(pages_each),
      count_(static_cast<std::size_t>(
          std::max<std::uint64_t>(1, pages / pages_each + (pages % pages_each != 0 ? 1 : 0)))) {}

std::string PageRanges::condition(std::size_t at) const {
  // rows are numbered from 1, so (n,0) is before the first row of page n
  const auto from = at * pages_each_;
  auto sql = fmt::format("ctid >= CAST('({},0)' AS tid)", from);
  if (at + 1 < count_) {
    sql += fmt::format(" AND ctid < CAST('({},0)' AS tid)", from + pages_each_);
  }
  return sql;
}

}  // namespace abgleich::db::postgresql
