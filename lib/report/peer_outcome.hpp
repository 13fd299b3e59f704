// What one run has exchanged with peers: plain data for the printers.
#pragma once

#include "core/error.hpp"
#include "report/change.hpp"
#include "report/text.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace abgleich::report {

/// What of a peer was not applied, by a fixed word.
struct Refusal {
  std::string reason;
  std::int64_t rows = 0;
};

/// Rows of the primary that no peer gets.
struct Unrouted {
  std::string table;
  std::string column;  // that the table is routed by, or that says what a row follows
  bool follows = false;
  std::int64_t by_none = 0;  // rows that no peer takes, or that follow one which no peer gets
  std::int64_t by_many = 0;  // rows that several peers take

  bool operator==(const Unrouted&) const = default;
};

struct PeerOutcome {
  std::string peer;
  Code code = Code::done;        // the severest of everything below
  std::vector<Error> errors;     // what kept rows from coming or going
  std::optional<Outcome> from;   // the run that brought its rows into the secondary
  std::optional<Outcome> to;     // the run that found out what it gets
  std::vector<Refusal> refused;  // bundles, of which nothing was applied
  std::vector<std::string> remarks;
  bool begun_anew = false;  // after this node was restored: the peer gets all rows again

  // numbers of messages, which only grow
  std::uint64_t sent = 0;
  std::uint64_t acknowledged = 0;  // of those sent, the last whose rows the peer has
  std::uint64_t received = 0;
  // rows of the messages of this run
  std::optional<std::uint64_t> rows_in;
  std::optional<std::uint64_t> rows_out;
  std::optional<std::int64_t> waiting;  // seconds since rows wait for the peer's acknowledgement
};

/// One run of `sync` with peers.
struct Exchanged {
  std::optional<Outcome> paired;  // of primary and secondary; empty: they are not paired
  std::optional<Error> failed;    // why that run failed
  std::optional<Error> no_peers;  // why no peer was served: this node's key, a card
  std::vector<PeerOutcome> peers;
  std::vector<Unrouted> unrouted;
  std::optional<Error> uncounted;  // why these rows could not be counted
};

/// Counts this error, and the code of whatever else is said, for the peer.
void add_error(PeerOutcome& outcome, Error error);

/// The run as a whole, as metrics and mail report it: the severest code, and the error of the first
/// peer that has one where nothing else failed.
Outcome summary_of(const Exchanged& exchanged);

/// How many there are and why, and what to do.
std::string text_of(const Unrouted& rows);
/// What came, what went, and what the runs did; without the errors.
std::string text_of(const PeerOutcome& outcome, Colour colour);
/// Whether there is anything in it that a person may want to read.
bool has_news(const PeerOutcome& outcome);
/// The line of `sync --json`: that of the summary, and the peers.
std::string json_line(const Exchanged& exchanged, const Outcome& summary);

}  // namespace abgleich::report
