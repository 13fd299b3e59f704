#include "contract/parse_condition.hpp"

#include "contract/document.hpp"
#include "contract/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace abgleich::contract {

namespace {

using Kind = Condition::Kind;
using Test = Condition::Test;

constexpr std::string_view kExample = "write where = \"district = '08435'\"";
constexpr std::size_t kLongest = 65'536;  // bytes; a longer one belongs in a column of the primary
constexpr int kDeepest = 20;              // each level of brackets is a recursion of this parser
constexpr std::size_t kMostTests = 900;   // as many as every server accepts in one statement
constexpr std::size_t kLongestPattern = 16'000;  // bytes; every server accepts this many
constexpr std::array<std::string_view, 9> kWords{"and",  "or", "not",  "in",  "between",
                                                 "like", "is", "null", "true"};

struct Token {
  enum class Kind : std::uint8_t { name, quoted_name, text, number, symbol, end };
  Kind kind = Kind::end;
  std::string text;    // without quotes; a plain name as it is written
  std::size_t at = 0;  // its first byte in the condition

  [[nodiscard]] bool is(std::string_view symbol) const {
    return kind == Kind::symbol && text == symbol;
  }
  [[nodiscard]] bool is_word(std::string_view word) const {
    return kind == Kind::name && same_name(text, word);
  }
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         (static_cast<unsigned char>(c) & 0x80U) != 0;
}

class Parser {
 public:
  Parser(std::string_view text, std::string_view table, const Place& place)
      : text_(text), table_(table), place_(place) {
    if (text.size() > kLongest) {
      refuse_at(0, fmt::format("is longer than {} bytes", kLongest),
                "let the primary keep what decides in a column of its own");
    }
    next();
  }

  Condition whole() {
    if (token_.kind == Token::Kind::end) {
      refuse_at(0, "is empty", fmt::format("{}, or delete it: then every row leaves", kExample));
    }
    auto condition = any(0);
    if (token_.kind != Token::Kind::end) {
      refuse_at(token_.at, "does not end where the condition does",
                "join conditions by AND or OR; close brackets that were opened");
    }
    return condition;
  }

 private:
  [[noreturn]] void refuse_at(std::size_t byte, std::string_view problem, std::string hint) const {
    const auto characters = std::ranges::count_if(text_.substr(0, byte), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    });
    refuse(place_,
           fmt::format("'where' of table {} {} (at its character {})", in_quotes(table_), problem,
                       characters + 1),
           std::move(hint));
  }

  // Tokens ---------------------------------------------------------------------------------------

