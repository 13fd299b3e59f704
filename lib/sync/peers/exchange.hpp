// A run with peers: what they have sent is taken in and merged, primary and secondary are brought
// into step, and what the peers get is sent. What fails with one peer stops nothing else.
#pragma once

#include "core/trace.hpp"
#include "report/peer_outcome.hpp"
#include "sync/options.hpp"
#include "sync/peers/peer_pairing.hpp"
#include "sync/progress.hpp"

#include <functional>
#include <optional>
#include <string>

namespace abgleich::sync {

/// What a run with peers is asked to do.
struct ExchangeOptions {
  Options run;                    // for every pairing
  std::optional<PeerWay> only{};  // this peer, and of its pairings this one
  OnStatement on_statement{};
};

/// The run of primary and secondary. Throws Failure.
using PairedRun = std::function<report::Outcome()>;

/// `paired` is empty where primary and secondary are not paired; then the node's lock is taken
/// here. Throws Failure: configuration or key_or_trust where the node's key or cards cannot be
/// used, locked; what happens later is in the result. REQUIRES: `options.run.on_lock` is set.
report::Exchanged exchange(const contract::Config& node, const ExchangeOptions& options,
                           Progress& progress, const PairedRun& paired);

/// What `adopt` has done.
struct Adopted {
  std::optional<std::string> run;  // of the pairing; empty: it has no history yet
  bool asked_for_all = false;      // the peer, for its rows
  bool begun_anew = false;         // the node's own messages: the peer gets all rows again
};

/// Goes on with a peer where a person has said so, after this node was restored from a copy (22),
/// or the peer's rows or the node's secondary were (21, 22). The peer is asked for all of its rows.
Adopted adopt(const contract::Config& node, const PeerWay& way, const std::string& reason,
              const OnStatement& on_statement);

}  // namespace abgleich::sync
