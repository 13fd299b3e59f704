// A peer's card: who it is and its public keys, signed by itself. schemas/cards.md describes every
// byte.
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

/// No card has more bytes.
inline constexpr std::size_t kMostCard = 1024;

struct Card {
  PeerId id{};
  std::uint32_t serial = 1;  // grows with every change of the keys
  std::string name;          // what it calls itself
  seal::Recipient seals{};   // the key that files for it are sealed to
  seal::Verifier signs{};    // the key that checks its signatures

  bool operator==(const Card&) const = default;
};

/// The text of the card's file, signed with `key`. REQUIRES: `card.signs` is the public key of
/// `key`.
std::string card_text(const Card& card, const seal::SigningKey& key);

/// Reads a card; its signature is checked before any of its fields is looked at. `file` is for
/// messages, which repeat nothing of the text. `remedy` is the hint where it is not a valid card;
/// empty: the hint for a card that a peer has sent. Throws Failure{key_or_trust}.
Card parse_card(std::string_view text, const std::string& file, const std::string& remedy = {});

/// What is read out on the telephone: 8 groups of 5 digits, made of every byte of the file. It
/// takes 2^132 attempts to make another file with the same digits.
std::string fingerprint_of_card(std::string_view text);
/// What was typed, in the form of `fingerprint_of_card`; blanks and hyphens between the digits do
/// not count. Empty where there are not 40 digits, or there is something else.
std::optional<std::string> fingerprint_typed(std::string_view typed);

/// Compares a file with the fingerprint that was typed (in the form of `fingerprint_typed`), before
/// anything in the file is parsed. Throws Failure{key_or_trust} where they differ. The message does
/// not have the file's own fingerprint: the user has to ask the peer for it.
void expect_fingerprint(std::string_view text, const std::string& file, std::string_view typed);

/// The first bytes of a file, at most `kMostCard` + 1. Throws Failure{key_or_trust} where it cannot
/// be read or is not a regular file; `remedy` is the hint in the second case.
std::string read_card_file(const std::string& file, const std::string& remedy = {});

}  // namespace abgleich::exchange
