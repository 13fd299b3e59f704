#include "sync/revert.hpp"

#include "contract/words.hpp"
#include "core/shallow_json.hpp"
#include "db/retry.hpp"
#include "db/target.hpp"
#include "journal/audit.hpp"
#include "journal/head.hpp"
#include "journal/record.hpp"
#include "journal/state.hpp"
#include "mask/keyring.hpp"
#include "merge/take_back.hpp"
#include "sync/commit.hpp"
#include "sync/exported.hpp"
#include "sync/history.hpp"
#include "sync/left_columns.hpp"
#include "sync/plan.hpp"
#include "sync/recover.hpp"
#include "sync/rekey.hpp"
#include "sync/rotate.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

namespace abgleich::sync {

namespace {

using Digests = merge::Image;

Digests unpacked(const std::optional<std::string>& cells) {
  return cells ? Digests(unpack_digests(*cells)) : std::nullopt;
}

std::optional<std::string> packed(const Digests& digests) {
  return digests ? std::optional(pack(*digests)) : std::nullopt;
}

[[noreturn]] void damaged(const db::TrackedRow& table) {
  throw Failure(Code::integrity,
                fmt::format("the journal of table '{}' is damaged: a record does not fit the table",
                            table.source),
                "prove what is left: abgleich verify. Nothing was changed");
}

/// One table while a run is taken back from it: every record of the journal becomes a row of the
/// plan, a conflict, or nothing.
class RevertedTable {
 public:
  RevertedTable(db::Target& target, const db::TrackedRow& tracked, const mask::Keyring& keyring,
                std::int64_t epoch)
      : target_(target),
        tracked_(tracked),
        epoch_(epoch),
        relation_(relation_of(tracked)),
        keys_(digest_keys_of(tracked, keyring)),
        id_key_(keyring.purpose_key("conflict-id")) {
    std::vector<db::Relation> relations{relation_};
    (void)target.missing_ddl(relations);  // fills in how the secondary holds each column
    relation_ = relations.front();
    target_.prepare(relation_);
    plan_.emplace(target_, relation_);
    counts_.table = tracked.source;
  }

  [[nodiscard]] const db::Relation& relation() const { return relation_; }

  void take_back(const db::JournalRow& record) {
    if (record.fate == kFirstLoad) {
      first_load_ = true;  // after the cursor over the journal, which must not grow meanwhile
      return;
    }
    if (erased(record)) {
      ++gone_;
      return;
    }
    if (!names_row(record.key_text)) {
      ++nameless_;
      return;
    }
    key_text_ = record.key_text;
    key_ = row_of(record.key_text);
    packed_base_ = target_.find_base(relation_, key_);
    base_ = unpacked(packed_base_);
    now_ = target_.find_row(relation_, key_);
    auto moved = record.base;
    if (!db::widen(moved)) {
      damaged(tracked_);
    }
    merge::Record what{.was = unpacked(moved.before), .became = unpacked(moved.after)};
    for (const auto* digests : {&what.was, &what.became, &base_}) {
      if (*digests && (*digests)->size() != relation_.columns.size()) {
        damaged(tracked_);
      }
    }
    const auto before = record.before ? std::optional(row_of(*record.before)) : std::nullopt;
    const auto after = record.after ? std::optional(row_of(*record.after)) : std::nullopt;
    what.before = image_of(before);
    what.after = image_of(after);
    after_ = what.after;
    what.mask = record.after ? mask_of(*record.after) : no_cells();
    replaced_ = record.fate == kReplaced && before && after;
    auto undo = merge::take_back(what, {.secondary = image_of(now_), .base = base_}, relation_.key);
    if (replaced_ && undo.conflict) {
      // half of one subject's row and half of another's would be nobody's
      undo.action = undo.base != base_ ? merge::UndoAction::base_only : merge::UndoAction::nothing;
      undo.cells = all_columns();
    }
    carry_out(undo, before, after);
  }

  void finish() {
    if (first_load_) {
      take_back_first_load();
    }
    plan_->finish();
  }

  /// After the plan was applied: what the secondary's constraints refused becomes a conflict.
  report::TableCounts settle() {
    std::vector<journal::Conflict> refused;
    std::vector<db::Target::Refused> rows;
    target_.refused_rows(relation_, [&](const db::Target::Refused& row) { rows.push_back(row); });
    for (const auto& row : rows) {
      refused.push_back(constraint_conflict(target_, relation_, row));
    }
    for (const auto& conflict : refused) {
      --(conflict.action == "insert"   ? counts_.inserted
         : conflict.action == "update" ? counts_.updated
                                       : counts_.deleted);
      put(conflict);
    }
    target_.settle(relation_);
    return counts_;
  }

