#include "db/postgresql/fit.hpp"

#include "db/engine/misfit.hpp"
#include "db/engine/real.hpp"
#include "db/postgresql/datetime.hpp"
#include "db/postgresql/decimal.hpp"
#include "db/postgresql/json_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

namespace abgleich::db::postgresql {

namespace {

constexpr std::string_view kNul = "contains NUL";

constexpr std::size_t kNameBytes = 63;          // of type name
constexpr std::size_t kIntegerPlaces = 131072;  // of numeric without a precision
constexpr std::size_t kFractionPlaces = 16383;

bool is_number(Kind kind) {
  return kind == Kind::integer || kind == Kind::decimal || kind == Kind::real;
}

/// The number that a value stands for. A text counts only without spaces, plus signs and leading
/// zeros: "007" is not the same as the number 7.
std::optional<Decimal> number_of(const Value& value) {
  if (!is_number(value.kind()) && value.kind() != Kind::text) {
    return std::nullopt;
  }
  const std::string_view text = value.bytes();
  if (value.kind() == Kind::text) {
    const auto digits = text.substr(text.starts_with('-') ? 1 : 0);
    const bool padded =
        digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9';
    if (padded || digits.empty() || digits[0] < '0' || digits[0] > '9') {
      return std::nullopt;
    }
  }
  return decimal_from(text);
}

bool is_special(std::string_view text) {
  return text == "NaN" || text == "Infinity" || text == "-Infinity";
}

std::optional<std::string_view> fit_boolean(Value& value) {
  const auto& bytes = value.bytes();
  if (value.kind() == Kind::boolean) {
    return {};
  }
  if (value.kind() == Kind::integer && (bytes == "0" || bytes == "1")) {
    value.set(Kind::boolean, bytes == "1" ? "t" : "f");
    return {};
  }
  if (value.kind() == Kind::text) {
    for (const std::string_view yes : {"t", "true", "TRUE", "True"}) {
      if (bytes == yes) {
        value.set(Kind::boolean, "t");
        return {};
      }
    }
    for (const std::string_view no : {"f", "false", "FALSE", "False"}) {
      if (bytes == no) {
        value.set(Kind::boolean, "f");
        return {};
      }
    }
  }
  return "not a boolean";
}

bool in_range(std::string_view digits, int bits) {
  std::int64_t number = 0;
  const auto* const end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc() || at != end) {
    return false;
  }
  const int unused = 64 - bits;
  return number >= std::numeric_limits<std::int64_t>::min() >> unused &&
         number <= std::numeric_limits<std::int64_t>::max() >> unused;
}

std::optional<std::string_view> fit_integer(const Type& column, Value& value) {
  if (value.kind() != Kind::integer) {
    auto number = number_of(value);
    if (!number || number->fraction.find_first_not_of('0') != std::string::npos) {
      return "not an integer";
    }
    number->fraction.clear();
    value.set(Kind::integer, number->text());
  }
  if (!in_range(value.bytes(), column.bits.value_or(64))) {
    return kOutOfRange;
  }
  return {};
}

/// Brings the number to the scale of numeric(precision, scale).
std::optional<std::string_view> scale_to(Decimal& number, int precision, int scale) {
  const auto places = static_cast<std::size_t>(std::max(scale, 0));
  if (number.fraction.find_first_not_of('0', places) != std::string::npos) {
    return kRounded;
  }
  number.fraction.resize(places, '0');
  const auto rounded = static_cast<std::size_t>(std::max(-scale, 0));  // digits left of the point
  const auto kept = number.integer.size() - std::min(rounded, number.integer.size());
  if (number.integer.find_first_not_of('0', kept) != std::string::npos) {
    return kRounded;
  }
  // The largest magnitude is below 10 to the power of precision - scale.
  const int magnitude = precision - scale;
  const auto leading = static_cast<std::size_t>(std::max(-magnitude, 0));
  const bool fits =
      magnitude >= 0 ? number.integer.size() <= static_cast<std::size_t>(magnitude)
                     : number.integer.empty() && number.fraction.find_first_not_of('0') >= leading;
  if (!fits) {
    return kOutOfRange;
  }
  return {};
}

std::optional<std::string_view> fit_decimal(const Type& column, Value& value) {
  if (value.kind() != Kind::text && is_number(value.kind()) && is_special(value.bytes())) {
    if (column.precision && value.bytes() != "NaN") {
      return kOutOfRange;
    }
    value.set(Kind::decimal, value.bytes());
    return {};
  }
  auto number = number_of(value);
  if (!number) {
    return "not a number";
  }
  if (column.precision) {
    if (const auto refusal = scale_to(*number, *column.precision, column.scale.value_or(0))) {
      return refusal;
    }
  } else if (number->integer.size() > kIntegerPlaces || number->fraction.size() > kFractionPlaces) {
    return kOutOfRange;
  }
  value.set(Kind::decimal, number->text());
  return {};
}

/// Whether a column of real (float4) gives the double back: the server prints the shortest decimal
/// that lies strictly between the midpoints to the neighbouring floats (Ryu without its bounds;
/// f2s.c).
bool survives_single(double number) {
  constexpr auto kInfinity = std::numeric_limits<float>::infinity();
  if (!std::isfinite(number) || number == 0) {
    return true;
  }
  const auto single = static_cast<float>(number);
  if (!std::isfinite(single) || single == 0) {
    return false;
  }
  const double middle = single;
  const auto next = std::nextafter(single, kInfinity);
  const auto previous = std::nextafter(single, -kInfinity);
  // Midpoints of floats are exact as doubles. Beyond the largest float, the step before is used.
  const double below = std::isfinite(previous) ? (middle + previous) / 2
                                               : middle - (static_cast<double>(next) - middle) / 2;
  const double above = std::isfinite(next) ? (middle + next) / 2
                                           : middle + (middle - static_cast<double>(previous)) / 2;
  std::array<char, 32> text{};
  const auto read = [&](const char* end) {
    return real_from({text.data(), static_cast<std::size_t>(end - text.data())}).value_or(middle);
  };
  auto* const stop = text.data() + text.size();
  double shortest =
      read(std::to_chars(text.data(), stop, single, std::chars_format::scientific).ptr);
  // What std::to_chars gives may be a midpoint itself; then the server prints more digits.
  for (int digits = 1; shortest <= below || shortest >= above; ++digits) {
    shortest =
        read(std::to_chars(text.data(), stop, middle, std::chars_format::scientific, digits).ptr);
  }
  return shortest == number;
}

std::optional<std::string_view> fit_real(const Type& column, Value& value) {
  const bool special = is_number(value.kind()) && is_special(value.bytes());
  if (value.kind() != Kind::real && !special) {
    const auto number = number_of(value);
    if (!number) {
      return "not a number";
    }
    std::string scratch;
    const auto real = canonical_real(value.bytes(), scratch);
    if (real.empty()) {
      return kOutOfRange;
    }
    const auto back = decimal_from(real);
    if (!back || !back->same_number(*number)) {
      return kRounded;
    }
    value.set(Kind::real, real);
  } else if (special) {
    value.set(Kind::real, value.bytes());
  }
  if (column.bits == 32) {
    const auto number = real_from(value.bytes());
    if (!number || !survives_single(*number)) {
      return kRounded;
    }
  }
  return {};
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

std::optional<std::string_view> check_text(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    return kNul;
  }
  if (!is_utf8(text)) {
    return "not valid UTF-8";
  }
  return {};
}

std::optional<std::string_view> fit_length(const Type& column, Value& value) {
  const auto length = static_cast<std::size_t>(*column.length);
  const auto count = characters(value.bytes());
  if (!column.padded) {
    if (count > length) {
      return "text too long";
    }
    return {};
  }
  // Trailing spaces have no meaning in character(n).
  auto text = value.bytes();
  if (count > length) {
    const auto used = text.find_last_not_of(' ') + 1;
    const auto excess = count - length;
    if (text.size() - used < excess) {
      return "text too long";
    }
    text.resize(text.size() - excess);
  } else {
    text.append(length - count, ' ');
  }
  value.set(value.kind(), text);
  return {};
}

std::optional<std::string_view> fit_text(const Type& column, Value& value) {
  if (value.kind() == Kind::bytes) {
    return "not a text";
  }
  if (const auto refusal = check_text(value.bytes())) {
    return refusal;
  }
  if (!column.labels.empty() &&
      std::ranges::find(column.labels, value.bytes()) == column.labels.end()) {
    return "not a label of the enumeration";
  }
  if (column.native == "name" && value.bytes().size() > kNameBytes) {
    return "text too long";
  }
  value.set(Kind::text, value.bytes());
  return column.length ? fit_length(column, value) : std::nullopt;
}

/// For a column without a zone: a text with a zone becomes its time in UTC, as SQLite's own
/// functions read it.
Refusal canonical_naive(std::string& text, int digits) {
  auto moment = text;
  const auto refusal = canonical_timestamp(text, digits, Zone::none);
  if (!refusal || canonical_timestamp(moment, digits, Zone::utc)) {
    return refusal;
  }
  constexpr std::string_view kUtc = "+00";
  text = moment.erase(moment.find(kUtc), kUtc.size());
  return {};
}

std::optional<std::string_view> fit_moment(const Type& column, Value& value) {
  auto text = value.bytes();
  const int digits = column.scale.value_or(kMicrosecondDigits);
  Refusal refusal;
  Kind kind = Kind::date;
  if (column.family == Family::date) {
    if (value.kind() != Kind::date && value.kind() != Kind::text) {
      return "not a date";
    }
    refusal = canonical_date(text);
  } else if (column.family == Family::time) {
    if (value.kind() != Kind::time && value.kind() != Kind::text) {
      return "not a time";
    }
    kind = Kind::time;
    refusal = canonical_time(text, digits, has_zone(column) ? Zone::kept : Zone::none);
  } else {
    if (value.kind() != Kind::timestamp && value.kind() != Kind::timestamptz &&
        value.kind() != Kind::date && value.kind() != Kind::text) {
      return "not a timestamp";
    }
    const bool zoned = column.family == Family::timestamptz;
    kind = zoned ? Kind::timestamptz : Kind::timestamp;
    refusal = !zoned && value.kind() == Kind::text
                  ? canonical_naive(text, digits)
                  : canonical_timestamp(text, digits, zoned ? Zone::utc : Zone::none);
  }
  if (!refusal) {
    value.set(kind, text);
  }
  return refusal;
}

int hex_digits(std::string_view text) {
  return static_cast<int>(std::ranges::count_if(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  }));
}

