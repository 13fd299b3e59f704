#include "sync/peers/peer_channel.hpp"

#include "core/clock.hpp"
#include "core/error.hpp"
#include "exchange/bundle_writer.hpp"
#include "exchange/grant_secret.hpp"
#include "exchange/hello_name.hpp"
#include "exchange/not_applied.hpp"
#include "report/pulse.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace abgleich::sync {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kDay = 86'400;
constexpr std::uint64_t kMostHello = std::uint64_t{1} << 20U;
constexpr std::uint64_t kMostBundle = std::uint64_t{1} << 38U;
/// A file that is not whole after this time never will be: not every network file system renames in
/// one step.
constexpr std::chrono::minutes kHalfWritten{10};

void draw(std::span<std::uint8_t> bytes) {
  randombytes_buf(bytes.data(), bytes.size());
}

/// A transaction of the peer's database: nothing of it stays unless it is committed.
class Transaction {
 public:
  explicit Transaction(db::PeerDatabase& kept) : kept_(kept) { kept_.begin(); }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() {
    if (!committed_) {
      kept_.rollback();
    }
  }

  void commit() {
    kept_.commit();
    committed_ = true;
  }

 private:
  db::PeerDatabase& kept_;
  bool committed_ = false;
};

std::vector<db::PeerTable> tables_of(const exchange::Manifest& manifest) {
  std::vector<db::PeerTable> tables;
  for (const auto& sent : manifest.tables) {
    auto& table = tables.emplace_back(db::PeerTable{.name = sent.name});
    for (const auto& column : sent.columns) {
      table.columns.push_back({.name = column.name, .type = column.type, .in_key = column.in_key});
    }
  }
  return tables;
}

exchange::SentTable sent_table(const db::PeerTable& table, const db::OutboxReader::Counts& counts) {
  exchange::SentTable sent{.name = table.name, .rows = counts.rows, .gone = counts.gone};
  for (const auto& column : table.columns) {
    sent.columns.push_back({.name = column.name, .type = column.type, .in_key = column.in_key});
  }
  return sent;
}

/// A text that is another one where tables or columns are others.
std::string layout_of(const std::vector<db::PeerTable>& tables) {
  std::string text;
  for (const auto& table : tables) {
    text += fmt::format("{}:{}", table.name.size(), table.name);
    for (const auto& column : table.columns) {
      text += fmt::format(" {}:{}:{}:{}:{}", column.name.size(), column.name, column.type.size(),
                          column.type, column.in_key ? 1 : 0);
    }
    text += '\n';
  }
  return text;
}

/// The run of the outbox since which the waiting segments have the changes.
std::int64_t since_of(const exchange::PeerState& state) {
  std::optional<std::int64_t> first;
  for (const auto& segment : state.channel.segments) {
    const auto found = state.out.since.find(segment.number);
    const auto since = found == state.out.since.end() ? 0 : found->second;
    first = first ? std::min(*first, since) : since;
  }
  return first.value_or(state.out.run);
}

void make_private(const fs::path& directory) {
  std::error_code error;
  if (fs::create_directory(directory, error)) {
    fs::permissions(directory, fs::perms::owner_all, error);
  }
}

/// The peer's files, in a directory that is made where it is missing.
PeerFiles files_of(const contract::Config& config, const std::string& peer) {
  PeerFiles files(config, peer);
  make_private(config.state_directory);
  make_private(files.directory.parent_path());
  make_private(files.directory);
  return files;
}

/// Why nothing of a message was applied, and what to do about it.
struct Refused {
  std::string_view reason;
  std::string_view problem;
  std::string_view hint;
};
constexpr std::array<Refused, 7> kRefused{{
    {"not_for_us", "it is for another node, or for other keys",
     "compare the cards of both nodes: abgleich peer list"},
    {"another_format", "a later version of abgleich has written it",
     "install that version here, or have the peer wait"},
    {"not_accepted", "it has rows, and nothing is taken from this peer",
     "write accepts = \"CONTRACT\" into its section, or have its people send nothing"},
    {"gap", "it continues rows that are not here",
     "nothing is to be done: the peer sends all rows again"},
    {"absurd", "it names messages of a far future",
     "have the peer's people look at the clock of its machine"},
    {"malformed", "it is not as a bundle has to be",
     "tell the peer's people; its next message replaces it"},
    {"too_large", "it has more than it says, or than a bundle may have",
     "tell the peer's people; its next message replaces it"},
}};

