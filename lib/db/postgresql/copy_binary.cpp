#include "db/postgresql/copy_binary.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <concepts>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

namespace abgleich::db::postgresql {

namespace {

using namespace std::string_view_literals;

// from pg_type.dat; they never change
constexpr std::uint32_t kBool = 16;
constexpr std::uint32_t kBytea = 17;
constexpr std::uint32_t kInt8 = 20;
constexpr std::uint32_t kInt2 = 21;
constexpr std::uint32_t kInt4 = 23;
constexpr std::uint32_t kText = 25;
constexpr std::uint32_t kJson = 114;
constexpr std::uint32_t kFloat4 = 700;
constexpr std::uint32_t kFloat8 = 701;
constexpr std::uint32_t kChar = 1042;
constexpr std::uint32_t kVarchar = 1043;
constexpr std::uint32_t kDate = 1082;
constexpr std::uint32_t kTimestamp = 1114;
constexpr std::uint32_t kTimestamptz = 1184;
constexpr std::uint32_t kNumeric = 1700;
constexpr std::uint32_t kUuid = 2950;
constexpr std::uint32_t kJsonb = 3802;

constexpr std::uint32_t kNull = 0xffff'ffffU;  // in place of a length
constexpr std::uint16_t kEnd = 0xffffU;        // in place of a number of fields
constexpr std::string_view kSignature = "PGCOPY\n\377\r\n\0"sv;
constexpr std::size_t kUuidBytes = 16;

template <std::unsigned_integral Number>
void append_number(Number number, std::string& out) {
  std::array<char, sizeof number> bytes;
  for (std::size_t i = sizeof number; i > 0; --i) {
    bytes[i - 1] = static_cast<char>(number & 0xffU);
    number = static_cast<Number>(std::uint64_t{number} >> 8U);
  }
  out.append(bytes.data(), bytes.size());
}

template <std::signed_integral Number>
bool append_integer(std::string_view digits, std::string& out) {
  Number number = 0;
  const auto* const end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc{} || rest != end) {
    return false;
  }
  append_number(std::uint32_t{sizeof number}, out);
  append_number(static_cast<std::make_unsigned_t<Number>>(number), out);
  return true;
}

int hex_digit(char digit) {
  return digit >= '0' && digit <= '9'   ? digit - '0'
         : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
         : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                        : -1;
}

bool append_uuid(std::string_view text, std::string& out) {
  append_number(static_cast<std::uint32_t>(kUuidBytes), out);
  unsigned digits = 0;
  unsigned byte = 0;
  for (const char c : text) {
    if (c == '-') {
      continue;
    }
    const int digit = hex_digit(c);
    if (digit < 0) {
      return false;
    }
    byte = (byte << 4U) | static_cast<unsigned>(digit);
    if (++digits % 2 == 0) {
      out += static_cast<char>(byte & 0xffU);
    }
  }
  return digits == 2 * kUuidBytes;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

template <std::floating_point Number, std::unsigned_integral Bits>
bool append_float(std::string_view text, std::string& out) {
  const auto digits = text.substr(text.starts_with('-') ? 1 : 0);
  Number number = 0;
  const auto* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (digits.empty() || !is_digit(digits.front()) || error != std::errc{} || rest != end) {
    return false;  // infinity and NaN too, which have more than one spelling
  }
  append_number(std::uint32_t{sizeof number}, out);
  append_number(std::bit_cast<Bits>(number), out);
  return true;
}

/// As numeric_send writes it: number of digits, weight of the first, sign, digits after the point,
/// and the digits, to the base of 10,000, without zeros on either end.
bool append_numeric(std::string_view text, std::string& out) {
  constexpr std::size_t kMostDigits = 8000;  // longer numbers are sent as text
  constexpr std::size_t kGroup = 4;          // decimal digits in one
  constexpr std::uint16_t kNegative = 0x4000;
  const bool negative = text.starts_with('-');
  text.remove_prefix(negative ? 1 : 0);
  const auto point = std::min(text.find('.'), text.size());
  const auto whole = text.substr(0, point);
  const auto fraction = point < text.size() ? text.substr(point + 1) : std::string_view();
  if (whole.empty() || text.size() > kMostDigits || (point < text.size() && fraction.empty()) ||
      !std::ranges::all_of(whole, is_digit) || !std::ranges::all_of(fraction, is_digit)) {
    return false;
  }
  const auto before = (whole.size() + kGroup - 1) / kGroup;  // groups
  const auto after = (fraction.size() + kGroup - 1) / kGroup;
  const auto group = [&](std::size_t i) {
    unsigned value = 0;
    for (std::size_t k = 0; k < kGroup; ++k) {
      // zeros fill up the first group of the whole part and the last one of the fraction
      const auto at = i * kGroup + k;
      const auto skipped = before * kGroup - whole.size();
      const char digit = at < skipped                             ? '0'
                         : at < before * kGroup                   ? whole[at - skipped]
                         : at - before * kGroup < fraction.size() ? fraction[at - before * kGroup]
                                                                  : '0';
      value = value * 10 + static_cast<unsigned>(digit - '0');
    }
    return static_cast<std::uint16_t>(value);
  };
  std::size_t first = 0;
  std::size_t last = before + after;
  while (first < last && group(first) == 0) {
    ++first;
  }
  while (last > first && group(last - 1) == 0) {
    --last;
  }
  const auto digits = static_cast<std::uint16_t>(last - first);
  const auto weight = digits == 0 ? 0 : static_cast<int>(before) - 1 - static_cast<int>(first);
  append_number(static_cast<std::uint32_t>(8 + 2 * digits), out);
  append_number(digits, out);
  append_number(static_cast<std::uint16_t>(weight), out);
  append_number(negative && digits > 0 ? kNegative : std::uint16_t{0}, out);
  append_number(static_cast<std::uint16_t>(fraction.size()), out);
  for (auto i = first; i < last; ++i) {
    append_number(group(i), out);
  }
  return true;
}

/// Removes a number of `digits` digits, and the text that has to follow it, from the front.
bool take_number(std::string_view& text, std::size_t digits, std::string_view follows, int& out) {
  if (text.size() < digits || !std::ranges::all_of(text.substr(0, digits), is_digit) ||
      !text.substr(digits).starts_with(follows)) {
    return false;
  }
  std::from_chars(text.data(), text.data() + digits, out);
  text.remove_prefix(digits + follows.size());
  return true;
}

/// Removes a date from the front, as days since 2000-01-01.
bool take_date(std::string_view& text, std::chrono::days& days) {
  using namespace std::chrono;
  int year = 0;
  int month = 0;
  int day = 0;
  if (!take_number(text, 4, "-", year) || !take_number(text, 2, "-", month) ||
      !take_number(text, 2, "", day) || year == 0) {
    return false;
  }
  const year_month_day date{std::chrono::year(year), std::chrono::month(unsigned(month)),
                            std::chrono::day(unsigned(day))};
  constexpr year_month_day kFirst{std::chrono::year(2000), January, std::chrono::day(1)};
  days = sys_days(date) - sys_days(kFirst);
  return date.ok();
}

bool append_date(std::string_view text, std::string& out) {
  std::chrono::days days{};
  if (!take_date(text, days) || !text.empty()) {
    return false;
  }
  append_number(std::uint32_t{4}, out);
  append_number(static_cast<std::uint32_t>(days.count()), out);
  return true;
}

bool append_timestamp(std::string_view text, std::string& out) {
  constexpr std::size_t kMicroseconds = 6;  // digits
  std::chrono::days days{};
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!take_date(text, days) || !text.starts_with(' ')) {
    return false;
  }
  text.remove_prefix(1);
  if (!take_number(text, 2, ":", hour) || !take_number(text, 2, ":", minute) ||
      !take_number(text, 2, "", second) || hour > 23 || minute > 59 || second > 59) {
    return false;
  }
  int microseconds = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    const auto digits =
        static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
    if (digits == 0 || digits > kMicroseconds || !take_number(text, digits, "", microseconds)) {
      return false;
    }
    for (auto i = digits; i < kMicroseconds; ++i) {
      microseconds *= 10;
    }
  }
  if (!text.empty() && text != "+00") {
    return false;
  }
  const std::chrono::microseconds since =
      days + std::chrono::hours(hour) + std::chrono::minutes(minute) +
      std::chrono::seconds(second) + std::chrono::microseconds(microseconds);
  append_number(std::uint32_t{8}, out);
  append_number(static_cast<std::uint64_t>(since.count()), out);
  return true;
}

