#include "mask/canonical_form.hpp"

#include "contract/words.hpp"
#include "mask/ascii.hpp"
#include "mask/scan.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>

namespace abgleich::mask {

namespace {

using contract::CanonicalForm;
using Fold = CanonicalForm::Fold;
using Of = CanonicalForm::Of;

constexpr int kFloat = 32;
constexpr std::string_view kBeforeChrist = " BC";
constexpr std::string_view kMidnight = " 00:00:00";
constexpr std::string_view kUtc = "+00";

std::string_view take_digits(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && is_digit(text[size])) {
    ++size;
  }
  const auto digits = text.substr(0, size);
  text.remove_prefix(size);
  return digits;
}

/// Takes an exponent; 0 where the text has ended. Empty where it is malformed, or too large for a
/// number that rows are joined by.
std::optional<int> take_exponent(std::string_view& text) {
  constexpr int kMost = 400;
  if (text.empty()) {
    return 0;
  }
  if (!take(text, 'e') && !take(text, 'E')) {
    return std::nullopt;
  }
  const bool negative = take(text, '-');
  if (!negative) {
    take(text, '+');
  }
  const auto digits = take_digits(text);
  int power = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), power);
  if (digits.empty() || !text.empty() || read.ec != std::errc() || power > kMost) {
    return std::nullopt;
  }
  return negative ? -power : power;
}

/// Writes a decimal literal with `scale` digits or more after its point, without other zeros that
/// have no meaning. False where the text is not a number.
bool write_number(std::string_view text, const std::optional<int>& scale, std::string& out) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) {
    return false;
  }
  text = text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
  const bool negative = take(text, '-');
  if (!negative) {
    take(text, '+');
  }
  const auto whole = take_digits(text);
  const auto fraction = take(text, '.') ? take_digits(text) : std::string_view();
  const auto power = take_exponent(text);
  if (!power || whole.size() + fraction.size() == 0) {
    return false;
  }
  std::string digits(whole);
  digits += fraction;
  auto point = static_cast<int>(whole.size()) + *power;
  if (point < 0) {
    digits.insert(0, static_cast<std::size_t>(-point), '0');
    point = 0;
  }
  if (static_cast<std::size_t>(point) > digits.size()) {
    digits.append(static_cast<std::size_t>(point) - digits.size(), '0');
  }
  auto behind = digits.substr(static_cast<std::size_t>(point));
  digits.resize(static_cast<std::size_t>(point));
  digits.erase(0, digits.find_first_not_of('0'));  // all of them where there are only zeros
  behind.resize(behind.find_last_not_of('0') + 1);
  const bool zero = digits.empty() && behind.empty();
  if (scale && behind.size() < static_cast<std::size_t>(*scale)) {
    behind.append(static_cast<std::size_t>(*scale) - behind.size(), '0');
  }
  out = negative && !zero ? "-" : "";
  out += digits.empty() ? "0" : digits;
  if (!behind.empty()) {
    out += '.' + behind;
  }
  return true;
}

template <class Real>
std::optional<double> read_as(std::string_view text) {
  Real number = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && at == text.data() + text.size()
             ? std::optional(static_cast<double>(number))
             : std::nullopt;
}

bool write_real(std::string_view text, int from_bits, int to_bits, std::string& out) {
  // the shortest text of a float is not that of the same double
  const auto number = from_bits == kFloat ? read_as<float>(text) : read_as<double>(text);
  if (!number || *number != *number) {
    return false;
  }
  std::array<char, 32> digits;
  auto* const end = digits.data() + digits.size();
  const auto written = to_bits == kFloat
                           ? std::to_chars(digits.data(), end, static_cast<float>(*number))
                           : std::to_chars(digits.data(), end, *number);
  out.assign(digits.data(), written.ptr);
  return true;
}

/// Writes a day or a moment, with or without "+00" after it.
bool write_moment(Of of, std::string_view text, std::string& out) {
  if (text.empty() || !is_digit(text.front())) {
    return false;  // infinity is written alike in all of them
  }
  const bool before_christ = text.ends_with(kBeforeChrist);
  text.remove_suffix(before_christ ? kBeforeChrist.size() : 0);
  const auto day = text.substr(0, text.find(' '));
  auto time = text.substr(day.size());
  time.remove_suffix(time.ends_with(kUtc) ? kUtc.size() : 0);
  out = day;
  if (of == Of::date) {
    if (!time.empty() && time != kMidnight) {
      return false;
    }
  } else {
    out += time.empty() ? kMidnight : time;
    out += of == Of::timestamptz ? kUtc : "";
  }
  out += before_christ ? kBeforeChrist : "";
  return true;
}

