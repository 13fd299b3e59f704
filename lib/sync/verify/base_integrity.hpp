// What `verify` and the repair of a base go by: whether each base is as it was sealed, and how a
// row of the three stands.
#pragma once

#include "db/secondary/base_table.hpp"
#include "db/secondary/staged_table.hpp"
#include "db/secondary/target.hpp"
#include "journal/audit.hpp"
#include "merge/verify.hpp"
#include "sync/mapping/table_mapping.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace abgleich::sync {

/// The bases of tracked tables against their seals.
struct CheckedBases {
  std::map<std::int64_t, merge::Trust> trust;  // by the table's number; no other is tracked
  std::vector<state::Damage> damage;
  std::size_t gone = 0;  // tables that have none any more

  /// A table that is not tracked yet has nothing that could be damaged.
  [[nodiscard]] merge::Trust of(std::int64_t tracked) const;

  /// Judges the base of one table, as it was measured.
  void judge(const db::TrackedRow& row, const db::MeasuredBase& base, const db::Seal& sealed);
};
/// Whether the seals are those that the last run has left. A base is not to be believed for a seal
/// of somebody else's.
enum class Seals : std::uint8_t { ours, somebody_elses };
/// Reads the bases of all of `tracked` whole.
CheckedBases check_bases(db::Target& target, const std::vector<db::TrackedRow>& tracked,
                         Seals seals = Seals::ours);

/// Whether the primary's side of a row is known: absent or there, or that it is held back.
enum class PrimarySide : std::uint8_t { known, held_back };

/// Explains the rows of one table, one after the other.
class RowExplainer {
 public:
  RowExplainer(db::Target& target, const ExportedTable& exported, merge::Trust trust);

  /// How the row stands; where an open conflict can matter, it is looked up. The pair's key becomes
  /// the stage's spelling.
  const merge::Explanation& explain(db::Pair& pair, PrimarySide side);

  /// A base row for the row that was explained last; see `merge::corrected_base`.
  [[nodiscard]] std::vector<Digest> corrected_base() const;

 private:
  void find_conflict(const db::Pair& pair);

  db::Target& target_;
  const ExportedTable& exported_;
  merge::Trust trust_;
  bool books_;  // there may be conflicts to be found
  merge::Explainer explainer_;
  merge::Evidence evidence_;
  merge::Three<merge::Cells> three_;
  std::vector<Digest> base_;
  std::vector<Digest> primary_;
  std::vector<Digest> secondary_;
  std::string key_bytes_;
};

}  // namespace abgleich::sync
