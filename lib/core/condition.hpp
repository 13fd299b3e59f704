// Which rows of a table leave: the parsed condition of `where`, and what `route` and `follows` add
// to it. It holds only comparisons of columns, so the SQL that is made of it is abgleich's own.
// Whether a row fulfils the condition depends on that row alone, unless it `reaches_beyond` it.
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
  enum class Kind : std::uint8_t {
    all,
    any,
    negated,
    test,
    within,  // the column has the key of a row of another table, for which `parts` is true
  };
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
  std::vector<Condition> parts;  // of `all` and `any`: two or more; of `negated` and `within`: one
  std::string column;            // of a test and of `within`: its name in the primary
  Test test = Test::null;
  std::vector<Literal> values;
  bool by_bytes = false;   // of a test: texts are equal if their bytes are, whatever the collation
  std::string table, key;  // of `within`: the other table, and the one column of its key

  bool operator==(const Condition&) const = default;
};

/// "=", "<>", "<", "<=", ">", ">="; empty for other tests.
std::string_view symbol_of(Condition::Test test);

/// The columns of the table itself that the condition names, each once, in the order of their first
/// mention.
std::vector<std::string> columns_of(const Condition& condition);

/// Whether other tables decide as well: then a row can enter or leave though it did not change.
bool reaches_beyond(const Condition& condition);

/// Joins two or more conditions by AND or OR; a single one stays as it is. REQUIRES: there is one.
Condition joined(Condition::Kind kind, std::vector<Condition> parts);

/// The same condition, in which column `was` of the table itself is called `now`.
Condition renamed(Condition condition, std::string_view was, std::string_view now);

/// The condition in one fixed spelling, whatever blanks, capitals and brackets its author used.
/// Every name is in double quotes. Parsing the text gives the same condition again, unless it
/// `reaches_beyond` the row or compares `by_bytes`.
std::string text_of(const Condition& condition);

}  // namespace abgleich
