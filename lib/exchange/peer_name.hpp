// The name of a peer, and its id, which stays when the name changes.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace abgleich::exchange {

/// Random, made once: names are not unique, and keys change.
using PeerId = std::array<std::uint8_t, 16>;

/// 26 characters of base32.
std::string id_text(const PeerId& id);
/// The inverse; false where the text is not an id.
bool read_id(std::string_view text, PeerId& id);

/// Whether it is 1 to 63 small letters, digits and hyphens, with no hyphen at either end: the
/// name of a file, of a section in abgleich.toml, and a word in a command, without quotes.
bool is_peer_name(std::string_view name);

/// The rule for names, for messages.
inline constexpr std::string_view kPeerNameRule =
    "a name has 1 to 63 small letters, digits and hyphens: ga-north";

}  // namespace abgleich::exchange
