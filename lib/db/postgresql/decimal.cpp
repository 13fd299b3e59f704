#include "db/postgresql/decimal.hpp"

#include <algorithm>
#include <charconv>

namespace abgleich::db::postgresql {

namespace {

/// numeric holds 131072 digits before and 16383 behind the point.
constexpr int kLargestExponent = 131072;

bool is_decimal_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view take_digits(std::string_view& text) {
  const auto end = std::ranges::find_if_not(text, is_decimal_digit);
  const auto digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

std::string_view without_trailing_zeros(std::string_view digits) {
  return digits.substr(0, digits.find_last_not_of('0') + 1);
}

void shift(Decimal& number, int exponent) {
  if (exponent > 0) {
    const auto places = static_cast<std::size_t>(exponent);
    if (number.fraction.size() < places) {
      number.fraction.resize(places, '0');
    }
    number.integer.append(number.fraction, 0, places);
    number.fraction.erase(0, places);
  } else if (exponent < 0) {
    const auto places = static_cast<std::size_t>(-exponent);
    if (number.integer.size() < places) {
      number.integer.insert(0, places - number.integer.size(), '0');
    }
    const auto point = number.integer.size() - places;
    number.fraction.insert(0, number.integer, point, places);
    number.integer.resize(point);
  }
}

}  // namespace

bool Decimal::is_zero() const {
  return integer.empty() && fraction.find_first_not_of('0') == std::string::npos;
}

std::string Decimal::text() const {
  std::string printed = negative && !is_zero() ? "-" : "";
  printed += integer.empty() ? "0" : integer;
  if (!fraction.empty()) {
    printed += '.';
    printed += fraction;
  }
  return printed;
}

bool Decimal::same_number(const Decimal& other) const {
  return integer == other.integer &&
         without_trailing_zeros(fraction) == without_trailing_zeros(other.fraction) &&
         (negative == other.negative || is_zero());
}

std::optional<Decimal> decimal_from(std::string_view text) {
  Decimal number;
  if (text.starts_with('-') || text.starts_with('+')) {
    number.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  number.integer = take_digits(text);
  bool digits = !number.integer.empty();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    number.fraction = take_digits(text);
    digits = digits || !number.fraction.empty();
  }
  if (!digits) {
    return std::nullopt;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') && text.size() > 1 && text[1] != '-') {
      text.remove_prefix(1);
    }
    int exponent = 0;
    const auto* const end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, exponent);
    if (error != std::errc() || exponent > kLargestExponent || exponent < -kLargestExponent) {
      return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(at - text.data()));
    shift(number, exponent);
  }
  if (!text.empty()) {
    return std::nullopt;
  }
  number.integer.erase(0, std::min(number.integer.find_first_not_of('0'), number.integer.size()));
  return number;
}

}  // namespace abgleich::db::postgresql
