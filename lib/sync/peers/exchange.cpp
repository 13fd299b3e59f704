#include "sync/peers/exchange.hpp"

#include "core/error.hpp"
#include "core/replace_file.hpp"
#include "exchange/node.hpp"
#include "report/peer_commands.hpp"
#include "state/anchor.hpp"
#include "sync/check/status.hpp"
#include "sync/peers/peer_channel.hpp"
#include "sync/peers/unrouted.hpp"
#include "sync/sync.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <sys/stat.h>
#include <system_error>
#include <typeinfo>
#include <utility>
#include <vector>

namespace abgleich::sync {

namespace {

namespace fs = std::filesystem;

/// One peer in this run.
struct AtWork {
  explicit AtWork(KnownPeer known) : peer(std::move(known)) { outcome.peer = peer.pinned.name; }

  KnownPeer peer;
  report::PeerOutcome outcome;
  std::unique_ptr<PeerChannel> channel;  // none: its directory cannot be used now
  bool left_out = false;
  bool may_send = false;
};

/// Does a part of the work for one peer. Its failure is noted, so that the other parts and peers go
/// on: each is a run of its own. `named`: see report::for_peer; empty: hints stay as they are.
template <class Part>
bool attempt(AtWork& work, const std::string& named, const Part& part) {
  try {
    part();
    return true;
  } catch (const Failure& failure) {
    auto error = failure.error();
    if (!named.empty()) {
      error.hint = report::for_peer(error.hint, named);
    }
    report::add_error(work.outcome, std::move(error));
  } catch (const std::exception& unexpected) {
    // its text could quote a value
    report::add_error(
        work.outcome,
        {.code = Code::bug,
         .message = fmt::format("a bug in abgleich: unexpected {}", typeid(unexpected).name()),
         .hint = "open transactions were rolled back; please report this"});
  }
  return false;
}

/// Peers with the same rights are not to find out by the order who was first.
void shuffle(std::vector<std::unique_ptr<AtWork>>& all) {
  for (std::size_t i = all.size(); i > 1; --i) {
    std::swap(all[i - 1], all[randombytes_uniform(static_cast<std::uint32_t>(i))]);
  }
}

bool goes(const ExchangeOptions& options, Way way) {
  return !options.only || options.only->way == way;
}

/// An empty file is an empty database.
void make_outbox(const fs::path& file) {
  std::error_code error;
  if (!fs::exists(file, error)) {
    try {
      replace_file(file, "", S_IRUSR | S_IWUSR);
    } catch (const std::system_error& failed) {
      throw Failure(Code::configuration,
                    fmt::format("'{}' cannot be made: {}", file.string(), failed.code().message()),
                    "look at the state directory, its owner and rights. Nothing was sent");
    }
  }
}

std::vector<std::unique_ptr<AtWork>> peers_of(const contract::Config& node,
                                              const ExchangeOptions& options) {
  std::vector<std::unique_ptr<AtWork>> all;
  auto known = known_peers(node);
  for (auto& peer : known.peers) {
    all.push_back(std::make_unique<AtWork>(std::move(peer)));
  }
  for (const auto& name : known.unpinned) {
    all.push_back(std::make_unique<AtWork>(KnownPeer{.pinned = {.name = name}}));
    all.back()->left_out = true;
    report::add_error(all.back()->outcome, not_pinned(name));
  }
  if (options.only) {
    std::erase_if(all, [&](const std::unique_ptr<AtWork>& work) {
      return work->outcome.peer != options.only->peer;
    });
    if (all.empty()) {
      (void)known_peer(node, options.only->peer);  // says what is missing
    }
  }
  shuffle(all);
  return all;
}

/// Makes every command that the outcome names one about this pairing.
void name_peer(report::Outcome& outcome, const std::string& named) {
  if (outcome.error) {
    outcome.error->hint = report::for_peer(outcome.error->hint, named);
  }
  for (auto* const texts : {&outcome.notes, &outcome.remarks}) {
    for (auto& text : *texts) {
      text = report::for_peer(text, named);
    }
  }
  for (auto& event : outcome.drift) {
    event.hint = report::for_peer(event.hint, named);
  }
}

/// What a person has decided about one pairing, they have not decided about the others.
Options options_of(const ExchangeOptions& options) {
  auto wanted = options.run;
  wanted.on_lock = {};  // of the node's own attempt
  wanted.detail = Detail::counts;
  if (!options.only) {
    wanted.accepted_mass.clear();
    wanted.refill.clear();
    wanted.adopt = merge::Adopt::ask;
    wanted.reason.clear();
  }
  return wanted;
}

/// Runs one of the peer's pairings.
void run_pairing(const contract::Config& node, AtWork& work, Way way,
                 const ExchangeOptions& options, Progress& progress) {
  const auto named = text_of(PeerWay{.peer = work.peer.pinned.name, .way = way});
  attempt(work, named, [&] {
    const auto pairing = load_peer_pairing(node, work.peer, way, options.on_statement);
    auto outcome = run(pairing, options_of(options), progress, {});
    name_peer(outcome, named);
    work.outcome.code = severer(work.outcome.code, outcome.code);
    (way == Way::from ? work.outcome.from : work.outcome.to) = std::move(outcome);
  });
}

/// What the peer has sent is opened and merged.
void take_in(const contract::Config& node, const exchange::Node& keys, AtWork& work,
             const ExchangeOptions& options, Progress& progress) {
  if (work.left_out || !attempt(work, {}, [&] {
        work.channel = std::make_unique<PeerChannel>(node, keys, work.peer, work.outcome);
      })) {
    return;
  }
  work.may_send = attempt(work, {}, [&] { work.channel->fetch(); });
  if (work.peer.section.accepts && work.channel->has_rows() && goes(options, Way::from)) {
    run_pairing(node, work, Way::from, options, progress);
  }
}

/// Whether the outbox is what the contract of today lets leave: its run went through. A contract
/// may have changed since it was filled, and rows of then may wait in it.
bool is_certain(const AtWork& work) {
  if (!work.outcome.to) {
    return false;
  }
  const auto code = work.outcome.to->code;
  return code == Code::done || code == Code::conflicts_open || code == Code::quarantine_or_drift;
}

/// What the peer gets is found out and sent.
void give_out(const contract::Config& node, AtWork& work, const ExchangeOptions& options,
              Progress& progress) {
  if (!work.channel) {
    return;
  }
  if (work.peer.section.sends && goes(options, Way::to) &&
      attempt(work, {}, [&] { make_outbox(PeerFiles(node, work.peer.pinned.name).outbox); })) {
    run_pairing(node, work, Way::to, options, progress);
  }
  if (work.may_send) {
    attempt(work, {}, [&] {
      work.channel->send(is_certain(work) ? PeerChannel::Rows::sent : PeerChannel::Rows::kept_back);
    });
  }
  work.channel->tell();
  work.channel.reset();
}

}  // namespace

namespace {

/// Only where some peer was given what it gets: else its run has said what is wrong, and it may be
/// that the primary cannot be read.
void count_unrouted(const contract::Config& node, const ExchangeOptions& options,
                    report::Exchanged& exchanged) {
  const bool any = std::ranges::any_of(
      exchanged.peers, [](const report::PeerOutcome& peer) { return peer.to.has_value(); });
  if (options.only || !any) {
    return;
  }
  try {
    exchanged.unrouted = find_unrouted(node, options.on_statement);
  } catch (const Failure& failure) {
    exchanged.uncounted = failure.error();
  }
}

}  // namespace

report::Exchanged exchange(const contract::Config& node, const ExchangeOptions& options,
                           Progress& progress, const PairedRun& paired) {
  const auto lock = lock_exchange(node);
  if (!paired && options.run.on_lock) {  // the run that pairs the databases says it by itself
    options.run.on_lock();
  }
  report::Exchanged exchanged;
  std::optional<exchange::Node> keys;
  std::vector<std::unique_ptr<AtWork>> all;
  try {
    keys.emplace(exchange::Node::read(node.identity));
    all = peers_of(node, options);
  } catch (const Failure& failure) {
    if (!paired) {
      throw;
    }
    exchanged.no_peers = failure.error();  // the databases are paired all the same
  }
  for (const auto& work : all) {
    take_in(node, *keys, *work, options, progress);
  }
  if (paired) {
    try {
      exchanged.paired = paired();
    } catch (const Failure& failure) {
      exchanged.failed = failure.error();
    }
  }
  for (const auto& work : all) {
    give_out(node, *work, options, progress);
    exchanged.peers.push_back(std::move(work->outcome));
  }
  count_unrouted(node, options, exchanged);
  return exchanged;
}

Adopted adopt(const contract::Config& node, const PeerWay& way, const std::string& reason,
              const OnStatement& on_statement) {
  const auto lock = lock_exchange(node);
  const auto peer = known_peer(node, way.peer);
  Adopted adopted;
  if (way.way == Way::to) {
    adopted.run = adopt(load_peer_pairing(node, peer, Way::to, on_statement), reason);
    return adopted;
  }
  const auto keys = exchange::Node::read(node.identity);
  report::PeerOutcome outcome{.peer = way.peer};
  {
    PeerChannel channel(node, keys, peer, outcome);
    channel.fetch(PeerChannel::Restored::begins_anew);
    if (peer.section.accepts) {
      channel.ask_for_all();
      adopted.asked_for_all = true;
    }
    channel.send(PeerChannel::Rows::kept_back);
  }
  adopted.begun_anew = outcome.begun_anew;
  if (peer.section.accepts) {
    adopted.run = adopt(load_peer_pairing(node, peer, Way::from, on_statement), reason);
  }
  return adopted;
}

}  // namespace abgleich::sync
