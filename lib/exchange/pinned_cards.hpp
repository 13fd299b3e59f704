// The peers that a person has vouched for: a directory with the card of each.
#pragma once

#include "exchange/card.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::exchange {

struct PinnedCard {
  std::string name;  // ours for it: that of its file
  std::filesystem::path file;
  Card card;
  std::string fingerprint;
};

/// All of the directory's NAME.card, by name; none where there is no directory. Throws
/// Failure{key_or_trust} where somebody else could have written one, where one is damaged, or where
/// two are of one peer.
std::vector<PinnedCard> pinned_cards(const std::filesystem::path& directory);

/// A card that is to be pinned.
struct NewCard {
  std::string_view text;
  std::string file;                 // where it came from, for messages
  std::optional<std::string> name;  // ours for it; its own, unless said otherwise
};

enum class Pinning : std::uint8_t { added, was_there };

struct Pin {
  Pinning pinning = Pinning::added;
  PinnedCard card;
};

/// Puts a card into the directory, which is made where it is not there. Never replaces one. `own`
/// is this node's card, if it has one. Throws Failure{key_or_trust} where the card is none, is our
/// own, or shares id, name or a key with a pinned one of other bytes.
/// REQUIRES: a person has compared the text's fingerprint.
Pin pin_card(const std::filesystem::path& directory, const NewCard& fresh,
             const std::optional<Card>& own);

}  // namespace abgleich::exchange
