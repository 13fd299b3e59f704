#include "sync/merge/plan.hpp"

#include "db/secondary/data_table.hpp"
#include "db/secondary/plan_writer.hpp"
#include "journal/record.hpp"
#include "merge/merge.hpp"
#include "sync/detect/k_anonymity.hpp"

#include <fmt/format.h>

#include <utility>

namespace abgleich::sync {

using journal::ConflictAction;

namespace {

using merge::CellAction;
using merge::RowAction;

constexpr std::size_t kLargeValue = std::size_t{1} << 20U;

/// Frees the memory of large values that the plan row has in `before` already.
void give_back_large(Row& row) {
  for (auto& cell : row.cells) {
    if (cell.bytes().size() > kLargeValue) {
      Value none;
      std::swap(cell, none);  // an assignment would keep the memory
    }
  }
}

class Planner {
 public:
  Planner(db::StagedTable& table, const ExportedTable& exported, const SipKey& id_key)
      : books_(table.target().books()),
        exported_(exported),
        relation_(table.relation()),
        id_key_(id_key),
        plan_(table, exported.rules.on_delete == merge::OnDelete::erase
                         ? db::BeforeImages::not_of_deleted
                         : db::BeforeImages::keep),
        all_(exported.columns.size(), '1') {
    counts_.table = exported.table->name;
  }

  void take(db::Pair& pair) { take(pair, exported_.rules); }

  /// A row that has become rare is removed from the secondary like one that the primary has
  /// deleted, also with on_delete = "keep". If people have edited it, it becomes a conflict (unless
  /// on_delete = "erase").
  void withdraw(db::Pair& pair) {
    auto rules = exported_.rules;
    if (rules.on_delete == merge::OnDelete::keep) {
      rules.on_delete = merge::OnDelete::remove;
    }
    reason_ = rarity_reason(*exported_.table);
    const auto before = counts_.deleted;
    take(pair, rules);
    counts_.withdrawn += counts_.deleted - before;
    reason_.clear();
  }

  Planned finish(std::int64_t usable) {
    counts_.unchanged = usable - touched_;
    return {.counts = counts_, .plan = plan_.finish(), .strangers = std::move(strangers_)};
  }

 private:
  void take(db::Pair& pair, const merge::Rules& rules) {
    merge::Three<merge::Cells> three;
    if (pair.base_digests) {
      base_ = base_digests(relation_, *pair.base_digests);
      three.base = base_;
    }
    if (pair.primary_digests) {
      primary_ = unpack_digests(*pair.primary_digests);
      three.primary = primary_;
    }
    if (pair.in_secondary) {
      db::respell_key(relation_, pair.primary, pair.secondary);
      digest_row(exported_, pair.secondary, key_bytes_, secondary_);
      three.secondary = secondary_;
    }
    merge_row(rules, three, decision_);
    if (pair.primary_digests && (decision_.conflict || decision_.action == RowAction::insert ||
                                 decision_.action == RowAction::update || decision_.replaces)) {
      ++touched_;
    }
    act(pair);
    if (decision_.conflict) {
      conflict(pair);
    }
  }