  [[nodiscard]] char look(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  void next() {
    while (at_ < text_.size() &&
           (look() == ' ' || look() == '\t' || look() == '\n' || look() == '\r')) {
      ++at_;
    }
    token_ = {.kind = Token::Kind::end, .text = {}, .at = at_};
    if (at_ == text_.size()) {
      return;
    }
    const char c = look();
    if (c == '\'') {
      take_quoted(Token::Kind::text, "a text");
    } else if (c == '"') {
      take_quoted(Token::Kind::quoted_name, "a name");
    } else if (is_digit(c) || ((c == '-' || c == '+') && is_digit(look(1))) ||
               (c == '.' && is_digit(look(1)))) {
      take_number();
    } else if (begins_name(c)) {
      const auto from = at_;
      while (begins_name(look()) || is_digit(look())) {
        ++at_;
      }
      token_.kind = Token::Kind::name;
      token_.text = text_.substr(from, at_ - from);
    } else {
      take_symbol();
    }
  }

  void take_quoted(Token::Kind kind, std::string_view what) {
    const char quote = look();
    token_.kind = kind;
    for (++at_;; ++at_) {
      if (at_ == text_.size()) {
        refuse_at(token_.at, fmt::format("opens {} that does not end", what),
                  "close the quote; within quotes, write it twice");
      }
      if (look() == '\0') {
        refuse_at(at_, "contains a NUL character", "delete it: no database allows it in a text");
      }
      if (look() == quote && look(1) != quote) {
        ++at_;
        return;
      }
      at_ += look() == quote ? 1U : 0U;
      token_.text += look();
    }
  }

  void take_number() {
    const auto from = at_;
    const auto digits = [this] {
      const auto first = at_;
      while (is_digit(look())) {
        ++at_;
      }
      return at_ > first;
    };
    at_ += look() == '-' || look() == '+' ? 1U : 0U;
    bool some = digits();
    if (look() == '.') {
      ++at_;
      some = digits() || some;
    }
    if (!some || begins_name(look()) || look() == '.') {
      refuse_at(from, "has a number that cannot be read",
                "write numbers as 12 or -12.5, and everything else as a text: '12a'");
    }
    token_.kind = Token::Kind::number;
    token_.text = text_.substr(from, at_ - from);
    if (token_.text.front() == '+') {
      token_.text.erase(0, 1);
    }
  }

  void take_symbol() {
    constexpr std::array<std::string_view, 10> kSymbols{"<=", ">=", "<>", "!=", "=",
                                                        "<",  ">",  "(",  ")",  ","};
    const auto rest = text_.substr(at_);
    if (rest.starts_with("--") || rest.starts_with("/*") || rest.starts_with("#")) {
      refuse_at(at_, "has a comment", "comments go above the line, behind #");
    }
    if (rest.front() == ';') {
      refuse_at(at_, "has several statements", "write one condition, without a semicolon");
    }
    const auto found = std::ranges::find_if(
        kSymbols, [&](std::string_view symbol) { return rest.starts_with(symbol); });
    if (found == kSymbols.end()) {
      refuse_at(
          at_, "has a character that is not understood here",
          "compare columns with values by =, <>, <, <=, >, >=, IN, BETWEEN, LIKE and IS NULL");
    }
    token_.kind = Token::Kind::symbol;
    token_.text = *found;
    at_ += found->size();
  }

  bool accept_word(std::string_view word) {
    if (!token_.is_word(word)) {
      return false;
    }
    next();
    return true;
  }

  bool accept(std::string_view symbol) {
    if (!token_.is(symbol)) {
      return false;
    }
    next();
    return true;
  }

  // The grammar ----------------------------------------------------------------------------------

  template <class Part>
  Condition joined(Kind kind, std::string_view word, const Part& part) {
    auto first = part();
    if (!token_.is_word(word)) {
      return first;
    }
    Condition condition{.kind = kind, .parts = {}, .column = {}, .values = {}};
    condition.parts.push_back(std::move(first));
    while (accept_word(word)) {
      condition.parts.push_back(part());
    }
    return condition;
  }

  Condition any(int depth) {
    return joined(Kind::any, "or", [&] { return all(depth); });
  }

  Condition all(int depth) {
    return joined(Kind::all, "and", [&] { return factor(depth); });
  }

  static Condition negated(Condition condition) {
    Condition out{.kind = Kind::negated, .parts = {}, .column = {}, .values = {}};
    out.parts.push_back(std::move(condition));
    return out;
  }

  Condition factor(int depth) {
    if (depth > kDeepest) {
      refuse_at(token_.at, "is nested too deeply", "write it with fewer brackets");
    }
    if (accept_word("not")) {
      return negated(factor(depth + 1));
    }
    const auto opened = token_.at;
    if (accept("(")) {
      if (token_.is_word("select")) {
        refuse_subquery();
      }
      auto condition = any(depth + 1);
      if (!accept(")")) {
        refuse_at(opened, "opens a bracket that does not close", "write the missing ')'");
      }
      return condition;
    }
    return test();
  }

  [[noreturn]] void refuse_subquery() const {
    refuse_at(token_.at, "has a subquery",
              "compare columns of the table itself with values; let the primary keep what else "
              "decides in a column of the table");
  }

  /// Refuses `name (`: a call of a function, or EXISTS.
  void refuse_call(const Token& name) const {
    if (token_.is("(")) {
      refuse_at(name.at, "calls a function",
                "functions are not understood here: compare columns with values");
    }
  }

  std::string column() {
    const auto name = token_;
    if (name.kind != Token::Kind::name && name.kind != Token::Kind::quoted_name) {
      refuse_at(name.at,
                name.kind == Token::Kind::end ? "ends where a column is expected"
                                              : "has something else where a column is expected",
                fmt::format("a column stands on the left, a value on the right: {}", kExample));
    }
    if (name.is_word("select")) {
      refuse_subquery();
    }
    next();
    if (name.kind == Token::Kind::name) {
      refuse_call(name);
      const bool word = std::ranges::any_of(
          kWords, [&](std::string_view one) { return same_name(one, name.text); });
      if (word || same_name(name.text, "false")) {
        refuse_at(name.at, "has a word of the language where a column is expected",
                  "a column of that name is written in double quotes");
      }
    }
    return name.text;
  }

  Literal value() {
    const auto token = token_;
    switch (token.kind) {
      case Token::Kind::text:
        next();
        return {.kind = Literal::Kind::text, .text = token.text};
      case Token::Kind::number:
        next();
        return {.kind = Literal::Kind::number, .text = token.text};
      case Token::Kind::name:
        next();
        refuse_call(token);
        for (const std::string_view truth : {"true", "false"}) {
          if (token.is_word(truth)) {
            return {.kind = Literal::Kind::boolean, .text = std::string(truth)};
          }
        }
        if (token.is_word("null")) {
          refuse_at(token.at, "compares with NULL, which nothing is equal to",
                    "write IS NULL or IS NOT NULL");
        }
        break;
      default:
        break;
    }
    if (token.is("(")) {
      next();
      if (token_.is_word("select")) {
        refuse_subquery();
      }
    }
    refuse_at(token.at,
              token.kind == Token::Kind::end ? "ends where a value is expected"
                                             : "has something else where a value is expected",
              "columns are compared with values only: a text in single quotes, a number, TRUE or "
              "FALSE");
  }

  Condition test() {
    Condition condition{.kind = Kind::test, .parts = {}, .column = column(), .values = {}};
    if (accept_word("is")) {
      count_test();
      const bool negate = accept_word("not");
      if (!accept_word("null")) {
        refuse_at(token_.at, "has IS without NULL", "write IS NULL or IS NOT NULL");
      }
      condition.test = Test::null;
      return negate ? negated(std::move(condition)) : condition;
    }
    count_test();
    const bool negate = accept_word("not");
    if (accept_word("in")) {
      list(condition);
    } else if (accept_word("between")) {
      condition.test = Test::between;
      condition.values.push_back(value());
      if (!accept_word("and")) {
        refuse_at(token_.at, "has BETWEEN without AND", "write BETWEEN 1 AND 9");
      }
      condition.values.push_back(value());
    } else if (accept_word("like")) {
      pattern(condition);
    } else if (const auto symbol = comparison(); symbol && !negate) {
      condition.test = *symbol;
      condition.values.push_back(value());
    } else {
      refuse_at(token_.at,
                token_.kind == Token::Kind::end ? "ends before it says anything of a column"
                                                : "is not a condition",
                fmt::format("compare the column with a value: {}", kExample));
    }
    return negate ? negated(std::move(condition)) : condition;
  }

  void count_test() {
    if (++tests_ > kMostTests) {
      refuse_at(token_.at, fmt::format("has more than {} comparisons", kMostTests),
                "write many values of one column as a list: IN ('a', 'b')");
    }
  }

  std::optional<Test> comparison() {
    constexpr std::array kTests{Test::equal,   Test::unequal, Test::less,
                                Test::at_most, Test::more,    Test::at_least};
    for (const auto test : kTests) {
      if (accept(symbol_of(test))) {
        return test;
      }
    }
    return accept("!=") ? std::optional(Test::unequal) : std::nullopt;
  }

  void list(Condition& condition) {
    condition.test = Test::among;
    if (!accept("(")) {
      refuse_at(token_.at, "has IN without a list", "write IN ('a', 'b')");
    }
    if (token_.is_word("select")) {
      refuse_subquery();
    }
    do {
      condition.values.push_back(value());
    } while (accept(","));
    if (!accept(")")) {
      refuse_at(token_.at, "has a list that does not close", "write IN ('a', 'b')");
    }
  }

  void pattern(Condition& condition) {
    condition.test = Test::like;
    const auto at = token_.at;
    condition.values.push_back(value());
    const auto& text = condition.values.back();
    if (text.kind != Literal::Kind::text) {
      refuse_at(at, "has LIKE without a text", "write LIKE '08%'");
    }
    if (text.text.size() > kLongestPattern) {
      refuse_at(at, fmt::format("has a pattern of more than {} bytes", kLongestPattern),
                "let the primary keep what decides in a column of its own");
    }
    std::size_t escapes = 0;
    for (const char c : text.text) {
      escapes = c == '\\' ? escapes + 1 : 0;
      escapes = escapes == 2 ? 0 : escapes;
    }
    if (escapes == 1) {
      refuse_at(at, "has a pattern that ends in a backslash",
                "write it twice: a backslash takes the next character as it is");
    }
  }

  std::string_view text_;
  std::string_view table_;
  const Place& place_;
  std::size_t at_ = 0;
  std::size_t tests_ = 0;
  Token token_;
};

}  // namespace

Condition parse_condition(std::string_view text, std::string_view table, const Place& place) {
  return Parser(text, table, place).whole();
}

}  // namespace abgleich::contract
