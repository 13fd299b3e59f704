#include "db/engine/dialect.hpp"

#include "db/engine/misfit.hpp"
#include "db/engine/real.hpp"
#include "db/engine/relation.hpp"
#include "db/sqlite/collation.hpp"
#include "db/sqlite/declared_type.hpp"
#include "db/sqlite/sqlite.hpp"
#include "db/sqlite/text_forms.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

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

/// Whether an integer in a column of family real is exactly the same number as a double.
bool is_exact_double(std::string_view text) {
  constexpr std::int64_t kExact = std::int64_t{1} << 53U;
  const auto number = integer_from(text);
  return number && *number >= -kExact && *number <= kExact;
}

/// Whether a column of integer or numeric affinity stores this real as an integer.
bool becomes_integer(double number) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  return std::trunc(number) == number && number > -kLimit && number < kLimit;
}

/// For a column that converts texts to numbers: the decimal becomes the number that the column
/// stores. Refuses one that would not be the same number.
std::optional<std::string_view> fit_decimal(Affinity affinity, Value& value) {
  constexpr std::size_t kExactDigits = 15;  // a double keeps any decimal of so many digits
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
      // whole numbers are stored as integers there, which have no negative zero
      return *number == 0 && std::signbit(*number) ? std::optional(kAltered) : std::nullopt;
    case Affinity::numeric:
    case Affinity::integer:
      break;
  }
  return becomes_integer(*number) ? std::optional(kAltered) : std::nullopt;
}

constexpr std::string_view kTexts = "'text'";
constexpr std::string_view kNumbers = "'integer', 'real'";

std::string is_a(std::string_view column, std::string_view storage_classes) {
  return fmt::format("typeof({}) IN ({})", column, storage_classes);
}

/// Whether the test needs an order of values, and not only equality.
bool orders(Condition::Test test) {
  using Test = Condition::Test;
  return test != Test::equal && test != Test::unequal && test != Test::among;
}

