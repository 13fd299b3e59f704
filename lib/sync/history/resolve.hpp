// Decides open conflicts (by id, of one table, all, or those of a file of decisions) by taking a
// side or setting values.
#pragma once

#include "journal/decisions.hpp"
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
  /// From a file, each with its own side; then nothing of the above but `reason` is given, and
  /// `pairing` is the mark of the pairing that they are for.
  std::vector<journal::Decision> decisions{};
  std::string pairing{};
};

/// A conflict that could not be decided.
struct Left {
  std::string id;
  std::string why;                    // for people
  std::optional<report::Change> now;  // the row as it is now, where it has changed since
  std::int64_t line = 0;              // of the file of decisions; 0: there is none
  bool open = true;                   // false: no open conflict has this id any more
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
/// a value that its column cannot store. A decision from a file whose id is not open, or which
/// another one contradicts, is listed in `left` too; those for another pairing are refused.
Resolved resolve(const Pairing& pairing, const Resolution& resolution);

/// Calls `on_conflict` for every open conflict, in order of table and key.
void each_conflict(const Pairing& pairing,
                   const std::function<void(const report::Change&)>& on_conflict);

/// Calls `on_row` for every row that is held back.
void each_quarantined(const Pairing& pairing,
                      const std::function<void(const report::Change&)>& on_row);

}  // namespace abgleich::sync
