// How a row stands between two runs: do primary and secondary agree, and if not, what explains it?
// Pure, on digests. What the next run would do is taken from `merge_row`, so that the two always
// agree.
//
// A difference is explained by a rule of the merge table (lib/README.md) or by work that is still
// to be done. While the seal of the base holds, nothing else is possible: the base is what the last
// run left, and says which side has changed. Where the seal does not hold (`Trust`), a false or
// lost base row can make it look as if both sides had changed. So a difference that only the base
// can explain is unexplained then, unless a conflict is open for it.
//
// By presence and equality, base, primary, secondary (a letter is a value, '-' is absent):
//
//   aaa  agrees
//   aab  edited; owner_primary or owner_secondary by the column's owner
//   aba  pending: the primary's change is to be written (owner_secondary: stands for good)
//   abb  pending: both changed alike, the base is to follow       no trust: unexplained
//   abc  conflict where one is open for the cell, else pending    no trust: unexplained
//        (owner primary: pending, the primary's change is to be written; no trust: unexplained;
//        owner secondary: owner_secondary)
//   aa-  deleted in the secondary, stays deleted
//   ab-  conflict, else pending                                   no trust: unexplained
//   a-a  pending: the row is to be deleted (or, by on_delete = keep, its base row)
//   a-b  conflict, else pending; by on_delete pending             no trust: unexplained
//   a--  pending: the base row is to go                           no trust: unexplained
//   -a-  pending: the row is to be inserted                       base rows missing: unexplained
//   -aa  pending: the row is to be adopted                        no trust: unexplained
//   -ab  conflict, else pending                                   no trust: unexplained
//   --a  secondary_only: entered there, or left by on_delete = keep
//
// Cells of a group (`together`) stand as the group does. A pending row that the secondary's
// constraints have refused (an open conflict of that kind) is in conflict. A row of which the
// primary's side is held back stands as `quarantined`, whatever base and secondary have.
#pragma once

#include "core/digest.hpp"
#include "merge/merge.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace abgleich::merge {

/// How a cell or a row stands, the more urgent the later: a row stands as its most urgent cell.
enum class Standing : std::uint8_t {
  agrees,
  owner_secondary,  // differs; the contract gives the column to the secondary
  owner_primary,    // edited in the secondary; stands until the primary changes
  edited,           // edited in the secondary; stands
  secondary_only,   // the row is in the secondary alone
  deleted,          // deleted in the secondary, stays deleted
  quarantined,      // the primary's row is held back
  conflict,         // a conflict is open for it
  pending,          // not yet synced: the next run will see to it
  unexplained,      // nothing explains it: the base is not what the last run left
};

inline constexpr std::size_t kStandings = 10;
std::string_view name_of(Standing standing);

/// Whether the base is what the last run left.
enum class Trust : std::uint8_t {
  sealed,      // it is
  altered,     // it is not
  incomplete,  // it is not, and it has lost rows
};

/// What is known of a row besides its digests.
struct Evidence {
  Trust trust = Trust::sealed;
  bool held_back = false;            // the primary has the row, but it is held back
  bool base_unreadable = false;      // there is a base row, but not with one digest per column
  bool refused = false;              // an open conflict says that the constraints refuse the row
  bool row_conflict = false;         // an open conflict is about the row as a whole
  std::vector<bool> cell_conflicts;  // an open conflict is about these cells; empty: none
};

/// How a row stands. `cells` has one entry per column where both sides have the row, and is empty
/// otherwise.
struct Explanation {
  Standing row = Standing::agrees;
  std::vector<Standing> cells;
};

/// Explains rows of one table; reuses its memory. REQUIRES: `rules` outlives it.
class Explainer {
 public:
  explicit Explainer(const Rules& rules) : rules_(rules) {}

  /// REQUIRES: at least one side is present, or the base is unreadable.
  const Explanation& explain(const Three<Cells>& row, const Evidence& evidence);

  /// Whether an open conflict would change how the last explained row stands, so that it is worth
  /// looking for one. REQUIRES: the evidence of that row had no conflict.
  [[nodiscard]] bool wants_conflict() const;

 private:
  void explain_cells(const Three<Cells>& row, const Evidence& evidence);
  [[nodiscard]] Standing cell(const Three<Cells>& row, const Evidence& evidence,
                              std::size_t i) const;

  const Rules& rules_;
  Decision decision_;
  Explanation explanation_;
};

/// A base row for a row that is unexplained, which says nothing that may be untrue. Where both
/// sides agree, their value. Where the base's digest is that of one side, that digest, since this
/// cannot be by accident. Else a digest that neither side has, so that both count as changed and
/// the next run shows a conflict. Empty where neither side has the row and it is not held back:
/// then the base row has to be removed.
std::vector<Digest> corrected_base(const Three<Cells>& row, const Evidence& evidence,
                                   std::size_t columns);

}  // namespace abgleich::merge