bool append_boolean(std::string_view text, std::string& out) {
  append_number(std::uint32_t{1}, out);
  out += text == "t" ? '\1' : '\0';
  return text == "t" || text == "f";
}

bool append_cell(const Cell& cell, BinaryForm form, std::string& out) {
  const auto bytes = cell.bytes;
  if ((cell.storage == Cell::Storage::blob) != (form == BinaryForm::bytes)) {
    return false;
  }
  switch (form) {
    case BinaryForm::bytes:
    case BinaryForm::text:
      append_number(static_cast<std::uint32_t>(bytes.size()), out);
      out += bytes;
      return bytes.size() < std::numeric_limits<std::int32_t>::max();
    case BinaryForm::jsonb:
      append_number(static_cast<std::uint32_t>(bytes.size() + 1), out);
      out += '\1';
      out += bytes;
      return bytes.size() < std::numeric_limits<std::int32_t>::max();
    case BinaryForm::boolean:
      return append_boolean(bytes, out);
    case BinaryForm::int2:
      return append_integer<std::int16_t>(bytes, out);
    case BinaryForm::int4:
      return append_integer<std::int32_t>(bytes, out);
    case BinaryForm::int8:
      return append_integer<std::int64_t>(bytes, out);
    case BinaryForm::float4:
      return append_float<float, std::uint32_t>(bytes, out);
    case BinaryForm::float8:
      return append_float<double, std::uint64_t>(bytes, out);
    case BinaryForm::numeric:
      return append_numeric(bytes, out);
    case BinaryForm::date:
      return append_date(bytes, out);
    case BinaryForm::timestamp:
      return append_timestamp(bytes, out);
    case BinaryForm::uuid:
      return append_uuid(bytes, out);
  }
  return false;
}

