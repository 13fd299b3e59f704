// Tokens: pseudonyms that come back, "t1_2n4ckq_" and 26 characters of base32. The mark in the
// middle is the beginning of the issuer's id.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace abgleich {

inline constexpr std::size_t kIssuerSize = 6;  // characters

struct Token {
  int epoch = 0;            // of the issuer's key
  std::string_view issuer;  // a view of the text
  std::array<std::uint8_t, 16> digits{};
};

/// Empty: the text is not a token, as this program writes it.
std::optional<Token> read_token(std::string_view text);

/// The mark of the node with this id, of 26 characters of base32.
std::string issuer_of(std::string_view id);

/// A LIKE pattern, escaped by '\\', that every token of this issuer fulfils.
std::string pattern_of_tokens(std::string_view issuer);

}  // namespace abgleich
