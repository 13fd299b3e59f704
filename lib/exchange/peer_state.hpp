// What this node keeps of one peer, beside the rows that it has sent: the channel, and what goes
// with it. One text, which changes in one step with the rows.
#pragma once

#include "exchange/channel.hpp"
#include "seal/age_key.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace abgleich::exchange {

/// What of the rows for this peer is in which segment of the channel.
struct Outgoing {
  std::int64_t run = 0;  // the number of the outbox's last run that a segment has; 0: none yet
  std::string hash;      // of that run: an outbox that was begun anew has another one
  std::string layout;    // its tables and columns then
  /// Of each segment that waits: it has what has changed since this run of the outbox.
  std::map<std::uint64_t, std::int64_t> since;

  bool operator==(const Outgoing&) const = default;
};

struct PeerState {
  Channel channel;
  std::map<BoxName, seal::Recipient> keys;  // of the peer's boxes that we may write into
  Outgoing out;
  Moment begun = 0;           // when the peer was first looked for
  std::uint64_t noise = 0;    // files in its boxes that it has not signed
  std::uint64_t rows_in = 0;  // of the last message from it that had rows
  std::uint64_t rows_out = 0;
};

std::string peer_state_text(const PeerState& state);
/// The inverse. Throws Failure{integrity} for another text.
PeerState parse_peer_state(std::string_view text);

/// Since when nothing was heard of the peer.
Moment silent_since(const PeerState& state);
/// Whether that is longer ago than `overdue` seconds, or in the future, as after a correction of
/// the clock.
bool is_silent(const PeerState& state, Moment now, Moment overdue);

}  // namespace abgleich::exchange
