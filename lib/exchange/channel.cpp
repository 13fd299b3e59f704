#include "exchange/channel.hpp"

#include <algorithm>
#include <utility>

namespace abgleich::exchange {

namespace {

constexpr std::uint64_t kYear = 366ULL * 86'400;
/// A hello is sent after this many times `resend_after` without an answer: the box may be gone.
constexpr Moment kBeforeHello = 2;

template <std::size_t size>
std::array<std::uint8_t, size> drawn(const Draw& draw) {
  std::array<std::uint8_t, size> bytes{};
  draw(bytes);
  return bytes;
}

void keep_last(std::map<std::uint64_t, MessageId>& ids) {
  while (ids.size() > kMostIds) {
    ids.erase(ids.begin());
  }
}

bool has(const std::map<std::uint64_t, MessageId>& ids, std::uint64_t seq, const MessageId& id) {
  const auto found = ids.find(seq);
  return found != ids.end() && found->second == id;
}

bool is_over(const std::optional<Moment>& since, Moment now, Moment time) {
  return !since || now < *since || now - *since >= time;
}

/// Whether the peer knows a message of ours that we do not know.
bool is_strange(const Channel& channel, const std::optional<Mark>& ours) {
  if (!ours || ours->line.number < channel.line.number) {
    return false;
  }
  if (ours->line != channel.line) {
    return true;
  }
  const auto found = channel.written.find(ours->seq);
  return ours->seq > channel.seq || (found != channel.written.end() && found->second != ours->id);
}

/// Whether the peer names a line of ours that is more than a year ahead of the clock: we cannot
/// have begun it. The number of our present line is always accepted.
bool is_absurd(const Channel& channel, const std::optional<Mark>& ours, Moment now) {
  const auto latest =
      std::max(channel.line.number, static_cast<std::uint64_t>(std::max<Moment>(now, 0)));
  return ours && ours->line.number > latest && ours->line.number - latest > kYear;
}

void open_another(Channel& channel, const Draw& draw) {
  channel.open.push_back(drawn<std::tuple_size_v<BoxName>>(draw));
}

void spend(Channel& channel, const BoxName& box, const Draw& draw) {
  if (std::erase(channel.open, box) > 0) {
    channel.used.push_back(box);
    if (channel.used.size() > kWatchedBoxes) {
      channel.used.erase(channel.used.begin());
    }
    open_another(channel, draw);
  }
}

/// Notes which of our rows the peer has applied.
void take_acknowledgement(Channel& channel, const std::optional<Mark>& applied) {
  if (!applied || applied->line != channel.line) {
    if (channel.acknowledged > 0) {
      everything_again(channel);  // the peer had more before: its secondary was restored
    }
    return;
  }
  if (applied->seq < channel.acknowledged) {
    everything_again(channel);
    return;
  }
  channel.acknowledged = applied->seq;
  std::erase_if(channel.segments, [&](const Segment& segment) {
    return segment.sent && *segment.sent <= applied->seq;
  });
  if (channel.whole && channel.whole_at && *channel.whole_at <= applied->seq) {
    channel.whole = false;
  }
}

void take_grants(Channel& channel, const Message& message) {
  const bool knows_us = message.seen && message.seen->line == channel.line &&
                        has(channel.written, message.seen->seq, message.seen->id);
  const auto offers = [&](const BoxName& box) {
    return std::ranges::count(message.grants, box) > 0;
  };
  if (knows_us) {
    channel.grants = message.grants;
  } else {
    // an old hello may offer boxes whose keys are destroyed, so boxes are only removed here
    std::erase_if(channel.grants, [&](const BoxName& box) { return !offers(box); });
    channel.owes_hello |= message.lacks_grants;
  }
  std::erase_if(channel.posted, [&](const BoxName& box) { return !offers(box); });
}

Taken take_rows(Channel& channel, const Message& message) {
  if (message.rows == Message::Rows::none) {
    return Taken::news;
  }
  channel.owes_answer = true;
  // The changes must continue a message that our secondary has applied. Otherwise, of two nodes
  // that were both restored, each could take the next message of the other as a continuation.
  const auto& applied = channel.applied;
  if (message.rows == Message::Rows::changes &&
      (!applied || applied->line != message.mark.line || message.from > applied->seq ||
       !has(message.trail, applied->seq, applied->id))) {
    return Taken::gap;
  }
  channel.applied = message.mark;
  return message.rows == Message::Rows::whole ? Taken::whole : Taken::changes;
}

/// For a message that is not newer than the last one.
Taken take_stale(Channel& channel, const Message& message, const std::optional<BoxName>& box) {
  channel.owes_answer |= box.has_value();
  channel.owes_hello = true;
  const bool could_be_known = message.mark.line == channel.last->line && !channel.known.empty() &&
                              message.mark.seq >= channel.known.begin()->first;
  return could_be_known && !has(channel.known, message.mark.seq, message.mark.id)
             ? Taken::another_writer
             : Taken::stale;
}

/// Whether a newer message does not continue the last one that we have read.
bool is_other_history(const Channel& channel, const Message& message) {
  const auto& last = *channel.last;
  if (message.mark.line != last.line) {
    return !message.line_is_new;
  }
  return !message.trail.empty() && message.trail.begin()->first <= last.seq &&
         !has(message.trail, last.seq, last.id);
}

/// Puts all waiting rows into the message, which supersedes those before.
void send_rows(Channel& channel, Message& message, const BoxName& box, Moment now) {
  channel.wrote = now;
  channel.posted.insert(box);
  channel.owes_answer = false;
  channel.was_asked = false;
  if (!channel.segments.empty()) {
    message.rows = channel.whole ? Message::Rows::whole : Message::Rows::changes;
    message.from = channel.acknowledged;
    for (auto& segment : channel.segments) {
      segment.sent = segment.sent.value_or(channel.seq);
    }
    if (channel.whole && !channel.whole_at) {
      channel.whole_at = channel.seq;
    }
  }
}

}  // namespace

Channel new_channel(const std::optional<Mark>& applied, const Draw& draw) {
  Channel channel{.line_is_new = applied.has_value(), .applied = applied};
  channel.line.random = drawn<8>(draw);
  // two: an answer that is not answered takes one, and the next rows need not wait for another
  open_another(channel, draw);
  open_another(channel, draw);
  return channel;
}

void secondary_was_restored(Channel& channel, const std::optional<Mark>& applied) {
  channel.applied = applied;
  channel.owes_answer = true;
  channel.owes_hello = true;
}

Taken take(Channel& channel, const Message& message, const std::optional<BoxName>& box, Moment now,
           const Draw& draw) {
  if (is_absurd(channel, message.seen, now) || is_absurd(channel, message.applied, now)) {
    return Taken::absurd;
  }
  if (is_strange(channel, message.seen) || is_strange(channel, message.applied)) {
    return Taken::restored;
  }
  if (box) {
    spend(channel, *box, draw);
  }
  if (channel.last && std::pair(message.mark.line, message.mark.seq) <=
                          std::pair(channel.last->line, channel.last->seq)) {
    return take_stale(channel, message, box);
  }
  if (channel.last && is_other_history(channel, message)) {
    channel.owes_answer = true;
    channel.owes_hello = true;
    return Taken::other_history;
  }
  if (message.seen && message.seen->line == channel.line) {
    channel.trail_from = message.seen->seq;
  }
  if (!channel.last || channel.last->line != message.mark.line) {
    channel.known.clear();
  }
  for (const auto& [seq, id] : message.trail) {
    channel.known[seq] = id;
  }
  keep_last(channel.known);
  channel.last = message.mark;
  channel.heard = now;
  take_acknowledgement(channel, message.applied);
  channel.owes_answer |= message.lacks_grants;
  take_grants(channel, message);
  return take_rows(channel, message);
}

void begin_line(Channel& channel, const Message& told, Moment now, const Draw& draw) {
  auto number = std::max<std::uint64_t>(channel.line.number,
                                        static_cast<std::uint64_t>(std::max<Moment>(now, 0)));
  for (const auto& ours : {told.seen, told.applied}) {
    if (ours) {
      number = std::max(number, ours->line.number);
    }
  }
  auto fresh = new_channel(channel.applied, draw);
  fresh.line.number = number + 1;
  fresh.line_is_new = true;
  fresh.next_segment = channel.next_segment;
  fresh.used = channel.used;
  fresh.owes_answer = true;
  fresh.owes_hello = true;
  channel = std::move(fresh);
}

void was_asked(Channel& channel) {
  channel.was_asked = true;
  channel.owes_hello = true;
}

void everything_again(Channel& channel) {
  channel.whole = true;
  channel.whole_at.reset();
  channel.segments.clear();
  // What the peer acknowledged no longer counts. An acknowledgement that is still on its way raises
  // this again, but does not end `whole`, since no message has had all rows yet. If this stayed, a
  // peer that says that it has applied less would bring us here again with every message.
  channel.acknowledged = 0;
}

bool rows_were_read(Channel& channel, Reading reading) {
  const bool fresh = reading == Reading::changed || (channel.whole && channel.segments.empty());
  if (!fresh) {
    return false;
  }
  if (channel.whole) {
    channel.segments.clear();
    channel.whole_at.reset();
  }
  channel.segments.push_back({.number = channel.next_segment++});
  return true;
}

Plan plan(Channel& channel, const std::set<BoxName>& present, Moment now,
          const Patience& patience) {
  Plan plan;
  const bool waits = !channel.segments.empty();
  if (!waits) {
    channel.waiting_since.reset();
  } else if (!channel.waiting_since) {
    channel.waiting_since = now;
    channel.heard = channel.heard.value_or(now);
  }
  const bool asks = waits && is_over(channel.waiting_since, now, patience.resend_after);
  const bool lacks = channel.grants.empty();
  const bool unheard = waits && is_over(channel.heard, now, kBeforeHello * patience.resend_after);
  // A peer that is well writes once in a heartbeat. One that does not may be writing into boxes
  // that are no longer watched, as we may: after a restore nobody need have rows that wait.
  const bool silent = is_over(channel.heard, now, patience.heartbeat + patience.resend_after);
  plan.hello = ((channel.owes_hello || lacks || unheard) &&
                is_over(channel.said_hello, now, patience.resend_after)) ||
               (silent && is_over(channel.said_hello, now, patience.heartbeat));
  const bool unsent =
      std::ranges::any_of(channel.segments, [](const Segment& segment) { return !segment.sent; });
  const bool writes = unsent || channel.owes_answer || asks ||
                      (channel.was_asked && is_over(channel.wrote, now, patience.resend_after)) ||
                      (waits && channel.posted.empty()) ||
                      is_over(channel.wrote, now, patience.heartbeat);
  if (writes && lacks) {
    channel.owes_answer = true;
  }
  if (writes && !lacks) {
    const auto free = std::ranges::find_if(channel.grants, [&](const BoxName& box) {
      return !channel.posted.contains(box) || present.contains(box);
    });
    plan.box = free != channel.grants.end() ? *free : channel.grants.back();
    if (asks) {
      channel.waiting_since = now;
    }
  }
  return plan;
}

Message compose(Channel& channel, const std::optional<BoxName>& box, Moment now, const Draw& draw) {
  ++channel.seq;
  Message message{.mark = {.line = channel.line,
                           .seq = channel.seq,
                           .id = drawn<std::tuple_size_v<MessageId>>(draw)},
                  .line_is_new = channel.line_is_new,
                  .seen = channel.last,
                  .applied = channel.applied,
                  .grants = channel.open,
                  .lacks_grants = channel.grants.empty()};
  channel.written[channel.seq] = message.mark.id;
  keep_last(channel.written);
  const auto from =
      channel.whole ? channel.trail_from : std::min(channel.trail_from, channel.acknowledged);
  message.trail.insert(channel.written.lower_bound(from), channel.written.end());
  if (!box) {
    channel.said_hello = now;
    channel.owes_hello = false;
  } else {
    send_rows(channel, message, *box, now);
  }
  if (!channel.whole && !channel.written.contains(channel.acknowledged)) {
    everything_again(channel);  // the peer could no longer check that changes continue what it has
  }
  return message;
}

}  // namespace abgleich::exchange
