// Whether the primary is the one that was read, and has at least what it had then: what is kept of
// it in the secondary (sealed) and in the anchor, and what is compared with that.
#pragma once

#include "db/primary/source.hpp"
#include "db/secondary/target.hpp"
#include "mask/keyring.hpp"
#include "state/anchor.hpp"
#include "sync/pairing.hpp"

#include <cstdint>
#include <optional>

namespace abgleich::sync {

/// Refuses another primary (21), one that is behind what was read of it (21), a standby that is
/// (24). Before the first run nothing is.
void expect_primary(const Pairing& pairing, db::Target& target, const mask::Keyring& keyring,
                    const std::optional<db::HeadRow>& head, const DatabaseIdentity& identity,
                    const db::Position& position);

/// Where the primary's position goes on from: what is kept of it already, or nothing, as when a
/// person has accepted another primary, or an older one.
enum class From : std::uint8_t { here, anew };

/// In a run that writes, before its commit: keeps in the secondary how far the primary had got.
void keep_position(const Pairing& pairing, db::Target& target, const mask::Keyring& keyring,
                   const db::Position& lasting, From from);

/// After a run that wrote nothing: keeps it in the anchor alone, where it has moved on noticeably.
/// REQUIRES: the state directory is locked.
void witness_position(const Pairing& pairing, db::Target& target, const mask::Keyring& keyring,
                      const db::HeadRow& head, const db::Position& lasting);

/// What is to be witnessed of a secondary that stands at this head.
state::Anchor anchor_of(db::Target& target, const db::HeadRow& head);

}  // namespace abgleich::sync
