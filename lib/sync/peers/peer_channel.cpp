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
#include <fstream>
#include <memory>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace abgleich::sync {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kDay = 86'400;
constexpr std::uint64_t kMostHello = std::uint64_t{1} << 20U;
constexpr std::uint64_t kMostBundle = std::uint64_t{1} << 36U;
/// A file that is not whole after this time never will be: not every network file system renames in
/// one step.
constexpr std::chrono::minutes kHalfWritten{10};

void draw(std::span<std::uint8_t> bytes) {
  randombytes_buf(bytes.data(), bytes.size());
}

/// The file from its start.
seal::Feed feed_of(const fs::path& file) {
  const auto stream = std::make_shared<std::ifstream>(file, std::ios::binary);  // copied by Feed
  return [stream](std::span<std::uint8_t> to) {
    stream->read(reinterpret_cast<char*>(to.data()), static_cast<std::streamsize>(to.size()));
    return static_cast<std::size_t>(stream->gcount());
  };
}

/// The copy of a file that is being read; nothing of it stays.
class Copy {
 public:
  explicit Copy(const fs::path& directory) : file_(directory / "incoming") { remove(); }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;
  ~Copy() { remove(); }

  [[nodiscard]] const fs::path& file() const { return file_; }

 private:
  void remove() const {
    std::error_code harmless;
    fs::remove(file_, harmless);
  }

  fs::path file_;
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

/// The lock of the peer's directory, which is made where it is missing.
std::optional<state::StateLock> lock_of(const fs::path& directory) {
  const auto all = directory.parent_path();
  make_private(all.parent_path());
  make_private(all);
  return std::optional<state::StateLock>(directory);
}

}  // namespace

PeerChannel::PeerChannel(const contract::Config& config, const exchange::Node& node,
                         const KnownPeer& peer, report::PeerOutcome& outcome)
    : config_(config),
      node_(node),
      peer_(peer),
      outcome_(outcome),
      files_(config, peer.pinned.name),
      lock_(lock_of(files_.directory)),
      kept_(db::PeerDatabase::open(files_.channel)),
      mailbox_(peer.section.mailbox.value_or(config.exchange.mailbox)),
      now_(now_seconds()) {
  if (const auto text = kept_->channel()) {
    state_ = exchange::parse_peer_state(*text);
  } else {
    state_.channel = exchange::new_channel(std::nullopt, draw);
    state_.begun = now_;
  }
}

void PeerChannel::fetch(Restored restored) {
  restored_ = restored;
  mailbox_.expect_usable();
  mailbox_.remove_leftovers();
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
  auto next = state_;
  bool asked = false;
  for (const auto& box : state_.channel.used) {
    const auto name = exchange::box_text(box);
    // what was taken in this run lay there until a moment ago
    if (mailbox_.has(name) && std::ranges::find(open, box) == open.end()) {
      exchange::was_asked(next.channel);
      mailbox_.remove(name);
      asked = true;
    }
  }
  if (asked) {
    kept_->begin();
    keep(next);
    kept_->commit();
  }
}

void PeerChannel::refuse(std::string_view reason) {
  outcome_.refused.push_back({.reason = std::string(reason)});
  outcome_.code = severer(outcome_.code, Code::bundle_refused);
}

void PeerChannel::take_noise(const std::string& name) {
  auto next = state_;
  ++next.noise;
  kept_->begin();
  keep(next);
  kept_->commit();
  mailbox_.remove(name);
}

void PeerChannel::take_file(const std::string& name, const std::optional<Box>& box) {
  using Fetched = exchange::Mailbox::Fetched::What;
  const Copy copy(files_.directory);
  const auto fetched = mailbox_.fetch(name, box ? kMostBundle : kMostHello, copy.file());
  if (fetched.what == Fetched::nothing) {
    return;
  }
  if (fetched.what == Fetched::too_large) {
    take_noise(name);
    return;
  }
  std::optional<seal::Identity> grant;
  if (box) {
    const auto sealed = kept_->grants();
    const auto found = sealed.find(*box);
    grant = found == sealed.end() ? std::nullopt
                                  : exchange::opened_grant(node_.seals(), *box, found->second);
    if (!grant) {
      throw Failure(Code::key_or_trust,
                    fmt::format("what was kept of peer '{}' was made with another node key",
                                peer_.pinned.name),
                    "put the node's own key back, or move the peer's directory away: " +
                        files_.directory.string());
    }
  }
  try {
    exchange::BundleReader reader(box ? *grant : node_.seals(), peer_.pinned.card, node_.card().id,
                                  box, [&] { return feed_of(copy.file()); });
    if (take_message(reader, box)) {
      mailbox_.remove(name);
    }
  } catch (const db::Unstorable&) {
    kept_->rollback();
    refuse(exchange::name_of(exchange::NotApplied::Why::malformed));
  } catch (const exchange::NotApplied& refused) {
    kept_->rollback();
    if (refused.why() != exchange::NotApplied::Why::altered) {
      refuse(exchange::name_of(refused.why()));
    } else if (fetched.age >= kHalfWritten) {
      take_noise(name);
    }
  }
}

