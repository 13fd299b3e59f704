// A peer's card: who it is and its public keys, signed by itself. schemas/cards.md has every byte.
#pragma once

#include "exchange/peer_name.hpp"
#include "seal/age_key.hpp"
#include "seal/signature.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace abgleich::exchange {

/// No card is longer.
inline constexpr std::size_t kMostCard = 1024;

struct Card {
  PeerId id{};
  std::uint32_t serial = 1;  // grows with every change of the keys
  std::string name;          // what it calls itself
  seal::Recipient seals{};   // to whom it wants to be sealed
  seal::Verifier signs{};    // whose signature is its own

  bool operator==(const Card&) const = default;
};

/// The file. REQUIRES: the key is the one of `signs`.
std::string card_text(const Card& card, const seal::SigningKey& key);

/// Reads a card; its signature is checked before any of its fields is looked at. `file` is for
/// messages, which repeat nothing of the text. `remedy` is what helps where it is no card; empty:
/// what helps with one that a peer has sent. Throws Failure{key_or_trust}.
Card parse_card(std::string_view text, const std::string& file, const std::string& remedy = {});

/// What is read out on the telephone: 8 groups of 5 digits, of every byte of the file. Nobody can
/// make another file with the same ones: that takes 2^132 attempts.
std::string fingerprint_of_card(std::string_view text);
/// The same, of what was typed: blanks and hyphens between the digits do not count. Empty where
/// there are not 40 digits.
std::optional<std::string> fingerprint_typed(std::string_view typed);

/// Compares a file with the fingerprint that was typed, before anything in it is looked at. Throws
/// Failure{key_or_trust} where they differ, without the file's own: who wants to know it has to
/// ask.
void expect_fingerprint(std::string_view text, const std::string& file, std::string_view typed);

/// The first bytes of a file: `kMostCard` and one more at most. Throws Failure{key_or_trust} where
/// it is none, or cannot be read; `remedy` is what helps where it is no file.
std::string read_card_file(const std::string& file, const std::string& remedy = {});

}  // namespace abgleich::exchange
