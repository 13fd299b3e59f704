#include "db/dialect.hpp"

#include "db/misfit.hpp"
#include "db/real.hpp"
#include "db/soci/declared_type.hpp"
#include "db/soci/sqlite.hpp"
#include "db/soci/text_forms.hpp"

#include <cmath>
#include <cstdint>

namespace abgleich::db::sqlite {

namespace {

using Storage = Cell::Storage;

constexpr std::string_view kAltered = "would be changed by the column's type";
constexpr std::string_view kNotNumber = "not a number";
constexpr std::string_view kNotInteger = "not an integer";

Kind kind_of_text(Family family, std::string_view text) {
  switch (family) {
    case Family::decimal:
      return is_decimal(text) ? Kind::decimal : Kind::text;
    case Family::date:
      return is_date(text) ? Kind::date : Kind::text;
    case Family::time:
      return is_time(text) ? Kind::time : Kind::text;
    case Family::timestamp:
      return is_timestamp(text) ? Kind::timestamp : Kind::text;
    case Family::timestamptz:
      return is_timestamptz(text) ? Kind::timestamptz : Kind::text;
    case Family::uuid:
      return is_uuid(text) ? Kind::uuid : Kind::text;
    case Family::json:
      return Kind::json;
    case Family::other:
      return Kind::other;
    case Family::real:
      return text == "NaN" ? Kind::real : Kind::text;  // SQLite's own reals have no NaN
    case Family::boolean:
    case Family::integer:
    case Family::text:
    case Family::bytes:
    case Family::dynamic:
      break;
  }
  return Kind::text;
}

/// Whether a real column's integer is the same number as a double.
bool is_exact_double(std::string_view text) {
  constexpr std::int64_t kExact = std::int64_t{1} << 53U;
  const auto number = integer_from(text);
  return number && *number >= -kExact && *number <= kExact;
}

/// A column of integer or numeric affinity makes an integer of a real that is one and has room.
bool becomes_integer(double number) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  return std::trunc(number) == number && number > -kLimit && number < kLimit;
}

/// A decimal in a column that makes numbers of texts: the same number as what it makes of it.
std::optional<std::string_view> fit_decimal(Affinity affinity, Value& value) {
  constexpr std::size_t kExactDigits = 15;  // a double gives back any decimal of so many
  const std::string text = value.bytes();
  if (!reads_as_number(text)) {
    return std::nullopt;  // NaN and the infinities stay text
  }
  const auto point = text.find('.');
  const bool whole =
      point == std::string::npos || text.find_first_not_of('0', point + 1) == std::string::npos;
  if (whole && affinity != Affinity::real) {
    if (const auto number = integer_from(std::string_view(text).substr(0, point))) {
      value.set(Kind::integer, std::to_string(*number));
      return std::nullopt;
    }
  }
  std::string digits;
  for (const char c : text) {
    if (c >= '0' && c <= '9' && (c != '0' || !digits.empty())) {
      digits += c;
    }
  }
  digits.erase(digits.find_last_not_of('0') + 1);
  std::string scratch;
  const auto real = canonical_real(text, scratch);
  if (digits.size() > kExactDigits || real.empty()) {
    return kRounded;
  }
  value.set(Kind::real, real);
  return std::nullopt;
}

std::optional<std::string_view> fit_integer(Affinity affinity, const Value& value) {
  if (!is_integer(value.bytes())) {
    return kNotInteger;
  }
  if (!integer_from(value.bytes())) {
    return kOutOfRange;
  }
  return affinity == Affinity::text || affinity == Affinity::real ? std::optional(kAltered)
                                                                  : std::nullopt;
}

std::optional<std::string_view> fit_real(Affinity affinity, Value& value) {
  const auto number = real_from(value.bytes());
  if (!number) {
    return kNotNumber;
  }
  std::string scratch;
  value.set(Kind::real, canonical_real(*number, scratch));
  if (std::isnan(*number)) {
    return std::nullopt;  // stored as text
  }
  switch (affinity) {
    case Affinity::blob:
      return std::nullopt;
    case Affinity::text:
      return kAltered;
    case Affinity::real:
      // Whole numbers are stored as integers there, which have no negative zero.
      return *number == 0 && std::signbit(*number) ? std::optional(kAltered) : std::nullopt;
    case Affinity::numeric:
    case Affinity::integer:
      break;
  }
  return becomes_integer(*number) ? std::optional(kAltered) : std::nullopt;
}

bool makes_numbers(Affinity affinity) {
  return affinity != Affinity::blob && affinity != Affinity::text;
}

class SqliteDialect final : public Dialect {
 public:
  [[nodiscard]] Engine engine() const override { return Engine::sqlite; }

