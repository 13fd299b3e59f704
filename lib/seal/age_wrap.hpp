// The X25519 stanza of age: a file's key, for one recipient (C2SP age.md).
#pragma once

#include "core/locked_memory.hpp"
#include "seal/age_header.hpp"
#include "seal/age_key.hpp"

#include <optional>
#include <span>

namespace abgleich::seal {

inline constexpr std::string_view kX25519 = "X25519";

/// Wraps a file's key for a recipient, with an ephemeral share. Throws Failure{key_or_trust} where
/// the recipient's key is a point of low order, with which no secret can be shared.
Stanza wrap_file_key(std::span<const std::uint8_t> file_key, const Recipient& recipient);

/// The key in the stanza; empty where it is for another recipient. Throws Unopened{malformed} where
/// the stanza is not a valid X25519 stanza. REQUIRES: its type is X25519.
std::optional<LockedMemory> unwrap_file_key(const Stanza& stanza, const Identity& identity);

/// The MAC of a header, over its first bytes (`AgeHeader::mac_covers`).
HeaderMac header_mac(std::span<const std::uint8_t> file_key, std::string_view covered);

}  // namespace abgleich::seal
