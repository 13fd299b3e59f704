// A table in ranges of its pages, each of which is read by itself (TID range scan, PostgreSQL 14
// and newer). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace abgleich::db::postgresql {

/// All pages of a table, also of one that has grown since its size was asked for: the last range
/// has no end.
class PageRanges {
 public:
  /// `pages_each` at least 1. A table of no pages is one range.
  PageRanges(std::uint64_t pages, std::uint64_t pages_each);

  [[nodiscard]] std::size_t count() const { return count_; }

  /// SQL over a row's ctid that is true of the rows in the range `at` and of no others. Every row
  /// is in exactly one range; a later range holds what is further behind in the table.
  [[nodiscard]] std::string condition(std::size_t at) const;

 private:
  std::uint64_t pages_each_;
  std::size_t count_;
};

}  // namespace abgleich::db::postgresql
