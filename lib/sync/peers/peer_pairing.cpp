#include "sync/peers/peer_pairing.hpp"

#include "contract/words.hpp"
#include "core/error.hpp"
#include "core/token.hpp"
#include "db/peer/peer_database.hpp"
#include "exchange/revoked_cards.hpp"
#include "sync/peers/token_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

namespace abgleich::sync {

std::filesystem::path one_spelling(const std::filesystem::path& contract) {
  std::error_code unreadable;
  auto path = std::filesystem::weakly_canonical(contract, unreadable);
  return unreadable ? contract.lexically_normal() : path;
}

namespace {

constexpr std::string_view kTo = "to:";

/// What this peer takes of the contract, and what the others do that get it. Peers without a pinned
/// card count, since rows wait for them; those that were revoked do not. REQUIRES: the section has
/// `sends`.
contract::Routes routes_of(const contract::Config& node, const KnownPeer& peer) {
  const auto& section = peer.section;
  contract::Routes routes{.own = section.takes,
                          .issuer = issuer_of(exchange::id_text(peer.pinned.card.id)),
                          .header = contract::header_of(section),
                          .place = section.place};
  const auto contract = one_spelling(*section.sends);
  for (const auto& other : node.exchange.peers) {
    if (other.sends && one_spelling(*other.sends) == contract && other.pattern != section.pattern &&
        !exchange::is_revoked(node.cards, other.pattern)) {
      routes.others.push_back(other.takes);
    }
  }
  return routes;
}

/// The configuration of one way. Its state is kept apart from the node's, as is the bookkeeping in
/// the node's secondary. Attempts are recorded, and told, for the node as a whole.
contract::Config config_of(const contract::Config& node, const KnownPeer& peer, Way way) {
  const PeerFiles files(node, peer.pinned.name);
  auto config = node;
  config.exchange = {};
  config.alert = {};
  config.alone = true;
  if (way == Way::from) {
    config.contract = *peer.section.accepts;
    config.primary = endpoint_of_file(Role::primary, files.channel);
    config.made_anew = true;  // where it is lost, the peer sends all rows again
    config.min_k = 0;         // the peer has counted its subjects before they left
    config.secondary.books = books_of_peer(exchange::id_text(peer.pinned.card.id));
    config.from_peer = true;
    config.state_directory = files.directory / "from";
  } else {
    config.contract = *peer.section.sends;
    config.routes = routes_of(node, peer);
    config.domain = exchange::id_text(peer.pinned.card.id);  // no two peers can join what they get
    config.secondary = endpoint_of_file(Role::secondary, files.outbox);
    config.state_directory = files.directory / "to";
  }
  config.catalog = config.state_directory / "accepted.json";
  return config;
}

}  // namespace

PeerWay peer_way_from(std::string_view text) {
  const auto way = text.starts_with(kTo) ? Way::to : Way::from;
  const auto name = way == Way::to ? text.substr(kTo.size()) : text;
  if (!exchange::is_peer_name(name)) {
    throw Failure(Code::usage, fmt::format("{} names no peer", contract::in_quotes(text)),
                  "write --peer NAME for what comes from it, --peer to:NAME for what goes to it; "
                  "see the names: abgleich peer list");
  }
  return {.peer = std::string(name), .way = way};
}

std::string text_of(const PeerWay& way) {
  return way.way == Way::to ? std::string(kTo) + way.peer : way.peer;
}

KnownPeers known_peers(const contract::Config& node) {
  KnownPeers known;
  for (auto& pinned : exchange::pinned_cards(node.cards)) {
    if (const auto* section = contract::section_of(node.exchange, pinned.name)) {
      known.peers.push_back({.pinned = std::move(pinned), .section = *section});
    }
  }
  for (const auto& section : node.exchange.peers) {
    if (exchange::is_revoked(node.cards, section.pattern)) {
      continue;
    }
    const bool whole = section.pattern.find('*') == std::string::npos;
    if (whole && std::ranges::none_of(known.peers, [&](const KnownPeer& peer) {
          return peer.pinned.name == section.pattern;
        })) {
      known.unpinned.push_back(section.pattern);
    }
  }
  return known;
}

Error not_pinned(const std::string& name) {
  return {.code = Code::configuration,
          .message = fmt::format("[peers.{}] has no pinned card", name),
          .hint = fmt::format("get the peer's card, have its fingerprint read out to you, and run: "
                              "abgleich peer add FILE --as {} --fingerprint DIGITS",
                              name)};
}

KnownPeer known_peer(const contract::Config& node, const std::string& name) {
  auto known = known_peers(node);
  const auto found = std::ranges::find_if(
      known.peers, [&](const KnownPeer& peer) { return peer.pinned.name == name; });
  if (found != known.peers.end()) {
    return std::move(*found);
  }
  if (std::ranges::find(known.unpinned, name) != known.unpinned.end()) {
    throw Failure(not_pinned(name));
  }
  const auto all = exchange::revoked_cards(node.cards);
  const auto revoked = std::ranges::find(all, name, &exchange::RevokedCard::name);
  if (revoked != all.end()) {
    throw Failure(
        Code::usage,
        fmt::format("peer '{}' was revoked, at {} by {}: {}", name, revoked->revocation.at,
                    revoked->revocation.by, revoked->revocation.reason),
        "its rows stay in the secondary; see what was revoked: abgleich peer list");
  }
  throw Failure(Code::usage, fmt::format("there is no peer '{}' with a section", name),
                fmt::format("see the pinned peers: abgleich peer list; and write [peers.\"{}\"] "
                            "into '{}'",
                            name, node.file.string()));
}

PeerFiles::PeerFiles(const contract::Config& node, const std::string& peer)
    : directory(node.state_directory / "peers" / peer),
      channel(directory / "channel.db"),
      outbox(directory / "outbox.db") {}

Pairing complete_peer_pairing(const contract::Config& node, const KnownPeer& peer, Way way,
                              const OnStatement& on_statement) {
  const auto& contract = way == Way::from ? peer.section.accepts : peer.section.sends;
  if (!contract) {
    const auto& name = peer.pinned.name;
    const auto* const missing = way == Way::from ? "accepts" : "sends";
    throw Failure(Code::configuration,
                  way == Way::from ? fmt::format("nothing is taken from peer '{}'", name)
                                   : fmt::format("nothing goes to peer '{}'", name),
                  fmt::format("its section [peers.\"{}\"] in '{}' has no '{}'; {}",
                              peer.section.pattern, node.file.string(), missing,
                              peer.section.sends && way == Way::from
                                  ? fmt::format("what goes to it is: --peer to:{}", name)
                                  : fmt::format("write {} = \"CONTRACT\"", missing)));
  }
  auto pairing = complete_pairing(config_of(node, peer, way), on_statement);
  if (way == Way::from) {
    resolve_tokens(node, peer, pairing, on_statement);
  }
  return pairing;
}

Pairing load_peer_pairing(const contract::Config& node, const KnownPeer& peer, Way way,
                          const OnStatement& on_statement) {
  auto pairing = complete_peer_pairing(node, peer, way, on_statement);
  const PeerFiles files(node, peer.pinned.name);
  const auto& file = way == Way::from ? files.channel : files.outbox;
  std::error_code unreadable;
  if (!std::filesystem::exists(file, unreadable)) {
    throw Failure(Code::configuration,
                  fmt::format("nothing was exchanged with peer '{}' yet", peer.pinned.name),
                  "run: abgleich sync; the first rows arrive after both nodes have run twice");
  }
  if (way == Way::from) {
    (void)db::PeerDatabase::open(file);  // takes back what a killed process has left
  }
  return pairing;
}

}  // namespace abgleich::sync
