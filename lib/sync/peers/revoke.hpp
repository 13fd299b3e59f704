// The end of the exchange with a peer: nothing is taken from it or sent, what lies in the mailbox
// for it or from it is removed, and the keys are destroyed that could open what was captured on its
// way.
#pragma once

#include "contract/config.hpp"
#include "exchange/revoked_cards.hpp"

#include <string>
#include <vector>

namespace abgleich::sync {

struct Revoked {
  exchange::RevokedCard card;
  bool has_sent = false;          // it has rows in our secondary
  bool keys_destroyed = true;     // those of ours that only this peer could seal to
  int files = 0;                  // that were removed from the mailbox
  std::string problem;            // what is left to do; empty: nothing
  std::vector<std::string> left;  // files that may still be in the mailbox, and that it can open
};

/// Its rows stay in the secondary, with their bookkeeping, so they stay its rows. Of what is kept
/// of the peer, the rows go, and the log of `reveal` stays. May be repeated: it then finishes what
/// was left. Throws Failure{usage} where there is no such peer, Failure{locked} while a run
/// exchanges with peers.
Revoked revoke(const contract::Config& node, const std::string& name, const std::string& reason);

}  // namespace abgleich::sync
