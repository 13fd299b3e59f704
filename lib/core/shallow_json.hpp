// JSON that others may have written, read so that its depth costs no stack: whoever copies,
// compares or prints a JSON value calls himself once a level.
#pragma once

#include <string_view>

namespace abgleich {

/// Deeper than anything that this program writes.
inline constexpr int kMostNesting = 64;

/// Whether arrays and objects lie deeper in each other than `kMostNesting`. Says nothing about
/// whether `text` is JSON.
inline bool nests_deeply(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      i += c == '\\' ? 1 : 0;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMostNesting) {
        return true;
      }
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

/// `Json` is one of nlohmann's. Discarded (`is_discarded()`) where the text is no JSON, or too
/// deep.
template <class Json>
Json parse_shallow(std::string_view text) {
  return nests_deeply(text) ? Json(Json::value_t::discarded) : Json::parse(text, nullptr, false);
}

}  // namespace abgleich