  /// Rows that cannot come back: nothing of them was kept.
  [[nodiscard]] std::int64_t gone() const { return gone_; }
  /// Rows that were gone on both sides when the table got another key: nobody knows theirs.
  [[nodiscard]] std::int64_t nameless() const { return nameless_; }

 private:
  [[nodiscard]] std::size_t column(const std::string& name) const {
    const auto found = std::ranges::find(relation_.columns, name, &db::RelationColumn::name);
    if (found == relation_.columns.end()) {
      damaged(tracked_);
    }
    return static_cast<std::size_t>(found - relation_.columns.begin());
  }

  /// Whether a record is of the key that rows are known by.
  [[nodiscard]] bool names_row(const std::string& key_text) const {
    const auto cells = journal::read_cells(key_text);
    return std::ranges::all_of(relation_.key, [&](std::size_t i) {
      return std::ranges::find(cells, relation_.columns[i].name, &journal::NamedValue::first) !=
             cells.end();
    });
  }

  /// A row of the cells in a text of the journal; the other cells are NULL.
  [[nodiscard]] Row row_of(const std::string& text) const {
    Row row;
    row.cells.resize(relation_.columns.size());
    for (auto& [name, value] : journal::read_cells(text)) {
      row.cells[column(name)] = std::move(value);
    }
    return row;
  }

  [[nodiscard]] std::string mask_of(const std::string& text) const {
    auto mask = no_cells();
    for (const auto& [name, value] : journal::read_cells(text)) {
      mask[column(name)] = '1';
    }
    return mask;
  }

  merge::Image image_of(const std::optional<Row>& row) {
    if (!row) {
      return std::nullopt;
    }
    auto keyed = *row;
    for (const auto i : relation_.key) {
      keyed.cells[i] = key_.cells[i];
    }
    merge::Image image(std::in_place);
    digest_row(relation_, keys_, keyed, key_bytes_, *image);
    return image;
  }

  void carry_out(const merge::Undo& undo, const std::optional<Row>& before,
                 const std::optional<Row>& after) {
    if (undo.conflict) {
      conflict(*undo.conflict, undo.cells, after ? &*after : nullptr);
    }
    switch (undo.action) {
      case merge::UndoAction::nothing:
        return;
      case merge::UndoAction::update:
        if (replaced_) {
          // one subject's row for another's, as a whole
          write(db::PlanAction::replace, all_cells(), undo.base, *before);
          ++counts_.deleted;
          ++counts_.inserted;
          return;
        }
        write(db::PlanAction::update, undo.mask, undo.base, *before);
        ++counts_.updated;
        return;
      case merge::UndoAction::insert:
        write(db::PlanAction::insert, all_cells(), undo.base, *before);
        ++counts_.inserted;
        return;
      case merge::UndoAction::remove:
        remove(undo.base);
        return;
      case merge::UndoAction::base_only:
        move_base(undo.base);
        return;
    }
  }

  void write(db::PlanAction action, const std::string& mask, const Digests& base,
             const Row& before) {
    db::PlanRow row{.action = action, .mask = mask, .cells = packed(base)};
    if (now_) {
      row.before = journal::cells_text(relation_, *now_, mask);
    }
    row.after = journal::cells_text(relation_, before, mask);
    plan(row, before);
  }

  static db::PlanAction base_action(const Digests& to) {
    return to ? db::PlanAction::agree : db::PlanAction::forget;
  }

  void move_base(const Digests& to) {
    db::PlanRow row{.action = base_action(to), .mask = no_cells(), .cells = packed(to)};
    plan(row, key_);
  }

  /// Every row that the base has by now, and that nobody has edited: a first load's rows are not in
  /// the journal one by one.
  void take_back_first_load() {
    target_.missing_pairs(relation_, [&](const db::Pair& pair) {
      key_ = pair.primary;
      key_text_ = journal::key_text(relation_, key_);
      packed_base_ = pair.base_cells;
      base_ = unpacked(packed_base_);
      now_.reset();
      if (pair.in_secondary) {
        now_ = pair.secondary;
        for (const auto i : relation_.key) {
          now_->cells[i] = key_.cells[i];
        }
      }
      if (now_ && image_of(now_) == base_) {
        remove(std::nullopt);
        return;
      }
      if (now_) {
        conflict(merge::Fate::both_inserted, all_columns(), nullptr);
      }
      move_base(std::nullopt);
    });
  }

  void remove(const Digests& base) {
    db::PlanRow row{.action = db::PlanAction::remove, .mask = no_cells(), .cells = packed(base)};
    row.before = journal::cells_text(relation_, *now_, std::string(relation_.columns.size(), '1'));
    ++counts_.deleted;
    plan(row, key_);
  }

  void plan(db::PlanRow& row, const Row& values) {
    row.fate = "reverted";
    row.key_text = key_text_;
    auto keyed = values;
    for (const auto i : relation_.key) {
      keyed.cells[i] = key_.cells[i];
    }
    row.base = packed_base_;
    plan_->add(row, keyed);
  }

