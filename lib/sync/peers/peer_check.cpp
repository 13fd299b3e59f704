#include "sync/peers/peer_check.hpp"

#include "exchange/mailbox.hpp"
#include "report/peer_commands.hpp"
#include "sync/check/checker.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace abgleich::sync {

namespace {

/// Makes lines ones about one way of one peer.
OnChecked about(const PeerWay& way, const OnChecked& on_line) {
  return [named = text_of(way), &on_line](Checked line) {
    line.what = fmt::format("peer {}: {}", named, line.what);
    line.hint = report::for_peer(line.hint, named);
    on_line(line);
  };
}

bool has_sent(const contract::Config& node, const std::string& peer) {
  std::error_code unreadable;
  return std::filesystem::exists(PeerFiles(node, peer).channel, unreadable);
}

/// Where nothing has come yet, only the contract can be looked at.
Code check_way(const contract::Config& node, const KnownPeer& peer, Way way,
               const OnStatement& on_statement, const OnChecked& on_line) {
  const auto about_way = about({.peer = peer.pinned.name, .way = way}, on_line);
  Checker checker(about_way);
  std::optional<Pairing> pairing;
  const bool rows = way == Way::to || has_sent(node, peer.pinned.name);
  const bool loaded = checker.line("contract", [&] {
    pairing = rows && way == Way::from ? load_peer_pairing(node, peer, way, on_statement)
                                       : complete_peer_pairing(node, peer, way, on_statement);
    return rows ? pairing->config.contract.string()
                : fmt::format("{}; nothing has come from this peer yet",
                              pairing->config.contract.string());
  });
  if (!loaded || !rows) {
    return checker.worst();
  }
  return severer(checker.worst(),
                 check(std::move(*pairing), way == Way::to ? Outside::primary : Outside::secondary,
                       about_way));
}

Code check_peer(const contract::Config& node, const KnownPeer& peer,
                const std::optional<PeerWay>& only, const OnStatement& on_statement,
                const OnChecked& on_line) {
  const auto about_peer = about({.peer = peer.pinned.name}, on_line);
  Checker checker(about_peer);
  checker.line("mailbox", [&] {
    const auto directory = peer.section.mailbox.value_or(node.exchange.mailbox);
    exchange::Mailbox(directory).expect_usable();
    return directory.string();
  });
  auto worst = checker.worst();
  for (const auto way : {Way::to, Way::from}) {
    const auto& contract = way == Way::to ? peer.section.sends : peer.section.accepts;
    if (contract && (!only || only->way == way)) {
      worst = severer(worst, check_way(node, peer, way, on_statement, on_line));
    }
  }
  return worst;
}

}  // namespace

Code check_peers(const contract::Config& node, const std::optional<PeerWay>& only,
                 const OnStatement& on_statement, const OnChecked& on_line) {
  Checker checker(on_line);
  KnownPeers known;
  if (only) {
    known.peers.push_back(known_peer(node, only->peer));
  } else {
    checker.quietly("peers", [&] { known = known_peers(node); });
  }
  auto worst = Code::done;
  for (const auto& name : known.unpinned) {
    const auto about_peer = about({.peer = name}, on_line);
    Checker card(about_peer);
    card.line("card", [&]() -> std::string { throw Failure(not_pinned(name)); });
    worst = severer(worst, card.worst());
  }
  for (const auto& peer : known.peers) {
    worst = severer(worst, check_peer(node, peer, only, on_statement, on_line));
  }
  return severer(worst, checker.worst());
}

}  // namespace abgleich::sync
