// What two nodes know of each other's messages, and what follows from one more. Pure: no file, no
// clock, no chance of its own; `tests/exchange/channel_test.cpp` plays it against a hostile relay.
//
// Every message holds all that was not acknowledged and supersedes those before it, so that loss,
// reordering and replay cost time only. A message lies in a box whose name and key its recipient
// has given away for one use (a grant), or, as a hello, in the one box that both can name without
// any. Who is restored from a copy is told so by what the other one remembers.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <vector>

namespace abgleich::exchange {

using MessageId = std::array<std::uint8_t, 16>;
using BoxName = std::array<std::uint8_t, 16>;

/// Which history of a node's messages: a later one has a greater number, and two that begin at the
/// same number, as copies of one node do, differ in the rest.
struct Line {
  std::uint64_t number = 1;
  std::array<std::uint8_t, 8> random{};

  bool operator==(const Line&) const = default;
  bool operator<(const Line& other) const {
    return std::tie(number, random) < std::tie(other.number, other.random);
  }
};

/// One message of a node.
struct Mark {
  Line line;
  std::uint64_t seq = 0;
  MessageId id{};

  bool operator==(const Mark&) const = default;
};

/// What a signed message says of the channel.
struct Message {
  enum class Rows : std::uint8_t { none, changes, whole };

  Mark mark;
  bool line_is_new = false;                  // a person has said so: everything is whole
  std::map<std::uint64_t, MessageId> trail;  // of its line, since what they know; with itself
  std::optional<Mark> seen;                  // the last of the reader's that its sender has read
  std::optional<Mark> applied;               // the last whose rows are in its sender's secondary
  std::vector<BoxName> grants;
  bool lacks_grants = false;
  Rows rows = Rows::none;
  std::uint64_t from = 0;  // changes: since this message of the line
};

/// Rows that wait to be acknowledged. Whole ones stand alone.
struct Segment {
  std::uint64_t number = 0;           // what the outbox calls it
  std::optional<std::uint64_t> sent;  // the first message that had it
};

/// Seconds of a clock. What lies in the future counts as long ago: clocks are put right.
using Moment = std::int64_t;

/// What one node keeps of one peer.
struct Channel {
  // what we have written
  Line line;
  std::uint64_t seq = 0;
  bool line_is_new = false;
  std::map<std::uint64_t, MessageId> written;  // of this line, the last 1,000
  std::uint64_t trail_from = 0;  // what they have told; written from here is the trail
  std::vector<Segment> segments;
  std::uint64_t next_segment = 1;
  bool whole = true;                      // the next rows are all of them
  std::optional<std::uint64_t> whole_at;  // the message that first had them
  std::uint64_t acknowledged = 0;

  // what we know of them
  std::optional<Mark> last;
  std::map<std::uint64_t, MessageId> known;  // of their line, out of trails
  std::optional<Mark> applied;               // as our secondary has it
  std::vector<BoxName> grants;               // theirs, to write into
  std::set<BoxName> posted;                  // of these, those that we have written into

  // what they know of us
  std::vector<BoxName> open;  // our grants
  std::vector<BoxName> used;  // the last two; a message there is a question

  // what is owed, and when it was last done
  bool owes_answer = false;
  bool owes_hello = false;
  bool was_asked = false;
  std::optional<Moment> waiting_since;  // for rows to be acknowledged
  std::optional<Moment> heard;
  std::optional<Moment> wrote;
  std::optional<Moment> said_hello;
};

/// Fills the span with random bytes.
using Draw = std::function<void(std::span<std::uint8_t>)>;

struct Patience {
  Moment resend_after = 3'600;
  Moment heartbeat = 86'400;
};

/// A channel of which nothing is known but what the secondary has.
Channel new_channel(const std::optional<Mark>& applied, const Draw& draw);

/// What the secondary has of this peer is not what was last applied: it was restored (22). The peer
/// hears of it.
void secondary_was_restored(Channel& channel, const std::optional<Mark>& applied);

enum class Taken : std::uint8_t {
  news,            // no rows
  whole,           // all rows of the peer are these
  changes,         // these rows are other ones now
  gap,             // changes that do not begin where we are; what we answer brings the rest
  stale,           // superseded: replayed, or its sender was restored
  another_writer,  // one of the line that nobody has told us of: two write with this key (21)
  other_history,   // not a sequel of what we have read: its sender was restored (21)
  restored,        // they know messages of ours that we do not: we were restored (22)
  absurd,          // a line of ours in the far future
};

/// Takes in a message that was opened and verified. `box` is the grant that it was sealed to; none:
/// a hello. With `restored` and `absurd` nothing has changed; `restored` waits for `begin_line`,
/// and the same message then. With `whole` and `changes` the rows go into the secondary in one
/// transaction with `applied`, and this state is kept only if that succeeds.
Taken take(Channel& channel, const Message& message, const std::optional<BoxName>& box, Moment now,
           const Draw& draw);

/// Goes on as a node that was restored, once a person has said so: all that was written before is
/// void, and everything is sent whole. `told` is the message that showed it.
void begin_line(Channel& channel, const Message& told, Moment now, const Draw& draw);

/// A file lay in a used box: somebody asks.
void was_asked(Channel& channel);

/// Whether the primary has other rows than were read last.
enum class Reading : std::uint8_t { unchanged, changed };

/// Returns whether the outbox has to make a segment, the last of `segments`: of all rows, in the
/// place of all that waits, where `whole` is set; otherwise of what has changed.
bool rows_were_read(Channel& channel, Reading reading);

/// What is to be written now.
struct Plan {
  bool hello = false;
  std::optional<BoxName> box;  // a message with all that waits
};

/// `present`: the boxes of `posted` in which our file still lies.
Plan plan(Channel& channel, const std::set<BoxName>& present, Moment now, const Patience& patience);

/// The next message; it is kept before it is written. `box`: none for a hello, which has no rows.
Message compose(Channel& channel, const std::optional<BoxName>& box, Moment now, const Draw& draw);

}  // namespace abgleich::exchange
