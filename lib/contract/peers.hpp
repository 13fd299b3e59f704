// The peers in the configuration: what each of them gets of the primary, what is taken from it, and
// in which mailbox the two meet. The sections [exchange] and [peers.…].
#pragma once

#include "contract/document.hpp"
#include "core/condition.hpp"

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::contract {

/// One value of a column, or all texts that begin with it ("084*").
struct TakenValue {
  Literal value;
  bool begins = false;
};

/// Which rows a peer gets of the tables with `route`: by the column's name in the primary.
using Takes = std::map<std::string, std::vector<TakenValue>, std::less<>>;

/// [peers.PATTERN]: `sends` or `accepts` or both, and a mailbox here or in `Exchange`.
struct PeerSection {
  std::string pattern;  // a peer's name; '*' stands for any characters, also for none
  std::optional<std::filesystem::path> sends;    // a contract: what the peer gets of the primary
  Takes takes;                                   // of that, by the columns that it is routed by
  std::optional<std::filesystem::path> accepts;  // a contract: what is taken into the secondary
  std::optional<std::filesystem::path> mailbox;  // in place of that of all peers
  Place place;
};

struct Exchange {
  std::filesystem::path mailbox;  // the directory of peers that have none of their own; empty: none
  /// For how long an answer is waited for before it is asked for again.
  std::chrono::seconds resend_after{3'600};
  /// How often a peer is written to if there is nothing to send. Not longer than `overdue`.
  std::chrono::seconds heartbeat{86'400};
  /// A peer from which nothing came for longer than this counts as overdue.
  std::chrono::seconds overdue{172'800};
  std::vector<PeerSection> peers;  // in the order in which they are written
};

/// The section for the peer of this name: that of exactly this name, else the one whose pattern has
/// the most characters that are not '*'; of several the one with fewer '*', and of these the first.
/// nullptr: none fits. It belongs to `exchange`.
const PeerSection* section_of(const Exchange& exchange, std::string_view peer);

/// `section` is [exchange], whose keys are known already; `peers` is the member with all of
/// [peers.…], nullptr where there is none. Throws Failure{configuration} with place and what to
/// write instead.
Exchange exchange_of(const Node& section, const Member* peers);

/// "[peers.ga-north]", or with quotes where TOML asks for them: "[peers.\"ga-*\"]".
std::string header_of(const PeerSection& section);

}  // namespace abgleich::contract
