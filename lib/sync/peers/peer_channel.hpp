// The messages to and from one peer: what lies in its boxes is opened, checked and kept, and what
// it is to get is written into its boxes. What follows from a message is decided by
// exchange/channel.hpp. State and rows are kept in one transaction (db::PeerDatabase).
#pragma once

#include "contract/config.hpp"
#include "db/peer/outbox_reader.hpp"
#include "db/peer/peer_database.hpp"
#include "exchange/bundle_reader.hpp"
#include "exchange/mailbox.hpp"
#include "exchange/node.hpp"
#include "exchange/peer_state.hpp"
#include "report/peer_outcome.hpp"
#include "state/anchor.hpp"
#include "sync/peers/peer_pairing.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::sync {

class PeerChannel {
 public:
  /// What happens where the peer knows messages of ours that we do not know: this node was restored
  /// from a copy.
  enum class Restored : std::uint8_t { refuses, begins_anew };

  /// Whether rows may be sent now: only if it is certain that they may still leave.
  enum class Rows : std::uint8_t { sent, kept_back };

  /// Makes the peer's directory if it does not exist. What is exchanged is noted in `outcome`. All
  /// arguments must outlive this. REQUIRES: the exchange is locked (`lock_exchange`). Throws
  /// Failure{integrity, configuration, try_again}.
  PeerChannel(const contract::Config& config, const exchange::Node& node, const KnownPeer& peer,
              report::PeerOutcome& outcome);

  /// Takes in everything that the peer has put into its boxes. What cannot be applied is noted.
  /// Throws Failure where the mailbox cannot be reached, or this node was restored: then nothing
  /// may be sent.
  void fetch(Restored restored = Restored::refuses);

  /// Writes what is due: a message with the rows of the outbox that the peer does not have, an
  /// answer, a hello. Throws Failure where the mailbox cannot be written.
  void send(Rows rows);

  /// Asks the peer for all of its rows, since those that are here may be older than what the
  /// secondary has. Until they come, `has_rows` is false.
  void ask_for_all();

  /// Whether the peer has sent rows at any time.
  [[nodiscard]] bool has_rows() const { return state_.channel.applied.has_value(); }

  /// Notes how far both are, and whether the peer is silent.
  void tell();

 private:
  using Box = exchange::BoxName;

  void take_file(const std::string& name, const std::optional<Box>& box);
  /// Whether the file is done with, and to be removed.
  [[nodiscard]] bool take_message(exchange::BundleReader& reader, const std::optional<Box>& box);
  [[nodiscard]] std::uint64_t keep_rows(exchange::BundleReader& reader, exchange::Taken taken);
  void take_noise(const std::string& name);
  /// The secret key of an open grant.
  [[nodiscard]] seal::Identity opens(const Box& box);
  void refuse(std::string_view reason);
  void note(exchange::Taken taken);
  /// Empty: there is none, or no run has filled it.
  [[nodiscard]] std::optional<db::OutboxReader> open_outbox() const;
  void note_rows(db::OutboxReader& outbox);
  void write(const std::optional<Box>& box, db::OutboxReader* outbox);
  [[nodiscard]] exchange::Manifest manifest_of(const std::optional<Box>& box,
                                               exchange::PeerState& next);
  /// Writes this state: its new grants get keys, those that are over lose theirs. Returns it as it
  /// was written, which counts from the commit on. REQUIRES: a transaction of `kept_` is open.
  [[nodiscard]] exchange::PeerState write_state(exchange::PeerState state);
  /// The same in a transaction of its own.
  void keep(exchange::PeerState state);

  const contract::Config& config_;
  const exchange::Node& node_;
  const KnownPeer& peer_;
  report::PeerOutcome& outcome_;
  PeerFiles files_;
  std::optional<db::PeerDatabase> kept_;
  exchange::Mailbox mailbox_;
  exchange::Moment now_;
  Restored restored_ = Restored::refuses;
  exchange::PeerState state_;
  std::string written_;  // the text of the state in the transaction that wrote it last
  std::vector<exchange::Segment> kept_back_;  // what waits, while it may not be sent
};

/// One exchange at a time, with whichever peers. Throws Failure{locked, configuration}.
[[nodiscard]] state::StateLock lock_exchange(const contract::Config& config);

}  // namespace abgleich::sync
