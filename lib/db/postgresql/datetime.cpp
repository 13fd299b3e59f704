#include "db/postgresql/datetime.hpp"

#include "db/engine/misfit.hpp"

#include <fmt/format.h>

#include <array>

namespace abgleich::db::postgresql {

namespace {

constexpr std::int64_t kSecond = 1'000'000;  // in microseconds, the unit of everything below
constexpr std::int64_t kDay = 86'400 * kSecond;
/// Offsets reach up to 15:59:59 (datetime.h, MAX_TZDISP_HOUR).
constexpr int kZoneHours = 15;

constexpr std::string_view kNotDate = "not a date";
constexpr std::string_view kNotTime = "not a time";
constexpr std::string_view kNotTimestamp = "not a timestamp";
constexpr std::string_view kNoZone = "has no time zone";
constexpr std::string_view kHasZone = "has a time zone";

struct Civil {
  std::int64_t year;  // astronomical: 0 is 1 BC
  int month;
  int day;
};

bool leap(std::int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int days_in(std::int64_t year, int month) {
  constexpr std::array kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && leap(year) ? 29 : kDays.at(static_cast<std::size_t>(month - 1));
}

constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

/// Days since 0000-03-01: years that begin in March have the leap day at their end, so that the
/// lengths of the months follow a formula.
constexpr std::int64_t days_from(const Civil& date) {
  const auto year = date.month > 2 ? date.year : date.year - 1;
  const auto month = (date.month + 9) % 12;
  return 365 * year + floor_div(year, 4) - floor_div(year, 100) + floor_div(year, 400) +
         (153 * month + 2) / 5 + date.day - 1;
}

Civil civil_from(std::int64_t days) {
  constexpr std::int64_t kEra = 146'097;  // days of 400 years
  const auto era = floor_div(days, kEra);
  const auto in_era = days - era * kEra;
  const auto year = (in_era - in_era / 1460 + in_era / 36'524 - in_era / 146'096) / 365;
  const auto in_year = in_era - (365 * year + year / 4 - year / 100);
  const auto month = static_cast<int>((5 * in_year + 2) / 153);
  return {.year = era * 400 + year + (month < 10 ? 0 : 1),
          .month = month < 10 ? month + 3 : month - 9,
          .day = static_cast<int>(in_year - (153 * month + 2) / 5) + 1};
}

constexpr std::int64_t kFirstDay = days_from({-4713, 11, 24});  // Julian day 0
constexpr std::int64_t kLastDate = days_from({5'874'897, 12, 31});
constexpr std::int64_t kLastTimestamp = days_from({294'276, 12, 31});

/// A reader of fixed forms: each function removes what it is named after from the front, or says
/// that it is not there.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] char peek() const { return rest_.empty() ? '\0' : rest_.front(); }

  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) {
      return false;
    }
    rest_.remove_prefix(word.size());
    return true;
  }

  /// All digits that follow, at least `fewest` and at most `most`.
  std::optional<std::string_view> digits(std::size_t fewest, std::size_t most) {
    std::size_t count = 0;
    while (count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9') {
      ++count;
    }
    if (count < fewest || count > most) {
      return std::nullopt;
    }
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  /// A number of exactly two digits; more digits may follow.
  std::optional<int> two() {
    if (rest_.size() < 2 || rest_[0] < '0' || rest_[0] > '9' || rest_[1] < '0' || rest_[1] > '9') {
      return std::nullopt;
    }
    const int number = (rest_[0] - '0') * 10 + (rest_[1] - '0');
    rest_.remove_prefix(2);
    return number;
  }

 private:
  std::string_view rest_;
};

std::int64_t value_of(std::string_view digits) {
  std::int64_t value = 0;
  for (const char c : digits) {
    value = value * 10 + (c - '0');
  }
  return value;
}

/// The date without its era (BC), which is at the end of the whole text. The year stays as written.
std::optional<Civil> read_date(Reader& in) {
  constexpr std::size_t kYearDigits = 7;
  const auto year = in.digits(4, kYearDigits);
  if (!year || (year->size() > 4 && year->front() == '0') || !in.take("-")) {
    return std::nullopt;
  }
  const auto month = in.two();
  if (!month || *month < 1 || *month > 12 || !in.take("-")) {
    return std::nullopt;
  }
  const auto day = in.two();
  if (!day || *day < 1) {
    return std::nullopt;
  }
  return Civil{.year = value_of(*year), .month = *month, .day = *day};
}

/// Reads the era and the end; false where the date does not exist.
bool end_date(Reader& in, Civil& date) {
  if (date.year == 0) {
    return false;
  }
  if (in.take(" BC")) {
    date.year = 1 - date.year;
  }
  return in.at_end() && date.day <= days_in(date.year, date.month);
}

struct TimeOfDay {
  std::int64_t microseconds = 0;
  bool exact = true;  // no digit beyond the microseconds was lost
};

std::optional<TimeOfDay> read_time(Reader& in) {
  const auto hour = in.two();
  if (!hour || !in.take(":")) {
    return std::nullopt;
  }
  const auto minute = in.two();
  if (!minute || *hour > 24 || *minute > 59) {
    return std::nullopt;
  }
  int second = 0;
  TimeOfDay time;
  std::int64_t fraction = 0;
  if (in.take(":")) {
    const auto seconds = in.two();
    if (!seconds || *seconds > 59) {
      return std::nullopt;
    }
    second = *seconds;
    if (in.take(".")) {
      constexpr std::size_t kMostDigits = 30;
      const auto digits = in.digits(1, kMostDigits);
      if (!digits) {
        return std::nullopt;
      }
      auto micro = std::string(digits->substr(0, kMicrosecondDigits));
      micro.resize(kMicrosecondDigits, '0');
      fraction = value_of(micro);
      time.exact = digits->size() <= kMicrosecondDigits ||
                   digits->find_first_not_of('0', kMicrosecondDigits) == std::string_view::npos;
    }
  }
  time.microseconds = ((*hour * 60 + *minute) * 60 + second) * kSecond + fraction;
  if (time.microseconds > kDay || (time.microseconds == kDay && !time.exact)) {
    return std::nullopt;
  }
  return time;
}

/// Seconds east of Greenwich.
std::optional<int> read_zone(Reader& in) {
  if (in.take("Z") || in.take("z")) {
    return 0;
  }
  const int sign = in.peek() == '-' ? -1 : 1;
  if (!in.take("+") && !in.take("-")) {
    return std::nullopt;
  }
  const auto hours = in.two();
  if (!hours || *hours > kZoneHours) {
    return std::nullopt;
  }
  int seconds = *hours * 3600;
  const bool colon = in.take(":");
  if (colon || (in.peek() >= '0' && in.peek() <= '9')) {
    const auto minutes = in.two();
    if (!minutes || *minutes > 59) {
      return std::nullopt;
    }
    seconds += *minutes * 60;
    if (colon && in.take(":")) {
      const auto rest = in.two();
      if (!rest || *rest > 59) {
        return std::nullopt;
      }
      seconds += *rest;
    }
  }
  return sign * seconds;
}

bool starts_zone(const Reader& in) {
  return in.peek() == 'Z' || in.peek() == 'z' || in.peek() == '+' || in.peek() == '-';
}

void print_date(const Civil& date, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}",
                 date.year > 0 ? date.year : 1 - date.year, date.month, date.day);
}

void print_time(std::int64_t microseconds, std::string& out) {
  const auto seconds = microseconds / kSecond;
  fmt::format_to(std::back_inserter(out), "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
  if (microseconds % kSecond != 0) {
    fmt::format_to(std::back_inserter(out), ".{:06}", microseconds % kSecond);
    out.erase(out.find_last_not_of('0') + 1);
  }
}

void print_zone(int zone, std::string& out) {
  const int seconds = zone < 0 ? -zone : zone;
  fmt::format_to(std::back_inserter(out), "{}{:02}", zone < 0 ? '-' : '+', seconds / 3600);
  if (seconds % 3600 != 0) {
    fmt::format_to(std::back_inserter(out), ":{:02}", seconds / 60 % 60);
  }
  if (seconds % 60 != 0) {
    fmt::format_to(std::back_inserter(out), ":{:02}", seconds % 60);
  }
}

bool holds(const TimeOfDay& time, int digits) {
  std::int64_t unit = 1;
  for (int i = digits; i < kMicrosecondDigits; ++i) {
    unit *= 10;
  }
  return time.exact && time.microseconds % unit == 0;
}

bool is_infinity(std::string_view text) {
  return text == "infinity" || text == "-infinity";
}

}  // namespace

Refusal canonical_date(std::string& text) {
  if (is_infinity(text)) {
    return {};
  }
  Reader in(text);
  auto date = read_date(in);
  if (!date || !end_date(in, *date)) {
    return kNotDate;
  }
  if (days_from(*date) < kFirstDay || days_from(*date) > kLastDate) {
    return kOutOfRange;
  }
  // The text stays as it is: the forms that are accepted are exactly the canonical ones.
  return {};
}

Refusal canonical_time(std::string& text, int digits, Zone zone) {
  Reader in(text);
  const auto time = read_time(in);
  if (!time) {
    return kNotTime;
  }
  std::optional<int> offset;
  if (starts_zone(in)) {
    offset = read_zone(in);
    if (!offset) {
      return kNotTime;
    }
  }
  if (!in.at_end()) {
    return kNotTime;
  }
  if (zone == Zone::none && offset) {
    return kHasZone;
  }
  if (zone != Zone::none && !offset) {
    return kNoZone;
  }
  if (!holds(*time, digits)) {
    return kRounded;
  }
  text.clear();
  print_time(time->microseconds, text);
  if (offset) {
    print_zone(*offset, text);
  }
  return {};
}

Refusal canonical_timestamp(std::string& text, int digits, Zone zone) {
  if (is_infinity(text)) {
    return {};
  }
  Reader in(text);
  auto date = read_date(in);
  if (!date) {
    return kNotTimestamp;
  }
  std::optional<TimeOfDay> time;
  std::optional<int> offset;
  const bool separated = in.take("T") || in.take("t");
  if (separated || (in.peek() == ' ' && !Reader(in).take(" BC") && in.take(" "))) {
    time = read_time(in);
    if (!time) {
      return kNotTimestamp;
    }
    if (starts_zone(in)) {
      offset = read_zone(in);
      if (!offset) {
        return kNotTimestamp;
      }
    }
  }
  if (!end_date(in, *date)) {
    return kNotTimestamp;
  }
  if (zone == Zone::none && offset) {
    return kHasZone;
  }
  if (zone != Zone::none && !offset) {
    return kNoZone;
  }
  if (time && !holds(*time, digits)) {
    return kRounded;
  }
  // 24:00:00 and offsets carry into the neighbouring day.
  const auto shifted = (time ? time->microseconds : 0) - offset.value_or(0) * kSecond;
  const auto carry = floor_div(shifted, kDay);
  const auto days = days_from(*date) + carry;
  if (days < kFirstDay || days > kLastTimestamp) {
    return kOutOfRange;
  }
  const auto moved = civil_from(days);
  text.clear();
  print_date(moved, text);
  text += ' ';
  print_time(shifted - carry * kDay, text);
  if (zone == Zone::utc) {
    text += "+00";
  }
  if (moved.year <= 0) {
    text += " BC";
  }
  return {};
}

}  // namespace abgleich::db::postgresql
