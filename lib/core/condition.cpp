#include "core/condition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace abgleich {

namespace {

using Test = Condition::Test;

constexpr std::array<std::string_view, 6> kSymbols{"=", "<>", "<", "<=", ">", ">="};

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    out += c == quote ? std::string(2, quote) : std::string(1, c);
  }
  return out + quote;
}

std::string literal_text(const Literal& literal) {
  return literal.kind == Literal::Kind::text ? quoted(literal.text, '\'') : literal.text;
}

std::string test_text(const Condition& condition) {
  const auto column = quoted(condition.column, '"');
  switch (condition.test) {
    case Test::null:
      return column + " IS NULL";
    case Test::like:
      return fmt::format("{} LIKE {}", column, literal_text(condition.values.front()));
    case Test::between:
      return fmt::format("{} BETWEEN {} AND {}", column, literal_text(condition.values[0]),
                         literal_text(condition.values[1]));
    case Test::among: {
      std::string list;
      for (const auto& value : condition.values) {
        list += (list.empty() ? "" : ", ") + literal_text(value);
      }
      return fmt::format("{} IN ({})", column, list);
    }
    default:
      return fmt::format("{} {} {}", column, symbol_of(condition.test),
                         literal_text(condition.values.front()));
  }
}

/// The parts that are conditions on the same row.
std::span<const Condition> parts_of(const Condition& condition) {
  return condition.kind == Condition::Kind::within ? std::span<const Condition>()
                                                   : std::span(condition.parts);
}

void add_columns(const Condition& condition, std::vector<std::string>& names) {
  if (!condition.column.empty() && std::ranges::find(names, condition.column) == names.end()) {
    names.push_back(condition.column);
  }
  for (const auto& part : parts_of(condition)) {
    add_columns(part, names);
  }
}

}  // namespace

std::string_view symbol_of(Test test) {
  const auto at = static_cast<std::size_t>(test);
  return at < kSymbols.size() ? kSymbols.at(at) : std::string_view{};
}

std::vector<std::string> columns_of(const Condition& condition) {
  std::vector<std::string> names;
  add_columns(condition, names);
  return names;
}

bool reaches_beyond(const Condition& condition) {
  return condition.kind == Condition::Kind::within ||
         std::ranges::any_of(condition.parts, reaches_beyond);
}

Condition joined(Condition::Kind kind, std::vector<Condition> parts) {
  return parts.size() == 1 ? std::move(parts.front())
                           : Condition{.kind = kind, .parts = std::move(parts)};
}

Condition renamed(Condition condition, std::string_view was, std::string_view now) {
  if (condition.column == was) {
    condition.column = now;
  }
  if (condition.kind == Condition::Kind::within) {
    return condition;  // its part is about another table
  }
  for (auto& part : condition.parts) {
    part = renamed(std::move(part), was, now);
  }
  return condition;
}

std::string text_of(const Condition& condition) {
  switch (condition.kind) {
    case Condition::Kind::test:
      return test_text(condition);
    case Condition::Kind::negated:
      return fmt::format("NOT ({})", text_of(condition.parts.front()));
    case Condition::Kind::within:
      return fmt::format("{} IN (SELECT {} FROM {} WHERE {})", quoted(condition.column, '"'),
                         quoted(condition.key, '"'), quoted(condition.table, '"'),
                         text_of(condition.parts.front()));
    case Condition::Kind::all:
    case Condition::Kind::any:
      break;
  }
  std::string text;
  for (const auto& part : condition.parts) {
    text += fmt::format("{}({})",
                        text.empty()                             ? ""
                        : condition.kind == Condition::Kind::all ? " AND "
                                                                 : " OR ",
                        text_of(part));
  }
  return text;
}

}  // namespace abgleich