  void act(db::Pair& pair) {
    db::PlanRow row{.fate = merge::name_of(decision_.happened),
                    .key_text = journal::key_text(relation_, pair.primary)};
    switch (decision_.action) {
      case RowAction::nothing:
      case RowAction::conflict:
        return;
      case RowAction::insert:
        row.action = db::PlanAction::insert;
        row.mask = all_;
        row.digests = pack(decision_.base);
        row.after = journal::cells_text(relation_, pair.primary, all_);
        ++counts_.inserted;
        break;
      case RowAction::update:
        row.action = db::PlanAction::update;
        row.mask = written_mask();
        row.digests = pack(decision_.base);
        row.before = journal::cells_text(relation_, pair.secondary, row.mask);
        row.after = journal::cells_text(relation_, pair.primary, row.mask);
        ++counts_.updated;
        counts_.backfilled += only_new_columns(row.mask) ? 1 : 0;
        break;
      case RowAction::agree:
        row.action = db::PlanAction::agree;
        row.digests = pack(decision_.base);
        break;
      case RowAction::remove:
        if (decision_.replaces) {
          row.action = db::PlanAction::replace;
          row.fate = kReplaced;
          row.mask = all_;
          row.digests = pack(decision_.base);
          row.before = journal::cells_text(relation_, pair.secondary, all_);
          row.after = journal::cells_text(relation_, pair.primary, all_);
          ++counts_.deleted;
          ++counts_.inserted;
          break;
        }
        row.action = db::PlanAction::remove;
        row.before = journal::cells_text(relation_, pair.secondary, all_);
        ++counts_.deleted;
        break;
      case RowAction::forget:
        row.action = db::PlanAction::forget;
        if (pair.in_secondary) {
          row.before = journal::cells_text(relation_, pair.secondary, all_);
        }
        break;
    }
    row.base = pair.base_digests;
    if (!decision_.conflict) {
      give_back_large(pair.secondary);
    }
    plan_.add(row, pair.primary);
  }

  /// Whether all columns that are written are newly exported: then nobody has changed the row.
  [[nodiscard]] bool only_new_columns(std::string_view mask) const {
    const auto& layout = exported_.layout;
    if (layout.previous.empty()) {
      return false;  // in the first run, which adopts existing rows, no column is newly exported
    }
    for (std::size_t i = 0; i < mask.size(); ++i) {
      const auto& known = layout.known[i];
      if (mask[i] != '0' && known && !exported_.refilled.contains(i) &&
          layout.previous[*known].state == ColumnState::exported) {
        return false;
      }
    }
    return true;
  }

  /// '1' for every cell that is written, '2' where that overrides an edit.
  std::string written_mask() {
    std::string mask(all_.size(), '0');
    for (std::size_t i = 0; i < mask.size(); ++i) {
      const auto action =
          decision_.cells[i] == CellAction::override_ && exported_.refilled.contains(i)
              ? CellAction::take  // a person has asked for it
              : decision_.cells[i];
      mask[i] = action == CellAction::take ? '1' : action == CellAction::override_ ? '2' : '0';
      counts_.overridden += action == CellAction::override_ ? 1 : 0;
    }
    return mask;
  }

  report::CellChange cell(const db::Pair& pair, std::size_t i) const {
    report::CellChange change{.column = relation_.columns[i].name};
    if (pair.primary_digests) {
      change.primary = pair.primary.cells[i];
    }
    if (pair.in_secondary) {
      change.secondary = pair.secondary.cells[i];
    }
    return change;
  }

  void conflict(const db::Pair& pair) {
    ++counts_.conflicts;
    journal::Conflict conflict{.tracked = relation_.id,
                               .key_text = journal::key_text(relation_, pair.primary),
                               .kind = std::string(merge::name_of(decision_.happened)),
                               .reason = reason_};
    const bool whole = decision_.cells.empty();
    // the row that the primary has under this key now is not the one that was deleted
    const bool gone = decision_.happened == merge::Case::deleted_and_updated;
    for (std::size_t i = 0; i < relation_.columns.size(); ++i) {
      if (!whole && decision_.cells[i] != CellAction::conflict) {
        continue;
      }
      auto shown = cell(pair, i);
      if (gone) {
        shown.primary.reset();
      }
      conflict.cells.push_back({.column = shown.column,
                                .primary = std::move(shown.primary),
                                .secondary = std::move(shown.secondary),
                                .digest = pair.primary_digests && !gone ? primary_[i] : Digest{}});
    }
    books_.found_conflict(journal::to_row(conflict, id_key_));
    if (pair.primary_digests && (gone || decision_.happened == merge::Case::both_inserted)) {
      if (auto referred = referred_cells(exported_, pair.primary)) {
        strangers_.push_back(std::move(*referred));
      }
    }
  }

