#include "db/postgresql/json_text.hpp"

#include <optional>
#include <string>

namespace abgleich::db::postgresql {

namespace {

class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  JsonForm read() {
    space();
    if (!value(0)) {
      return JsonForm::invalid;
    }
    space();
    if (at_ != text_.size()) {
      return JsonForm::invalid;
    }
    return nul_ ? JsonForm::nul : canonical_ ? JsonForm::canonical : JsonForm::free;
  }

 private:
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) {
      return false;
    }
    at_ += word.size();
    return true;
  }

  /// jsonb writes no space except those that `separator` reads.
  void space() {
    const auto end = text_.find_first_not_of(" \t\n\r", at_);
    const auto stop = end == std::string_view::npos ? text_.size() : end;
    canonical_ = canonical_ && stop == at_;
    at_ = stop;
  }

  /// The spaces after ',' and ':'; jsonb writes exactly one.
  void separator() {
    if (peek() == ' ') {
      ++at_;
    } else {
      canonical_ = false;
    }
    space();
  }

  bool value(int depth) {
    if (depth > kMostJsonDepth) {
      return false;
    }
    switch (peek()) {
      case '{':
        return object(depth);
      case '[':
        return array(depth);
      case '"':
        return string(nullptr);
      case 't':
        return take("true");
      case 'f':
        return take("false");
      case 'n':
        return take("null");
      default:
        return number();
    }
  }

  bool object(int depth) {
    ++at_;
    space();
    if (take("}")) {
      return true;
    }
    std::optional<std::string> previous;
    for (;;) {
      std::string key;
      if (peek() != '"' || !string(&key)) {
        return false;
      }
      // jsonb orders keys by length, then by bytes, and keeps only one of equal keys.
      canonical_ = canonical_ && (!previous || previous->size() < key.size() ||
                                  (previous->size() == key.size() && *previous < key));
      previous = std::move(key);
      space();
      if (!take(":")) {
        return false;
      }
      separator();
      if (!value(depth + 1)) {
        return false;
      }
      space();
      if (take("}")) {
        return true;
      }
      if (!take(",")) {
        return false;
      }
      separator();
    }
  }

  bool array(int depth) {
    ++at_;
    space();
    if (take("]")) {
      return true;
    }
    for (;;) {
      if (!value(depth + 1)) {
        return false;
      }
      space();
      if (take("]")) {
        return true;
      }
      if (!take(",")) {
        return false;
      }
      separator();
    }
  }

  /// Appends the characters to `out` unless it is null; rightly only if all escapes are canonical.
  bool string(std::string* out) {
    ++at_;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') {
        return true;
      }
      if (static_cast<unsigned char>(c) < 0x20) {
        return false;
      }
      if (c != '\\') {
        if (out != nullptr) {
          *out += c;
        }
      } else if (!escape(out)) {
        return false;
      }
    }
    return false;
  }

  bool escape(std::string* out) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char letter = peek();
    ++at_;
    if (letter == 'u') {
      return unicode_escape(out);
    }
    const auto which = letter == '\0' ? std::string_view::npos : kLetters.find(letter);
    if (which == std::string_view::npos) {
      return false;
    }
    canonical_ = canonical_ && letter != '/';
    if (out != nullptr) {
      *out += kMeanings[which];
    }
    return true;
  }

  bool unicode_escape(std::string* out) {
    unsigned code = 0;
    bool lower = true;
    for (int i = 0; i < 4; ++i) {
      const char c = peek();
      ++at_;
      if (c >= '0' && c <= '9') {
        code = code * 16 + static_cast<unsigned>(c - '0');
      } else if (c >= 'a' && c <= 'f') {
        code = code * 16 + static_cast<unsigned>(c - 'a' + 10);
      } else if (c >= 'A' && c <= 'F') {
        code = code * 16 + static_cast<unsigned>(c - 'A' + 10);
        lower = false;
      } else {
        return false;
      }
    }
    nul_ = nul_ || code == 0;
    // jsonb escapes by number only control characters that have no letter.
    const bool has_letter =
        code == '\b' || code == '\f' || code == '\n' || code == '\r' || code == '\t';
    canonical_ = canonical_ && lower && code < 0x20 && !has_letter;
    if (out != nullptr) {
      *out += static_cast<char>(code & 0x7fU);  // only used if the escape is canonical
    }
    return true;
  }

  bool digits() {
    const auto begin = at_;
    while (peek() >= '0' && peek() <= '9') {
      ++at_;
    }
    return at_ != begin;
  }

  bool number() {
    const auto begin = at_;
    const bool negative = take("-");
    if (!take("0") && !digits()) {
      return false;
    }
    if (take(".") && !digits()) {
      return false;
    }
    const auto mantissa = text_.substr(begin, at_ - begin);
    if (take("e") || take("E")) {
      canonical_ = false;
      if (!take("+")) {
        take("-");
      }
      if (!digits()) {
        return false;
      }
    }
    // numeric has no negative zero.
    canonical_ =
        canonical_ && !(negative && mantissa.find_first_of("123456789") == std::string_view::npos);
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool canonical_ = true;
  bool nul_ = false;
};

}  // namespace

JsonForm json_form(std::string_view text) {
  return JsonReader(text).read();
}

}  // namespace abgleich::db::postgresql
