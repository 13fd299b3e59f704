#include "mask/time_zone.hpp"

#include "mask/ascii.hpp"
#include "mask/calendar.hpp"
#include "mask/scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace abgleich::mask {

namespace {

constexpr std::string_view kDirectory = "/usr/share/zoneinfo";
constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kHour = 3'600;
constexpr std::int64_t kMinute = 60;

/// Days from 1 January 1970 to the first day of a month, of the proleptic Gregorian calendar.
std::int64_t days_to(std::int64_t year, int month) {
  // years that begin in March: the leap day is their last (Hinnant, "chrono-compatible low-level
  // date algorithms")
  const std::int64_t of = month > 2 ? year : year - 1;
  const std::int64_t era = (of >= 0 ? of : of - 399) / 400;
  const std::int64_t in_era = of - era * 400;
  const std::int64_t day = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5;
  return era * 146'097 + in_era * 365 + in_era / 4 - in_era / 100 + day - 719'468;
}

struct Day {
  std::int64_t year = 1970;
  int month = 1;
  int day = 1;
};

Day day_of(std::int64_t days) {
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const std::int64_t in_era = days - era * 146'097;
  const std::int64_t year = (in_era - in_era / 1'460 + in_era / 36'524 - in_era / 146'096) / 365;
  const std::int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
  const std::int64_t shifted = (5 * in_year + 2) / 153;
  const int month = static_cast<int>(shifted < 10 ? shifted + 3 : shifted - 9);
  return {.year = year + era * 400 + (month <= 2 ? 1 : 0),
          .month = month,
          .day = static_cast<int>(in_year - (153 * shifted + 2) / 5 + 1)};
}

std::int64_t floor_of(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

bool is_leap(std::int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/// Big-endian, two's complement.
std::int64_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t number = (static_cast<unsigned char>(bytes[at]) & 0x80U) != 0 ? ~0ULL : 0;
  for (std::size_t i = 0; i < size; ++i) {
    number = number << 8U | static_cast<unsigned char>(bytes[at + i]);
  }
  return static_cast<std::int64_t>(number);
}

/// The six counts of a header (RFC 8536, section 3.1).
struct Header {
  static constexpr std::size_t kSize = 44;
  char version = 0;
  std::size_t isut = 0, isstd = 0, leaps = 0, times = 0, types = 0, chars = 0;

  [[nodiscard]] std::size_t body(std::size_t time_size) const {
    return times * time_size + times + types * 6 + chars + leaps * (time_size + 4) + isstd + isut;
  }
};

std::optional<Header> header_at(std::string_view bytes) {
  constexpr std::size_t kMost = 1U << 20U;
  if (bytes.size() < Header::kSize || !bytes.starts_with("TZif")) {
    return std::nullopt;
  }
  Header header{.version = bytes[4]};
  std::size_t at = 20;
  for (auto* count :
       {&header.isut, &header.isstd, &header.leaps, &header.times, &header.types, &header.chars}) {
    const auto number = number_at(bytes, at, 4);
    if (number < 0 || static_cast<std::size_t>(number) > kMost) {
      return std::nullopt;
    }
    *count = static_cast<std::size_t>(number);
    at += 4;
  }
  return header.types == 0 ? std::nullopt : std::optional(header);
}

std::optional<int> take_number(std::string_view& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || !is_digit(text.front()) || error != std::errc()) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

/// hh[:mm[:ss]], perhaps with a sign, in seconds.
std::optional<std::int64_t> take_time(std::string_view& text) {
  const bool negative = take(text, '-');
  if (!negative) {
    take(text, '+');
  }
  const auto hours = take_number(text);
  if (!hours) {
    return std::nullopt;
  }
  std::int64_t seconds = *hours * kHour;
  for (const auto unit : {kMinute, std::int64_t{1}}) {
    if (!take(text, ':')) {
      break;
    }
    const auto number = take_number(text);
    if (!number) {
      return std::nullopt;
    }
    seconds += *number * unit;
  }
  return negative ? -seconds : seconds;
}

/// A zone's abbreviation: letters, or anything in angle brackets.
bool skip_name(std::string_view& text) {
  if (take(text, '<')) {
    const auto end = text.find('>');
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return end != std::string_view::npos;
  }
  const auto size = static_cast<std::size_t>(
      std::ranges::find_if_not(
          text, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }) -
      text.begin());
  text.remove_prefix(size);
  return size >= 3;
}

}  // namespace

std::optional<TimeZone> TimeZone::find(std::string_view name) {
  const bool plain = !name.empty() && name.front() != '/' &&
                     name.find("..") == std::string_view::npos &&
                     name.find_first_not_of(
                         "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                         "0123456789_+-/") == std::string_view::npos;
  const auto path = std::filesystem::path(kDirectory) / name;
  std::error_code none;
  if (!plain || !std::filesystem::is_regular_file(path, none)) {
    return std::nullopt;
  }
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return parse(bytes);
}

std::optional<TimeZone> TimeZone::parse(std::string_view bytes) {
  const auto old = header_at(bytes);
  if (!old || old->version < '2' || bytes.size() < Header::kSize + old->body(4)) {
    return std::nullopt;
  }
  bytes.remove_prefix(Header::kSize + old->body(4));
  const auto header = header_at(bytes);
  if (!header || bytes.size() < Header::kSize + header->body(8)) {
    return std::nullopt;
  }
  bytes.remove_prefix(Header::kSize);
  TimeZone zone;
  const auto indexes = header->times * 8;
  const auto types = indexes + header->times;
  const auto offset_of = [&](std::size_t type) { return number_at(bytes, types + type * 6, 4); };
  zone.first_ = offset_of(0);
  for (std::size_t i = 0; i < header->times; ++i) {
    const auto type = static_cast<unsigned char>(bytes[indexes + i]);
    const auto at = number_at(bytes, i * 8, 8);
    if (type >= header->types || (i > 0 && at < zone.transitions_.back())) {
      return std::nullopt;
    }
    zone.transitions_.push_back(at);
    zone.offsets_.push_back(offset_of(type));
  }
  auto footer = bytes.substr(header->body(8));
  if (!take(footer, '\n') || footer.find('\n') == std::string_view::npos) {
    return std::nullopt;
  }
  footer = footer.substr(0, footer.find('\n'));
  if (!footer.empty()) {
    zone.rule_ = parse_rule(footer);
    if (!zone.rule_) {
      return std::nullopt;
    }
  }
  return zone;
}

/// The rule in POSIX form that ends the file: "CET-1CEST,M3.5.0,M10.5.0/3". Its offsets are
/// positive to the west.
std::optional<TimeZone::Rule> TimeZone::parse_rule(std::string_view text) {
  Rule rule;
  const auto west = skip_name(text) ? take_time(text) : std::nullopt;
  if (!west) {
    return std::nullopt;
  }
  rule.standard = -*west;
  if (text.empty()) {
    return rule;
  }
  if (!skip_name(text)) {
    return std::nullopt;
  }
  rule.summer = rule.standard + kHour;
  if (!text.starts_with(',')) {
    const auto summer = take_time(text);
    if (!summer) {
      return std::nullopt;
    }
    rule.summer = -*summer;
  }
  for (auto* change : {&rule.begins, &rule.ends}) {
    if (!take(text, ',')) {
      return std::nullopt;
    }
    std::optional<int> day;
    if (take(text, 'M')) {
      change->month = take_number(text).value_or(0);
      change->week = take(text, '.') ? take_number(text).value_or(0) : 0;
      day = take(text, '.') ? take_number(text) : std::nullopt;
      if (change->month < 1 || change->month > 12 || change->week < 1 || change->week > 5) {
        return std::nullopt;
      }
    } else {
      change->by = take(text, 'J') ? Change::By::julian : Change::By::day;
      day = take_number(text);
    }
    if (!day || *day > 366) {
      return std::nullopt;
    }
    change->day = *day;
    change->time = 2 * kHour;
    if (take(text, '/')) {
      const auto time = take_time(text);
      if (!time) {
        return std::nullopt;
      }
      change->time = *time;
    }
  }
  return text.empty() ? std::optional(rule) : std::nullopt;
}

std::int64_t TimeZone::moment_of(const Change& change, std::int64_t year, std::int64_t offset) {
  std::int64_t day = 0;
  switch (change.by) {
    case Change::By::month: {
      // the first such weekday of the month, and so many weeks later; 5 is the last
      const auto first = days_to(year, change.month);
      const auto weekday = ((first + 4) % 7 + 7) % 7;  // 1 January 1970 was a Thursday
      day = first + (change.day - weekday + 7) % 7 + std::int64_t{7} * (change.week - 1);
      const auto next = change.month == 12 ? days_to(year + 1, 1) : days_to(year, change.month + 1);
      day -= day >= next ? 7 : 0;
      break;
    }
    case Change::By::julian:  // 29 February is never counted
      day = days_to(year, 1) + change.day - 1 + (is_leap(year) && change.day >= 60 ? 1 : 0);
      break;
    case Change::By::day:
      day = days_to(year, 1) + change.day;
      break;
  }
  return day * kDay + change.time - offset;
}

std::int64_t TimeZone::by_rule(std::int64_t moment) const {
  const auto& rule = *rule_;
  if (!rule.summer) {
    return rule.standard;
  }
  const auto year = day_of(floor_of(moment + rule.standard, kDay)).year;
  const auto begins = moment_of(rule.begins, year, rule.standard);
  const auto ends = moment_of(rule.ends, year, *rule.summer);
  const bool summer =
      begins < ends ? moment >= begins && moment < ends : moment >= begins || moment < ends;
  return summer ? *rule.summer : rule.standard;
}

std::int64_t TimeZone::offset_at(std::int64_t moment) const {
  if (rule_ && (transitions_.empty() || moment >= transitions_.back())) {
    return by_rule(moment);
  }
  const auto next = std::ranges::upper_bound(transitions_, moment);
  return next == transitions_.begin()
             ? first_
             : offsets_[static_cast<std::size_t>(next - transitions_.begin()) - 1];
}

std::optional<std::string> local_date(const TimeZone& zone, std::string_view moment) {
  Date date;
  if (read_date(moment, date)) {
    return std::nullopt;
  }
  const auto day_end = moment.find('-') + 6;  // the year has as many digits as it needs
  auto rest = moment.substr(day_end);
  if (!take(rest, ' ') && !take(rest, 'T')) {
    return std::nullopt;
  }
  const auto offset_at = rest.find_first_of("+-Z");
  if (offset_at == std::string_view::npos) {
    return std::nullopt;
  }
  auto clock = rest.substr(0, offset_at);
  auto offset = rest.substr(offset_at);
  clock = clock.substr(0, clock.find('.'));  // parts of a second do not change the day
  const auto time = take_time(clock);
  std::int64_t east = 0;
  if (!take(offset, 'Z')) {
    if (offset.size() == 5 && offset.find(':') == std::string_view::npos) {  // "+0100"
      const bool west = offset.front() == '-';
      auto hours = offset.substr(1, 2);
      auto minutes = offset.substr(3);
      const auto h = take_number(hours);
      const auto m = take_number(minutes);
      if (!h || !m) {
        return std::nullopt;
      }
      east = (*h * kHour + *m * kMinute) * (west ? -1 : 1);
      offset = {};
    } else if (const auto seconds = take_time(offset)) {
      east = *seconds;
    } else {
      return std::nullopt;
    }
  }
  if (!time || !clock.empty() || !offset.empty()) {
    return std::nullopt;
  }
  const auto utc = (days_to(date.year, date.month) + date.day - 1) * kDay + *time - east;
  const auto day = day_of(floor_of(utc + zone.offset_at(utc), kDay));
  if (day.year < 1) {
    return std::nullopt;
  }
  return fmt::format("{:04}-{:02}-{:02}", day.year, day.month, day.day);
}

}  // namespace abgleich::mask
