#include "merge/take_back.hpp"

#include <algorithm>

namespace abgleich::merge {

namespace {

std::vector<std::size_t> all_cells(std::size_t count) {
  std::vector<std::size_t> cells(count);
  for (std::size_t i = 0; i < count; ++i) {
    cells[i] = i;
  }
  return cells;
}

bool same(const std::vector<Digest>& a, const std::vector<Digest>& b,
          const std::vector<std::size_t>& keys) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && std::ranges::find(keys, i) == keys.end()) {
      return false;
    }
  }
  return true;
}

/// The base, with the cells that the run changed as they were before it; absent where there was
/// none before.
Image base_back(const Record& record, const Today& today) {
  if (!record.was) {
    return std::nullopt;
  }
  auto back = *today.base;
  for (std::size_t i = 0; i < back.size(); ++i) {
    if (!record.became || (*record.became)[i] != (*record.was)[i]) {
      back[i] = (*record.was)[i];
    }
  }
  return back;
}

Undo move_base(Image to) {
  return {.action = UndoAction::base_only, .base = std::move(to)};
}

Undo updated(const Record& record, const Today& today) {
  if (!today.base || !record.became) {
    return {};  // a later run has deleted the row: there is no cell to take back
  }
  const auto& now = today.secondary;
  Undo undo{.mask = std::string(record.mask.size(), '0'), .base = base_back(record, today)};
  for (std::size_t i = 0; i < record.mask.size(); ++i) {
    if (record.mask[i] == '0') {
      continue;
    }
    if (now && (*now)[i] == (*record.after)[i]) {
      undo.mask[i] = (*now)[i] == (*record.before)[i] ? '0' : '1';
    } else if (!now || (*now)[i] != (*record.before)[i]) {
      undo.cells.push_back(i);
    }
  }
  if (!undo.cells.empty()) {
    undo.conflict = now ? Case::both_updated : Case::updated_and_deleted;
  }
  if (undo.mask.find('1') != std::string::npos) {
    undo.action = UndoAction::update;
  } else if (undo.base != today.base) {
    undo.action = UndoAction::base_only;
  }
  return undo;
}

Undo inserted(const Record& record, const Today& today, const std::vector<std::size_t>& keys) {
  if (today.secondary && same(*today.secondary, *record.after, keys)) {
    return {.action = UndoAction::remove, .base = record.was};
  }
  auto undo = today.base != record.was ? move_base(record.was) : Undo{};
  if (today.secondary && today.base) {
    undo.conflict = Case::both_inserted;
    undo.cells = all_cells(record.after->size());
  }
  return undo;
}

Undo deleted(const Record& record, const Today& today, const std::vector<std::size_t>& keys) {
  if (today.base || !record.was) {
    return {};  // a later run has inserted the row again, and both sides agree on it
  }
  if (!today.secondary) {
    return {.action = UndoAction::insert, .base = record.was};
  }
  auto undo = move_base(record.was);
  if (!same(*today.secondary, *record.before, keys)) {
    undo.conflict = Case::deleted_and_updated;
    undo.cells = all_cells(record.before->size());
  }
  return undo;
}

Undo base_alone(const Record& record, const Today& today) {
  if (record.became && today.base) {
    auto back = base_back(record, today);
    return back != today.base ? move_base(std::move(back)) : Undo{};
  }
  return !record.became && !today.base ? move_base(record.was) : Undo{};
}

}  // namespace

Undo take_back(const Record& record, const Today& today, const std::vector<std::size_t>& keys) {
  if (record.before && record.after) {
    return updated(record, today);
  }
  if (record.after) {
    return inserted(record, today, keys);
  }
  if (record.before) {
    return deleted(record, today, keys);
  }
  return base_alone(record, today);
}

}  // namespace abgleich::merge