std::string_view class_of(const Literal& literal) {
  return literal.kind == Literal::Kind::text ? kTexts : kNumbers;
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

  [[nodiscard]] std::string own_table(std::string_view books,
                                      std::string_view name) const override {
    return quote(own_name(books, name));
  }

  [[nodiscard]] std::string own_name(std::string_view books, std::string_view name) const override {
    return fmt::format("{}_{}", books, name);
  }

  /// Where a table is named without `temp.` or `main.`, a temporary one hides one of the data. So
  /// no table of the data may have the prefix of these.
  [[nodiscard]] std::string temporary_table(std::string_view name) const override {
    return fmt::format("temp.{}", name);
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

  [[nodiscard]] std::string_view blob_type() const override { return "BLOB"; }
  /// A column without a type has no affinity, and compares texts by their bytes.
  [[nodiscard]] std::string_view key_text_type() const override { return ""; }

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

  /// A column accepts any value, and converts it by its affinity.
  [[nodiscard]] std::string cast(std::string_view value,
                                 std::string_view /*native*/) const override {
    return std::string(value);
  }

  /// By GLOB, which is case-sensitive, as LIKE is not: * ? and [...] in place of % _ and \.
  [[nodiscard]] std::string like(std::string_view text, std::string_view pattern) const override {
    std::string glob;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      if (pattern[i] == '%' || pattern[i] == '_') {
        glob += pattern[i] == '%' ? '*' : '?';
        continue;
      }
      i += pattern[i] == '\\' && i + 1 < pattern.size() ? 1U : 0U;
      const char c = pattern[i];
      glob += c == '*' || c == '?' || c == '[' ? fmt::format("[{}]", c) : std::string(1, c);
    }
    return fmt::format("{} GLOB {}", text, text_literal(glob, {}));
  }

  /// Times and timestamps are texts: with a T or a space, with or without seconds, in any zone.
  /// strftime brings them into one form, to the millisecond. It does not know zones of hours alone
  /// (+02), so these get minutes.
  [[nodiscard]] std::string comparable(std::string sql, const Type& type) const override {
    switch (type.family) {
      case Family::time:
        return fmt::format("strftime('%H:%M:%f', {})", sql);
      case Family::timestamp:
        return fmt::format("strftime('%Y-%m-%d %H:%M:%f', {})", sql);
      case Family::timestamptz:
        return fmt::format(
            "strftime('%Y-%m-%d %H:%M:%f', {0} || CASE WHEN {0} GLOB '*:*[+-][0-9][0-9]' "
            "THEN ':00' ELSE '' END)",
            sql);
      default:
        return sql;
    }
  }

  /// Any column can contain values of any class. Numbers are less than texts, and texts less than
  /// blobs: a comparison of different classes has a result, but not one that the contract means.
  [[nodiscard]] std::string is_of_type(std::string_view column, const Type& type,
                                       const Condition& test) const override {
    constexpr std::string_view kDay = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]";
    constexpr std::string_view kTime = "[0-9][0-9]:[0-9][0-9]";
    switch (type.family) {
      case Family::boolean:
        return fmt::format("{} AND {} IN (0, 1)", is_a(column, "'integer'"), column);
      case Family::integer:
        return is_a(column, "'integer'");
      case Family::decimal:
      case Family::real:
        return is_a(column, kNumbers);
      case Family::date:  // a day that exists, with nothing after it
        return fmt::format("{0} AND date({1}, '+0 days') IS {1}", is_a(column, kTexts), column);
      case Family::timestamp:
        return fmt::format("{0} AND date({1}, '+0 days') IS substr({1}, 1, 10)",
                           is_a(column, kTexts), column);
      case Family::timestamptz:
        return fmt::format("{} AND {} GLOB '{}*'", is_a(column, kTexts), column, kDay);
      case Family::time:
        return fmt::format("{} AND {} GLOB '{}*'", is_a(column, kTexts), column, kTime);
      case Family::dynamic:
        return orders(test.test) ? is_a(column, class_of(test.values.front())) : std::string();
      default:
        return is_a(column, kTexts);
    }
  }

  [[nodiscard]] std::string blob_literal(std::string_view bytes) const override {
    std::string digits;
    for (const char c : bytes) {
      digits += fmt::format("{:02x}", static_cast<unsigned char>(c));
    }
    return "X'" + digits + "'";
  }

  [[nodiscard]] std::optional<std::string> unused_value(const RelationColumn& column,
                                                        std::string_view data) const override {
    if (column.stored.family == Family::integer || column.stored.family == Family::decimal) {
      return fmt::format("(SELECT min(o.{}) FROM {} o) - p.n", quote(column.name), data);
    }
    return "'~' || p.n";
  }

  [[nodiscard]] std::string bytewise(std::string_view text) const override {
    return fmt::format("{} COLLATE BINARY", text);
  }

  [[nodiscard]] std::string_view byte_order(const Type& /*stored*/) const override {
    return " COLLATE BINARY";
  }

  [[nodiscard]] std::string bytes_of(const RelationColumn& column,
                                     std::string_view theirs) const override {
    return column.equality.by == Equality::By::bytes ? std::string(theirs) : bytewise(theirs);
  }

  [[nodiscard]] std::string text_bytes(std::string_view theirs) const override {
    return bytewise(theirs);
  }

  [[nodiscard]] std::string same_collated(std::string_view one, std::string_view other,
                                          std::string_view collate) const override {
    return collate == kTrims ? fmt::format("rtrim({}, ' ') = rtrim({}, ' ')", one, other)
                             : Dialect::same_collated(one, other, collate);
  }

  /// Overrides the table's own ON CONFLICT clauses: REPLACE and IGNORE would drop rows.
  [[nodiscard]] std::string_view conflict_guard() const override { return " OR ABORT"; }

  /// There is none; callers use `DELETE … WHERE (key) IN (SELECT …)`.
  [[nodiscard]] std::string delete_joined(std::string_view /*data*/, std::string_view /*plan*/,
                                          std::string_view /*condition*/) const override {
    return {};
  }

  [[nodiscard]] RowPlace row_place() const override {
    return {.selected = "rowid", .compared = "rowid"};
  }

  /// SQLite joins fast only by an index.
  [[nodiscard]] std::string ready_to_join(std::string_view table, std::string_view key,
                                          std::string_view /*known*/) const override {
    return fmt::format("CREATE INDEX {}_key ON {} ({})", table, table.substr(table.find('.') + 1),
                       key);
  }

  /// CREATE TABLE may refer to tables that do not exist yet.
  [[nodiscard]] bool adds_foreign_keys() const override { return false; }
  /// By an index: no constraint can be added to an existing table.
  [[nodiscard]] std::string add_unique(std::string_view schema, std::string_view table_name,
                                       const std::vector<std::string>& columns) const override {
    std::string name(table_name);
    std::string list;
    for (const auto& column : columns) {
      name += "_" + column;
      list += (list.empty() ? "" : ", ") + quote(column);
    }
    return fmt::format("CREATE UNIQUE INDEX {} ON {} ({})", table(schema, name + "_key"),
                       quote(table_name), list);
  }
};

}  // namespace

const Dialect& dialect() {
  static const SqliteDialect dialect;
  return dialect;
}

}  // namespace abgleich::db::sqlite
