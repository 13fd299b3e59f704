#include "db/engine/tracer.hpp"

namespace abgleich::db {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/// What a name may begin with, in both engines; bytes of UTF-8 too.
bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// Reads an SQL text from left to right.
class Reader {
 public:
  explicit Reader(std::string_view sql) : sql_(sql) {}

  [[nodiscard]] bool at_end() const { return at_ >= sql_.size(); }
  [[nodiscard]] char next() const { return sql_[at_]; }
  [[nodiscard]] bool at_comment() const { return sql_.substr(at_, 2) == "--"; }
  char take() { return sql_[at_++]; }

  template <class Belongs>
  std::string_view take_while(const Belongs& belongs) {
    const auto from = at_;
    while (!at_end() && belongs(next())) {
      ++at_;
    }
    return sql_.substr(from, at_ - from);
  }

  /// From a quote to the one that ends it; two in a row stand for one.
  std::string_view take_quoted(bool escapes) {
    const auto from = at_;
    const char quote = take();
    while (!at_end()) {
      const char c = take();
      const bool escape = escapes && c == '\\' && !at_end();
      if (escape || (c == quote && !at_end() && next() == quote)) {
        ++at_;
      } else if (c == quote) {
        break;
      }
    }
    return sql_.substr(from, at_ - from);
  }

  /// $1, or everything of $tag$ … $tag$.
  std::string_view take_dollar() {
    const auto from = at_++;
    if (!at_end() && is_digit(next())) {
      take_while(is_digit);
      return sql_.substr(from, at_ - from);
    }
    take_while([](char c) { return begins_name(c) || is_digit(c); });
    if (at_end() || next() != '$') {
      return "$";
    }
    ++at_;
    const auto tag = sql_.substr(from, at_ - from);
    const auto end = sql_.find(tag, at_);
    at_ = end == std::string_view::npos ? sql_.size() : end + tag.size();
    return "?";
  }

 private:
  std::string_view sql_;
  std::size_t at_ = 0;
};

}  // namespace

std::string without_values(std::string_view sql) {
  std::string text;
  Reader reader(sql);
  while (!reader.at_end()) {
    const char c = reader.next();
    if (reader.at_comment()) {
      reader.take_while([](char d) { return d != '\n'; });
    } else if (is_space(c)) {
      reader.take_while(is_space);
      text += text.empty() || text.ends_with(' ') || reader.at_end() ? "" : " ";
    } else if (c == '"') {
      text += reader.take_quoted(false);
    } else if (c == '\'') {
      const bool escapes = text.ends_with('E') || text.ends_with('e');
      reader.take_quoted(escapes);
      text += '?';
    } else if (c == '$') {
      text += reader.take_dollar();
    } else if (begins_name(c)) {
      text += reader.take_while([](char d) { return begins_name(d) || is_digit(d) || d == '$'; });
    } else if (is_digit(c)) {
      reader.take_while([](char d) { return begins_name(d) || is_digit(d) || d == '.'; });
      text += '?';
    } else {
      text += reader.take();
    }
  }
  return text;
}

Tracer::Running::Running(const Tracer& tracer, std::string_view sql) : tracer_(tracer) {
  if (tracer.wanted()) {
    text_ = sql;
    began_ = std::chrono::steady_clock::now();
  }
}

Tracer::Running::~Running() {
  if (tracer_.wanted()) {
    try {
      tracer_.tell(text_, rows_, std::chrono::steady_clock::now() - began_);
    } catch (...) {  // NOLINT(bugprone-empty-catch)
      // a statement must not fail because it could not be reported
    }
  }
}

void Tracer::tell(std::string_view sql, std::int64_t rows, std::chrono::nanoseconds took) const {
  on_statement_({.role = role_,
                 .text = without_values(sql),
                 .rows = rows,
                 .took = std::chrono::duration_cast<std::chrono::microseconds>(took)});
}

}  // namespace abgleich::db
