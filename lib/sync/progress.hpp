// Where a run tells how far it is; a terminal shows it, cron does not.
#pragma once

#include <cstdint>
#include <string_view>

namespace abgleich::sync {

/// Rows from one word to the next.
inline constexpr std::int64_t kProgressEvery = 10'000;

class Progress {
 public:
  virtual ~Progress() = default;
  /// `rows` of `table` are through this step ("read", "merge", "write").
  virtual void at(std::string_view step, std::string_view table, std::int64_t rows) = 0;
};

/// Says nothing.
class NoProgress : public Progress {
 public:
  void at(std::string_view, std::string_view, std::int64_t) override {}
};

}  // namespace abgleich::sync