  /// The secondary's cells stand. Where the primary's side of them is known, `after` has it.
  void conflict(merge::Fate fate, const std::vector<std::size_t>& columns, const Row* after) {
    journal::Conflict found{
        .tracked = relation_.id, .key_text = key_text_, .kind = std::string(merge::name_of(fate))};
    if (!now_ || (after == nullptr && fate == merge::Fate::both_inserted)) {
      found.action = std::string(journal::kPartly);
    }
    for (const auto i : columns) {
      journal::ConflictCell cell{.column = relation_.columns[i].name};
      if (after != nullptr) {
        cell.primary = after->cells[i];
        cell.digest = (*after_)[i];
      }
      if (now_) {
        cell.secondary = now_->cells[i];
      }
      found.cells.push_back(std::move(cell));
    }
    put(std::move(found));
  }

  /// A row has one conflict: cells that were in conflict before join it.
  void put(journal::Conflict conflict) {
    auto& books = target_.books();
    const auto cells = merge::name_of(merge::Fate::both_updated);
    const auto open = books.conflict_of(relation_.id, conflict.key_text);
    if (open && open->kind == cells && conflict.kind == cells) {
      for (auto& cell : journal::from_row(*open).cells) {
        if (std::ranges::find(conflict.cells, cell.column, &journal::ConflictCell::column) ==
            conflict.cells.end()) {
          conflict.cells.push_back(std::move(cell));
        }
      }
      std::ranges::sort(conflict.cells, {}, [&](const auto& cell) { return column(cell.column); });
    }
    auto row = journal::to_row(conflict, id_key_);
    row.epoch = epoch_;
    if (open) {
      books.close_conflict(open->id);
    }
    books.record_conflict(row);
    ++counts_.conflicts;
  }

  [[nodiscard]] std::vector<std::size_t> all_columns() const {
    std::vector<std::size_t> columns(relation_.columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i) {
      columns[i] = i;
    }
    return columns;
  }

  [[nodiscard]] std::string all_cells() const {
    std::string mask(relation_.columns.size(), '1');
    return mask;
  }

  [[nodiscard]] std::string no_cells() const {
    std::string mask(relation_.columns.size(), '0');
    return mask;
  }

  db::Target& target_;
  db::TrackedRow tracked_;
  std::int64_t epoch_;
  db::Relation relation_;
  SipKeys keys_;
  LockedSipKey id_key_;
  std::optional<db::Target::Plan> plan_;
  report::TableCounts counts_;
  bool first_load_ = false;
  std::int64_t gone_ = 0;
  std::int64_t nameless_ = 0;

