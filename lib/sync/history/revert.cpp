#include "sync/history/revert.hpp"

#include "contract/words.hpp"
#include "core/clock.hpp"
#include "core/shallow_json.hpp"
#include "db/secondary/base_table.hpp"
#include "db/secondary/data_table.hpp"
#include "db/secondary/plan_application.hpp"
#include "db/secondary/plan_writer.hpp"
#include "db/secondary/secondary_schema.hpp"
#include "db/secondary/shared_tables.hpp"
#include "db/secondary/target.hpp"
#include "journal/audit.hpp"
#include "journal/head.hpp"
#include "journal/record.hpp"
#include "journal/run_kind.hpp"
#include "mask/keyring.hpp"
#include "merge/take_back.hpp"
#include "sync/history/history.hpp"
#include "sync/mapping/left_columns.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/merge/plan.hpp"
#include "sync/run/commit.hpp"
#include "sync/run/leaving.hpp"
#include "sync/run/writing_run.hpp"

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
        table_(target.prepare(db::SecondarySchema(target).locate(relation_of(tracked)))),
        relation_(table_.relation()),
        keys_(digest_keys_of(tracked, keyring)),
        id_key_(keyring.purpose_key("conflict-id")),
        writer_(table_) {
    counts_.table = tracked.source;
  }

  [[nodiscard]] const db::Relation& relation() const { return relation_; }

  void take_back(const db::JournalRow& record) {
    if (record.fate == kFirstLoad) {
      first_load_ = true;  // done in `finish`: the journal is still being read
      return;
    }
    if (erased(record)) {
      ++gone_;
      return;
    }
    if (!names_row(record.key_text)) {
      ++keyless_;
      return;
    }
    key_text_ = record.key_text;
    key_ = row_of(record.key_text);
    if (db::is_taken(target_, relation_, key_)) {
      ++taken_;
      return;
    }
    packed_base_ = db::BaseTable(target_, relation_).find(key_);
    base_ = unpacked(packed_base_);
    now_ = db::DataTable(target_, relation_).find(key_);
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
      // a mix of two subjects' rows would belong to nobody
      undo.action = undo.base != base_ ? merge::UndoAction::base_only : merge::UndoAction::nothing;
      undo.cells = all_columns();
    }
    carry_out(undo, before, after);
  }

  db::PlannedTable& finish() {
    if (first_load_) {
      take_back_first_load();
    }
    return plan_.emplace(writer_.finish());
  }

  /// After the plan was applied: what the secondary's constraints refused becomes a conflict.
  report::TableCounts record() {
    std::vector<journal::Conflict> refused;
    std::vector<db::RefusedRow> rows;
    plan_->refused_rows([&](const db::RefusedRow& row) { rows.push_back(row); });
    refused.reserve(rows.size());
    for (const auto& row : rows) {
      refused.push_back(constraint_conflict(*plan_, row));
    }
    for (const auto& conflict : refused) {
      --counted_as(conflict, counts_);
      put(conflict);
    }
    plan_->record();
    return counts_;
  }

  /// Rows that cannot come back, as nothing of them was kept.
  [[nodiscard]] std::int64_t gone() const { return gone_; }
  /// Rows that neither side had any more when the table got another key: their new key is not
  /// known.
  [[nodiscard]] std::int64_t keyless() const { return keyless_; }
  /// Rows whose key is another peer's by now.
  [[nodiscard]] std::int64_t taken() const { return taken_; }

 private:
  [[nodiscard]] std::size_t column(const std::string& name) const {
    const auto found = std::ranges::find(relation_.columns, name, &db::RelationColumn::name);
    if (found == relation_.columns.end()) {
      damaged(tracked_);
    }
    return static_cast<std::size_t>(found - relation_.columns.begin());
  }

  /// Whether a record names its row by the key that the table has now.
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
    db::respell_key(relation_, key_, keyed);
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
          // the rows are of two subjects, so it is replaced as a whole
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
    db::PlanRow row{.action = action, .mask = mask, .digests = packed(base)};
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
    db::PlanRow row{.action = base_action(to), .mask = no_cells(), .digests = packed(to)};
    plan(row, key_);
  }

  /// Takes back every row that the base has now, since the journal does not list the rows of a
  /// first load. Rows that people have edited stay and become conflicts.
  void take_back_first_load() {
    table_.missing_pairs([&](const db::Pair& pair) {
      key_ = pair.primary;
      key_text_ = journal::key_text(relation_, key_);
      packed_base_ = pair.base_digests;
      base_ = unpacked(packed_base_);
      now_.reset();
      if (pair.in_secondary) {
        now_ = pair.secondary;
        db::respell_key(relation_, key_, *now_);
      }
      if (now_ && image_of(now_) == base_) {
        remove(std::nullopt);
        return;
      }
      if (now_) {
        conflict(merge::Case::both_inserted, all_columns(), nullptr);
      }
      move_base(std::nullopt);
    });
  }

  void remove(const Digests& base) {
    db::PlanRow row{.action = db::PlanAction::remove, .mask = no_cells(), .digests = packed(base)};
    row.before = journal::cells_text(relation_, *now_, std::string(relation_.columns.size(), '1'));
    ++counts_.deleted;
    plan(row, key_);
  }

  void plan(db::PlanRow& row, const Row& values) {
    row.fate = "reverted";
    row.key_text = key_text_;
    auto keyed = values;
    db::respell_key(relation_, key_, keyed);
    row.base = packed_base_;
    writer_.add(row, keyed);
  }

  /// Notes a conflict; the secondary's cells stay as they are. `after`: the primary's side, where
  /// it is known.
  void conflict(merge::Case fate, const std::vector<std::size_t>& columns, const Row* after) {
    journal::Conflict found{
        .tracked = relation_.id, .key_text = key_text_, .kind = std::string(merge::name_of(fate))};
    if (!now_ || (after == nullptr && fate == merge::Case::both_inserted)) {
      found.action = journal::ConflictAction::partly;
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

  /// Records a conflict. A row has only one, so the cells of an open one are added to it.
  void put(journal::Conflict conflict) {
    auto& books = target_.books();
    const auto cells = merge::name_of(merge::Case::both_updated);
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
  db::StagedTable& table_;
  const db::LocatedRelation& relation_;
  SipKeys keys_;
  LockedSipKey id_key_;
  db::PlanWriter writer_;
  std::optional<db::PlannedTable> plan_;  // once it is finished
  report::TableCounts counts_;
  bool first_load_ = false;
  std::int64_t gone_ = 0;
  std::int64_t keyless_ = 0;
  std::int64_t taken_ = 0;

  // the current record
  std::string key_text_;
  bool replaced_ = false;  // the run put another subject's row in its place
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

[[noreturn]] void nothing_to_go_back_to() {
  throw Failure(Code::usage, "the secondary has no history yet",
                "the first run makes it: abgleich sync");
}

void expect_can_be_taken_back(const db::RunRow& run) {
  using journal::RunKind;
  if (is(run.kind, RunKind::repair)) {
    throw Failure(Code::usage, fmt::format("run {} repaired a damaged base", run.id),
                  "there is nothing good to go back to. Nothing was changed");
  }
  if (is(run.kind, RunKind::rotate)) {
    throw Failure(Code::usage, fmt::format("run {} rotated the key", run.id),
                  "old pseudonyms do not come back; for new ones again, run: abgleich keys rotate. "
                  "Nothing was changed");
  }
  if (is(run.kind, RunKind::rekey)) {
    const auto counts = parse_shallow<nlohmann::json>(run.counts);
    const auto table = counts.is_object() && !counts.empty() ? counts.begin().key() : "TABLE";
    throw Failure(
        Code::usage, fmt::format("run {} gave '{}' another key", run.id, table),
        fmt::format("the way back is the same: name the old key in the contract again, then run: "
                    "abgleich rekey {} --reason TEXT. Nothing was changed",
                    contract::in_shell(table)));
  }
}

/// Plans, table by table, to undo what the run did. A deque, because plans refer to their table's
/// relation, so that no element may move.
std::deque<RevertedTable> take_back(RunAttempt& writing, const WritingRun& frame,
                                    const db::RunRow& run) {
  auto& target = writing.target();
  const LeftBefore left_before(frame.pairing(), target, frame.keyring());
  auto& books = target.books();
  const auto known = books.tracked();
  std::deque<RevertedTable> tables;
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
    // what it has overwritten may be more than the contract lets leave now
    if (record.before && !left_before.is_same_since(tracked->source, run.epoch)) {
      throw Failure(
          Code::usage,
          fmt::format("run {} cannot be taken back: the contract lets other things of table '{}' "
                      "leave than before it",
                      run.id, tracked->source),
          fmt::format("see what it changed: abgleich show {}. Nothing was changed", run.id));
    }
    // the journal comes in the order of tables
    if (tables.empty() || tables.back().relation().id != record.tracked) {
      refuse_changed_columns(target, *tracked);
      tables.emplace_back(target, *tracked, frame.keyring(), writing.epoch());
    }
    tables.back().take_back(record);
  });
  return tables;
}

void note_lost_rows(const std::deque<RevertedTable>& tables, report::Outcome& outcome) {
  std::int64_t gone = 0;
  std::int64_t keyless = 0;
  std::int64_t taken = 0;
  for (const auto& table : tables) {
    gone += table.gone();
    taken += table.taken();
    keyless += table.keyless();
  }
  if (keyless > 0) {
    outcome.notes.push_back(
        fmt::format("{} {} gone before the table got another key: they do not "
                    "come back",
                    keyless, keyless == 1 ? "row was" : "rows were"));
  }
  if (taken > 0) {
    outcome.notes.push_back(fmt::format(
        "{} now, and stay as that peer has sent them",
        taken == 1 ? "1 row is another peer's" : fmt::format("{} rows are other peers'", taken)));
  }
  if (gone > 0) {
    outcome.notes.push_back(
        fmt::format("{} {} erased, and no trace of them was kept: they do not come back", gone,
                    gone == 1 ? "row was" : "rows were"));
  }
}

report::Outcome attempt(const WritingRun& frame, const std::string& called,
                        const std::string& reason) {
  report::Outcome outcome{.started = now_utc()};
  const auto& pairing = frame.pairing();
  RunAttempt writing(frame, outcome.started);
  if (!writing.look()) {
    nothing_to_go_back_to();
  }
  auto& target = writing.target();
  auto& books = target.books();
  const auto run = find_run(books, called);
  expect_can_be_taken_back(run);
  expect_kept(pairing, run);
  target.load_catalog();

  auto tables = take_back(writing, frame, run);
  if (tables.empty()) {
    nothing_to_revert(run);
  }
  std::vector<db::PlannedTable*> plans;
  plans.reserve(tables.size());
  for (auto& table : tables) {
    plans.push_back(&table.finish());
  }
  db::PlanApplication(target, plans).apply();
  for (auto& table : tables) {
    outcome.tables.push_back(table.record());
  }
  note_lost_rows(tables, outcome);
  outcome.open_conflicts = books.count_conflicts();
  outcome.open_quarantined = books.count_quarantine();
  outcome.run =
      writing.commit({.kind = journal::RunKind::revert,
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
  const WritingRun frame(pairing);
  return frame.attempts([&] { return attempt(frame, called, reason); });
}

std::string resume(const Pairing& pairing, const std::string& reason) {
  const WritingRun frame(pairing);
  return frame.attempts([&] {
    RunAttempt run(frame, now_utc());
    auto& books = run.books();
    // a rotation of the key waits for the end of the pause, so the secondary may be of an older
    // epoch
    const auto last = books.exist() ? books.head(db::Books::Lock::row) : std::nullopt;
    const auto& head = run.look(keyring_of(last, frame.keyring()));
    if (!head) {
      nothing_to_go_back_to();
    }
    if (!head->paused) {
      throw Failure(Code::usage, "this pairing is not paused",
                    "there is nothing to resume; bring the secondary up to date: abgleich sync");
    }
    return run.commit({.kind = journal::RunKind::resume,
                       .reason = reason,
                       .counts = "{}",
                       .pause = RunFacts::Pause::lift});
  });
}

}  // namespace abgleich::sync
