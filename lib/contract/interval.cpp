#include "contract/interval.hpp"

#include "contract/words.hpp"

#include <fmt/format.h>

#include <charconv>

namespace abgleich::contract {

std::chrono::seconds interval_of(const Member& member, std::string_view example) {
  const Node& value = member.value;
  const auto how = fmt::format("write a number with s, m, h or d behind it, or \"0\": {}", example);
  if (value.kind != Node::Kind::text) {
    refuse(value.place, fmt::format("{} is not a text", in_quotes(member.name)), how);
  }
  constexpr std::int64_t kMost = 100'000;
  std::int64_t amount = 0;
  const char* end = value.text.data() + value.text.size();
  const auto [rest, error] = std::from_chars(value.text.data(), end, amount);
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  const int seconds = unit == "s"   ? 1
                      : unit == "m" ? 60
                      : unit == "h" ? 3600
                      : unit == "d" ? 86'400
                                    : 0;
  const bool nothing = amount == 0 && unit.empty();
  if (error != std::errc{} || amount < 0 || amount > kMost || (seconds == 0 && !nothing)) {
    refuse(value.place, fmt::format("{} is no length of time", in_quotes(member.name)), how);
  }
  return std::chrono::seconds(amount * seconds);
}

}  // namespace abgleich::contract
