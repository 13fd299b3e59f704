#include "sync/peers/peer_check.hpp"

#include "exchange/mailbox.hpp"
#include "report/peer_commands.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace abgleich::sync {

namespace {

/// The lines of one way of one peer.
class PeerLines {
 public:
  PeerLines(const PeerWay& way, const OnChecked& on_line, Code& worst)
      : named_(text_of(way)), on_line_(on_line), worst_(worst) {}

  void tell(Checked line) {
    line.what = fmt::format("peer {}: {}", named_, line.what);
    line.hint = report::for_peer(line.hint, named_);
    worst_ = severer(worst_, line.code);
    on_line_(line);
  }

  /// A line with the text that `look` returns, or with its failure. Returns whether it passed.
  template <class Look>
  bool line(const std::string& what, const Look& look) {
    Checked checked{.what = what};
    try {
      checked.result = look();
    } catch (const Failure& failure) {
      checked.result = failure.error().message;
      checked.code = failure.error().code;
      checked.hint = failure.error().hint;
    }
    const bool passed = checked.code == Code::done;
    tell(std::move(checked));
    return passed;
  }

 private:
  std::string named_;
  const OnChecked& on_line_;
  Code& worst_;
};

bool has_sent(const contract::Config& node, const std::string& peer) {
  std::error_code unreadable;
  return std::filesystem::exists(PeerFiles(node, peer).channel, unreadable);
}

/// Where nothing has come yet, only the contract can be looked at.
void check_way(const contract::Config& node, const KnownPeer& peer, Way way,
               const OnStatement& on_statement, PeerLines& lines) {
  std::optional<Pairing> pairing;
  const bool rows = way == Way::to || has_sent(node, peer.pinned.name);
  const bool loaded = lines.line("contract", [&] {
    pairing = rows && way == Way::from ? load_peer_pairing(node, peer, way, on_statement)
                                       : complete_peer_pairing(node, peer, way, on_statement);
    return rows ? pairing->config.contract.string()
                : fmt::format("{}; nothing has come from this peer yet",
                              pairing->config.contract.string());
  });
  if (loaded && rows) {
    check(std::move(*pairing), way == Way::to ? Outside::primary : Outside::secondary,
          [&](const Checked& line) { lines.tell(line); });
  }
}

}  // namespace

Code check_peers(const contract::Config& node, const std::optional<PeerWay>& only,
                 const OnStatement& on_statement, const OnChecked& on_line) {
  auto worst = Code::done;
  std::vector<KnownPeer> peers;
  std::vector<std::string> unpinned;
  if (only) {
    peers.push_back(known_peer(node, only->peer));
  } else {
    auto known = known_peers(node);
    peers = std::move(known.peers);
    unpinned = std::move(known.unpinned);
  }
  for (const auto& name : unpinned) {
    PeerLines({.peer = name}, on_line, worst).line("card", [&]() -> std::string {
      throw Failure(not_pinned(name));
    });
  }
  for (const auto& peer : peers) {
    const auto& name = peer.pinned.name;
    PeerLines(PeerWay{.peer = name}, on_line, worst).line("mailbox", [&] {
      const auto directory = peer.section.mailbox.value_or(node.exchange.mailbox);
      exchange::Mailbox(directory).expect_usable();
      return directory.string();
    });
    for (const auto way : {Way::to, Way::from}) {
      const auto& contract = way == Way::to ? peer.section.sends : peer.section.accepts;
      if (contract && (!only || only->way == way)) {
        PeerLines lines({.peer = name, .way = way}, on_line, worst);
        check_way(node, peer, way, on_statement, lines);
      }
    }
  }
  return worst;
}

}  // namespace abgleich::sync
