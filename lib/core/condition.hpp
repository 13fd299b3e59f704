// Which rows of a table leave: the parsed condition of `where`. It holds only comparisons of
// columns with values. So the SQL that is made of it is abgleich's own, and whether a row fulfils
// it depends on that row alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich {

/// A value as it was written. Whether a column can be compared with it depends on the column's
/// type.
struct Literal {
  enum class Kind : std::uint8_t { text, number, boolean };
  Kind kind = Kind::text;
  std::string text;  // by kind: the text without its quotes; "-12.5"; "true" or "false"

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
    between,  // from the first of `values` to the second, both included
    null,
    like,  // a pattern: % (any characters), _ (any one), \ (the next one as it is)
  };

  Kind kind = Kind::test;
  std::vector<Condition> parts;  // of `all` and `any`: two or more; of `negated`: one
  std::string column;            // of a test: its name in the primary
  Test test = Test::null;
  std::vector<Literal> values;

  bool operator==(const Condition&) const = default;
};

/// "=", "<>", "<", "<=", ">", ">="; empty for other tests.
std::string_view symbol_of(Condition::Test test);

/// The columns that the condition names, each once, in the order of their first mention.
std::vector<std::string> columns_of(const Condition& condition);

/// The same condition, in which column `was` is called `now`.
Condition renamed(Condition condition, std::string_view was, std::string_view now);

/// The condition in one fixed spelling, whatever blanks, capitals and brackets its author used.
/// Every name is in double quotes. Parsing the text gives the same condition again.
std::string text_of(const Condition& condition);

}  // namespace abgleich
