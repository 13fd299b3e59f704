#include "db/sqlite/text_forms.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <system_error>

namespace abgleich::db::sqlite {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool take(std::string_view& text, std::string_view wanted) {
  if (!text.starts_with(wanted)) {
    return false;
  }
  text.remove_prefix(wanted.size());
  return true;
}

std::string_view take_digits(std::string_view& text) {
  const auto size =
      static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
  const auto digits = text.substr(0, size);
  text.remove_prefix(size);
  return digits;
}

/// Exactly `count` digits, as a number.
std::optional<int> take_number(std::string_view& text, std::size_t count) {
  if (text.size() < count) {
    return std::nullopt;
  }
  int number = 0;
  for (const char c : text.substr(0, count)) {
    if (!is_digit(c)) {
      return std::nullopt;
    }
    number = number * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return number;
}

/// Removes a date from the front. Years have four digits, and more only if they need them.
bool take_date(std::string_view& text, bool before_christ) {
  constexpr std::size_t kShortest = 4;
  constexpr std::size_t kLongest = 7;  // PostgreSQL's last year is 5874897
  constexpr std::array kDays{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  constexpr int kFebruary = 2;
  const auto digits = take_digits(text);
  if (digits.size() < kShortest || digits.size() > kLongest ||
      (digits.size() > kShortest && digits.front() == '0')) {
    return false;
  }
  int year = 0;
  for (const char c : digits) {
    year = year * 10 + (c - '0');
  }
  if (year == 0 || !take(text, "-")) {
    return false;
  }
  const auto month = take_number(text, 2);
  if (!month || *month < 1 || *month > 12 || !take(text, "-")) {
    return false;
  }
  const auto day = take_number(text, 2);
  if (!day || *day < 1 || *day > kDays.at(static_cast<std::size_t>(*month - 1))) {
    return false;
  }
  // There is no year 0: 1 BC is the leap year before 4 AD.
  const int proleptic = before_christ ? 1 - year : year;
  const bool leap = proleptic % 4 == 0 && (proleptic % 100 != 0 || proleptic % 400 == 0);
  return *month != kFebruary || *day != kDays[1] || leap;
}

/// hh:mm:ss with up to six digits of a fraction that does not end in 0.
bool take_time(std::string_view& text, bool end_of_day) {
  const auto hour = take_number(text, 2);
  if (!hour || !take(text, ":")) {
    return false;
  }
  const auto minute = take_number(text, 2);
  if (!minute || !take(text, ":")) {
    return false;
  }
  const auto second = take_number(text, 2);
  if (!second || *hour > 24 || *minute > 59 || *second > 59) {
    return false;
  }
  std::string_view fraction;
  if (take(text, ".")) {
    constexpr std::size_t kMicroseconds = 6;
    fraction = take_digits(text);
    if (fraction.empty() || fraction.size() > kMicroseconds || fraction.back() == '0') {
      return false;
    }
  }
  return *hour < 24 || (end_of_day && *minute == 0 && *second == 0 && fraction.empty());
}

/// +hh, +hh:mm or +hh:mm:ss, without minutes or seconds of zero at the end.
bool is_zone(std::string_view text) {
  if (!take(text, "+") && !take(text, "-")) {
    return false;
  }
  const auto hours = take_number(text, 2);
  if (!hours || *hours > 15) {
    return false;
  }
  for (int part = 0; part < 2 && !text.empty(); ++part) {
    const auto number = take(text, ":") ? take_number(text, 2) : std::nullopt;
    if (!number || *number > 59 || (text.empty() && *number == 0)) {
      return false;
    }
  }
  return text.empty();
}

bool is_infinity(std::string_view text) {
  return text == "infinity" || text == "-infinity";
}

bool is_moment(std::string_view text, std::string_view zone) {
  constexpr std::string_view kBeforeChrist = " BC";
  if (is_infinity(text)) {
    return true;
  }
  const bool before_christ = text.ends_with(kBeforeChrist);
  if (before_christ) {
    text.remove_suffix(kBeforeChrist.size());
  }
  return take_date(text, before_christ) && take(text, " ") && take_time(text, false) &&
         text == zone;
}

}  // namespace

bool is_integer(std::string_view text) {
  const auto digits = text.substr(text.starts_with('-') ? 1 : 0);
  return !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos &&
         (digits.front() != '0' || text == "0");
}

std::optional<std::int64_t> integer_from(std::string_view text) {
  std::int64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && at == end ? std::optional(number) : std::nullopt;
}

bool is_decimal(std::string_view text) {
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") {
    return true;
  }
  const bool negative = take(text, "-");
  if (negative && text.find_first_of("123456789") == std::string_view::npos) {
    return false;
  }
  const auto whole = take_digits(text);
  if (whole.empty() || (whole.size() > 1 && whole.front() == '0')) {
    return false;
  }
  return text.empty() || (take(text, ".") && !take_digits(text).empty() && text.empty());
}

bool is_date(std::string_view text) {
  if (is_infinity(text)) {
    return true;
  }
  const bool before_christ = text.ends_with(" BC");
  return take_date(text, before_christ) && text == (before_christ ? " BC" : "");
}

bool is_time(std::string_view text) {
  return take_time(text, true) && (text.empty() || is_zone(text));
}

bool is_timestamp(std::string_view text) {
  return is_moment(text, "");
}

bool is_timestamptz(std::string_view text) {
  return is_moment(text, "+00");
}

bool is_uuid(std::string_view text) {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (text.size() != kForm.size()) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = is_digit(text[i]) || (text[i] >= 'a' && text[i] <= 'f');
    if (kForm[i] == '-' ? text[i] != '-' : !digit) {
      return false;
    }
  }
  return true;
}

bool reads_as_number(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) {
    return false;
  }
  text = text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
  if (!take(text, "+")) {
    take(text, "-");
  }
  auto digits = take_digits(text).size();
  if (take(text, ".")) {
    digits += take_digits(text).size();
  }
  if (digits == 0) {
    return false;
  }
  if (take(text, "e") || take(text, "E")) {
    if (!take(text, "+")) {
      take(text, "-");
    }
    return !take_digits(text).empty() && text.empty();
  }
  return text.empty();
}

}  // namespace abgleich::db::sqlite
