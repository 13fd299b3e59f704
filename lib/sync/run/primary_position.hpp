// Checks that the primary is the one that earlier runs read, and still has everything that it had
// then. For that, its position is kept in the secondary (sealed) and in the anchor.
#pragma once

#include "db/primary/source.hpp"
#include "db/secondary/target.hpp"
#include "mask/keyring.hpp"
#include "state/anchor.hpp"
#include "sync/pairing.hpp"

#include <cstdint>
#include <optional>

namespace abgleich::sync {

/// Throws Failure for another primary (21), for one that is behind the position of earlier runs
/// (21), and for a standby that is behind it (24). Refuses nothing before the first run.
void expect_primary(const Pairing& pairing, db::Target& target, const mask::Keyring& keyring,
                    const std::optional<db::HeadRow>& head, const DatabaseIdentity& identity,
                    const db::Position& position);

/// Whether the kept position is continued (`here`) or begun anew, because a person has accepted
/// another primary or an older one.
enum class From : std::uint8_t { here, anew };

/// In a run that writes, before its commit: keeps the primary's position in the secondary.
/// `lasting`: Source::lasting_position.
void keep_position(const Pairing& pairing, db::Target& target, const mask::Keyring& keyring,
                   const db::Position& lasting, From from);

/// After a run that wrote nothing: keeps it in the anchor only, if it has grown noticeably.
/// REQUIRES: the state directory is locked.
void witness_position(const Pairing& pairing, db::Target& target, const mask::Keyring& keyring,
                      const db::HeadRow& head, const db::Position& lasting);

/// The anchor for a secondary that stands at this head.
state::Anchor anchor_of(db::Target& target, const db::HeadRow& head);

}  // namespace abgleich::sync