/// Removes a big-endian number from the front of `bytes`.
template <std::unsigned_integral Number>
bool take_integer(std::string_view& bytes, Number& number) {
  if (bytes.size() < sizeof number) {
    return false;
  }
  std::uint64_t read = 0;
  for (std::size_t i = 0; i < sizeof number; ++i) {
    read = read << 8U | static_cast<unsigned char>(bytes[i]);
  }
  number = static_cast<Number>(read);
  bytes.remove_prefix(sizeof number);
  return true;
}

using Text = std::array<char, 36>;

template <std::signed_integral Number>
std::optional<Cell> integer_cell(std::string_view bytes, Text& text) {
  std::make_unsigned_t<Number> number = 0;
  if (!take_integer(bytes, number) || !bytes.empty()) {
    return std::nullopt;
  }
  const auto* const end =
      std::to_chars(text.data(), text.data() + text.size(), static_cast<Number>(number)).ptr;
  return text_cell({text.data(), static_cast<std::size_t>(end - text.data())});
}

std::optional<Cell> uuid_cell(std::string_view bytes, Text& text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  constexpr std::array<std::size_t, 4> kHyphens{8, 13, 18, 23};
  if (bytes.size() != kUuidBytes) {
    return std::nullopt;
  }
  std::size_t at = 0;
  for (const char c : bytes) {
    if (std::ranges::find(kHyphens, at) != kHyphens.end()) {
      text.at(at++) = '-';
    }
    const auto byte = static_cast<unsigned char>(c);
    text.at(at++) = kDigits[byte >> 4U];
    text.at(at++) = kDigits[byte & 0x0fU];
  }
  return text_cell({text.data(), text.size()});
}

