// The cards of peers that a person has revoked: NAME.revoked, beside the pinned ones. Nothing is
// exchanged with such a node, also while NAME.card is still there, and no card with its id or one
// of its keys is pinned until a person takes the file away.
#pragma once

#include "exchange/card.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::exchange {

/// What the name of a revoked card's file ends in.
inline constexpr std::string_view kRevokedExtension = ".revoked";
/// No reason has more bytes.
inline constexpr std::size_t kMostReason = 1000;

/// When a card was revoked, by whom and why.
struct Revocation {
  std::string at;  // UTC
  std::string by;
  std::string reason;
};

struct RevokedCard {
  std::string name;  // our name for the peer
  std::filesystem::path file;
  Card card;
  std::string fingerprint;
  Revocation revocation;
};

/// Whether there is a file that says that this peer is revoked, whatever is in it.
bool is_revoked(const std::filesystem::path& directory, const std::string& name);

/// All files NAME.revoked of the directory, in the order of their names; none where there is no
/// directory. Throws Failure{key_or_trust} where somebody else could have written one, or where one
/// is damaged.
std::vector<RevokedCard> revoked_cards(const std::filesystem::path& directory);

/// Revokes the pinned card of this peer, in one step; does nothing where it is revoked already.
/// Throws Failure{usage} where no card has this name or the reason is too long,
/// Failure{key_or_trust} where the directory cannot be written.
RevokedCard revoke_card(const std::filesystem::path& directory, const std::string& name,
                        const Revocation& revocation);

}  // namespace abgleich::exchange