  db::Books& books_;
  const ExportedTable& exported_;
  const db::Relation& relation_;
  const SipKey& id_key_;
  db::PlanWriter plan_;
  std::string all_;
  merge::Decision decision_;
  std::vector<Digest> base_;
  std::vector<Digest> primary_;
  std::vector<Digest> secondary_;
  std::string key_bytes_;
  std::string reason_;  // of a conflict about a row that is withdrawn
  report::TableCounts counts_;
  std::vector<Row> strangers_;
  std::int64_t touched_ = 0;  // rows of the primary that change something or conflict
};

}  // namespace

namespace {

report::Fate fate_of(db::PlanAction action) {
  switch (action) {
    case db::PlanAction::insert:
      return report::Fate::insert;
    case db::PlanAction::update:
      return report::Fate::update;
    case db::PlanAction::remove:
      return report::Fate::remove;
    default:
      return report::Fate::keep;
  }
}

}  // namespace

report::Change change_of(const std::string& table, const journal::Conflict& conflict) {
  report::Change change{.table = table,
                        .key = journal::read_cells(conflict.key_text),
                        .fate = report::Fate::conflict,
                        .id = conflict.id,
                        .kind = conflict.kind,
                        .action = conflict.action,
                        .reason = conflict.reason,
                        .obstacle = conflict.obstacle.kind,
                        .constraint = conflict.obstacle.constraint,
                        .blocking_table = conflict.obstacle.table,
                        .blocking_key = conflict.obstacle.key};
  for (const auto& cell : conflict.cells) {
    change.cells.push_back(
        {.column = cell.column, .primary = cell.primary, .secondary = cell.secondary});
  }
  return change;
}

report::Change change_of(const std::string& table, const db::QuarantineRow& row) {
  report::Change change{.table = table, .fate = report::Fate::quarantine};
  if (row.key_text != journal::kNoKey) {
    change.key = journal::read_cells(row.key_text);
  }
  change.reason =
      row.column.empty() ? row.reason : fmt::format("column '{}': {}", row.column, row.reason);
  if (row.rows > 1) {
    change.reason += fmt::format(" ({} rows)", row.rows);
    change.rows = row.rows;
  }
  return change;
}

namespace {

/// The cells of both images side by side.
void put_images(const std::optional<std::string>& before, const std::optional<std::string>& after,
                report::Change& change) {
  const auto cells = journal::read_cells(after ? *after : *before);
  const auto other = after && before ? journal::read_cells(*before) : journal::NamedValues{};
  for (std::size_t i = 0; i < cells.size(); ++i) {
    report::CellChange cell{.column = cells[i].first};
    (after ? cell.primary : cell.secondary) = cells[i].second;
    if (i < other.size()) {
      cell.secondary = other[i].second;
    }
    change.cells.push_back(std::move(cell));
  }
}

}  // namespace

report::Change change_of(const ExportedTable& exported, const db::RareRow& row) {
  report::Change change{.table = exported.table->name,
                        .fate = report::Fate::quarantine,
                        .reason = row.in_secondary ? still_there_reason(*exported.table)
                                                   : rarity_reason(*exported.table)};
  for (const auto i : exported.relation.key) {
    change.key.emplace_back(exported.relation.columns[i].name, row.key.cells[i]);
  }
  return change;
}

report::Change change_of(const std::string& table, const db::JournalRow& row) {
  report::Change change{.table = table,
                        .key = journal::read_cells(row.key_text),
                        .fate = !row.before && !row.after ? report::Fate::keep
                                : !row.before             ? report::Fate::insert
                                : !row.after              ? report::Fate::remove
                                                          : report::Fate::update};
  if (row.before || row.after) {
    put_images(row.before, row.after, change);
  }
  return change;
}

void tell_change(const std::string& table, const db::JournalRow& row, const OnChange& on_change) {
  if (row.fate != kReplaced || !row.before || !row.after) {
    on_change(change_of(table, row));
    return;
  }
  for (const bool gone : {true, false}) {
    auto half = row;
    (gone ? half.after : half.before).reset();
    on_change(change_of(table, half));
  }
}

Planned plan_table(db::StagedTable& table, const ExportedTable& exported, const Staged& staged,
                   Absence absence, const SipKey& id_key, Progress& progress) {
  Planner planner(table, exported, id_key);
  std::int64_t rows = 0;
  const auto take = [&](db::Pair& pair) {
    planner.take(pair);
    if (++rows % kProgressEvery == 0) {
      progress.at("merge", exported.table->name, rows);
    }
  };
  const bool partial = staged.absent == Staged::Absent::named;
  if (exported.rules.reassert) {
    table.staged_pairs(take);
  } else if (!partial || staged.looked_at > 0) {
    table.changed_pairs(take);
  }
  if (absence == Absence::deletion) {
    if (partial) {
      if (staged.gone > 0) {
        table.gone_pairs(take);
      }
    } else {
      table.missing_pairs(take);
    }
  }
  if (staged.rare > 0) {
    table.held_back_pairs(db::HeldBack::rare, [&](db::Pair& pair) { planner.withdraw(pair); });
  }
  return planner.finish(staged.usable);
}

void tell_plan(const db::PlannedTable& plan, const ExportedTable& exported,
               const OnChange& on_change) {
  plan.planned_rows([&](const db::PlanRow& row) {
    if (!row.before && !row.after) {
      return;  // base only: nothing changes for the secondary's readers
    }
    const bool replaces = row.action == db::PlanAction::replace;
    report::Change change{.table = exported.table->name,
                          .key = journal::read_cells(row.key_text),
                          .fate = replaces ? report::Fate::remove : fate_of(row.action)};
    put_images(row.before, replaces ? std::nullopt : row.after, change);
    on_change(change);
    if (replaces) {
      change = {.table = exported.table->name,
                .key = journal::read_cells(row.key_text),
                .fate = report::Fate::insert};
      put_images(std::nullopt, row.after, change);
      on_change(change);
    }
  });
}

std::int64_t& counted_as(const journal::Conflict& conflict, report::TableCounts& counts) {
  return conflict.action == ConflictAction::insert   ? counts.inserted
         : conflict.action == ConflictAction::update ? counts.updated
                                                     : counts.deleted;
}

journal::Conflict constraint_conflict(const db::PlannedTable& plan, const db::RefusedRow& refused) {
  auto& target = plan.target();
  const auto& relation = plan.relation();
  const auto obstacle = plan.obstacle(refused);
  const bool insert = refused.action == db::PlanAction::refused_insert;
  const bool update = refused.action == db::PlanAction::refused_update ||
                      refused.action == db::PlanAction::refused_replace;
  journal::Conflict conflict{.tracked = relation.id,
                             .key_text = refused.key_text,
                             .kind = std::string(journal::kConstraint),
                             .action = insert   ? ConflictAction::insert
                                       : update ? ConflictAction::update
                                                : ConflictAction::remove,
                             .obstacle = {.kind = obstacle.kind,
                                          .constraint = obstacle.constraint,
                                          .table = obstacle.table,
                                          .key = obstacle.key}};
  const auto now = insert || target.stand_ins().has_data(relation)
                       ? std::nullopt
                       : db::DataTable(target, relation).find(refused.row);
  const auto digests = refused.digests ? unpack_digests(*refused.digests)
                                       : std::vector<Digest>(relation.columns.size());
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    const bool written = i < refused.mask.size() && refused.mask[i] != '0';
    if (written || (!insert && !update && now)) {
      journal::ConflictCell cell{.column = relation.columns[i].name, .digest = digests[i]};
      if (written) {
        cell.primary = refused.row.cells[i];
      }
      if (now) {
        cell.secondary = now->cells[i];
      }
      conflict.cells.push_back(std::move(cell));
    } else if (update) {
      conflict.unwritten.emplace_back(relation.columns[i].name, digests[i]);
    }
  }
  return conflict;
}

}  // namespace abgleich::sync
