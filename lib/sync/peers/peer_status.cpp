#include "sync/peers/peer_status.hpp"

#include "core/clock.hpp"
#include "db/peer/peer_database.hpp"
#include "exchange/peer_state.hpp"
#include "report/peer_commands.hpp"
#include "report/text.hpp"
#include "sync/check/status.hpp"
#include "sync/peers/peer_pairing.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

namespace abgleich::sync {

namespace {

/// What is open of the rows that come or go this way.
void add_open(const contract::Config& node, const KnownPeer& peer, Way way,
              const OnStatement& on_statement, PeerStatus& status) {
  const auto open = sync::status(load_peer_pairing(node, peer, way, on_statement));
  const auto named = text_of(PeerWay{.peer = peer.pinned.name, .way = way});
  status.conflicts += open.conflicts;
  status.quarantined += open.quarantined;
  const auto add = [&](bool holds, Code code) {
    status.code = holds ? severer(status.code, code) : status.code;
  };
  add(open.conflicts > 0, Code::conflicts_open);
  add(open.quarantined > 0 || !open.drift.empty(), Code::quarantine_or_drift);
  add(open.head && open.head->paused, Code::paused);
  add(!report::blocked_tables(open.drift).empty(), Code::drift_decision);
  add(open.damaged, Code::integrity);
  if (!open.drift.empty()) {
    status.drift.push_back(named);
  }
  if (open.refused) {
    status.code = severer(status.code, open.refused->code);
    status.error = open.refused;
    status.error->hint = report::for_peer(status.error->hint, named);
  }
}

PeerStatus status_of(const contract::Config& node, const KnownPeer& peer,
                     const OnStatement& on_statement) {
  PeerStatus status{.peer = peer.pinned.name};
  const PeerFiles files(node, peer.pinned.name);
  std::error_code missing;
  if (!std::filesystem::exists(files.channel, missing)) {
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
  if (exchange::is_silent(state, now_seconds(), node.exchange.overdue.count())) {
    status.code = Code::overdue;
  }
  if (peer.section.accepts && state.channel.applied) {
    add_open(node, peer, Way::from, on_statement, status);
  }
  std::error_code unreadable;
  if (peer.section.sends && std::filesystem::exists(files.outbox, unreadable)) {
    add_open(node, peer, Way::to, on_statement, status);
  }
  return status;
}

}  // namespace

std::vector<PeerStatus> peer_status(const contract::Config& node, const OnStatement& on_statement) {
  std::vector<PeerStatus> all;
  const auto known = known_peers(node);
  for (const auto& name : known.unpinned) {
    auto error = not_pinned(name);
    all.push_back({.peer = name, .code = error.code, .error = std::move(error)});
  }
  for (const auto& peer : known.peers) {
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
