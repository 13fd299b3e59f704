// Charts as inline SVG. They have no text of their own that could become too small to read: what a
// chart says stands beside it, and in each bar's title.
#pragma once

#include "report/page/html.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::report {

/// A bar of several parts, one on top of the other.
struct Bar {
  std::string title;
  std::vector<std::int64_t> parts;  // negative ones count as 0
};

/// Bars side by side, the first one on the left, each as high as its parts together; the highest
/// has the height of the chart. At most `kShades` parts differ in shade, also on paper. `says`:
/// what the chart shows, for people who cannot see it.
void draw_bars(Html& html, const std::vector<Bar>& bars, std::string_view says);
inline constexpr std::size_t kShades = 3;

/// A small box in one of the shades ("dark", "middle", "light"), for the words beside a chart.
void draw_shade(Html& html, std::string_view shade);

/// One line across: `value` of `whole` (at least 1), and a mark at `limit`, where that is above 0.
/// All three have the same unit.
struct Level {
  std::int64_t value = 0;
  std::int64_t whole = 1;
  std::int64_t limit = 0;
};
void draw_level(Html& html, const Level& level, std::string_view says);

}  // namespace abgleich::report