Error error_of(const Refused& refused) {
  return {.code = Code::bundle_refused,
          .message = fmt::format("a bundle was refused ({}): {}; nothing of it was applied",
                                 refused.reason, refused.problem),
          .hint = std::string(refused.hint)};
}

}  // namespace

state::StateLock lock_exchange(const contract::Config& config) {
  make_private(config.state_directory);
  return state::StateLock(config.state_directory / "exchange");
}

PeerChannel::PeerChannel(const contract::Config& config, const exchange::Node& node,
                         const KnownPeer& peer, report::PeerOutcome& outcome)
    : config_(config),
      node_(node),
      peer_(peer),
      outcome_(outcome),
      files_(files_of(config, peer.pinned.name)),
      kept_(db::PeerDatabase::open(files_.channel)),
      mailbox_(peer.section.mailbox.value_or(config.exchange.mailbox)),
      now_(now_seconds()) {
  if (const auto text = kept_->channel()) {
    state_ = exchange::parse_peer_state(*text);
    written_ = *text;
  } else {
    state_.channel = exchange::new_channel(std::nullopt, draw);
    state_.begun = now_;
  }
}

void PeerChannel::fetch(Restored restored) {
  restored_ = restored;
  if (state_.channel.seq == 0) {
    mailbox_.expect_usable();  // before the first message
  }
  const auto& card = peer_.pinned.card;
  const auto& ours = node_.card();
  for (const auto day : {now_ / kDay - 1, now_ / kDay, now_ / kDay + 1}) {
    if (const auto name = exchange::hello_name(node_.seals(), card.seals, card.id, ours.id, day)) {
      take_file(*name, std::nullopt);
    }
  }
  const auto open = state_.channel.open;
  for (const auto& box : open) {
    take_file(exchange::box_text(box), box);
  }
  const auto used = state_.channel.used;
  for (const auto& box : used) {
    const auto name = exchange::box_text(box);
    // what was taken in this run lay there until a moment ago
    if (mailbox_.has(name) && std::ranges::find(open, box) == open.end()) {
      auto next = state_;
      exchange::was_asked(next.channel);
      keep(std::move(next));
      mailbox_.remove(name);
    }
  }
}

void PeerChannel::refuse(std::string_view reason) {
  outcome_.refused.push_back({.reason = std::string(reason)});
  const auto* const known = std::ranges::find(kRefused, reason, &Refused::reason);
  if (known == kRefused.end()) {
    throw Failure(Code::bug, fmt::format("a bundle is refused for no known reason: {}", reason));
  }
  report::add_error(outcome_, error_of(*known));
}

void PeerChannel::take_noise(const std::string& name) {
  auto next = state_;
  ++next.noise;
  keep(std::move(next));
  mailbox_.remove(name);
}

seal::Identity PeerChannel::opens(const Box& box) {
  const auto sealed = kept_->grants();
  const auto found = sealed.find(box);
  auto grant = found == sealed.end() ? std::nullopt
                                     : exchange::opened_grant(node_.seals(), box, found->second);
  if (!grant) {
    throw Failure(
        Code::key_or_trust,
        fmt::format("what was kept of peer '{}' was made with another node key", peer_.pinned.name),
        fmt::format("put the node's own key back, or move '{}' away and begin with the "
                    "peer anew",
                    files_.directory.string()));
  }
  return *std::move(grant);
}

