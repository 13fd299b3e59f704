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
#include <map>
#include <optional>
#include <string>

namespace abgleich::sync {

class PeerChannel {
 public:
  /// What happens where the peer knows messages of ours that we do not know: this node was restored
  /// from a copy.
  enum class Restored : std::uint8_t { refuses, begins_anew };

  /// Locks the peer's directory, which is made if it does not exist. What is exchanged is noted in
  /// `outcome`. All arguments must outlive this. Throws Failure{locked, integrity, configuration}.
  PeerChannel(const contract::Config& config, const exchange::Node& node, const KnownPeer& peer,
              report::PeerOutcome& outcome);

  /// Takes in everything that the peer has put into its boxes. What cannot be applied is noted.
  /// Throws Failure where the mailbox cannot be reached, or this node was restored: then nothing
  /// may be sent.
  void fetch(Restored restored = Restored::refuses);

  /// Writes what is due: a message with the rows of the outbox that the peer does not have, an
  /// answer, a hello. Throws Failure where the mailbox cannot be written.
  void send();

  /// Whether the peer has sent rows at any time.
  [[nodiscard]] bool has_rows() const { return state_.channel.applied.has_value(); }

  /// Notes how far both are, and whether the peer is silent.
  void tell();

 private:
  using Box = exchange::BoxName;

  void take_file(const std::string& name, const std::optional<Box>& box);
  /// Whether the file is done with, and to be removed.
  [[nodiscard]] bool take_message(exchange::BundleReader& reader, const std::optional<Box>& box);
  void keep_rows(exchange::BundleReader& reader, exchange::Taken taken);
  void take_noise(const std::string& name);
  void refuse(std::string_view reason);
  void note(exchange::Taken taken);
  void note_rows(db::OutboxReader& outbox);
  void write(const std::optional<Box>& box, db::OutboxReader* outbox);
  /// Keeps this state: its new grants get keys, those that are over lose theirs. REQUIRES: a
  /// transaction of `kept_` is open.
  void keep(const exchange::PeerState& state);

  const contract::Config& config_;
  const exchange::Node& node_;
  const KnownPeer& peer_;
  report::PeerOutcome& outcome_;
  PeerFiles files_;
  std::optional<state::StateLock> lock_;
  std::optional<db::PeerDatabase> kept_;
  exchange::Mailbox mailbox_;
  exchange::Moment now_;
  Restored restored_ = Restored::refuses;
  exchange::PeerState state_;
};

}  // namespace abgleich::sync
