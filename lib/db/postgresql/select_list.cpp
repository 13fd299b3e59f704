#include "db/postgresql/select_list.hpp"

#include <algorithm>
#include <cctype>

namespace abgleich::db::postgresql {

namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' ||
         (static_cast<unsigned char>(c) & 0x80U) != 0;
}

/// Reads a statement, but skips its strings, quoted names and brackets.
class TopLevel {
 public:
  explicit TopLevel(std::string_view sql) : sql_(sql) {}

  /// The next word, or other character, outside of all brackets; empty at the end. Strings, quoted
  /// names and brackets give one character each.
  std::string_view next() {
    while (at_ < sql_.size()) {
      const char c = sql_[at_];
      if (c == '\'' || c == '"') {
        const bool escapes = c == '\'' && at_ > 0 && (sql_[at_ - 1] == 'E' || sql_[at_ - 1] == 'e');
        skip_quoted(c, escapes);
        if (depth_ == 0) {
          return sql_.substr(at_ - 1, 1);  // the closing quote: no keyword
        }
      } else if (c == '(' || c == '[') {
        ++depth_;
        ++at_;
      } else if (c == ')' || c == ']') {
        --depth_;
        ++at_;
        if (depth_ == 0) {
          return sql_.substr(at_ - 1, 1);
        }
      } else if (is_word(c)) {
        const auto begin = at_;
        while (at_ < sql_.size() && is_word(sql_[at_])) {
          ++at_;
        }
        if (depth_ == 0) {
          return sql_.substr(begin, at_ - begin);
        }
      } else {
        ++at_;
        if (depth_ == 0 && std::isspace(static_cast<unsigned char>(c)) == 0) {
          return sql_.substr(at_ - 1, 1);
        }
      }
    }
    return {};
  }

 private:
  void skip_quoted(char quote, bool escapes) {
    for (++at_; at_ < sql_.size(); ++at_) {
      if (escapes && sql_[at_] == '\\') {
        ++at_;
      } else if (sql_[at_] == quote) {
        break;  // after a doubled quote, the next text begins at once
      }
    }
    at_ = std::min(at_ + 1, sql_.size());
  }

  std::string_view sql_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

bool is_keyword(std::string_view word, std::string_view keyword) {
  return std::ranges::equal(word, keyword, [](char a, char b) {
    return std::toupper(static_cast<unsigned char>(a)) == b;
  });
}

bool ends_list(std::string_view word) {
  constexpr std::string_view kEnds[] = {"FROM",  "WHERE",     "GROUP",  "HAVING", "ORDER", "UNION",
                                        "LIMIT", "INTERSECT", "EXCEPT", "FOR",    ";",     ""};
  return std::ranges::any_of(kEnds, [&](auto end) { return is_keyword(word, end); });
}

}  // namespace

std::optional<std::size_t> selected_columns(std::string_view sql) {
  TopLevel top(sql);
  bool insert = false;
  for (auto word = top.next();; word = top.next()) {
    if (word.empty()) {
      return std::nullopt;
    }
    insert = insert || is_keyword(word, "INSERT") || is_keyword(word, "UPDATE") ||
             is_keyword(word, "DELETE");
    if (is_keyword(word, "RETURNING") || (!insert && is_keyword(word, "SELECT"))) {
      break;
    }
  }
  std::size_t columns = 0;
  std::string_view before = ",";
  for (auto word = top.next();; before = word, word = top.next()) {
    // not the FROM of: a IS DISTINCT FROM b
    if (ends_list(word) && !(is_keyword(word, "FROM") && is_keyword(before, "DISTINCT"))) {
      return columns;
    }
    if (word == "*" && (before == "," || before == ".")) {
      return std::nullopt;
    }
    columns = columns == 0 ? 1 : columns + (word == "," ? 1 : 0);
  }
}

}  // namespace abgleich::db::postgresql
