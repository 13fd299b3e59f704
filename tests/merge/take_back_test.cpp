#include "merge/take_back.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <span>

namespace {

using namespace abgleich;
using merge::Image;
using merge::RowAction;
using merge::UndoAction;

struct State {
  Image secondary;
  Image base;
};

/// One row before a run, and what a run makes of it.
class Run {
 public:
  explicit Run(std::uint32_t seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return random_() % n; }

  Image side(std::size_t cells, const Image& like) {
    if (below(8) == 0) {
      return std::nullopt;
    }
    Image row(std::in_place);
    for (std::size_t i = 0; i < cells; ++i) {
      row->push_back(like && below(3) > 0 ? (*like)[i] : Digest{below(3)});
    }
    return row;
  }

  /// False: there is nothing that could be taken back.
  bool happens() {
    const auto cells = 1 + below(6);
    merge::Rules rules;
    for (std::size_t i = 0; i < cells; ++i) {
      rules.cells.push_back({.owner = static_cast<merge::Owner>(below(3))});
    }
    // an erased row leaves no record
    rules.on_delete = below(2) == 0 ? merge::OnDelete::remove : merge::OnDelete::keep;
    before.base = side(cells, std::nullopt);
    const auto primary = side(cells, before.base);
    before.secondary = side(cells, before.base);
    if (!before.base && !primary && !before.secondary) {
      return false;
    }
    const auto view = [](const Image& image) {
      return image ? merge::Cells(std::span<const Digest>(*image)) : std::nullopt;
    };
    merge::Decision decision;
    merge_row(rules, {view(before.base), view(primary), view(before.secondary)}, decision);
    if (decision.action == RowAction::nothing || decision.action == RowAction::conflict) {
      return false;
    }
    after = before;
    record = {.mask = std::string(cells, '0'), .was = before.base};
    after.base = decision.base.empty() ? Image() : Image(decision.base);
    record.became = after.base;
    if (decision.action == RowAction::insert) {
      record.after = after.secondary = primary;
    } else if (decision.action == RowAction::remove) {
      record.before = before.secondary;
      after.secondary.reset();
    } else if (decision.action == RowAction::update) {
      for (std::size_t i = 0; i < cells; ++i) {
        if (decision.cells[i] == merge::CellAction::take ||
            decision.cells[i] == merge::CellAction::override_) {
          (*after.secondary)[i] = (*primary)[i];
          record.mask[i] = '1';
        }
      }
      record.before = before.secondary;
      record.after = after.secondary;
    }
    return true;
  }

  /// Somebody edits the secondary.
  State edited() {
    auto later = after;
    if (!later.secondary) {
      later.secondary = side(record.mask.size(), before.secondary);
    } else if (below(6) == 0) {
      later.secondary.reset();
    } else {
      for (auto& cell : *later.secondary) {
        cell = below(3) == 0 ? Digest{7 + below(3)} : cell;
      }
    }
    return later;
  }

  State before;
  State after;
  merge::Record record;

 private:
  std::mt19937 random_;
};

State carried_out(const merge::Undo& undo, const merge::Record& record, State state) {
  switch (undo.action) {
    case UndoAction::nothing:
      return state;
    case UndoAction::update:
      for (std::size_t i = 0; i < undo.mask.size(); ++i) {
        if (undo.mask[i] != '0') {
          (*state.secondary)[i] = (*record.before)[i];
        }
      }
      break;
    case UndoAction::insert:
      state.secondary = record.before;
      break;
    case UndoAction::remove:
      state.secondary.reset();
      break;
    case UndoAction::base_only:
      break;
  }
  state.base = undo.base;
  return state;
}

}  // namespace

TEST_CASE("a run that is taken back at once leaves secondary and base exactly as they were") {
  int cases = 0;
  for (std::uint32_t seed = 1; cases < 20'000; ++seed) {
    Run run(seed);
    if (!run.happens()) {
      continue;
    }
    ++cases;
    const auto undo = merge::take_back(run.record, {run.after.secondary, run.after.base}, {});
    const auto end = carried_out(undo, run.record, run.after);
    if (undo.conflict || end.secondary != run.before.secondary || end.base != run.before.base) {
      FAIL_CHECK("not as it was: seed ", seed);
    }
  }
}

TEST_CASE("what was edited since a run stands when it is taken back, and is told of") {
  int edited = 0;
  for (std::uint32_t seed = 1; edited < 20'000; ++seed) {
    Run run(seed);
    if (!run.happens()) {
      continue;
    }
    const auto now = run.edited();
    if (now.secondary == run.after.secondary) {
      continue;
    }
    ++edited;
    CAPTURE(seed);
    const auto undo = merge::take_back(run.record, {now.secondary, now.base}, {});
    const auto end = carried_out(undo, run.record, now);
    if (!now.secondary || !run.after.secondary) {
      // a row that people deleted, or entered again, is theirs
      CHECK(end.secondary == now.secondary);
      continue;
    }
    REQUIRE(end.secondary);
    for (std::size_t i = 0; i < run.record.mask.size(); ++i) {
      const auto& cell = (*now.secondary)[i];
      if (cell == (*run.after.secondary)[i]) {
        continue;
      }
      CHECK((*end.secondary)[i] == cell);
      const bool back_already =
          run.record.before && run.record.after && cell == (*run.record.before)[i];
      const bool touched = run.record.after && (!run.record.before || run.record.mask[i] == '1');
      if (touched && !back_already) {
        CHECK(undo.conflict);
        CHECK(std::ranges::find(undo.cells, i) != undo.cells.end());
      }
    }
  }
}

TEST_CASE("what a later run has made of a row is not undone with an earlier one") {
  const Image old{{Digest{1}, Digest{2}}};
  const Image now{{Digest{3}, Digest{2}}};
  const merge::Record update{.before = old, .after = now, .mask = "10", .was = old, .became = now};
  // deleted by a later run: no cell is there to take back
  CHECK(merge::take_back(update, {std::nullopt, std::nullopt}, {}).action == UndoAction::nothing);
  const merge::Record removal{.before = old, .mask = "00", .was = old};
  // brought again by a later run, on which both sides agree
  CHECK(merge::take_back(removal, {now, now}, {}).action == UndoAction::nothing);
  // entered again by people, with other values
  const auto again = merge::take_back(removal, {now, std::nullopt}, {});
  CHECK(again.action == UndoAction::base_only);
  CHECK(again.base == old);
  CHECK(again.conflict == merge::Case::deleted_and_updated);
  CHECK(again.cells == std::vector<std::size_t>{0, 1});
  // a key that is spelt otherwise is no edit
  CHECK_FALSE(merge::take_back(removal, {now, std::nullopt}, {0}).conflict);
}
