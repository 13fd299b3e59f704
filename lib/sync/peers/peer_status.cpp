#include "sync/peers/peer_status.hpp"

#include "core/clock.hpp"
#include "db/peer/peer_database.hpp"
#include "exchange/peer_state.hpp"
#include "report/pulse.hpp"
#include "sync/check/status.hpp"
#include "sync/peers/peer_pairing.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace abgleich::sync {

namespace {

/// What is open of the rows that it has sent.
void add_open(const Pairing& pairing, PeerStatus& status) {
  const auto open = sync::status(pairing);
  status.conflicts = open.conflicts;
  status.quarantined = open.quarantined;
  const auto add = [&](bool holds, Code code) {
    status.code = holds ? severer(status.code, code) : status.code;
  };
  add(open.conflicts > 0, Code::conflicts_open);
  add(open.quarantined > 0 || !open.drift.empty(), Code::quarantine_or_drift);
  add(open.head && open.head->paused, Code::paused);
  add(open.damaged, Code::integrity);
  if (open.refused) {
    status.code = severer(status.code, open.refused->code);
    status.error = open.refused;
  }
}

PeerStatus status_of(const contract::Config& node, const KnownPeer& peer,
                     const OnStatement& on_statement) {
  PeerStatus status{.peer = peer.pinned.name};
  const PeerFiles files(node, peer.pinned.name);
  if (!std::filesystem::exists(files.channel)) {
    return status;
  }
  const auto text = db::PeerDatabase::open(files.channel).channel();
  if (!text) {
    return status;
  }
  const auto state = exchange::parse_peer_state(*text);
  status.begun = state.begun;
  status.heard = state.channel.heard;
  status.waiting = state.channel.waiting_since;
  status.noise = state.noise;
  const auto silent = now_seconds() - exchange::silent_since(state);
  if (silent > node.exchange.overdue.count()) {
    status.code = Code::overdue;
  }
  if (peer.section.accepts && state.channel.applied) {
    add_open(load_peer_pairing(node, peer, Way::from, on_statement), status);
  }
  return status;
}

}  // namespace

std::vector<PeerStatus> peer_status(const contract::Config& node, const OnStatement& on_statement) {
  std::vector<PeerStatus> all;
  for (const auto& peer : known_peers(node)) {
    try {
      all.push_back(status_of(node, peer, on_statement));
    } catch (const Failure& failure) {
      // one that cannot be asked does not hide the others
      all.push_back(
          {.peer = peer.pinned.name, .code = failure.error().code, .error = failure.error()});
    }
  }
  return all;
}

}  // namespace abgleich::sync