/// "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11" as the engines print it.
bool write_uuid(std::string_view text, std::string& out) {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (text.size() != kForm.size()) {
    return false;
  }
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c =
        text[i] >= 'A' && text[i] <= 'F' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
    const bool digit = is_digit(c) || (c >= 'a' && c <= 'f');
    if (kForm[i] == '-' ? c != '-' : !digit) {
      return false;
    }
    out += c;
  }
  return true;
}

void fold_unicode(std::string_view text, std::string& out) {
  out.clear();
  const auto* at = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto left = static_cast<utf8proc_ssize_t>(text.size());
  while (left > 0) {
    utf8proc_int32_t point = 0;
    const auto size = utf8proc_iterate(at, left, &point);
    if (size <= 0) {
      return;  // never: valid UTF-8 is REQUIRED
    }
    std::array<utf8proc_uint8_t, 4> bytes;
    const auto written = utf8proc_encode_char(utf8proc_tolower(point), bytes.data());
    out.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(written));
    at += size;
    left -= size;
  }
}

void write_text(const CanonicalForm& form, std::string_view text, std::string& out) {
  if (form.trimmed) {
    text = text.substr(0, text.find_last_not_of(' ') + 1);
  }
  if (form.fold == Fold::unicode && !is_ascii(text)) {
    fold_unicode(text, out);
    return;
  }
  out = text;
  if (form.fold != Fold::none) {
    for (char& c : out) {
      c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
}

bool is_number(Kind kind) {
  return kind == Kind::integer || kind == Kind::decimal || kind == Kind::real;
}

bool is_moment(Kind kind) {
  return kind == Kind::date || kind == Kind::timestamp || kind == Kind::timestamptz;
}

bool write(const CanonicalForm& form, int bits, const Value& value, std::string& out) {
  const auto kind = value.kind();
  const std::string_view bytes = value.bytes();
  const bool reads = is_number(kind) || (form.refers && kind == Kind::text);
  switch (form.of) {
    case Of::written:
      // the text that SQLite makes of a real when it compares it with a text
      if (!form.refers || kind != Kind::real ||
          bytes.find_first_of(".eNI") != std::string_view::npos) {
        return false;
      }
      out = value.bytes() + ".0";
      return true;
    case Of::number:
      if (kind == Kind::boolean) {
        return write_number(bytes == "t" ? "1" : "0", form.scale, out);
      }
      return reads && write_number(bytes, form.scale, out);
    case Of::real:
      return reads && write_real(bytes, kind == Kind::real ? bits : 64, form.bits, out);
    case Of::date:
    case Of::timestamp:
    case Of::timestamptz:
      return is_moment(kind) && write_moment(form.of, bytes, out);
    case Of::uuid:
      return kind == Kind::text && write_uuid(bytes, out);
    case Of::text:
      if (kind != Kind::text) {
        return false;
      }
      write_text(form, bytes, out);
      return true;
  }
  return false;
}

}  // namespace

int real_bits(const Type& type) {
  return type.family == Family::real ? type.bits.value_or(64) : 64;
}

CanonicalForm natural_form(const Type& type, std::string_view collation) {
  switch (type.family) {
    case Family::integer:
      return {.of = Of::number, .scale = 0};
    case Family::decimal:
      // no fixed scale where a column may hold any value
      return {.of = Of::number,
              .scale = type.scale && traits(type.engine).has_strict_types
                           ? std::optional(std::max(*type.scale, 0))
                           : std::nullopt};
    case Family::real:
      return {.of = Of::real, .bits = real_bits(type)};
    case Family::date:
      return {.of = Of::date};
    case Family::timestamp:
      return {.of = Of::timestamp};
    case Family::timestamptz:
      return {.of = Of::timestamptz};
    case Family::uuid:
      return {.of = Of::uuid};
    case Family::text:
      break;
    default:
      return {};
  }
  CanonicalForm form{.of = Of::text, .trimmed = type.padded};
  if (traits(type.engine).has_nocase) {
    form.fold = contract::same_name(collation, "NOCASE") ? Fold::ascii : Fold::none;
    form.trimmed = form.trimmed || contract::same_name(collation, "RTRIM");
  } else {
    form.fold =
        type.native == "citext" || type.native.ends_with(".citext") ? Fold::unicode : Fold::none;
  }
  return form.fold == Fold::none && !form.trimmed ? CanonicalForm{} : form;
}

bool is_written(const CanonicalForm& form, const Type& type) {
  switch (form.of) {
    case Of::number:
      return form.scale.has_value() && traits(type.engine).has_strict_types;
    case Of::text:
      return form.fold == Fold::none && (!form.trimmed || type.padded);
    default:
      return true;
  }
}

std::string_view in_form(const CanonicalForm& form, int bits, const Value& value,
                         std::string& scratch) {
  return write(form, bits, value, scratch) ? std::string_view(scratch)
                                           : std::string_view(value.bytes());
}

}  // namespace abgleich::mask
