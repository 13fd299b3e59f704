#include "merge/merge.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <cstddef>

namespace abgleich::merge {

namespace {

using Digests = std::span<const Digest>;

/// Whether `side` differs from the base in a cell that counts: cells whose owner is `uncounted` do
/// not.
bool changed(const Rules& rules, Digests base, Digests side, Owner uncounted) {
  for (std::size_t i = 0; i < base.size(); ++i) {
    if (side[i] != base[i] && rules.cells[i].owner != uncounted) {
      return true;
    }
  }
  return false;
}

/// The case of a row that is on all three sides. In a cell that the secondary owns, a change of the
/// primary does not count: there the primary is taken to have the base's value.
Case fate_of_present(const Rules& rules, const Three<Digests>& row) {
  bool primary_changed = false;
  bool secondary_changed = false;
  bool alike = true;
  for (std::size_t i = 0; i < rules.cells.size(); ++i) {
    const Digest& primary = rules.cells[i].owner == Owner::secondary ? row.base[i] : row.primary[i];
    primary_changed = primary_changed || primary != row.base[i];
    secondary_changed = secondary_changed || row.secondary[i] != row.base[i];
    alike = alike && primary == row.secondary[i];
  }
  if (!primary_changed) {
    return secondary_changed ? Case::secondary_updated : Case::unchanged;
  }
  if (!secondary_changed) {
    return Case::primary_updated;
  }
  return alike ? Case::updated_alike : Case::both_updated;
}

/// Calls `visit` with every cell of the unit that `first` opens: the cell alone, or its group.
template <class Visit>
void for_unit(const Rules& rules, std::size_t first, Visit visit) {
  const int group = rules.cells[first].group;
  visit(first);
  if (group < 0) {
    return;
  }
  for (std::size_t i = first + 1; i < rules.cells.size(); ++i) {
    if (rules.cells[i].group == group) {
      visit(i);
    }
  }
}

/// Whether the cell is the first of its unit.
bool opens_unit(const Rules& rules, std::size_t cell) {
  const int group = rules.cells[cell].group;
  if (group < 0) {
    return true;
  }
  for (std::size_t i = 0; i < cell; ++i) {
    if (rules.cells[i].group == group) {
      return false;
    }
  }
  return true;
}

enum class UnitAction : std::uint8_t { stand, advance, conflict };

/// Decides about a unit as a whole: the secondary's values stand, the primary's values win (and are
/// written, unless they are there already), or the two conflict.
UnitAction decide_unit(const Rules& rules, const Three<Digests>& row, std::size_t first) {
  const Owner owner = rules.cells[first].owner;
  if (owner == Owner::secondary) {
    return UnitAction::stand;
  }
  bool primary_changed = false;
  bool secondary_changed = false;
  bool equal = true;
  for_unit(rules, first, [&](std::size_t i) {
    primary_changed = primary_changed || row.primary[i] != row.base[i];
    secondary_changed = secondary_changed || row.secondary[i] != row.base[i];
    equal = equal && row.primary[i] == row.secondary[i];
  });
  if (!primary_changed) {
    return rules.reassert && owner == Owner::primary ? UnitAction::advance : UnitAction::stand;
  }
  if (!secondary_changed || equal || owner == Owner::primary) {
    return UnitAction::advance;
  }
  return UnitAction::conflict;
}

/// One cell of a unit in which the primary's values win.
CellAction advance_cell(const Digest& base, const Digest& primary, const Digest& secondary) {
  if (primary == secondary) {
    return primary == base ? CellAction::keep : CellAction::converge;
  }
  return secondary == base ? CellAction::take : CellAction::override_;
}

void merge_present(const Rules& rules, const Three<Digests>& row, Decision& decision) {
  const std::size_t cells = rules.cells.size();
  decision.cells.assign(cells, CellAction::keep);
  decision.happened = fate_of_present(rules, row);
  if (!rules.reassert && std::ranges::equal(row.primary, row.base)) {
    return;  // most rows by far: whatever the secondary has stands
  }
  bool writes = false;
  bool advances = false;
  decision.base.assign(row.base.begin(), row.base.end());
  for (std::size_t first = 0; first < cells; ++first) {
    if (!opens_unit(rules, first)) {
      continue;
    }
    const UnitAction action = decide_unit(rules, row, first);
    if (action == UnitAction::stand) {
      continue;
    }
    for_unit(rules, first, [&](std::size_t i) {
      if (action == UnitAction::conflict) {
        decision.cells[i] = CellAction::conflict;
        decision.conflict = true;
        return;
      }
      const CellAction cell = advance_cell(row.base[i], row.primary[i], row.secondary[i]);
      decision.cells[i] = cell;
      decision.base[i] = row.primary[i];
      writes = writes || cell == CellAction::take || cell == CellAction::override_;
      advances = advances || row.primary[i] != row.base[i];
    });
  }
  if (!advances && !writes) {
    decision.base.clear();
  }
  if (writes) {
    decision.action = RowAction::update;
  } else if (advances) {
    decision.action = RowAction::agree;
  }
}

void merge_secondary_deleted(const Rules& rules, Digests base, Digests primary,
                             Decision& decision) {
  if (changed(rules, base, primary, Owner::secondary)) {
    decision.happened = Case::updated_and_deleted;
    decision.action = RowAction::conflict;
    decision.conflict = true;
    return;
  }
  decision.happened = Case::secondary_deleted;
  decision.cells.assign(rules.cells.size(), CellAction::keep);
}

void merge_primary_deleted(const Rules& rules, Digests base, Digests secondary,
                           Decision& decision) {
  const bool edited = changed(rules, base, secondary, Owner::primary);
  decision.happened = edited ? Case::deleted_and_updated : Case::primary_deleted;
  switch (rules.on_delete) {
    case OnDelete::keep:
      decision.action = RowAction::forget;
      return;
    case OnDelete::erase:
      decision.action = RowAction::remove;
      return;
    case OnDelete::remove:
      decision.action = edited ? RowAction::conflict : RowAction::remove;
      decision.conflict = edited;
      return;
  }
}

void merge_both_inserted(const Rules& rules, Digests primary, Digests secondary,
                         Decision& decision) {
  const std::size_t cells = rules.cells.size();
  decision.cells.assign(cells, CellAction::converge);
  decision.happened = Case::inserted_alike;
  decision.action = RowAction::agree;
  for (std::size_t i = 0; i < cells; ++i) {
    if (primary[i] == secondary[i]) {
      continue;
    }
    decision.happened = Case::both_inserted;
    switch (rules.cells[i].owner) {
      case Owner::both:
        if (rules.adopt == Adopt::ask) {
          // Without a base nobody can say which side is right, and a row mixed of both would be
          // wrong.
          decision.cells.clear();
          decision.action = RowAction::conflict;
          decision.conflict = true;
          return;
        }
        decision.cells[i] = CellAction::keep;
        if (rules.adopt == Adopt::primary) {
          decision.cells[i] = CellAction::override_;
          decision.action = RowAction::update;
        }
        break;
      case Owner::primary:
        decision.cells[i] = CellAction::override_;
        decision.action = RowAction::update;
        break;
      case Owner::secondary:
        decision.cells[i] = CellAction::keep;
        break;
    }
  }
  decision.base.assign(primary.begin(), primary.end());
}

bool another_subject(const Rules& rules, Digests base, Digests primary) {
  for (std::size_t i = 0; i < base.size(); ++i) {
    if (rules.cells[i].fixed && primary[i] != base[i]) {
      return true;
    }
  }
  return false;
}

/// The key now belongs to another subject: the old row was deleted, and the new one inserted.
void merge_another_subject(const Rules& rules, Digests base, Digests primary,
                           const std::optional<Digests>& secondary, Decision& decision) {
  if (!secondary) {
    decision.happened = Case::primary_inserted;
    decision.action = RowAction::insert;
    decision.base.assign(primary.begin(), primary.end());
    return;
  }
  merge_primary_deleted(rules, base, *secondary, decision);
  if (decision.action == RowAction::remove) {
    decision.replaces = true;
    decision.base.assign(primary.begin(), primary.end());
  } else if (decision.action == RowAction::forget) {
    // the old subject's row stays for good, so the new one meets a row that is not its own
    merge_both_inserted(rules, primary, *secondary, decision);
    if (decision.conflict) {
      decision.action = RowAction::forget;
      decision.base.clear();
    }
  }
}

void check_width(const Rules& rules, const Cells& side) {
  if (side && side->size() != rules.cells.size()) {
    throw Failure{Code::bug, "a row has another number of cells than its table exports"};
  }
}

}  // namespace

void merge_row(const Rules& rules, const Three<Cells>& row, Decision& decision) {
  check_width(rules, row.base);
  check_width(rules, row.primary);
  check_width(rules, row.secondary);
  decision.happened = Case::unchanged;
  decision.action = RowAction::nothing;
  decision.conflict = false;
  decision.replaces = false;
  decision.cells.clear();
  decision.base.clear();

  if (row.base && row.primary && another_subject(rules, *row.base, *row.primary)) {
    merge_another_subject(rules, *row.base, *row.primary, row.secondary, decision);
  } else if (row.base && row.primary && row.secondary) {
    merge_present(rules, {*row.base, *row.primary, *row.secondary}, decision);
  } else if (row.base && row.primary) {
    merge_secondary_deleted(rules, *row.base, *row.primary, decision);
  } else if (row.base && row.secondary) {
    merge_primary_deleted(rules, *row.base, *row.secondary, decision);
  } else if (row.base) {
    decision.happened = Case::both_deleted;
    decision.action = RowAction::forget;
  } else if (row.primary && row.secondary) {
    merge_both_inserted(rules, *row.primary, *row.secondary, decision);
  } else if (row.primary) {
    decision.happened = Case::primary_inserted;
    decision.action = RowAction::insert;
    decision.base.assign(row.primary->begin(), row.primary->end());
  } else if (row.secondary) {
    decision.happened = Case::secondary_only;
    decision.cells.assign(rules.cells.size(), CellAction::keep);
  } else {
    throw Failure{Code::bug, "a row that is nowhere cannot be merged"};
  }
}

}  // namespace abgleich::merge
