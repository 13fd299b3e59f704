#include "sync/verify/base_integrity.hpp"

#include "journal/record.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace abgleich::sync {

namespace {

constexpr const char* kHint = "abgleich verify --repair-base --reason TEXT";

/// What is wrong with a base, for people; empty where nothing is.
std::string wrong_with(const db::MeasuredBase& base, const db::Seal& sealed) {
  if (!base.exists && sealed.rows > 0) {
    return "its base is gone";
  }
  if (base.misfits > 0) {
    return fmt::format("{} {} of its base {} not one digest a column", base.misfits,
                       base.misfits == 1 ? "row" : "rows", base.misfits == 1 ? "is" : "are");
  }
  if (base.seal.rows != sealed.rows) {
    return fmt::format("its base has {} rows, but the last run has left {}", base.seal.rows,
                       sealed.rows);
  }
  return base.seal == sealed ? "" : "its base is not as the last run has left it";
}

}  // namespace

merge::Trust CheckedBases::of(std::int64_t tracked) const {
  const auto found = trust.find(tracked);
  return found == trust.end() ? merge::Trust::sealed : found->second;
}

void CheckedBases::judge(const db::TrackedRow& row, const db::MeasuredBase& base,
                         const db::Seal& sealed) {
  auto& trust_in = trust[row.id];
  const auto wrong = wrong_with(base, sealed);
  if (wrong.empty()) {
    return;
  }
  trust_in = base.seal.rows < sealed.rows ? merge::Trust::incomplete : merge::Trust::altered;
  gone += base.exists ? 0 : 1;
  damage.push_back({.table = row.source, .what = wrong, .hint = kHint});
}

CheckedBases check_bases(db::Target& target, const std::vector<db::TrackedRow>& tracked,
                         Seals seals) {
  CheckedBases bases;
  for (const auto& row : tracked) {
    const auto relation = relation_of(row);
    db::BaseTable base(target, relation);
    bases.judge(row, base.measure(), base.seal());
    if (seals == Seals::somebody_elses && bases.of(row.id) == merge::Trust::sealed) {
      bases.trust[row.id] = merge::Trust::altered;
      bases.damage.push_back(
          {.table = row.source, .what = "its seal is somebody else's", .hint = kHint});
    }
  }
  return bases;
}

RowExplainer::RowExplainer(db::Target& target, const ExportedTable& exported, merge::Trust trust)
    : target_(target),
      exported_(exported),
      trust_(trust),
      books_(target.books().exist()),
      explainer_(exported.rules) {}

const merge::Explanation& RowExplainer::explain(db::Pair& pair, PrimarySide side) {
  three_ = {};
  evidence_ = {.trust = trust_, .held_back = side == PrimarySide::held_back};
  if (pair.base_digests) {
    if (pair.base_digests->size() == exported_.columns.size() * sizeof(Digest::bits)) {
      base_ = unpack_digests(*pair.base_digests);
      three_.base = base_;
    } else {
      evidence_.base_unreadable = true;
    }
  }
  if (pair.primary_digests) {
    primary_ = unpack_digests(*pair.primary_digests);
    three_.primary = primary_;
  }
  if (pair.in_secondary) {
    db::respell_key(exported_.relation, pair.primary, pair.secondary);
    digest_row(exported_, pair.secondary, key_bytes_, secondary_);
    three_.secondary = secondary_;
  }
  const auto& explanation = explainer_.explain(three_, evidence_);
  if (!books_ || !explainer_.wants_conflict()) {
    return explanation;
  }
  find_conflict(pair);
  return explainer_.explain(three_, evidence_);
}

void RowExplainer::find_conflict(const db::Pair& pair) {
  const auto& relation = exported_.relation;
  const auto row =
      target_.books().conflict_of(relation.id, journal::key_text(relation, pair.primary));
  if (!row) {
    return;
  }
  const auto conflict = journal::from_row(*row);
  evidence_.refused = conflict.kind == journal::kConstraint;
  evidence_.row_conflict = !evidence_.refused;
  evidence_.cell_conflicts.assign(relation.columns.size(), false);
  for (const auto& cell : conflict.cells) {
    const auto at = std::ranges::find(relation.columns, cell.column, &db::RelationColumn::name);
    if (at != relation.columns.end()) {
      evidence_.cell_conflicts[static_cast<std::size_t>(at - relation.columns.begin())] = true;
    }
  }
}

std::vector<Digest> RowExplainer::corrected_base() const {
  return merge::corrected_base(three_, evidence_, exported_.columns.size());
}

}  // namespace abgleich::sync
