#include "mask/generalise.hpp"

#include "core/error.hpp"

#include <fmt/format.h>
#include <utf8proc.h>

#include <array>
#include <charconv>
#include <system_error>

namespace abgleich::mask {

namespace {

constexpr int kOldest = 150;  // full years; nobody has been so old

/// Formats on the stack: an allocation for each of millions of values would cost time.
template <typename... Arguments>
void set(Value& out, Kind kind, fmt::format_string<Arguments...> form, Arguments... arguments) {
  std::array<char, 32> text;
  const auto end = fmt::format_to_n(text.data(), text.size(), fmt::runtime(fmt::string_view(form)),
                                    arguments...);
  out.set(kind, std::string_view(text.data(), end.size));
}

}  // namespace

Generaliser::Generaliser(const contract::Generalisation& generalisation)
    : generalisation_(generalisation) {
  using To = contract::Generalisation::To;
  const bool counts = generalisation.to == To::age_band || generalisation.to == To::prefix ||
                      generalisation.to == To::round;
  if (counts && generalisation.n < 1) {
    throw Failure(Code::bug, "a generalisation without its number got past the contract");
  }
  if (!generalisation.zone.empty()) {
    zone_ = TimeZone::find(generalisation.zone);
    if (!zone_) {
      throw Failure(Code::configuration,
                    fmt::format("this machine knows no time zone '{}'", generalisation.zone),
                    "correct 'zone' in the contract, or install the package tzdata; nothing was "
                    "changed");
    }
  }
  if (generalisation.to == To::age_band && read_date(generalisation.reference, reference_)) {
    throw Failure(Code::bug, "an age band without its reference date got past the contract");
  }
}

Reason Generaliser::make(const Value& value, Value& out) const {
  using To = contract::Generalisation::To;
  if (generalisation_.to == To::prefix) {
    if (value.kind() != Kind::text && value.kind() != Kind::integer) {
      return Cause::not_text;
    }
    out.set(Kind::text, first_characters(value.bytes(), generalisation_.n));
    return std::nullopt;
  }
  if (generalisation_.to == To::constant) {
    out.set(Kind::text, generalisation_.value);
    return std::nullopt;
  }
  if (generalisation_.to == To::map) {
    return look_up(value, out);
  }
  if (generalisation_.to == To::round) {
    return rounded(value, out);
  }
  return part_of_date(value, out);
}

Reason Generaliser::rounded(const Value& value, Value& out) const {
  const auto kind = value.kind();
  if (kind != Kind::integer && kind != Kind::decimal && kind != Kind::real) {
    return Cause::not_number;
  }
  std::int64_t number = 0;
  if (auto why = round_to(value.bytes(), generalisation_.n, number)) {
    return why;
  }
  set(out, Kind::integer, "{}", number);
  return std::nullopt;
}

Reason Generaliser::part_of_date(const Value& value, Value& out) const {
  using To = contract::Generalisation::To;
  Date date;
  if (!may_hold_date(value.kind())) {
    return Cause::not_date;
  }
  const auto local = zone_ ? local_date(*zone_, value.bytes()) : std::nullopt;
  if (auto why = read_date(local ? *local : value.bytes(), date)) {
    return why;
  }
  switch (generalisation_.to) {
    case To::month:
      set(out, Kind::text, "{:04}-{:02}", date.year, date.month);
      break;
    case To::week: {
      const auto week = week_of(date);
      set(out, Kind::text, "{:04}-W{:02}", week.year, week.week);
      break;
    }
    case To::age_band: {
      const auto age = full_years(date, reference_);
      if (age < 0) {
        return Cause::after_reference;
      }
      if (age > kOldest) {
        return Cause::implausible;
      }
      const auto youngest = age / generalisation_.n * generalisation_.n;
      set(out, Kind::text, "{}-{}", youngest, youngest + generalisation_.n - 1);
      break;
    }
    default:
      set(out, Kind::integer, "{}", date.year);
      break;
  }
  return std::nullopt;
}

Reason Generaliser::look_up(const Value& value, Value& out) const {
  const auto found = generalisation_.map.find(value.bytes());
  if (found != generalisation_.map.end()) {
    out.set(Kind::text, found->second);
  } else if (generalisation_.otherwise) {
    out.set(Kind::text, *generalisation_.otherwise);
  } else {
    return Cause::not_in_map;
  }
  return std::nullopt;
}

Reason round_to(std::string_view number, int step, std::int64_t& out) {
  constexpr std::size_t kMostDigits = 18;
  std::array<char, 400> plain;  // a double without exponent has up to 309 digits
  if (number.find_first_of("eE") != std::string_view::npos) {
    double real = 0;
    const auto read = std::from_chars(number.data(), number.data() + number.size(), real);
    if (read.ec != std::errc{}) {
      return Cause::too_large;
    }
    const auto written =
        std::to_chars(plain.data(), plain.data() + plain.size(), real, std::chars_format::fixed);
    number = std::string_view(plain.data(), static_cast<std::size_t>(written.ptr - plain.data()));
  }
  const bool negative = number.starts_with('-');
  number.remove_prefix(negative ? 1 : 0);
  const auto point = number.find('.');
  const auto whole = number.substr(0, point);
  const auto fraction = point == std::string_view::npos ? "" : number.substr(point + 1);
  constexpr std::string_view kDigits = "0123456789";
  if (whole.empty() || whole.find_first_not_of(kDigits) != std::string_view::npos ||
      fraction.find_first_not_of(kDigits) != std::string_view::npos) {
    return Cause::not_number;
  }
  if (whole.size() > kMostDigits) {
    return Cause::too_large;
  }
  std::int64_t steps = 0;
  std::from_chars(whole.data(), whole.data() + whole.size(), steps);
  const auto rest = steps % step;
  const bool half_by_fraction = 2 * rest + 1 == step && !fraction.empty() && fraction[0] >= '5';
  steps = steps / step + (2 * rest >= step || half_by_fraction ? 1 : 0);
  out = (negative ? -1 : 1) * steps * step;
  return std::nullopt;
}

std::string_view first_characters(std::string_view utf8, int count) {
  const auto* const start = reinterpret_cast<const utf8proc_uint8_t*>(utf8.data());
  const auto size = static_cast<utf8proc_ssize_t>(utf8.size());
  utf8proc_int32_t before = -1;
  utf8proc_int32_t state = 0;
  utf8proc_ssize_t at = 0;
  while (at < size) {
    utf8proc_int32_t point = 0;
    const auto length = utf8proc_iterate(start + at, size - at, &point);
    if (length <= 0) {
      throw Failure(Code::bug, "text that is not UTF-8 was to be cut");
    }
    // the first code point starts a character, too
    if ((before < 0 || utf8proc_grapheme_break_stateful(before, point, &state)) && count-- == 0) {
      break;
    }
    before = point;
    at += length;
  }
  return utf8.substr(0, static_cast<std::size_t>(at));
}

}  // namespace abgleich::mask
