// Reads JSON that others may have written, and refuses deep nesting: copying, comparing or printing
// a JSON value recurses once per level, which could exhaust the stack.
#pragma once

#include <string_view>

namespace abgleich {

/// Deeper than anything that this program writes.
inline constexpr int kMostNesting = 64;

/// Whether arrays and objects are nested deeper than `kMostNesting`. Says nothing about whether
/// `text` is JSON.
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

/// `Json` is a type of nlohmann's. The result is discarded (`is_discarded()`) where the text is not
/// JSON or is nested too deeply.
template <class Json>
Json parse_shallow(std::string_view text) {
  return nests_deeply(text) ? Json(Json::value_t::discarded) : Json::parse(text, nullptr, false);
}

}  // namespace abgleich