std::optional<std::string_view> fit_uuid(Value& value) {
  if (value.kind() == Kind::uuid) {
    return {};
  }
  constexpr int kDigits = 32;
  const auto& text = value.bytes();
  const bool hyphens =
      text.size() == 36 && text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-';
  if (value.kind() != Kind::text || hex_digits(text) != kDigits ||
      !(hyphens || text.size() == std::size_t{kDigits})) {
    return "not a uuid";
  }
  std::string canonical;
  for (const char c : text) {
    const auto size = canonical.size();
    if (c != '-') {
      if (size == 8 || size == 13 || size == 18 || size == 23) {
        canonical += '-';
      }
      canonical += c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  value.set(Kind::uuid, canonical);
  return {};
}

std::optional<std::string_view> fit_json(const Type& column, Value& value) {
  if (value.kind() != Kind::json && value.kind() != Kind::text) {
    return "not valid JSON";
  }
  if (const auto refusal = check_text(value.bytes())) {
    return refusal;
  }
  const auto form = json_form(value.bytes());
  if (form == JsonForm::invalid) {
    return "not valid JSON";
  }
  if (column.native == "jsonb" && form != JsonForm::canonical) {
    return form == JsonForm::nul ? kNul : std::string_view("would be reformatted");
  }
  value.set(Kind::json, value.bytes());
  return {};
}

}  // namespace

bool has_zone(const Type& type) {
  return type.native.find("with time zone") != std::string::npos || type.native == "timetz" ||
         type.native == "timestamptz";
}

std::optional<std::string_view> fit(const Type& column, Value& value) {
  if (value.is_null()) {
    return {};
  }
  switch (column.family) {
    case Family::boolean:
      return fit_boolean(value);
    case Family::integer:
      return fit_integer(column, value);
    case Family::decimal:
      return fit_decimal(column, value);
    case Family::real:
      return fit_real(column, value);
    case Family::text:
    case Family::dynamic:
      return fit_text(column, value);
    case Family::bytes:
      return value.kind() == Kind::bytes ? std::nullopt
                                         : std::optional<std::string_view>("not bytes");
    case Family::date:
    case Family::time:
    case Family::timestamp:
    case Family::timestamptz:
      return fit_moment(column, value);
    case Family::uuid:
      return fit_uuid(value);
    case Family::json:
      return fit_json(column, value);
    case Family::other:
      // Only the server knows how it prints these, so only its own text is taken.
      return value.kind() == Kind::other
                 ? check_text(value.bytes())
                 : std::optional<std::string_view>("not a value of the column's type");
  }
  return {};
}

}  // namespace abgleich::db::postgresql
