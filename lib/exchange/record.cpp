#include "exchange/record.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace abgleich::exchange {

namespace {

constexpr std::size_t kLongestInteger = 20;  // "-9223372036854775808"
constexpr std::size_t kLongestReal = 24;     // "-2.2250738585072014e-308"

bool is_canonical_integer(std::string_view bytes) {
  std::int64_t number = 0;
  const auto* const end = bytes.data() + bytes.size();
  const auto [at, wrong] = std::from_chars(bytes.data(), end, number);
  std::array<char, kLongestInteger> text{};
  const auto* const stop = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return wrong == std::errc() && at == end && bytes == std::string_view(text.data(), stop);
}

bool is_canonical_real(std::string_view bytes) {
  if (bytes == "Infinity" || bytes == "-Infinity") {
    return true;
  }
  double number = 0;
  const auto* const end = bytes.data() + bytes.size();
  const auto [at, wrong] = std::from_chars(bytes.data(), end, number);
  if (wrong != std::errc() || at != end || !std::isfinite(number)) {
    return false;
  }
  std::array<char, kLongestReal> text{};
  const auto* const stop = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return bytes == std::string_view(text.data(), stop);
}

}  // namespace

std::optional<std::size_t> most_bytes_of(Kind kind) {
  switch (kind) {
    case Kind::null:
      return 0;
    case Kind::integer:
      return kLongestInteger;
    case Kind::real:
      return kLongestReal;
    case Kind::text:
    case Kind::bytes:
      return kMostRecord;
    default:
      return std::nullopt;
  }
}

bool is_canonical(Kind kind, std::string_view bytes) {
  switch (kind) {
    case Kind::null:
      return bytes.empty();
    case Kind::integer:
      return is_canonical_integer(bytes);
    case Kind::real:
      return is_canonical_real(bytes);
    case Kind::text:
      return is_utf8(bytes);
    case Kind::bytes:
      return true;
    default:
      return false;
  }
}

}  // namespace abgleich::exchange
