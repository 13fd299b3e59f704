#include "contract/limit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace abgleich::contract {

namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// "12" or "12.5"; no sign, no exponent, no spaces.
std::optional<double> plain_number(std::string_view text) {
  const std::size_t point = text.find('.');
  if (!all_digits(text.substr(0, point)) ||
      (point != std::string_view::npos && !all_digits(text.substr(point + 1)))) {
    return std::nullopt;
  }
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

}  // namespace

bool Limit::allows(std::int64_t count, std::int64_t size) const {
  if (count <= 0) {
    return true;
  }
  if (unit == Unit::rows) {
    return count <= rows;
  }
  // A share of a small table can be less than one row. One row is always allowed, unless the share
  // is 0.
  if (count == 1 && size > 0 && share > 0) {
    return true;
  }
  // 29 of 100 are 29%, although in binary 0.29 * 100 is slightly less than 29.
  constexpr long double kRounding = 1e-6L;
  return static_cast<long double>(count) <=
         static_cast<long double>(share) * static_cast<long double>(size) + kRounding;
}

std::string Limit::text() const {
  return unit == Unit::rows ? fmt::format("{}", rows) : fmt::format("{:.10g}%", share * 100);
}

Limit limit_of(const Member& member) {
  const std::string_view name = member.name;
  const Node& value = member.value;
  const std::string both = fmt::format(
      "write a share of the table's rows, {0} = \"5%\", or a number of rows, {0} = 100", name);
  if (value.kind == Node::Kind::integer) {
    if (value.integer < 0) {
      refuse(value.place, fmt::format("{} is negative", in_quotes(name)), both);
    }
    return {.unit = Limit::Unit::rows, .share = 0, .rows = value.integer};
  }
  if (value.kind != Node::Kind::text) {
    refuse(value.place, fmt::format("{} is neither a share nor a number of rows", in_quotes(name)),
           both);
  }
  const std::string_view text = value.text;
  constexpr std::size_t kMostDigits = 18;  // fits into 64 bits
  if (all_digits(text) && text.size() <= kMostDigits) {
    refuse(value.place, fmt::format("{} is a number in quotes", in_quotes(name)),
           fmt::format("write {0} = {1} for {1} rows, or {0} = \"{1}%\" for a share", name, text));
  }
  const auto percent =
      text.ends_with('%') ? plain_number(text.substr(0, text.size() - 1)) : std::nullopt;
  if (!percent) {
    refuse(value.place, fmt::format("{} is neither a share nor a number of rows", in_quotes(name)),
           both);
  }
  if (*percent > 100) {
    refuse(value.place, fmt::format("{} is more than 100%", in_quotes(name)), both);
  }
  return {.unit = Limit::Unit::share, .share = *percent / 100, .rows = 0};
}

}  // namespace abgleich::contract
