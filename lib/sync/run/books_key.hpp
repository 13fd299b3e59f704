// The bookkeeping in the secondary is trusted only as far as the key proves it: opening it, for
// those who write and for those who look.
#pragma once

#include "db/secondary/target.hpp"
#include "mask/keyring.hpp"
#include "sync/pairing.hpp"

#include <cstdint>
#include <optional>

namespace abgleich::sync {

/// The keys that the bookkeeping is sealed with in the keyring's epoch.
db::SealKeys seal_keys(const mask::Keyring& keyring);

struct Opening {
  db::Books::Lock lock = db::Books::Lock::none;
  db::Books::Forged forged = db::Books::Forged::refused;
  /// Whether the anchor is asked if it is the secondary as it was.
  enum class Witness : std::uint8_t { asked, not_asked };
  Witness witness = Witness::asked;
};

/// Reads the head and checks it: another secondary is 22, another key 25, a head that no run of
/// ours has written 41. Whatever is read or written from here on is checked and sealed. Empty
/// before the first run, whose lineage is made then.
std::optional<db::HeadRow> open_books(const Pairing& pairing, db::Target& target,
                                      const mask::Keyring& keyring, const Opening& opening);

/// The keyring as it was in the epoch that the head is sealed with: for what goes on before a
/// rotation does. Throws Failure{key_or_trust} where it is none of its epochs.
mask::Keyring keyring_of(const std::optional<db::HeadRow>& head, const mask::Keyring& keyring);

/// Refuses a secondary that is not the one that the anchor has seen (22).
void expect_secondary(const Pairing& pairing, db::Target& target,
                      const std::optional<db::HeadRow>& head);

/// For commands that only look: what is forged is refused (41) where the key can be read, and taken
/// as it is where it is not.
std::optional<db::HeadRow> open_to_look(const Pairing& pairing, db::Target& target);

/// Throws Failure{key_or_trust} where the key is not the one that made the secondary's pseudonyms,
/// and says so where it has only been rotated since; Failure{integrity} where somebody else has
/// written the head's word on it.
void expect_key(const std::optional<db::HeadRow>& head, const mask::Keyring& keyring);

}  // namespace abgleich::sync
