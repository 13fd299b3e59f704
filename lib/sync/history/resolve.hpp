// Decides open conflicts (by id, of one table, or all) by taking a side or setting values.
#pragma once

#include "report/change.hpp"
#include "sync/pairing.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace abgleich::sync {

enum class Take : std::uint8_t { primary, secondary };

struct Resolution {
  std::vector<std::string> ids;  // whole ids or prefixes of at least four characters; empty: all
  std::string table;             // with all: only this table, by its name in the contract
  Take take = Take::secondary;
  bool take_said = true;  // `take` was given; beside `set` it is for the cells that are not set
  /// Values to set in columns of the secondary, instead of taking a side; no value: NULL. They
  /// count as the secondary's own edits.
  std::vector<std::pair<std::string, std::optional<std::string>>> set;
  std::string reason;
};

/// A conflict that could not be decided.
struct Left {
  std::string id;
  std::string why;                    // for people
  std::optional<report::Change> now;  // the row as it is now, where it has changed since
};

struct Resolved {
  std::optional<std::string> run;
  std::int64_t decided = 0;
  std::vector<Left> left;
  std::int64_t open = 0;  // conflicts that are open afterwards
};

/// Decides conflicts in one run of its own: data, base, journal and head together. A conflict whose
/// row has changed since it was found stays open and is listed in `left`. Throws Failure{usage} for
/// an id that is not open, with the nearest open one or the conflict that its row has now, and for
/// a value that its column cannot store.
Resolved resolve(const Pairing& pairing, const Resolution& resolution);

/// Calls `on_conflict` for every open conflict, in order of table and key.
void each_conflict(const Pairing& pairing,
                   const std::function<void(const report::Change&)>& on_conflict);

/// Calls `on_row` for every row that is held back.
void each_quarantined(const Pairing& pairing,
                      const std::function<void(const report::Change&)>& on_row);

}  // namespace abgleich::sync
