#include "db/primary/condition_statements.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace abgleich::db {

namespace {

using Kind = Condition::Kind;
using Test = Condition::Test;

/// A number is quoted where columns have strict types: then it takes the type of the column.
/// Without quotes it would have a type of its own, in which 0.1 is not the 0.1 of a float4.
std::string literal_text(const Dialect& dialect, const Literal& literal, const Type& type) {
  switch (literal.kind) {
    case Literal::Kind::text:
      return dialect.comparable(dialect.text_literal(literal.text, type), type);
    case Literal::Kind::number:
      return traits(type.engine).has_strict_types ? dialect.text_literal(literal.text, type)
                                                  : literal.text;
    case Literal::Kind::boolean:
      break;
  }
  return literal.text;
}

std::string comparison_text(const Dialect& dialect, const Condition& test, const Type& type) {
  const auto quoted = dialect.quote(test.column);
  const bool bytes = test.by_bytes && (type.family == Family::dynamic ||
                                       (type.family == Family::text && type.labels.empty()));
  const auto name = bytes ? dialect.text_bytes(quoted) : dialect.comparable(quoted, type);
  const auto value = [&](std::size_t i) { return literal_text(dialect, test.values[i], type); };
  switch (test.test) {
    case Test::like:
      return dialect.like(name, test.values.front().text);
    case Test::between:
      return fmt::format("{} BETWEEN {} AND {}", name, value(0), value(1));
    case Test::among: {
      std::string list;
      for (std::size_t i = 0; i < test.values.size(); ++i) {
        list += (i == 0 ? "" : ", ") + value(i);
      }
      return fmt::format("{} IN ({})", name, list);
    }
    default:
      return fmt::format("{} {} {}", name, symbol_of(test.test), value(0));
  }
}

std::string test_text(const Dialect& dialect, const Condition& test, const CatalogTable& table,
                      bool negated) {
  if (test.test == Test::null) {
    return fmt::format("{} IS {}NULL", dialect.quote(test.column), negated ? "NOT " : "");
  }
  const auto& type = table.find_column(test.column)->type;
  const auto comparison = comparison_text(dialect, test, type);
  const auto guard = dialect.is_of_type(dialect.quote(test.column), type, test);
  const auto text = negated ? fmt::format("NOT ({})", comparison) : comparison;
  return guard.empty() ? text : fmt::format("{} AND ({})", guard, text);
}

/// Joins in halves: servers limit the depth of an expression, and a hundred parts joined one after
/// the other would be a hundred levels deep.
std::string join(std::span<const std::string> parts, std::string_view word) {
  if (parts.size() == 1) {
    return parts.front();
  }
  const auto half = parts.size() / 2;
  return fmt::format("({}) {} ({})", join(parts.first(half), word), word,
                     join(parts.subspan(half), word));
}

/// What a condition stands in.
class Statement {
 public:
  Statement(const Dialect& dialect, const std::string& schema, const Catalog& catalog)
      : dialect_(dialect), schema_(schema), catalog_(catalog) {}

  /// A negation is applied to the single tests, not to the guards beside them: that a value is of
  /// its column's type is required either way.
  [[nodiscard]] std::string sql_of(const Condition& condition, const CatalogTable& table,
                                   bool negated) const {
    switch (condition.kind) {
      case Kind::test:
        return test_text(dialect_, condition, table, negated);
      case Kind::negated:
        return sql_of(condition.parts.front(), table, !negated);
      case Kind::within:
        return within_text(condition, table, negated);
      case Kind::all:
      case Kind::any:
        break;
    }
    std::vector<std::string> parts;
    parts.reserve(condition.parts.size());
    for (const auto& part : condition.parts) {
      parts.push_back(sql_of(part, table, negated));
    }
    return join(parts, (condition.kind == Kind::all) == negated ? "OR" : "AND");
  }

 private:
  /// The names in the inner SELECT are those of the other table, which has them all. Texts are
  /// compared by their bytes: the two columns may have different collations.
  [[nodiscard]] std::string within_text(const Condition& within, const CatalogTable& table,
                                        bool negated) const {
    const auto& other = *catalog_.find_table(within.table);
    const auto family = table.find_column(within.column)->type.family;
    const bool text = family == Family::text || family == Family::dynamic;
    const auto name = [&](const std::string& column) {
      const auto quoted = dialect_.quote(column);
      return text ? dialect_.text_bytes(quoted) : quoted;
    };
    return fmt::format("{} {}IN (SELECT {} FROM {} WHERE {} IS NOT NULL AND ({}))",
                       name(within.column), negated ? "NOT " : "", name(within.key),
                       dialect_.table(schema_, within.table), dialect_.quote(within.key),
                       sql_of(within.parts.front(), other, false));
  }

  const Dialect& dialect_;
  const std::string& schema_;
  const Catalog& catalog_;
};

}  // namespace

std::string condition_text(const Dialect& dialect, const std::string& schema,
                           const Condition& condition, const CatalogTable& table,
                           const Catalog& catalog) {
  return Statement(dialect, schema, catalog).sql_of(condition, table, false);
}

}  // namespace abgleich::db
