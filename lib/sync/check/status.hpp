// The state of a pairing: its last run, and what is open.
#pragma once

#include "core/error.hpp"
#include "db/bookkeeping/books.hpp"
#include "drift/drift.hpp"
#include "sync/pairing.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace abgleich::sync {

struct Status {
  std::optional<db::HeadRow> head;  // empty before the first run
  std::optional<db::RunRow> last;
  std::int64_t age = 0;  // of the last run, in seconds
  std::vector<std::string> tables;
  std::int64_t conflicts = 0;
  std::int64_t quarantined = 0;
  std::int64_t rare = 0;              // of these, held back by min_k
  std::int64_t rare_still_there = 0;  // of those, rows that the secondary still has
  bool damaged = false;               // `verify` has found damage, and no run writes
  std::vector<drift::Event> drift;
  std::optional<Error> drift_unknown;  // why the primary could not be asked
  /// Why a run would be refused: another secondary, another primary or an older one, a standby that
  /// lags, another accepted catalogue, a contract that lets more leave. As far as this user has the
  /// rights to ask.
  std::optional<Error> refused;
};

/// Where the primary cannot be reached, drift is unknown and everything else is filled in.
Status status(const Pairing& pairing);

/// Accepts a restored or replaced primary or secondary: one run of kind "adopt" records the
/// databases as they are now. Returns the run's id; empty where the secondary has no history: then
/// the next sync begins one.
std::optional<std::string> adopt(const Pairing& pairing, const std::string& reason);

}  // namespace abgleich::sync
