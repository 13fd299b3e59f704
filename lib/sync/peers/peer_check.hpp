// Checks whether everything is in place for a run with peers, one line for each check.
#pragma once

#include "contract/config.hpp"
#include "core/error.hpp"
#include "core/trace.hpp"
#include "sync/check/check.hpp"
#include "sync/peers/peer_pairing.hpp"

#include <optional>

namespace abgleich::sync {

/// Checks each peer of the configuration: its card, its mailbox, the contract of what goes to it
/// against the primary, and that of what comes from it against the secondary. `only`: this peer,
/// and of its two ways this one. Calls `on_line` for each line, which names the peer. Writes
/// nothing but a file in the mailbox, which it removes. Returns the severest code. Throws
/// Failure{usage} where there is no such peer.
Code check_peers(const contract::Config& node, const std::optional<PeerWay>& only,
                 const OnStatement& on_statement, const OnChecked& on_line);

}  // namespace abgleich::sync
