// What two nodes know of each other's messages, and what follows from the next one. Pure: no file,
// no clock, no random numbers of its own; `tests/exchange/channel_test.cpp` runs it against a
// hostile relay.
//
// Every message holds everything that was not acknowledged and supersedes those before it, so that
// lost, reordered and replayed messages only cost time. A message is put into a box whose name and
// key its recipient has given away for one use (a grant). A hello is put into the one box that both
// nodes can name without a grant. A node that was restored from a copy learns that from what its
// peer remembers.
#pragma once

#include <array>
#include <cstddef>
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

/// How many ids of messages are kept, of ours and of the peer's.
inline constexpr std::size_t kMostIds = 1000;
/// How many used boxes are watched.
inline constexpr std::size_t kWatchedBoxes = 2;

/// One history of a node's messages. A later line has a greater number. Two lines that begin at the
/// same number, as those of two copies of a node do, differ in `random`.
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
  bool line_is_new = false;                  // begun on the word of a person: all rows are sent
  std::map<std::uint64_t, MessageId> trail;  // of its line, since those that the reader knows
  std::optional<Mark> seen;                  // the reader's last message that the sender has read
  std::optional<Mark> applied;               // of them, the last whose rows the sender has applied
  std::vector<BoxName> grants;
  bool lacks_grants = false;
  Rows rows = Rows::none;
  std::uint64_t from = 0;  // of changes: since this message of the line
};

/// Rows that wait to be acknowledged. A segment with all rows is the only one.
struct Segment {
  std::uint64_t number = 0;           // what the outbox calls it
  std::optional<std::uint64_t> sent;  // the first message that had it

  bool operator==(const Segment&) const = default;
};

/// Seconds of a clock. A time in the future counts as long ago, since clocks are corrected.
using Moment = std::int64_t;

/// What one node keeps of one peer. `channel_text.hpp` has its form on disk.
struct Channel {
  // what we have written
  Line line;
  std::uint64_t seq = 0;
  bool line_is_new = false;
  std::map<std::uint64_t, MessageId> written;  // of this line, the last kMostIds
  std::uint64_t trail_from = 0;  // the trail begins here: our last message that the peer has named
  std::vector<Segment> segments;
  std::uint64_t next_segment = 1;
  bool whole = true;                      // the next segment has all rows
  std::optional<std::uint64_t> whole_at;  // the message that first had them
  std::uint64_t acknowledged = 0;

  // what we know of the peer
  std::optional<Mark> last;
  std::map<std::uint64_t, MessageId> known;  // of the peer's line, taken from trails
  std::optional<Mark> applied;               // in our secondary
  std::vector<BoxName> grants;               // boxes of the peer that we may write into
  std::set<BoxName> posted;                  // of these, those that we have written into

  // what the peer knows of us
  std::vector<BoxName> open;  // boxes that we have granted
  std::vector<BoxName> used;  // the last used ones; a message there asks for an answer

  // what is owed, and when it was last done
  bool owes_answer = false;
  bool owes_hello = false;
  bool was_asked = false;
  std::optional<Moment> waiting_since;  // for rows to be acknowledged
  std::optional<Moment> heard;
  std::optional<Moment> wrote;
  std::optional<Moment> said_hello;

  bool operator==(const Channel&) const = default;
};

/// Fills the span with random bytes.
using Draw = std::function<void(std::span<std::uint8_t>)>;

struct Patience {
  Moment resend_after = 3'600;
  Moment heartbeat = 86'400;
};

/// A channel to a peer of which nothing is known but what our secondary has applied.
Channel new_channel(const std::optional<Mark>& applied, const Draw& draw);

/// To be called where the secondary does not have what was last applied from this peer: it was
/// restored (22). The next message tells the peer.
void secondary_was_restored(Channel& channel, const std::optional<Mark>& applied);

enum class Taken : std::uint8_t {
  news,            // no rows
  whole,           // these are all rows of the peer
  changes,         // these rows have changed
  gap,             // changes that do not continue ours; our answer makes the peer send the rest
  stale,           // superseded: replayed, or its sender was restored
  another_writer,  // unknown message of a known line: two nodes write with this key (21)
  other_history,   // does not continue what we have read: its sender was restored (21)
  restored,        // the peer knows messages of ours that we do not: we were restored (22)
  absurd,          // names a line of ours in the far future
};

/// Takes in a message that was opened and verified. `box` is the grant that it was sealed to; none:
/// a hello. `restored` and `absurd` change nothing. After `restored` and a call of `begin_line`,
/// the same message is to be taken again. After `whole` and `changes`, the rows go into the
/// secondary in one transaction with `applied`, and this state is kept only if that succeeds.
Taken take(Channel& channel, const Message& message, const std::optional<BoxName>& box, Moment now,
           const Draw& draw);

/// Begins a new line after this node was restored and a person has said so: everything that was
/// written before is void, and all rows are sent. `told` is the message that showed it.
void begin_line(Channel& channel, const Message& told, Moment now, const Draw& draw);

/// To be called where a file lies in a used box: the peer asks for an answer.
void was_asked(Channel& channel);

/// The next message with rows has all of them. To be called where the outbox can no longer tell
/// what has changed, or has other tables or columns. The next `rows_were_read` asks for the
/// segment.
void everything_again(Channel& channel);

/// Whether the primary has other rows than were read last.
enum class Reading : std::uint8_t { unchanged, changed };

/// Returns whether the outbox has to make a segment, the last of `segments`. Where `whole` is set,
/// it has all rows and replaces everything that waits; otherwise it has what has changed.
bool rows_were_read(Channel& channel, Reading reading);

/// What is to be written now.
struct Plan {
  bool hello = false;
  std::optional<BoxName> box;  // for a message with all waiting rows; empty: none
};

/// `present`: the boxes of `posted` in which our file still lies.
Plan plan(Channel& channel, const std::set<BoxName>& present, Moment now, const Patience& patience);

/// The next message. The caller keeps it and the channel before it writes the message. `box`: none
/// for a hello, which has no rows.
Message compose(Channel& channel, const std::optional<BoxName>& box, Moment now, const Draw& draw);

}  // namespace abgleich::exchange
