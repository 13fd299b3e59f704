#include "core/condition_misfit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string_view>

namespace abgleich {

namespace {

using Test = Condition::Test;

constexpr int kFloatBits = 32;

// Literals --------------------------------------------------------------------------------------

/// Takes `count` digits off the front; empty where there are fewer.
std::optional<unsigned> take_digits(std::string_view& text, std::size_t count) {
  unsigned number = 0;
  if (text.size() < count) {
    return std::nullopt;
  }
  const auto read = std::from_chars(text.data(), text.data() + count, number);
  if (read.ec != std::errc() || read.ptr != text.data() + count) {
    return std::nullopt;
  }
  text.remove_prefix(count);
  return number;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

/// "1990-12-31", and no other form: servers would accept 'today' as a date, too.
bool take_date(std::string_view& text) {
  const auto year = take_digits(text, 4);
  const auto month = take(text, '-') ? take_digits(text, 2) : std::nullopt;
  const auto day = take(text, '-') ? take_digits(text, 2) : std::nullopt;
  return year && month && day && *year > 0 &&
         std::chrono::year_month_day(std::chrono::year(static_cast<int>(*year)),
                                     std::chrono::month(*month), std::chrono::day(*day))
             .ok();
}

/// "23:59", "23:59:59", "23:59:59.5".
bool take_time(std::string_view& text) {
  constexpr std::size_t kFinest = 6;  // digits of a fraction: a microsecond
  const auto hour = take_digits(text, 2);
  const auto minute = take(text, ':') ? take_digits(text, 2) : std::nullopt;
  if (!hour || !minute || *hour > 23 || *minute > 59) {
    return false;
  }
  if (!take(text, ':')) {
    return true;
  }
  const auto second = take_digits(text, 2);
  if (!second || *second > 59) {
    return false;
  }
  if (take(text, '.')) {
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits == 0 || digits > kFinest) {
      return false;
    }
    text.remove_prefix(digits);
  }
  return true;
}

/// "Z", "+02", "-03:30".
bool take_zone(std::string_view& text) {
  if (take(text, 'Z')) {
    return true;
  }
  if (!take(text, '+') && !take(text, '-')) {
    return false;
  }
  const auto hours = take_digits(text, 2);
  const auto minutes = take(text, ':') ? take_digits(text, 2) : std::optional(0U);
  return hours && minutes && *hours < 15 && *minutes < 60;
}

bool is_moment(std::string_view text, bool zoned) {
  if (!take_date(text)) {
    return false;
  }
  if (text.empty()) {
    return true;
  }
  if ((!take(text, ' ') && !take(text, 'T')) || !take_time(text)) {
    return false;
  }
  return text.empty() || (zoned && take_zone(text) && text.empty());
}

bool is_uuid(std::string_view text) {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return std::ranges::equal(text, kForm, [](char c, char form) {
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    return form == '-' ? c == '-' : hex;
  });
}

/// Whether a floating point column of `bits` bits can hold the number without making it 0 or
/// infinity. A server refuses a query with any other number.
bool is_real(std::string_view number, int bits) {
  const auto readable = [number](auto value) {
    const auto read = std::from_chars(number.data(), number.data() + number.size(), value);
    return read.ec == std::errc() && read.ptr == number.data() + number.size();
  };
  return bits == kFloatBits ? readable(0.0F) : readable(0.0);
}

/// Whether the number is short enough for every server to take it as an exact one.
bool is_exact(std::string_view number) {
  constexpr std::size_t kMostDigits = 1000;
  return number.size() <= kMostDigits;
}

/// Whether it is a whole number that fits into `bits` bits.
bool is_whole(std::string_view number, int bits) {
  std::int64_t value = 0;
  const auto read = std::from_chars(number.data(), number.data() + number.size(), value);
  if (read.ec != std::errc() || read.ptr != number.data() + number.size()) {
    return false;
  }
  const auto most = std::numeric_limits<std::int64_t>::max() >> (64 - bits);
  return value <= most && value >= -most - 1;
}

bool is_text(const Literal& literal) {
  return literal.kind == Literal::Kind::text;
}

/// What a column of this type has to be compared with; empty where the literal is that.
std::string_view wanted(const Type& type, const Literal& literal) {
  const bool number = literal.kind == Literal::Kind::number;
  const bool boolean = literal.kind == Literal::Kind::boolean;
  auto rest = std::string_view(literal.text);
  switch (type.family) {
    case Family::boolean:
      return boolean ? "" : "TRUE or FALSE";
    case Family::integer:
      return number && is_whole(literal.text, type.bits.value_or(64))
                 ? ""
                 : "a whole number that it can hold, without quotes";
    case Family::decimal:
      return number && is_exact(literal.text) ? ""
                                              : "a number of 1000 digits or fewer, without quotes";
    case Family::real:
      return number && is_real(literal.text, type.bits.value_or(64))
                 ? ""
                 : "a number that it can hold, without quotes";
    case Family::text:
      return is_text(literal) ? "" : "a text in single quotes";
    case Family::date:
      return is_text(literal) && take_date(rest) && rest.empty()
                 ? ""
                 : "a date in single quotes, such as '1990-12-31'";
    case Family::time:
      return is_text(literal) && take_time(rest) && rest.empty()
                 ? ""
                 : "a time in single quotes, such as '23:59:00'";
    case Family::timestamp:
      return is_text(literal) && is_moment(literal.text, false)
                 ? ""
                 : "a moment in single quotes, such as '1990-12-31 23:59:00'";
    case Family::timestamptz:
      return is_text(literal) && is_moment(literal.text, true)
                 ? ""
                 : "a moment in single quotes, such as '1990-12-31 23:59:00+01:00'";
    case Family::uuid:
      return is_text(literal) && is_uuid(literal.text)
                 ? ""
                 : "a UUID in single quotes, of 32 digits and four hyphens";
    case Family::dynamic:
      return boolean ? "a text in single quotes or a number" : "";
    case Family::bytes:
    case Family::json:
    case Family::other:
      break;
  }
  return "nothing: it can only be tested with IS NULL or IS NOT NULL";
}

/// Whether it is a type of an extension. Its operators are in a schema that is not on the search
/// path of the reading connection.
bool is_of_extension(const Type& type) {
  return type.labels.empty() && traits(type.engine).has_strict_types &&
         type.native.find('.') != std::string::npos;
}

std::optional<std::string> misfit_of_test(const Condition& test, const CatalogTable& table) {
  const auto* column = table.find_column(test.column);
  if (column == nullptr) {
    return fmt::format("the primary has no column of '{}' called '{}'", table.name, test.column);
  }
  if (test.test == Test::null) {
    return std::nullopt;
  }
  const auto& type = column->type;
  const auto compared = [&](std::string_view with) {
    return fmt::format("column '{}' of '{}' ({}) is compared with {}", column->name, table.name,
                       type.native.empty() ? name_of(type.family) : type.native, with);
  };
  if (is_of_extension(type)) {
    return compared("nothing: it can only be tested with IS NULL or IS NOT NULL");
  }
  if (!type.labels.empty()) {
    const bool known = std::ranges::all_of(test.values, [&](const Literal& literal) {
      return is_text(literal) && std::ranges::find(type.labels, literal.text) != type.labels.end();
    });
    return known && test.test != Test::like
               ? std::nullopt
               : std::optional(compared("labels of its own, in single quotes"));
  }
  if (test.test == Test::like && type.family != Family::text && type.family != Family::dynamic) {
    return fmt::format("column '{}' of '{}' ({}) is not text, and LIKE cannot be used on it",
                       column->name, table.name, type.native);
  }
  for (const auto& literal : test.values) {
    if (const auto want = wanted(type, literal); !want.empty()) {
      return compared(want);
    }
  }
  return std::nullopt;
}

/// Whether an engine can say that two values are equal, in a way that needs no operator of others.
bool can_be_a_key(const Type& type) {
  return type.family != Family::json && type.family != Family::other &&
         type.family != Family::real && !is_of_extension(type);
}

std::optional<std::string> misfit_of_within(const Condition& within, const CatalogTable& table,
                                            const Catalog* catalog) {
  const auto* column = table.find_column(within.column);
  if (column == nullptr) {
    return fmt::format("the primary has no column of '{}' called '{}'", table.name, within.column);
  }
  if (catalog == nullptr) {
    return std::nullopt;
  }
  const auto* other = catalog->find_table(within.table);
  const auto* key = other == nullptr ? nullptr : other->find_column(within.key);
  if (key == nullptr) {
    return other == nullptr ? fmt::format("the primary has no table '{}', which '{}' follows",
                                          within.table, table.name)
                            : fmt::format("the primary has no column of '{}' called '{}'",
                                          other->name, within.key);
  }
  if (key->type.family != column->type.family || !can_be_a_key(key->type) ||
      !can_be_a_key(column->type) || key->type.labels != column->type.labels) {
    return fmt::format("column '{}' of '{}' ({}) cannot be compared with '{}' of '{}' ({})",
                       column->name, table.name, column->type.native, key->name, other->name,
                       key->type.native);
  }
  return misfit_of(within.parts.front(), *other, catalog);
}

}  // namespace

std::optional<std::string> misfit_of(const Condition& condition, const CatalogTable& table,
                                     const Catalog* catalog) {
  if (condition.kind == Condition::Kind::test) {
    return misfit_of_test(condition, table);
  }
  if (condition.kind == Condition::Kind::within) {
    return misfit_of_within(condition, table, catalog);
  }
  for (const auto& part : condition.parts) {
    if (auto why = misfit_of(part, table, catalog)) {
      return why;
    }
  }
  return std::nullopt;
}

}  // namespace abgleich