  [[nodiscard]] std::string table(std::string_view /*schema*/,
                                  std::string_view name) const override {
    return quote(name);
  }

  [[nodiscard]] std::string own_table(std::string_view name) const override {
    return quote("abgleich_" + std::string(name));
  }

  [[nodiscard]] std::string column_type(const Type& type) const override {
    if (type.engine == Engine::sqlite) {
      return type.native;
    }
    switch (type.family) {
      case Family::integer:
        return "INTEGER";
      case Family::boolean:
        return "BOOLEAN";
      case Family::bytes:
        return "BLOB";
      // A REAL column stores whole numbers as integers and so loses the sign of -0.0; a column
      // without a type keeps every double as it is.
      case Family::real:
      case Family::dynamic:
        return "";
      case Family::decimal:
      case Family::text:
      case Family::date:
      case Family::time:
      case Family::timestamp:
      case Family::timestamptz:
      case Family::uuid:
      case Family::json:
      case Family::other:
        break;
    }
    return "TEXT";
  }

  [[nodiscard]] std::string select_expression(std::string_view column,
                                              const Type& /*type*/) const override {
    return std::string(column);
  }

  [[nodiscard]] Decoded decode(const Type& type, const Cell& cell,
                               std::string& scratch) const override {
    switch (cell.storage) {
      case Storage::null:
        return {};
      case Storage::integer:
        if (type.family == Family::boolean && (cell.bytes == "0" || cell.bytes == "1")) {
          return {Kind::boolean, cell.bytes == "0" ? "f" : "t"};
        }
        if (type.family == Family::real && is_exact_double(cell.bytes)) {
          return {Kind::real, canonical_real(cell.bytes, scratch)};
        }
        return {Kind::integer, cell.bytes};
      case Storage::real:
        return {Kind::real, cell.bytes};
      case Storage::text:
        return {kind_of_text(type.family, cell.bytes), cell.bytes};
      case Storage::blob:
        return {Kind::bytes, cell.bytes};
    }
    return {};
  }

  [[nodiscard]] Cell encode(const Type& /*type*/, const Value& value,
                            std::string& /*scratch*/) const override {
    const std::string_view bytes = value.bytes();
    switch (value.kind()) {
      case Kind::null:
        return {};
      case Kind::boolean:
        return {Storage::integer, bytes == "t" ? "1" : "0"};
      case Kind::integer:
        return {Storage::integer, bytes};
      case Kind::real:
        return bytes == "NaN" ? text_cell(bytes) : Cell{Storage::real, bytes};
      case Kind::bytes:
        return {Storage::blob, bytes};
      case Kind::decimal:
      case Kind::text:
      case Kind::date:
      case Kind::time:
      case Kind::timestamp:
      case Kind::timestamptz:
      case Kind::uuid:
      case Kind::json:
      case Kind::other:
        break;
    }
    return text_cell(bytes);
  }

  [[nodiscard]] std::optional<std::string_view> fit(const Type& column,
                                                    Value& value) const override {
    const auto affinity = affinity_of(column_type(column));
    switch (value.kind()) {
      case Kind::null:
      case Kind::bytes:  // no affinity touches a blob
        return std::nullopt;
      case Kind::boolean:
        return affinity == Affinity::text || affinity == Affinity::real ? std::optional(kAltered)
                                                                        : std::nullopt;
      case Kind::integer:
        return fit_integer(affinity, value);
      case Kind::real:
        return fit_real(affinity, value);
      case Kind::decimal:
        return makes_numbers(affinity) ? fit_decimal(affinity, value) : std::nullopt;
      case Kind::text:
      case Kind::date:
      case Kind::time:
      case Kind::timestamp:
      case Kind::timestamptz:
      case Kind::uuid:
      case Kind::json:
      case Kind::other:
        break;
    }
    return makes_numbers(affinity) && reads_as_number(value.bytes()) ? std::optional(kAltered)
                                                                     : std::nullopt;
  }
};

}  // namespace

const Dialect& dialect() {
  static const SqliteDialect dialect;
  return dialect;
}

}  // namespace abgleich::db::sqlite