void PeerChannel::take_file(const std::string& name, const std::optional<Box>& box) {
  const auto file = mailbox_.open(name);
  if (!file) {
    return;
  }
  if (file->size() > (box ? kMostBundle : kMostHello)) {
    take_noise(name);
    return;
  }
  try {
    std::optional<seal::Identity> grant;
    if (box) {
      grant.emplace(opens(*box));
    }
    exchange::BundleReader reader(grant ? *grant : node_.seals(), peer_.pinned.card,
                                  node_.card().id, box, [&] { return file->feed(); });
    if (take_message(reader, box)) {
      mailbox_.remove(name);
    }
  } catch (const db::Unstorable&) {
    refuse(exchange::name_of(exchange::NotApplied::Why::malformed));
  } catch (const exchange::NotApplied& refused) {
    if (refused.why() != exchange::NotApplied::Why::altered) {
      refuse(exchange::name_of(refused.why()));
    } else if (file->age() >= kHalfWritten) {
      take_noise(name);
    }
  }
}

bool PeerChannel::take_message(exchange::BundleReader& reader, const std::optional<Box>& box) {
  using exchange::Taken;
  const auto& manifest = reader.manifest();
  auto message = manifest.message;
  const bool unwanted =
      message.rows != exchange::Message::Rows::none && !peer_.section.accepts.has_value();
  if (unwanted) {
    message.rows = exchange::Message::Rows::none;  // everything else in it counts
  }
  auto next = state_;
  auto taken = exchange::take(next.channel, message, box, now_, draw);
  if (taken == Taken::restored && restored_ == Restored::begins_anew) {
    exchange::begin_line(next.channel, message, now_, draw);
    next.out.since.clear();
    taken = exchange::take(next.channel, message, box, now_, draw);
    outcome_.begun_anew = true;
  }
  const bool rows = taken == Taken::whole || taken == Taken::changes;
  if (!rows) {
    reader.read([](const exchange::Record& /*not needed*/) {});  // the peer has signed all of it
  }
  if (taken == Taken::restored) {
    throw Failure(
        Code::other_secondary,
        fmt::format("this node was restored from a copy: peer '{}' knows more of it than it does "
                    "itself",
                    peer_.pinned.name),
        fmt::format("make sure that no other machine runs with this node's key, then run: abgleich "
                    "adopt --peer {} --reason TEXT. Nothing was taken from it or sent",
                    peer_.pinned.name));
  }
  if (taken == Taken::absurd) {
    refuse("absurd");
    return false;
  }
  for (const auto& grant : manifest.grants) {
    if (std::ranges::find(next.channel.grants, grant.box) != next.channel.grants.end()) {
      next.keys[grant.box] = grant.key;
    }
  }
  Transaction transaction(*kept_);
  if (rows) {
    next.rows_in = keep_rows(reader, taken);
  }
  auto written = write_state(std::move(next));
  transaction.commit();
  state_ = std::move(written);
  if (rows) {
    outcome_.rows_in = outcome_.rows_in.value_or(0) + state_.rows_in;
  }
  if (unwanted) {
    refuse("not_accepted");
  }
  note(taken);
  return true;
}

std::uint64_t PeerChannel::keep_rows(exchange::BundleReader& reader, exchange::Taken taken) {
  using exchange::NotApplied;
  using What = exchange::Record::What;
  const auto tables = tables_of(reader.manifest());
  if (taken == exchange::Taken::whole) {
    kept_->begin_whole(tables);
  } else if (!kept_->has(tables)) {
    throw NotApplied(NotApplied::Why::malformed);
  }
  std::uint64_t rows = 0;
  reader.read([&](const exchange::Record& record) {
    ++rows;
    if (record.what == What::gone) {
      kept_->remove(record.table, record.cells);
    } else if (!kept_->put(record.table, record.cells)) {
      throw NotApplied(NotApplied::Why::malformed);  // the same key twice
    }
  });
  return rows;
}

void PeerChannel::note(exchange::Taken taken) {
  using exchange::Taken;
  const auto& name = peer_.pinned.name;
  switch (taken) {
    case Taken::gap:
      refuse("gap");
      break;
    case Taken::other_history:
      add_error(outcome_,
                {.code = Code::other_primary,
                 .message = "it was restored from an older copy; nothing of it is applied",
                 .hint = fmt::format("its people have to run: abgleich adopt --peer {} --reason "
                                     "TEXT (by the name that this node has there)",
                                     node_.card().name)});
      break;
    case Taken::another_writer:
      add_error(outcome_,
                {.code = Code::other_primary,
                 .message = "two nodes write with its key; nothing of the second is applied",
                 .hint = fmt::format("ask the people of '{}' which of its machines was cloned, and "
                                     "have them stop one",
                                     name)});
      break;
    case Taken::stale:
      outcome_.remarks.push_back(fmt::format(
          "a message of peer '{}' was older than what is known, and was removed", name));
      break;
    case Taken::news:
    case Taken::whole:
    case Taken::changes:
    case Taken::restored:
    case Taken::absurd:
      break;
  }
}