/// The inverse of `append_cell`, for the bytes after the length.
std::optional<Cell> cell_of(std::string_view bytes, BinaryForm form, Text& text) {
  switch (form) {
    case BinaryForm::text:
      return text_cell(bytes);
    case BinaryForm::bytes:
      return Cell{Cell::Storage::blob, bytes};
    case BinaryForm::boolean:
      return bytes.size() == 1 ? std::optional(text_cell(bytes[0] != '\0' ? "t" : "f"))
                               : std::nullopt;
    case BinaryForm::int2:
      return integer_cell<std::int16_t>(bytes, text);
    case BinaryForm::int4:
      return integer_cell<std::int32_t>(bytes, text);
    case BinaryForm::int8:
      return integer_cell<std::int64_t>(bytes, text);
    case BinaryForm::uuid:
      return uuid_cell(bytes, text);
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<BinaryForm> binary_form(std::uint32_t type) {
  switch (type) {
    case kText:
    case kVarchar:
    case kChar:
    case kJson:
      return BinaryForm::text;
    case kBytea:
      return BinaryForm::bytes;
    case kJsonb:
      return BinaryForm::jsonb;
    case kFloat4:
      return BinaryForm::float4;
    case kFloat8:
      return BinaryForm::float8;
    case kNumeric:
      return BinaryForm::numeric;
    case kDate:
      return BinaryForm::date;
    case kTimestamp:
    case kTimestamptz:
      return BinaryForm::timestamp;
    case kBool:
      return BinaryForm::boolean;
    case kInt2:
      return BinaryForm::int2;
    case kInt4:
      return BinaryForm::int4;
    case kInt8:
      return BinaryForm::int8;
    case kUuid:
      return BinaryForm::uuid;
    default:
      return std::nullopt;
  }
}

bool is_readable(BinaryForm form) {
  switch (form) {
    case BinaryForm::bytes:
    case BinaryForm::text:
    case BinaryForm::boolean:
    case BinaryForm::int2:
    case BinaryForm::int4:
    case BinaryForm::int8:
    case BinaryForm::uuid:
      return true;
    default:
      return false;
  }
}

void append_binary_header(std::string& out) {
  out += kSignature;
  append_number(std::uint32_t{0}, out);  // flags
  append_number(std::uint32_t{0}, out);  // length of the header's extension
}

bool append_binary_row(std::span<const Cell> row, std::span<const BinaryForm> forms,
                       std::string& out) {
  const auto begin = out.size();
  append_number(static_cast<std::uint16_t>(row.size()), out);
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i].storage == Cell::Storage::null) {
      append_number(kNull, out);
    } else if (!append_cell(row[i], forms[i], out)) {
      out.resize(begin);
      return false;
    }
  }
  return true;
}

void append_binary_trailer(std::string& out) {
  append_number(kEnd, out);
}

BinaryRows::BinaryRows(std::vector<BinaryForm> forms)
    : forms_(std::move(forms)), texts_(forms_.size()) {}

BinaryRows::Found BinaryRows::split(std::string_view message, std::vector<Cell>& cells) {
  cells.clear();
  if (!begun_) {
    std::uint32_t flags = 0;
    std::uint32_t more = 0;
    if (!message.starts_with(kSignature)) {
      return Found::malformed;
    }
    message.remove_prefix(kSignature.size());
    if (!take_integer(message, flags) || !take_integer(message, more) || flags != 0 ||
        message.size() < more) {
      return Found::malformed;
    }
    message.remove_prefix(more);
    begun_ = true;
  }
  std::uint16_t fields = 0;
  if (!take_integer(message, fields)) {
    return Found::malformed;
  }
  if (fields == kEnd) {
    return message.empty() ? Found::end : Found::malformed;
  }
  if (fields != forms_.size()) {
    return Found::malformed;
  }
  for (std::size_t i = 0; i < forms_.size(); ++i) {
    std::uint32_t size = 0;
    if (!take_integer(message, size)) {
      return Found::malformed;
    }
    if (size == kNull) {
      cells.emplace_back();
      continue;
    }
    if (message.size() < size) {
      return Found::malformed;
    }
    const auto cell = cell_of(message.substr(0, size), forms_[i], texts_[i]);
    if (!cell) {
      return Found::malformed;
    }
    cells.push_back(*cell);
    message.remove_prefix(size);
  }
  return message.empty() ? Found::row : Found::malformed;
}

}  // namespace abgleich::db::postgresql
