// For `verify` and the repair of a base: whether each base is as it was sealed, and what explains a
// row that base, primary and secondary have.
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

/// Which bases of tracked tables fit their seals.
struct CheckedBases {
  std::map<std::int64_t, merge::Trust> trust;  // by the table's number
  std::vector<state::Damage> damage;
  std::size_t gone = 0;  // tables whose base is missing

  /// `sealed` for a table that is not tracked yet: there is nothing that could be damaged.
  [[nodiscard]] merge::Trust of(std::int64_t tracked) const;

  /// Judges the base of one table, as it was measured.
  void judge(const db::TrackedRow& row, const db::MeasuredBase& base, const db::Seal& sealed);
};
/// Whether the last run has written the seals. Where somebody else has, it proves nothing that a
/// base fits its seal.
enum class Seals : std::uint8_t { ours, somebody_elses };
/// Reads the bases of all of `tracked` whole.
CheckedBases check_bases(db::Target& target, const std::vector<db::TrackedRow>& tracked,
                         Seals seals = Seals::ours);

/// What is known of the primary's side of a row: everything (it is there, or absent), or only that
/// it is held back.
enum class PrimarySide : std::uint8_t { known, held_back };

/// Explains the rows of one table, one after the other.
class RowExplainer {
 public:
  RowExplainer(db::Target& target, const ExportedTable& exported, merge::Trust trust);

  /// Explains the row, and looks up its open conflict where that can matter. The key in the
  /// secondary's side of the pair gets the stage's spelling. The result is valid until the next
  /// call.
  const merge::Explanation& explain(db::Pair& pair, PrimarySide side);

  /// A base row for the row that was explained last; see `merge::corrected_base`.
  [[nodiscard]] std::vector<Digest> corrected_base() const;

 private:
  void find_conflict(const db::Pair& pair);

  db::Target& target_;
  const ExportedTable& exported_;
  merge::Trust trust_;
  bool books_;  // the bookkeeping exists, so there may be conflicts
  merge::Explainer explainer_;
  merge::Evidence evidence_;
  merge::Three<merge::Cells> three_;
  std::vector<Digest> base_;
  std::vector<Digest> primary_;
  std::vector<Digest> secondary_;
  std::string key_bytes_;
};

}  // namespace abgleich::sync
