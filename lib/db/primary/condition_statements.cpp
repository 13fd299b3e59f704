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
  const auto name = dialect.comparable(dialect.quote(test.column), type);
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

/// A negation is applied to the single tests, not to the guards beside them: that a value is of its
/// column's type is required either way.
std::string sql_of(const Dialect& dialect, const Condition& condition, const CatalogTable& table,
                   bool negated) {
  switch (condition.kind) {
    case Kind::test:
      return test_text(dialect, condition, table, negated);
    case Kind::negated:
      return sql_of(dialect, condition.parts.front(), table, !negated);
    case Kind::all:
    case Kind::any:
      break;
  }
  std::vector<std::string> parts;
  parts.reserve(condition.parts.size());
  for (const auto& part : condition.parts) {
    parts.push_back(sql_of(dialect, part, table, negated));
  }
  return join(parts, (condition.kind == Kind::all) == negated ? "OR" : "AND");
}

}  // namespace

std::string condition_text(const Dialect& dialect, const Condition& condition,
                           const CatalogTable& table) {
  return sql_of(dialect, condition, table, false);
}

}  // namespace abgleich::db