exchange::PeerState PeerChannel::write_state(exchange::PeerState state) {
  const auto has = [](const std::vector<Box>& boxes, const Box& box) {
    return std::ranges::find(boxes, box) != boxes.end();
  };
  std::erase_if(state.keys,
                [&](const auto& entry) { return !has(state.channel.grants, entry.first); });
  const auto secrets = kept_->grants();
  for (const auto& box : state.channel.open) {
    if (!secrets.contains(box)) {
      kept_->add_grant(box, exchange::sealed_grant(node_.seals(), box, seal::Identity::generate()));
    }
  }
  for (const auto& [box, secret] : secrets) {
    if (!has(state.channel.open, box)) {
      kept_->remove_grant(box);
    }
  }
  auto whole = state;
  whole.channel.segments.insert(whole.channel.segments.begin(), kept_back_.begin(),
                                kept_back_.end());
  written_ = exchange::peer_state_text(whole);
  kept_->keep_channel(written_);
  return state;
}

void PeerChannel::keep(exchange::PeerState state) {
  Transaction transaction(*kept_);
  auto written = write_state(std::move(state));
  transaction.commit();
  state_ = std::move(written);
}

void PeerChannel::ask_for_all() {
  auto next = state_;
  exchange::secondary_was_restored(next.channel, std::nullopt);
  keep(std::move(next));
}

void PeerChannel::note_rows(db::OutboxReader& outbox) {
  const auto run = outbox.epoch();
  auto layout = layout_of(outbox.tables());
  auto& out = state_.out;
  auto& channel = state_.channel;
  if (out.run > 0 && (layout != out.layout || !outbox.knows_since(out.run, out.hash) ||
                      !outbox.knows_since(since_of(state_)))) {
    exchange::everything_again(channel);
  }
  const auto before = out.run;
  const auto reading = run == before ? exchange::Reading::unchanged : exchange::Reading::changed;
  if (exchange::rows_were_read(channel, reading)) {
    out.since[channel.segments.back().number] = before;
  }
  out.run = run;
  out.hash = outbox.hash();
  out.layout = std::move(layout);
  std::erase_if(out.since, [&](const auto& entry) {
    return std::ranges::none_of(channel.segments, [&](const exchange::Segment& segment) {
      return segment.number == entry.first;
    });
  });
}

std::optional<db::OutboxReader> PeerChannel::open_outbox() const {
  std::error_code error;
  std::optional<db::OutboxReader> outbox;
  if (fs::exists(files_.outbox, error)) {
    outbox.emplace(files_.outbox);
    if (outbox->epoch() == 0) {
      outbox.reset();  // never filled: it would say that there are no rows
    }
  }
  return outbox;
}

void PeerChannel::send(Rows rows) {
  std::optional<db::OutboxReader> outbox;
  auto& channel = state_.channel;
  const auto waiting = channel.waiting_since;
  if (peer_.section.sends && rows == Rows::sent) {
    outbox = open_outbox();
  }
  if (outbox) {
    note_rows(*outbox);
  } else if (peer_.section.sends) {
    kept_back_ = std::exchange(channel.segments, {});
  } else if (!channel.segments.empty()) {
    exchange::everything_again(channel);  // nothing goes to it any more
    state_.out = {};
  }
  std::set<Box> present;
  for (const auto& box : channel.posted) {
    if (mailbox_.has(exchange::box_text(box))) {
      present.insert(box);
    }
  }
  const auto plan = exchange::plan(channel, present, now_,
                                   {.resend_after = config_.exchange.resend_after.count(),
                                    .heartbeat = config_.exchange.heartbeat.count()});
  if (plan.hello || plan.box) {
    mailbox_.remove_leftovers();
  }
  if (plan.hello) {
    write(std::nullopt, nullptr);
  }
  if (plan.box) {
    write(plan.box, outbox ? &*outbox : nullptr);
  }
  if (!kept_back_.empty()) {
    state_.channel.segments = std::exchange(kept_back_, {});
    state_.channel.waiting_since = waiting;
  }
  if (exchange::peer_state_text(state_) != written_) {
    keep(state_);
  }
}