  // the record at hand
  std::string key_text_;
  bool replaced_ = false;  // another subject's row took the place of one
  Row key_;
  Digests after_;                           // what the run wrote
  std::optional<std::string> packed_base_;  // base today
  Digests base_;
  std::optional<Row> now_;
  std::string key_bytes_;
};

[[noreturn]] void nothing_to_revert(const db::RunRow& run) {
  throw Failure(
      Code::usage,
      fmt::format("run {} ({}) changed nothing that could be taken back", run.id, run.kind),
      "see what the runs changed: abgleich log. Nothing was changed");
}

/// Head, checked to be that of the secondary that we know; locked.
db::HeadRow head_of(const Pairing& pairing, db::Target& target, const mask::Keyring& keyring) {
  const auto head = open_books(pairing, target, keyring, {.lock = db::Books::Lock::row});
  if (!head) {
    throw Failure(Code::usage, "the secondary has no history yet",
                  "the first run makes it: abgleich sync");
  }
  return *head;
}

report::Outcome attempt(const Pairing& pairing, const mask::Keyring& keyring,
                        const std::string& called, const std::string& reason) {
  report::Outcome outcome{.started = journal::now_utc()};
  db::Target target(pairing.config.secondary, db::Mode::real);
  const auto head = head_of(pairing, target, keyring);
  auto& books = target.books();
  const auto run = find_run(books, called);
  if (run.kind == journal::kRepair) {
    throw Failure(Code::usage, fmt::format("run {} repaired a damaged base", run.id),
                  "there is nothing good to go back to. Nothing was changed");
  }
  if (run.kind == kRotate) {
    throw Failure(Code::usage, fmt::format("run {} rotated the key", run.id),
                  "old pseudonyms do not come back; for new ones again, run: abgleich keys rotate. "
                  "Nothing was changed");
  }
  if (run.kind == kRekey) {
    const auto counts = parse_shallow<nlohmann::json>(run.counts);
    const auto table = counts.is_object() && !counts.empty() ? counts.begin().key() : "TABLE";
    throw Failure(
        Code::usage, fmt::format("run {} gave '{}' another key", run.id, table),
        fmt::format("the way back is the same: name the old key in the contract again, then run: "
                    "abgleich rekey {} --reason TEXT. Nothing was changed",
                    contract::in_shell(table)));
  }
  expect_kept(pairing, run);
  target.load_catalog();

  const auto known = books.tracked();
  const auto epoch = head.epoch + 1;
  std::deque<RevertedTable> tables;  // plans refer to their table's relation: nothing may move
  books.journal_of(run.epoch, [&](const db::JournalRow& record) {
    const auto tracked = std::ranges::find(known, record.tracked, &db::TrackedRow::id);
    if (tracked == known.end()) {
      throw Failure(Code::integrity, "the journal names a table that the bookkeeping does not know",
                    "prove what is left: abgleich verify. Nothing was changed");
    }
    if (tracked->since > run.epoch) {
      throw Failure(
          Code::usage,
          fmt::format("run {} cannot be taken back: table '{}' has other exported columns "
                      "since run r{}",
                      run.id, tracked->source, tracked->since),
          fmt::format("see what it changed: abgleich show {}. Nothing was changed", run.id));
    }
    // the journal comes in the order of tables
    if (tables.empty() || tables.back().relation().id != record.tracked) {
      refuse_changed_columns(target, *tracked);
      tables.emplace_back(target, *tracked, keyring, epoch);
    }
    tables.back().take_back(record);
  });
  if (tables.empty()) {
    nothing_to_revert(run);
  }
  std::vector<db::Relation> relations;
  for (auto& table : tables) {
    table.finish();
    relations.push_back(table.relation());
  }
  target.apply(relations);
  std::int64_t gone = 0;
  std::int64_t nameless = 0;
  for (auto& table : tables) {
    outcome.tables.push_back(table.settle());
    gone += table.gone();
    nameless += table.nameless();
  }
  if (nameless > 0) {
    outcome.notes.push_back(
        fmt::format("{} {} gone before the table got another key: they do not "
                    "come back",
                    nameless, nameless == 1 ? "row was" : "rows were"));
  }
  if (gone > 0) {
    outcome.notes.push_back(
        fmt::format("{} {} erased, and no trace of them was kept: they do not come back", gone,
                    gone == 1 ? "row was" : "rows were"));
  }
  outcome.open_conflicts = books.count_conflicts();
  outcome.open_quarantined = books.count_quarantine();
  outcome.run =
      commit_run(pairing, target, head, head.key_check, head.primary_id,
                 {.kind = "revert",
                  .started = outcome.started,
                  .reason = fmt::format("of {}: {}", run.id, reason),
                  .counts = counts_json(outcome.tables),
                  .pause = RunFacts::Pause::set,
                  .pause_reason = fmt::format("run {} was taken back: {}", run.id, reason)});
  outcome.result = report::Result::applied;
  if (outcome.open_conflicts > 0) {
    outcome.code = Code::conflicts_open;
  }
  return outcome;
}

}  // namespace

std::int64_t first_load_rows(const db::JournalRow& row) {
  const auto json = parse_shallow<nlohmann::json>(row.after.value_or(""));
  return json.is_object() ? json.value("rows", std::int64_t{0}) : 0;
}

bool erased(const db::JournalRow& row) {
  return !row.before && !row.after && !row.base.before && !row.base.after;
}

report::Outcome revert(const Pairing& pairing, const std::string& called,
                       const std::string& reason) {
  const auto keyring = mask::Keyring::read(pairing.config.key_file);
  const journal::StateLock lock(pairing.config.state_directory);
  expect_unlatched(pairing, keyring);
  return db::with_retries({.in_all = pairing.config.retry_for},
                          [&] { return attempt(pairing, keyring, called, reason); });
}

std::string resume(const Pairing& pairing, const std::string& reason) {
  const auto keyring = mask::Keyring::read(pairing.config.key_file);
  const journal::StateLock lock(pairing.config.state_directory);
  expect_unlatched(pairing, keyring);
  return db::with_retries({.in_all = pairing.config.retry_for}, [&] {
    const auto started = journal::now_utc();
    db::Target target(pairing.config.secondary, db::Mode::real);
    // a rotation that waits for the end of the pause must not keep it from ending
    const auto head =
        head_of(pairing, target,
                keyring_of(target.books().exist() ? target.books().head(db::Books::Lock::row)
                                                  : std::nullopt,
                           keyring));
    if (!head.paused) {
      throw Failure(Code::usage, "this pairing is not paused",
                    "there is nothing to resume; bring the secondary up to date: abgleich sync");
    }
    return commit_run(pairing, target, head, head.key_check, head.primary_id,
                      {.kind = "resume",
                       .started = started,
                       .reason = reason,
                       .counts = "{}",
                       .pause = RunFacts::Pause::lift});
  });
}

}  // namespace abgleich::sync
