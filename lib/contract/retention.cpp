#include "contract/retention.hpp"

#include "contract/words.hpp"

#include <fmt/format.h>

#include <charconv>

namespace abgleich::contract {

Retention retention_of(const Member& member) {
  const Node& value = member.value;
  const std::string how = fmt::format(
      "write a number of days, {0} = \"90d\", or of runs, {0} = \"500 runs\", or {0} = "
      "\"forever\"",
      member.name);
  if (value.kind != Node::Kind::text) {
    refuse(value.place, fmt::format("{} is not a text", in_quotes(member.name)), how);
  }
  if (value.text == "forever") {
    return {.unit = Retention::Unit::forever, .amount = 0};
  }
  constexpr std::int64_t kMost = 1'000'000;
  std::int64_t amount = 0;
  const char* end = value.text.data() + value.text.size();
  const auto [rest, error] = std::from_chars(value.text.data(), end, amount);
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  if (error != std::errc{} || amount < 1 || amount > kMost || (unit != "d" && unit != " runs")) {
    refuse(value.place,
           fmt::format("{} is neither a number of days nor of runs", in_quotes(member.name)), how);
  }
  return {.unit = unit == "d" ? Retention::Unit::days : Retention::Unit::runs, .amount = amount};
}

}  // namespace abgleich::contract
