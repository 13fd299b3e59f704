// How a run reports its progress, which is shown on a terminal but not under cron.
#pragma once

#include <cstdint>
#include <string_view>

namespace abgleich::sync {

/// Progress is reported after every so many rows.
inline constexpr std::int64_t kProgressEvery = 10'000;

class Progress {
 public:
  virtual ~Progress() = default;
  /// So many rows of `table` have passed this step ("read", "merge", "write").
  virtual void at(std::string_view step, std::string_view table, std::int64_t rows) = 0;
};

/// Reports nothing.
class NoProgress : public Progress {
 public:
  void at(std::string_view, std::string_view, std::int64_t) override {}
};

}  // namespace abgleich::sync
