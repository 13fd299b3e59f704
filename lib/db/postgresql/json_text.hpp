// JSON as PostgreSQL's json and jsonb take it and print it. It has a reader of our own: the server
// accepts escaped surrogates that libraries for RFC 8259 refuse, and none knows jsonb's form.
#pragma once

#include <cstdint>
#include <string_view>

namespace abgleich::db::postgresql {

enum class JsonForm : std::uint8_t {
  invalid,
  nul,        // valid, but holds the escape of NUL, which jsonb refuses
  free,       // valid; jsonb would print it in another way
  canonical,  // exactly as jsonb prints it: spacing, order of keys, numbers, escapes
};

/// REQUIRES: `text` is valid UTF-8. Nesting deeper than kMostJsonDepth counts as invalid.
JsonForm json_form(std::string_view text);

/// Well below what the server's default max_stack_depth allows.
inline constexpr int kMostJsonDepth = 2000;

}  // namespace abgleich::db::postgresql
