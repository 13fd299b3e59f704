#include "report/page/chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace abgleich::report {

namespace {

// In units of the drawing, which is stretched to the width that there is.
constexpr double kWidth = 600;
constexpr double kHeight = 120;
constexpr double kLevelHeight = 12;
constexpr double kGap = 0.2;        // of the space of one bar
constexpr double kWidestBar = 40;   // a few bars are no walls
constexpr double kLeastHeight = 1;  // what is there can be seen
constexpr double kMark = 3;         // how wide a limit is drawn
constexpr std::array<std::string_view, kShades> kClasses{"dark", "middle", "light"};

std::string number(double value) {
  return fmt::format("{:.2f}", value);
}

std::int64_t part_of(const Bar& bar, std::size_t i) {
  return std::max<std::int64_t>(0, bar.parts[i]);
}

/// As a floating-point number, because sums of what a damaged record says may not fit otherwise.
double sum_of(const Bar& bar) {
  double sum = 0;
  for (std::size_t i = 0; i < bar.parts.size(); ++i) {
    sum += static_cast<double>(part_of(bar, i));
  }
  return sum;
}

Html::Element open_drawing(Html& html, std::string_view cls, double height) {
  return html.open("svg", {{"class", std::string(cls)},
                           {"viewBox", fmt::format("0 0 {} {}", kWidth, height)},
                           {"preserveAspectRatio", "none"},
                           {"role", "img"},
                           {"xmlns", "http://www.w3.org/2000/svg"}});
}

void draw_box(Html& html, std::string_view cls, std::array<double, 4> box) {
  html.empty("rect", {{"class", std::string(cls)},
                      {"x", number(box[0])},
                      {"y", number(box[1])},
                      {"width", number(box[2])},
                      {"height", number(box[3])}});
}

}  // namespace

void draw_bars(Html& html, const std::vector<Bar>& bars, std::string_view says) {
  const auto drawing = open_drawing(html, "bars", kHeight);
  html.leaf("title", says);
  double highest = 1;
  for (const auto& bar : bars) {
    highest = std::max(highest, sum_of(bar));
  }
  const double space = bars.empty() ? kWidth : kWidth / static_cast<double>(bars.size());
  const double width = std::min(kWidestBar, space * (1 - kGap));
  double x = 0;
  for (const auto& bar : bars) {
    const auto group = html.open("g");
    html.leaf("title", bar.title);
    double y = kHeight;
    for (std::size_t i = 0; i < bar.parts.size(); ++i) {
      const auto part = static_cast<double>(part_of(bar, i));
      if (part > 0) {
        const double height = std::max(kLeastHeight, kHeight * part / highest);
        y -= height;
        draw_box(html, kClasses.at(std::min(i, kShades - 1)), {x, y, width, height});
      }
    }
    x += space;
  }
  draw_box(html, "floor", {0, kHeight - kLeastHeight, kWidth, kLeastHeight});
}

void draw_shade(Html& html, std::string_view shade) {
  const auto drawing = html.open("svg", {{"class", "shade"},
                                         {"viewBox", "0 0 1 1"},
                                         {"aria-hidden", "true"},
                                         {"xmlns", "http://www.w3.org/2000/svg"}});
  draw_box(html, shade, {0, 0, 1, 1});
}

void draw_level(Html& html, const Level& level, std::string_view says) {
  const auto drawing = open_drawing(html, "level", kLevelHeight);
  html.leaf("title", says);
  const auto whole = static_cast<double>(std::max<std::int64_t>(1, level.whole));
  const auto place = [&](std::int64_t value) {
    return kWidth * std::clamp(static_cast<double>(value) / whole, 0.0, 1.0);
  };
  draw_box(html, "rest", {0, 0, kWidth, kLevelHeight});
  draw_box(html, "dark", {0, 0, place(level.value), kLevelHeight});
  if (level.limit > 0) {
    draw_box(html, "limit", {std::min(place(level.limit), kWidth - kMark), 0, kMark, kLevelHeight});
  }
}

}  // namespace abgleich::report
