// Which rows of a table leave: a condition over its columns, understood and no longer text. It
// holds comparisons of columns with values and nothing else, so whoever prints it for a server
// sends no SQL but its own, and what it says of a row depends on that row alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich {

/// A value as it was written. Whether a column can be compared with it, its type decides.
struct Literal {
  enum class Kind : std::uint8_t { text, number, boolean };
  Kind kind = Kind::text;
  std::string text;  // without quotes; "-12.5"; "true" or "false"

  bool operator==(const Literal&) const = default;
};

struct Condition {
  enum class Kind : std::uint8_t { all, any, negated, test };
  enum class Test : std::uint8_t {
    equal,
    unequal,
    less,
    at_most,
    more,
    at_least,
    among,    // one of `values`
    between,  // the first and the second of them, both included
    null,
    like,  // a text of % (any characters), _ (any one) and \ (the next one, as it is)
  };

  Kind kind = Kind::test;
  std::vector<Condition> parts;  // of all and any, two or more; of negated, one
  std::string column;            // of a test, by its name in the primary
  Test test = Test::null;
  std::vector<Literal> values;

  bool operator==(const Condition&) const = default;
};

/// "=", "<>", "<", "<=", ">", ">="; empty for other tests.
std::string_view symbol_of(Condition::Test test);

/// The columns that decide, each once, in the order in which they are named.
std::vector<std::string> columns_of(const Condition& condition);

/// The same condition of a column that has another name.
Condition renamed(Condition condition, std::string_view was, std::string_view now);

/// The condition written in one way, whatever blanks, capitals and brackets it was given with:
/// every name in double quotes. What parses it gives the same condition again.
std::string text_of(const Condition& condition);

}  // namespace abgleich
