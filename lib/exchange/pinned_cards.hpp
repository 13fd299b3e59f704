// The peers whose cards are pinned: a directory with the card of each. A person has compared the
// fingerprint of every one.
#pragma once

#include "exchange/card.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::exchange {

/// What the name of a card's file ends in.
inline constexpr std::string_view kCardExtension = ".card";

struct PinnedCard {
  std::string name;  // our name for the peer: that of its file
  std::filesystem::path file;
  Card card;
  std::string fingerprint;
};

/// All files NAME.card of the directory that are not revoked, in the order of their names; none
/// where there is no directory. Throws Failure{key_or_trust} where somebody else could have written
/// one, where one is damaged, of two peers, or of a node that was revoked.
std::vector<PinnedCard> pinned_cards(const std::filesystem::path& directory);

/// A card that is to be pinned.
struct NewCard {
  std::string_view text;
  std::string file;                 // where it came from, for messages
  std::optional<std::string> name;  // our name for the peer; empty: that in the card
};

enum class Pinning : std::uint8_t { added, was_there };

struct Pin {
  Pinning pinning = Pinning::added;
  PinnedCard card;
};

/// Puts a card into the directory, which is made if it does not exist. Never replaces a card; the
/// same bytes again are `was_there`. `own` is this node's card, if it has one. Throws
/// Failure{key_or_trust} where the text is not a card, is our own card, or has the id, the name or
/// a key of another pinned card or of a revoked one. REQUIRES: a person has compared the text's
/// fingerprint.
Pin pin_card(const std::filesystem::path& directory, const NewCard& fresh,
             const std::optional<Card>& own);

}  // namespace abgleich::exchange
