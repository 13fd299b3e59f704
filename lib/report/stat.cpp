#include "report/stat.hpp"

#include "core/visible_text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace abgleich::report {

namespace {

// The greatest width of the column of names. Longer names are not cut, and move their line to the
// right.
constexpr std::size_t kWidestName = 32;

struct Numbers {
  std::string name;
  std::vector<std::pair<std::int64_t, std::string_view>> counts;  // in the order of the marks
};

std::int64_t kept_of(const Kept& kept, const TableCounts& table) {
  const auto found = kept.find(table.table);
  return found == kept.end() ? 0 : found->second;
}

std::vector<Numbers> numbers_of(const Outcome& outcome, const Kept& kept) {
  std::vector<Numbers> all;
  for (const auto& table : outcome.tables) {
    if (rows_of(table) + kept_of(kept, table) > 0) {
      all.push_back({visible(table.table),
                     {{table.inserted, "+"},
                      {table.updated, "~"},
                      {table.deleted, "-"},
                      {table.conflicts + table.quarantined, "!"}}});
      if (!kept.empty()) {
        all.back().counts.emplace_back(kept_of(kept, table), "=");
      }
    }
  }
  return all;
}

std::string painted(const std::string& text, std::string_view mark, Colour colour) {
  if (colour == Colour::off || mark == "=") {
    return text;
  }
  const auto* const code = mark == "+" ? "32" : mark == "~" ? "33" : "31";
  return colour_mark(code) + text + colour_mark("0");
}

}  // namespace

std::int64_t rows_of(const TableCounts& counts) {
  return counts.inserted + counts.updated + counts.deleted + counts.conflicts + counts.quarantined;
}

std::string stat_text(const Outcome& outcome, const Kept& kept, Colour colour) {
  const auto all = numbers_of(outcome, kept);
  std::size_t name = 0;
  std::size_t digits = 0;
  for (const auto& table : all) {
    name = std::max(name, std::min(kWidestName, table.name.size()));
    for (const auto& [count, mark] : table.counts) {
      digits = std::max(digits, std::to_string(count).size());
    }
  }
  std::string text;
  for (const auto& table : all) {
    text += fmt::format("{:<{}}", table.name, name);
    for (const auto& [count, mark] : table.counts) {
      const auto number = fmt::format("{}{:<{}}", mark, count, digits);
      text += "  " + (count > 0 ? painted(number, mark, colour) : number);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += "\n";
  }
  return text;
}

std::string stat_lines(const Outcome& outcome, const Kept& kept) {
  std::string lines;
  for (const auto& table : outcome.tables) {
    if (rows_of(table) + kept_of(kept, table) > 0) {
      const nlohmann::ordered_json line = {
          {"schema", "abgleich.stat/1"},  {"table", table.table},
          {"inserted", table.inserted},   {"updated", table.updated},
          {"deleted", table.deleted},     {"unchanged", table.unchanged},
          {"conflicts", table.conflicts}, {"quarantined", table.quarantined},
          {"kept", kept_of(kept, table)}};
      lines += line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    }
  }
  return lines;
}

}  // namespace abgleich::report
