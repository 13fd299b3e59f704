// A peer makes up to two pairings of the usual kind. What it sends lies in a file of ours, which is
// the primary of one; the secondary is the node's. What it gets is the secondary of the other, a
// file of ours too, and the primary is the node's. So whatever is done with a pairing is done with
// a peer: merge, limits, drift, conflicts, history, undo.
#pragma once

#include "contract/config.hpp"
#include "core/error.hpp"
#include "core/trace.hpp"
#include "exchange/pinned_cards.hpp"
#include "sync/pairing.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::sync {

enum class Way : std::uint8_t { from, to };

/// One of a peer's two pairings.
struct PeerWay {
  std::string peer;
  Way way = Way::from;
};

/// "NAME": what comes from the peer; "to:NAME": what goes to it. Throws Failure{usage} for any
/// other text.
PeerWay peer_way_from(std::string_view text);
/// The inverse: what `--peer` takes.
std::string text_of(const PeerWay& way);

/// A pinned peer for which the configuration has a section.
struct KnownPeer {
  exchange::PinnedCard pinned;
  contract::PeerSection section;
};

struct KnownPeers {
  std::vector<KnownPeer> peers;       // by their names
  std::vector<std::string> unpinned;  // whole names of sections without a pinned card
};

/// Throws Failure{key_or_trust} where a card cannot be used.
KnownPeers known_peers(const contract::Config& node);
/// What is to be done about a section whose peer has no card.
Error not_pinned(const std::string& name);
/// Throws Failure{usage} where there is no such peer, Failure{configuration} where it has no card.
KnownPeer known_peer(const contract::Config& node, const std::string& name);

/// The same path for the same contract, however it is written and through links too: who gets which
/// rows depends on who else gets the contract.
std::filesystem::path one_spelling(const std::filesystem::path& contract);

/// What is kept of one peer: `peers/NAME` in the state directory.
struct PeerFiles {
  explicit PeerFiles(const contract::Config& node, const std::string& peer);

  std::filesystem::path directory;
  std::filesystem::path channel;  // the channel, and the rows that the peer has sent
  std::filesystem::path outbox;   // the rows that it gets
};

/// The pairing before anything was exchanged: its file need not be there. Throws
/// Failure{configuration} where the section has no contract for this way.
Pairing complete_peer_pairing(const contract::Config& node, const KnownPeer& peer, Way way,
                              const OnStatement& on_statement = {});
/// The same, and its file is there, else Failure{configuration}.
Pairing load_peer_pairing(const contract::Config& node, const KnownPeer& peer, Way way,
                          const OnStatement& on_statement = {});

}  // namespace abgleich::sync
