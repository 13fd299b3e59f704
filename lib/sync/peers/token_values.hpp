// Turns the tokens that a peer sends back into what they were made of. Nothing of that is kept:
// each run reads the primary's column once, makes its tokens again, as the contract sends them to
// this peer, and remembers those that the peer's rows have. So a token of another peer, or of a row
// that has left or goes to another peer now, resolves to nothing.
#pragma once

#include "core/trace.hpp"
#include "sync/pairing.hpp"
#include "sync/peers/peer_pairing.hpp"

namespace abgleich::sync {

/// Gives every column of the pairing with `resolves` what resolves its tokens. `from` is what comes
/// from the peer. Nothing is read before the first token is to be resolved. Throws
/// Failure{configuration} where `resolves` names no token that the peer gets.
void resolve_tokens(const contract::Config& node, const KnownPeer& peer, Pairing& from,
                    const OnStatement& on_statement);

}  // namespace abgleich::sync
