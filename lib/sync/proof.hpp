// What only the data can show: whether every value of a retyped column reads as before, and whether
// a column that the contract calls another's new name holds what that one held.
#pragma once

#include "db/target.hpp"
#include "drift/drift.hpp"
#include "sync/exported.hpp"
#include "sync/pairing.hpp"
#include "sync/stage.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace abgleich::sync {

/// A claim that the data does not bear out.
struct Doubt {
  std::string table;
  std::string column;      // empty: of the table as a whole
  std::string was;         // of a rename: the old name; empty: a change of type
  std::int64_t rows = 0;   // that the base knows and that say something
  std::int64_t other = 0;  // of these: with another value
};

/// How far a change of type is believed in.
enum class Belief : std::uint8_t {
  proven,    // only where an earlier run has compared all values
  on_trial,  // until this run has compared them: `find_doubts`
};

/// Turns `block` into `adapt` for changes of type that are believed in, and says of the doubts why
/// they block.
void weigh(std::vector<drift::Event>& events, const Pairing& pairing,
           const std::vector<db::TrackedRow>& tracked, const Catalog& live, Belief belief,
           const std::vector<Doubt>& doubts);

/// Compares the staged rows of one table with the base, if anything of it is on trial. Appends what
/// is not borne out to `doubts`, and renames that are, with the share of rows, to `events`.
void find_doubts(db::Target& target, const ExportedTable& exported, const Staged& staged,
                 const Pairing& pairing, std::vector<drift::Event>& events,
                 std::vector<Doubt>& doubts);

}  // namespace abgleich::sync
