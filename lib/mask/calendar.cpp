#include "mask/calendar.hpp"

#include "mask/ascii.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <system_error>

namespace abgleich::mask {

namespace {

constexpr std::size_t kFewestYearDigits = 4;
constexpr std::size_t kMostYearDigits = 7;  // PostgreSQL's dates end in the year 5874897

bool is_leap(int year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int days_in(int year, int month) {
  constexpr std::array kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays.at(static_cast<std::size_t>(month - 1));
}

/// Takes `least` to `most` digits off the front of the text.
bool take_number(std::string_view& text, std::size_t least, std::size_t most, int& number) {
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) {
    ++digits;
  }
  if (digits < least || digits > most) {
    return false;
  }
  std::from_chars(text.data(), text.data() + digits, number);
  text.remove_prefix(digits);
  return true;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

/// What may follow a date: nothing, or a time of day, of which only the characters are checked.
bool is_time_or_nothing(std::string_view rest) {
  if (rest.empty()) {
    return true;
  }
  if (rest.size() < 2 || (rest[0] != ' ' && rest[0] != 'T') || !is_digit(rest[1])) {
    return false;
  }
  return rest.find_first_not_of("0123456789:.+-Z", 1) == std::string_view::npos;
}

std::int64_t ordinal_in_year(const Date& date) {
  std::int64_t days = date.day;
  for (int month = 1; month < date.month; ++month) {
    days += days_in(date.year, month);
  }
  return days;
}

/// Days from 31 December of the year 0; 1 January of the year 1 is 1, and a Monday.
std::int64_t ordinal(const Date& date) {
  const std::int64_t past = date.year - 1;
  return past * 365 + past / 4 - past / 100 + past / 400 + ordinal_in_year(date);
}

}  // namespace

bool may_hold_date(Kind kind) {
  return kind == Kind::date || kind == Kind::timestamp || kind == Kind::timestamptz ||
         kind == Kind::text;
}

Reason read_date(std::string_view text, Date& date) {
  if (text == "infinity" || text == "-infinity") {
    return Cause::no_year;
  }
  constexpr std::string_view kBeforeChrist = " BC";
  const bool before_christ = text.ends_with(kBeforeChrist);
  if (before_christ) {
    text.remove_suffix(kBeforeChrist.size());
  }
  Date read;
  if (!take_number(text, kFewestYearDigits, kMostYearDigits, read.year) || !take(text, '-') ||
      !take_number(text, 2, 2, read.month) || !take(text, '-') ||
      !take_number(text, 2, 2, read.day) || !is_time_or_nothing(text) || read.month < 1 ||
      read.month > 12 || read.day < 1 || read.day > days_in(read.year, read.month)) {
    return Cause::not_date;
  }
  if (before_christ || read.year < 1) {
    return Cause::no_year;
  }
  date = read;
  return std::nullopt;
}

Week week_of(const Date& date) {
  const auto day = ordinal(date);
  const auto thursday = day - (day - 1) % 7 + 3;
  const auto first_of_year = ordinal({date.year, 1, 1});
  const auto first_of_next = ordinal({date.year + 1, 1, 1});
  int year = date.year;
  auto start = first_of_year;
  if (thursday < first_of_year) {
    --year;
    start = ordinal({year, 1, 1});
  } else if (thursday >= first_of_next) {
    ++year;
    start = first_of_next;
  }
  return {year, static_cast<int>((thursday - start) / 7) + 1};
}

bool shift(Date& date, int days) {
  constexpr int kLastYear = 9'999'999;
  Date moved = date;
  moved.day += days;
  while (moved.day < 1) {
    if (--moved.month < 1) {
      moved.month = 12;
      if (--moved.year < 1) {
        return false;
      }
    }
    moved.day += days_in(moved.year, moved.month);
  }
  while (moved.day > days_in(moved.year, moved.month)) {
    moved.day -= days_in(moved.year, moved.month);
    if (++moved.month > 12) {
      moved.month = 1;
      if (++moved.year > kLastYear) {
        return false;
      }
    }
  }
  date = moved;
  return true;
}

int full_years(const Date& birth, const Date& on) {
  const bool birthday_to_come =
      on.month < birth.month || (on.month == birth.month && on.day < birth.day);
  return on.year - birth.year - (birthday_to_come ? 1 : 0);
}

}  // namespace abgleich::mask