bool PeerChannel::take_message(exchange::BundleReader& reader, const std::optional<Box>& box) {
  using exchange::Taken;
  const auto& manifest = reader.manifest();
  auto next = state_;
  auto taken = exchange::take(next.channel, manifest.message, box, now_, draw);
  if (taken == Taken::restored && restored_ == Restored::begins_anew) {
    exchange::begin_line(next.channel, manifest.message, now_, draw);
    next.out.since.clear();
    taken = exchange::take(next.channel, manifest.message, box, now_, draw);
  }
  const bool rows = taken == Taken::whole || taken == Taken::changes;
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
  if (rows && !peer_.section.accepts) {
    refuse("not_accepted");
    return false;
  }
  for (const auto& grant : manifest.grants) {
    if (std::ranges::find(next.channel.grants, grant.box) != next.channel.grants.end()) {
      next.keys[grant.box] = grant.key;
    }
  }
  kept_->begin();
  if (rows) {
    keep_rows(reader, taken);
    next.rows_in = outcome_.rows_in.value_or(0);
  } else {
    reader.read([](const exchange::Record& /*not needed*/) {});  // it is whole, at the end
  }
  keep(next);
  kept_->commit();
  note(taken);
  return true;
}

void PeerChannel::keep_rows(exchange::BundleReader& reader, exchange::Taken taken) {
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
  outcome_.rows_in = outcome_.rows_in.value_or(0) + rows;
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

void PeerChannel::keep(const exchange::PeerState& state) {
  auto kept = state;
  std::erase_if(kept.keys, [&](const auto& entry) {
    return std::ranges::find(kept.channel.grants, entry.first) == kept.channel.grants.end();
  });
  const auto secrets = kept_->grants();
  for (const auto& box : kept.channel.open) {
    if (!secrets.contains(box)) {
      kept_->add_grant(box, exchange::sealed_grant(node_.seals(), box, seal::Identity::generate()));
    }
  }
  for (const auto& [box, secret] : secrets) {
    if (std::ranges::find(kept.channel.open, box) == kept.channel.open.end()) {
      kept_->remove_grant(box);
    }
  }
  kept_->keep_channel(exchange::peer_state_text(kept));
  state_ = std::move(kept);
}

void PeerChannel::note_rows(db::OutboxReader& outbox) {
  const auto run = outbox.epoch();
  if (run == 0) {
    return;  // never filled: all rows of it would be none
  }
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

void PeerChannel::send() {
  std::optional<db::OutboxReader> outbox;
  if (peer_.section.sends && fs::exists(files_.outbox)) {
    outbox.emplace(files_.outbox);
    note_rows(*outbox);
  }
  std::set<Box> present;
  for (const auto& box : state_.channel.posted) {
    if (mailbox_.has(exchange::box_text(box))) {
      present.insert(box);
    }
  }
  const auto plan = exchange::plan(state_.channel, present, now_,
                                   {.resend_after = config_.exchange.resend_after.count(),
                                    .heartbeat = config_.exchange.heartbeat.count()});
  if (plan.hello) {
    write(std::nullopt, nullptr);
  }
  if (plan.box) {
    write(plan.box, outbox ? &*outbox : nullptr);
  }
  kept_->begin();
  keep(state_);
  kept_->commit();
}

void PeerChannel::write(const std::optional<Box>& box, db::OutboxReader* outbox) {
  using Rows = exchange::Message::Rows;
  const auto& card = peer_.pinned.card;
  const auto& ours = node_.card();
  auto next = state_;
  const auto since = since_of(next);
  exchange::Manifest manifest{.from = ours.id,
                              .to = card.id,
                              .serial = ours.serial,
                              .box = box,
                              .message = exchange::compose(next.channel, box, now_, draw),
                              .sent = now_};
  const auto rows = manifest.message.rows;
  if (rows != Rows::none && outbox == nullptr) {
    throw Failure(Code::bug, "rows are to be sent that nobody has");
  }
  kept_->begin();
  keep(next);  // new grants get their keys, which the message names
  const auto secrets = kept_->grants();
  for (const auto& grant : manifest.message.grants) {
    const auto secret = exchange::opened_grant(node_.seals(), grant, secrets.at(grant));
    if (!secret) {
      throw Failure(Code::key_or_trust, "a grant was made with another node key");
    }
    manifest.grants.push_back({.box = grant, .key = secret->recipient()});
  }
  const bool whole = rows == Rows::whole;
  std::uint64_t count = 0;
  for (std::size_t i = 0; rows != Rows::none && i < outbox->tables().size(); ++i) {
    const auto counts = whole ? outbox->count_all(i) : outbox->count_changed(i, since);
    manifest.tables.push_back(sent_table(outbox->tables()[i], counts));
    count += counts.rows + counts.gone;
  }
  const auto day = now_ / kDay;
  const auto name =
      box ? exchange::box_text(*box)
          : exchange::hello_name(node_.seals(), card.seals, ours.id, card.id, day).value();
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
  if (rows != Rows::none) {
    state_.rows_out = count;
    outcome_.rows_out = count;
    keep(state_);
  }
  // the state first: a message that nobody remembers would look like that of another node
  kept_->commit();
  file.finish();
}

void PeerChannel::tell() {
  const auto& channel = state_.channel;
  outcome_.sent = channel.seq;
  outcome_.acknowledged = channel.acknowledged;
  outcome_.received = channel.last ? channel.last->seq : 0;
  if (channel.waiting_since) {
    outcome_.waiting = std::max<std::int64_t>(0, now_ - *channel.waiting_since);
  }
  const auto silent = now_ - exchange::silent_since(state_);
  if (silent > config_.exchange.overdue.count()) {
    add_error(outcome_,
              {.code = Code::overdue,
               .message = fmt::format("nothing was heard of it for {}", report::span_text(silent)),
               .hint = "ask its people whether `abgleich sync` runs there, and whether "
                       "both nodes use the same mailbox"});
  }
}

}  // namespace abgleich::sync
