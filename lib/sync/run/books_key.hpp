// Opens the secondary's bookkeeping, for commands that write and for those that only look. It is
// trusted only as far as its seals prove that runs with our key have written it.
#pragma once

#include "db/secondary/target.hpp"
#include "mask/keyring.hpp"
#include "sync/pairing.hpp"

#include <cstdint>
#include <optional>

namespace abgleich::sync {

/// The keys with which the bookkeeping is sealed in the keyring's epoch.
db::SealKeys seal_keys(const mask::Keyring& keyring);

struct Opening {
  db::Books::Lock lock = db::Books::Lock::none;
  db::Books::Forged forged = db::Books::Forged::refused;
  /// Whether the secondary is compared with the anchor.
  enum class Witness : std::uint8_t { asked, not_asked };
  Witness witness = Witness::asked;
};

/// Reads the head and checks it. Throws Failure for another secondary (22), for another key (25),
/// and for a head that no run of ours has written (41). From here on, rows of the bookkeeping are
/// checked when they are read and sealed when they are written. Empty before the first run, for
/// which a lineage is made.
std::optional<db::HeadRow> open_books(const Pairing& pairing, db::Target& target,
                                      const mask::Keyring& keyring, const Opening& opening);

/// The keyring as it was in the epoch with which the head is sealed: for commands that work
/// although a rotation is still to be applied. Throws Failure{key_or_trust} where the keyring does
/// not have that epoch.
mask::Keyring keyring_of(const std::optional<db::HeadRow>& head, const mask::Keyring& keyring);

/// Throws Failure{other_secondary} where the secondary is not the one that the anchor has seen.
void expect_secondary(const Pairing& pairing, db::Target& target,
                      const std::optional<db::HeadRow>& head);

/// For commands that only look: reads the head. Where the key can be read, forged rows are refused
/// (41); without the key, rows are not checked. Empty before the first run.
std::optional<db::HeadRow> open_to_look(const Pairing& pairing, db::Target& target);

/// Throws Failure{key_or_trust} where the key is not the one that made the secondary's pseudonyms;
/// the message says so where it was only rotated since. Throws Failure{integrity} where somebody
/// else has changed what the head says of the key.
void expect_key(const std::optional<db::HeadRow>& head, const mask::Keyring& keyring);

}  // namespace abgleich::sync
