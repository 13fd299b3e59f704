// The three-way merge of one row, on digests alone: what happens to the row and to each cell.
// Pure. The rules are the table in lib/README.md.
#pragma once

#include "core/digest.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace abgleich::merge {

/// One thing as it is in the base, in the primary and in the secondary, always in this order.
template <class T>
struct Three {
  T base;
  T primary;
  T secondary;
};

/// The fourteen patterns of presence and equality, primary's side first.
enum class Case : std::uint8_t {
  unchanged,            // in all three, all equal
  secondary_updated,    // P unchanged, S updated
  secondary_deleted,    // P unchanged, S deleted
  primary_updated,      // P updated, S unchanged
  updated_alike,        // both updated to the same
  both_updated,         // both updated, differently
  updated_and_deleted,  // P updated, S deleted
  primary_deleted,      // P deleted, S unchanged
  deleted_and_updated,  // P deleted, S updated
  both_deleted,
  primary_inserted,
  secondary_only,  // S inserted, P has no such row
  inserted_alike,  // both inserted, equal
  both_inserted,   // both inserted, different
};

inline constexpr std::size_t kCases = 14;
std::string_view name_of(Case happened);

/// Classifies one row (or one cell) by presence and equality. REQUIRES: at least one is present.
Case classify(const Three<std::optional<Digest>>& digests);

enum class Owner : std::uint8_t { both, primary, secondary };
enum class OnDelete : std::uint8_t { remove, keep, erase };

/// What becomes of a row that both sides have, with different values and without a base: a
/// conflict, or the side wins that a person has chosen for all such rows.
enum class Adopt : std::uint8_t { ask, primary, secondary };

/// The rules of one table, taken from the contract. `cells` has one entry per exported column.
struct Rules {
  struct Cell {
    Owner owner = Owner::both;
    int group = -1;      // cells with the same group >= 0 merge as one unit (`together`)
    bool fixed = false;  // where it changes in the primary, the row is another subject's
  };
  std::vector<Cell> cells;
  OnDelete on_delete = OnDelete::remove;
  Adopt adopt = Adopt::ask;
  bool reassert = false;  // owner = primary wins although the primary did not change (`--full`)
};

enum class CellAction : std::uint8_t {
  keep,       // the secondary's value stands
  take,       // the primary's value is written
  converge,   // both sides have the same value already
  override_,  // the primary's value is written over an edit of the secondary (owner = primary)
  conflict,   // the secondary's value stands, the base does not advance
};

enum class RowAction : std::uint8_t {
  nothing,   // base and secondary stand as they are
  insert,    // the primary's row is inserted
  update,    // the cells that say take or override_ are written
  agree,     // no cell is written, the base alone advances (converged, adopted)
  remove,    // the secondary's row and the base row are deleted
  forget,    // only the base row is deleted: both deleted, or on_delete = keep
  conflict,  // the row as a whole conflicts: nothing is written, the base stands
};

/// What is to be done with one row. `cells` has one entry per exported column where `action` is
/// update, agree or nothing, and is empty otherwise. `base` is the row's base afterwards (empty: no
/// base row afterwards, or, with conflict and nothing, the base as it was).
struct Decision {
  Case happened = Case::unchanged;
  RowAction action = RowAction::nothing;
  bool conflict = false;  // the row, or at least one of its cells
  bool replaces = false;  // with remove: then the primary's row, another subject's, is inserted
  std::vector<CellAction> cells;
  std::vector<Digest> base;
};

/// The digests of a row on one side, one per exported column (rules.cells.size()); empty where that
/// side does not have the row.
using Cells = std::optional<std::span<const Digest>>;
/// Merges one row. `happened` in the result is the case under the owner rules: a change that does
/// not count by them is not a change. Reuses the memory of `decision`.
void merge_row(const Rules& rules, const Three<Cells>& row, Decision& decision);

}  // namespace abgleich::merge
