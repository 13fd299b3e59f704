#include "db/sqlite/table_definition.hpp"

#include "db/secondary/table_statements.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace abgleich::db::sqlite {

namespace {

struct Token {
  std::string text;  // of a quoted name: without the quotes
  bool name = false;
  std::size_t begin = 0;
  std::size_t end = 0;

  [[nodiscard]] bool is(char sign) const { return !name && text.size() == 1 && text[0] == sign; }
};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

bool in_word(char c) {
  return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80U;
}

/// Splits a text as SQLite's own tokenizer does, as far as it matters here.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) {}

  std::vector<Token> all() {
    std::vector<Token> tokens;
    while (skip_blanks()) {
      tokens.push_back(next());
    }
    return tokens;
  }

 private:
  bool skip_blanks() {
    while (at_ < text_.size()) {
      if (text_.substr(at_, 2) == "--") {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (text_.substr(at_, 2) == "/*") {
        const auto end = text_.find("*/", at_ + 2);
        at_ = end == std::string_view::npos ? text_.size() : end + 2;
      } else if (std::string_view(" \t\r\n\f").find(text_[at_]) != std::string_view::npos) {
        ++at_;
      } else {
        return true;
      }
    }
    return false;
  }

  Token next() {
    Token token{.begin = at_};
    const char first = text_[at_];
    if (first == '"' || first == '`' || first == '\'' || first == '[') {
      token.text = quoted(first == '[' ? ']' : first);
      token.name = true;
    } else if (in_word(first)) {
      while (at_ < text_.size() && in_word(text_[at_])) {
        token.text += text_[at_++];
      }
      token.name = true;
    } else {
      token.text = text_[at_++];
    }
    token.end = at_;
    return token;
  }

  std::string quoted(char end) {
    std::string name;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == end) {
        if (end != ']' && at_ + 1 < text_.size() && text_[at_ + 1] == end) {
          ++at_;
        } else {
          ++at_;
          break;
        }
      }
      name += text_[at_];
    }
    return name;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// The tokens in the outermost parentheses, split at commas.
struct Clauses {
  std::vector<std::vector<Token>> clauses;
  std::vector<std::size_t> commas;  // where the comma before clause i + 1 is
  std::size_t close = 0;            // where the closing parenthesis is; 0: there is none
};

Clauses clauses_of(std::string_view definition) {
  Clauses found;
  std::size_t depth = 0;
  for (auto& token : Tokens(definition).all()) {
    if (token.is(')') && --depth == 0) {
      found.close = token.begin;
      return found;
    }
    if (depth == 1 && token.is(',')) {
      found.clauses.emplace_back();
      found.commas.push_back(token.begin);
    } else if (depth > 0) {
      found.clauses.back().push_back(token);
    }
    if (token.is('(') && ++depth == 1) {
      found.clauses.emplace_back();
    } else if (depth == 0 && token.is(')')) {
      return {};
    }
  }
  return {};
}

class Reader {
 public:
  explicit Reader(const std::vector<Token>& tokens) : tokens_(tokens) {}

  bool word(std::string_view text) {
    if (at_ < tokens_.size() && tokens_[at_].name && same(tokens_[at_].text, text)) {
      ++at_;
      return true;
    }
    return false;
  }

  bool words(std::string_view texts) {
    while (!texts.empty()) {
      const auto end = std::min(texts.find(' '), texts.size());
      if (!word(texts.substr(0, end))) {
        return false;
      }
      texts.remove_prefix(std::min(end + 1, texts.size()));
    }
    return true;
  }

  bool names(const std::vector<std::string>& wanted) {
    char before = '(';
    for (const auto& name : wanted) {
      if (!sign(before) || !word(name)) {
        return false;
      }
      before = ',';
    }
    return sign(')');
  }

  [[nodiscard]] bool ended() const { return at_ == tokens_.size(); }
  [[nodiscard]] std::size_t at() const { return at_; }

 private:
  bool sign(char wanted) {
    if (at_ < tokens_.size() && tokens_[at_].is(wanted)) {
      ++at_;
      return true;
    }
    return false;
  }

  const std::vector<Token>& tokens_;
  std::size_t at_ = 0;
};

bool is_key(const std::vector<Token>& clause, const CatalogForeignKey& key) {
  Reader reader(clause);
  return reader.words("FOREIGN KEY") && reader.names(key.columns) && reader.word("REFERENCES") &&
         reader.word(key.table) && reader.names(key.referenced) && reader.words(kOurKeys) &&
         reader.ended();
}

/// False of a table WITHOUT ROWID, whose rows lie in the order of its primary key.
bool has_rowid(std::string_view definition, std::size_t close) {
  return std::ranges::none_of(Tokens(definition.substr(close + 1)).all(),
                              [](const Token& token) { return same(token.text, "WITHOUT"); });
}

struct Piece {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// The words NOT NULL behind a column's name and type, as this program writes them.
std::optional<Piece> not_null_of(const std::vector<Token>& clause, std::string_view column) {
  const auto size = clause.size();
  if (size < 3 || !same(clause.front().text, column) || !same(clause[size - 2].text, "NOT") ||
      !same(clause[size - 1].text, "NULL")) {
    return std::nullopt;
  }
  return Piece{.begin = clause[size - 3].end, .end = clause[size - 1].end};
}

}  // namespace

std::optional<std::string> with_unique_for_primary_key(std::string_view definition,
                                                       const CatalogKey& key) {
  const auto found = clauses_of(definition);
  if (found.close == 0 || !has_rowid(definition, found.close)) {
    return std::nullopt;
  }
  std::optional<Piece> words;
  std::vector<Piece> not_null;
  for (const auto& clause : found.clauses) {
    Reader reader(clause);
    if (reader.words("PRIMARY KEY") && reader.names(key.columns) && reader.ended()) {
      words = {.begin = clause[0].begin, .end = clause[1].end};
    }
    for (const auto& column : key.columns) {
      if (const auto piece = not_null_of(clause, column)) {
        not_null.push_back(*piece);
      }
    }
  }
  if (!words) {
    return std::nullopt;
  }
  std::string edited(definition);
  // this clause comes after the columns, so the places of the others stay right
  edited.replace(words->begin, words->end - words->begin, "UNIQUE");
  for (auto piece = not_null.rbegin(); piece != not_null.rend(); ++piece) {
    edited.erase(piece->begin, piece->end - piece->begin);
  }
  return edited;
}

std::optional<std::string> without_foreign_key(std::string_view definition,
                                               const CatalogForeignKey& key) {
  const auto found = clauses_of(definition);
  // the first clause is a column, so there is always a comma before a key
  for (std::size_t i = 1; i < found.clauses.size() && found.close > 0; ++i) {
    const auto& clause = found.clauses[i];
    if (!is_key(clause, key)) {
      continue;
    }
    const auto comma = found.commas[i - 1];
    std::string edited(definition);
    edited.erase(comma, clause.back().end - comma);
    return edited;
  }
  return std::nullopt;
}

std::optional<std::string> with_clause(std::string_view definition, std::string_view clause) {
  const auto found = clauses_of(definition);
  if (found.close == 0) {
    return std::nullopt;
  }
  std::string edited(definition);
  edited.insert(found.close, ", " + std::string(clause));
  return edited;
}

}  // namespace abgleich::db::sqlite
