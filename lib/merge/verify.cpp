#include "merge/verify.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <array>

namespace abgleich::merge {

namespace {

constexpr std::array<std::string_view, kStandings> kStandingNames{
    "agrees",  "owner_secondary", "owner_primary", "edited",  "secondary_only",
    "deleted", "quarantined",     "conflict",      "pending", "unexplained",
};

/// The standing of a difference that the secondary may keep, by the owner of the column.
Standing standing_of(Owner owner) {
  switch (owner) {
    case Owner::both:
      return Standing::edited;
    case Owner::primary:
      return Standing::owner_primary;
    case Owner::secondary:
      return Standing::owner_secondary;
  }
  throw Failure{Code::bug, "an owner that is none"};
}

/// The standing of a difference that only the base can explain.
Standing unproven(const Evidence& evidence) {
  return evidence.trust == Trust::sealed ? Standing::pending : Standing::unexplained;
}

/// A digest that neither side has.
Digest unlike(const Cells& primary, const Cells& secondary, std::size_t i) {
  Digest digest;
  while ((primary && (*primary)[i] == digest) || (secondary && (*secondary)[i] == digest)) {
    ++digest.bits;
  }
  return digest;
}

}  // namespace

std::string_view name_of(Standing standing) {
  return kStandingNames.at(static_cast<std::size_t>(standing));
}

Standing Explainer::cell(const Three<Cells>& row, const Evidence& evidence, std::size_t i) const {
  const bool equal = (*row.primary)[i] == (*row.secondary)[i];
  const bool open = i < evidence.cell_conflicts.size() && evidence.cell_conflicts[i];
  switch (decision_.cells[i]) {
    case CellAction::keep:
      return equal ? Standing::agrees : standing_of(rules_.cells[i].owner);
    case CellAction::take:
      return evidence.refused ? Standing::conflict : Standing::pending;
    case CellAction::converge:
      // the base of a refused row waits until the whole row can be written
      return evidence.refused && decision_.action == RowAction::update ? Standing::agrees
                                                                       : unproven(evidence);
    case CellAction::override_:
      return evidence.refused ? Standing::conflict : unproven(evidence);
    case CellAction::conflict:
      if (equal) {
        return Standing::agrees;  // in conflict only because of its group
      }
      return open || evidence.refused ? Standing::conflict : unproven(evidence);
  }
  throw Failure{Code::bug, "a cell's action that is none"};
}

void Explainer::explain_cells(const Three<Cells>& row, const Evidence& evidence) {
  auto& cells = explanation_.cells;
  const auto columns = rules_.cells.size();
  cells.assign(columns, Standing::agrees);
  if (decision_.cells.empty()) {  // of a row that conflicts or is deleted as a whole
    const bool replaced = decision_.replaces && !evidence.refused;
    const bool open = evidence.row_conflict || evidence.refused;
    for (std::size_t i = 0; i < columns; ++i) {
      if ((*row.primary)[i] != (*row.secondary)[i]) {
        cells[i] = replaced ? Standing::pending : open ? Standing::conflict : unproven(evidence);
      }
    }
  } else {
    for (std::size_t i = 0; i < columns; ++i) {
      cells[i] = cell(row, evidence, i);
    }
  }
  explanation_.row = *std::ranges::max_element(cells);
  const bool refused = evidence.refused && decision_.action == RowAction::update;
  if (!row.base && decision_.action != RowAction::conflict && !refused) {
    // to be adopted, even where every cell that differs belongs to one side
    explanation_.row = std::max(explanation_.row, unproven(evidence));
  }
}

const Explanation& Explainer::explain(const Three<Cells>& row, const Evidence& evidence) {
  explanation_.row = Standing::unexplained;
  explanation_.cells.clear();
  decision_.action = RowAction::nothing;
  decision_.conflict = false;
  decision_.replaces = false;
  if (evidence.held_back) {
    explanation_.row = evidence.base_unreadable ? Standing::unexplained : Standing::quarantined;
    return explanation_;
  }
  if (evidence.base_unreadable) {
    if (row.primary && row.secondary) {
      explanation_.cells.assign(rules_.cells.size(), Standing::unexplained);
    }
    return explanation_;
  }
  merge_row(rules_, row, decision_);
  if (row.primary && row.secondary) {
    explain_cells(row, evidence);
    return explanation_;
  }
  const bool lost = evidence.trust == Trust::incomplete;
  switch (decision_.action) {
    case RowAction::nothing:
      explanation_.row = row.primary ? Standing::deleted : Standing::secondary_only;
      break;
    case RowAction::insert:
      explanation_.row = evidence.refused ? Standing::conflict
                         : lost           ? Standing::unexplained
                                          : Standing::pending;
      break;
    case RowAction::forget:
      explanation_.row = row.secondary ? Standing::pending : unproven(evidence);
      break;
    case RowAction::conflict:
      explanation_.row =
          evidence.row_conflict || evidence.refused ? Standing::conflict : unproven(evidence);
      break;
    default:
      explanation_.row = evidence.refused ? Standing::conflict : Standing::pending;
  }
  return explanation_;
}

bool Explainer::wants_conflict() const {
  return decision_.conflict || decision_.action == RowAction::insert ||
         decision_.action == RowAction::update || decision_.action == RowAction::remove;
}

std::vector<Digest> corrected_base(const Three<Cells>& row, const Evidence& evidence,
                                   std::size_t columns) {
  std::vector<Digest> base;
  if (!row.primary && !row.secondary && !evidence.held_back) {
    return base;
  }
  for (std::size_t i = 0; i < columns; ++i) {
    if (row.primary && row.secondary && (*row.primary)[i] == (*row.secondary)[i]) {
      base.push_back((*row.primary)[i]);
    } else if (row.base && ((row.primary && (*row.primary)[i] == (*row.base)[i]) ||
                            (row.secondary && (*row.secondary)[i] == (*row.base)[i]))) {
      base.push_back((*row.base)[i]);
    } else {
      base.push_back(unlike(row.primary, row.secondary, i));
    }
  }
  return base;
}

}  // namespace abgleich::merge