exchange::Manifest PeerChannel::manifest_of(const std::optional<Box>& box,
                                            exchange::PeerState& next) {
  exchange::Manifest manifest{.from = node_.card().id,
                              .to = peer_.pinned.card.id,
                              .serial = node_.card().serial,
                              .box = box,
                              .message = exchange::compose(next.channel, box, now_, draw),
                              .sent = now_};
  next = write_state(std::move(next));  // new grants get their keys, which the message names
  for (const auto& grant : manifest.message.grants) {
    manifest.grants.push_back({.box = grant, .key = opens(grant).recipient()});
  }
  return manifest;
}

void PeerChannel::write(const std::optional<Box>& box, db::OutboxReader* outbox) {
  using Sent = exchange::Message::Rows;
  const auto& card = peer_.pinned.card;
  auto next = state_;
  const auto since = since_of(next);
  Transaction transaction(*kept_);
  auto manifest = manifest_of(box, next);
  const auto rows = manifest.message.rows;
  if (rows != Sent::none && outbox == nullptr) {
    throw Failure(Code::bug, "rows are to be sent that nobody has");
  }
  const bool whole = rows == Sent::whole;
  std::uint64_t count = 0;
  for (std::size_t i = 0; rows != Sent::none && i < outbox->tables().size(); ++i) {
    const auto counts = whole ? outbox->count_all(i) : outbox->count_changed(i, since);
    manifest.tables.push_back(sent_table(outbox->tables()[i], counts));
    count += counts.rows + counts.gone;
  }
  const auto name =
      box ? exchange::box_text(*box)
          : exchange::hello_name(node_.seals(), card.seals, node_.card().id, card.id, now_ / kDay)
                .value();
  exchange::Mailbox::NewFile file(mailbox_, name);
  exchange::BundleWriter writer(node_, box ? next.keys.at(*box) : card.seals, manifest,
                                [&](std::span<const std::uint8_t> bytes) { file.add(bytes); });
  for (std::size_t i = 0; i < manifest.tables.size(); ++i) {
    const auto on_row = [&](const std::vector<Value>& cells) { writer.add_row(i, cells); };
    const auto on_gone = [&](const std::vector<Value>& key) { writer.add_gone(i, key); };
    if (whole) {
      outbox->read_all(i, on_row);
    } else {
      outbox->read_changed(i, since, on_row, on_gone);
    }
  }
  writer.finish();
  if (rows != Sent::none) {
    next.rows_out = count;
    next = write_state(std::move(next));
  }
  // the state first: a message that nobody remembers would look like that of another node
  transaction.commit();
  state_ = std::move(next);
  file.finish();
  if (rows != Sent::none) {
    outcome_.rows_out = count;
  }
}

void PeerChannel::tell() {
  const auto& channel = state_.channel;
  outcome_.sent = channel.seq;
  outcome_.acknowledged = channel.acknowledged;
  outcome_.received = channel.last ? channel.last->seq : 0;
  if (channel.waiting_since) {
    outcome_.waiting = std::max<std::int64_t>(0, now_ - *channel.waiting_since);
  }
  if (exchange::is_silent(state_, now_, config_.exchange.overdue.count())) {
    const auto silent = now_ - exchange::silent_since(state_);
    report::add_error(
        outcome_,
        {.code = Code::overdue,
         .message = silent < 0
                        ? "when something was last heard of it is in the future, by this clock"
                        : fmt::format("nothing was heard of it for {}", report::span_text(silent)),
         .hint = "ask its people whether `abgleich sync` runs there, and whether both nodes use "
                 "the same mailbox"});
  }
}

}  // namespace abgleich::sync
