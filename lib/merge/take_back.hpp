// Takes back what one run did to one row: a three-way comparison with what the run has left. What
// was edited since then stays and is reported. Pure, on digests alone, like the merge itself.
#pragma once

#include "core/digest.hpp"
#include "merge/merge.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace abgleich::merge {

/// A row as one side has it; absent where it has none.
using Image = std::optional<std::vector<Digest>>;

/// What a run did to one row. Images of an update hold the cells of `mask` only (the others do not
/// count); those of an insert have no `before`, those of a delete no `after`. Where there is
/// neither, the run changed only the base.
struct Record {
  Image before;
  Image after;
  std::string mask;  // of an update, one character per cell; '0': not written
  Image was;         // the base before the run
  Image became;      // the base after it
};

/// The same row today.
struct Today {
  Image secondary;
  Image base;
};

enum class UndoAction : std::uint8_t {
  nothing,
  update,     // the cells of `mask` become what they were before
  insert,     // the row comes back as it was before
  remove,     // the row is deleted again
  base_only,  // only the base changes
};

struct Undo {
  UndoAction action = UndoAction::nothing;
  std::string mask;  // of an update; '1': the cell is written
  Image base;        // afterwards, unless the action is `nothing`
  std::optional<Case> conflict;
  std::vector<std::size_t> cells;  // in conflict
};

/// Decides how the change is taken back. `keys` says which cells are the key's: they are the same
/// on all sides.
Undo take_back(const Record& record, const Today& today, const std::vector<std::size_t>& keys);

}  // namespace abgleich::merge
