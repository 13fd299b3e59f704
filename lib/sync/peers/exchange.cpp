#include "sync/peers/exchange.hpp"

#include "core/error.hpp"
#include "core/replace_file.hpp"
#include "exchange/node.hpp"
#include "report/peer_commands.hpp"
#include "state/anchor.hpp"
#include "sync/check/status.hpp"
#include "sync/peers/peer_channel.hpp"
#include "sync/sync.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <filesystem>
#include <memory>
#include <sys/stat.h>
#include <system_error>
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
  bool may_send = false;
};

/// Does a part of the work for one peer. Its failure is noted, so that the other parts and peers go
/// on: each is a run of its own.
template <class Part>
bool attempt(AtWork& work, const Part& part) {
  try {
    part();
    return true;
  } catch (const Failure& failure) {
    report::add_error(work.outcome, failure.error());
    return false;
  }
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
  if (options.only) {
    all.push_back(std::make_unique<AtWork>(known_peer(node, options.only->peer)));
  } else {
    for (auto& peer : known_peers(node)) {
      all.push_back(std::make_unique<AtWork>(std::move(peer)));
    }
    shuffle(all);
  }
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

/// Runs one of the peer's pairings. Its failure is noted, as in `attempt`.
void run_pairing(const contract::Config& node, AtWork& work, Way way,
                 const ExchangeOptions& options, Progress& progress) {
  const auto named = text_of(PeerWay{.peer = work.peer.pinned.name, .way = way});
  try {
    const auto pairing = load_peer_pairing(node, work.peer, way, options.on_statement);
    auto wanted = options.run;
    wanted.on_lock = {};  // of the node's own attempt
    auto outcome = run(pairing, wanted, progress, {});
    name_peer(outcome, named);
    work.outcome.code = severer(work.outcome.code, outcome.code);
    (way == Way::from ? work.outcome.from : work.outcome.to) = std::move(outcome);
  } catch (const Failure& failure) {
    auto error = failure.error();
    error.hint = report::for_peer(error.hint, named);
    report::add_error(work.outcome, std::move(error));
  }
}

/// What the peer has sent is opened and merged.
void take_in(const contract::Config& node, const exchange::Node& keys, AtWork& work,
             const ExchangeOptions& options, Progress& progress) {
  if (!attempt(work, [&] {
        work.channel = std::make_unique<PeerChannel>(node, keys, work.peer, work.outcome);
      })) {
    return;
  }
  work.may_send = attempt(work, [&] { work.channel->fetch(); });
  if (work.peer.section.accepts && work.channel->has_rows() && goes(options, Way::from)) {
    run_pairing(node, work, Way::from, options, progress);
  }
}

/// What the peer gets is found out and sent.
void give_out(const contract::Config& node, AtWork& work, const ExchangeOptions& options,
              Progress& progress) {
  if (!work.channel) {
    return;
  }
  if (work.peer.section.sends && goes(options, Way::to)) {
    attempt(work, [&] { make_outbox(PeerFiles(node, work.peer.pinned.name).outbox); });
    run_pairing(node, work, Way::to, options, progress);
  }
  if (work.may_send) {
    attempt(work, [&] { work.channel->send(); });
  }
  work.channel->tell();
  work.channel.reset();
}

}  // namespace

report::Exchanged exchange(const contract::Config& node, const ExchangeOptions& options,
                           Progress& progress, const PairedRun& paired) {
  const auto keys = exchange::Node::read(node.identity);
  const auto all = peers_of(node, options);
  std::optional<state::StateLock> lock;
  if (!paired) {  // the run that pairs the databases takes it by itself
    lock.emplace(node.state_directory);
    options.run.on_lock();
  }
  report::Exchanged exchanged;
  for (const auto& work : all) {
    take_in(node, keys, *work, options, progress);
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
  return exchanged;
}

std::optional<std::string> adopt(const contract::Config& node, const PeerWay& way,
                                 const std::string& reason, const OnStatement& on_statement) {
  const auto peer = known_peer(node, way.peer);
  if (way.way == Way::to) {
    return adopt(load_peer_pairing(node, peer, Way::to, on_statement), reason);
  }
  const auto keys = exchange::Node::read(node.identity);
  report::PeerOutcome outcome{.peer = way.peer};
  bool has_rows = false;
  {
    PeerChannel channel(node, keys, peer, outcome);
    channel.fetch(PeerChannel::Restored::begins_anew);
    channel.send();
    has_rows = channel.has_rows();
  }
  if (!peer.section.accepts || !has_rows) {
    return std::nullopt;
  }
  return adopt(load_peer_pairing(node, peer, Way::from, on_statement), reason);
}

}  // namespace abgleich::sync
