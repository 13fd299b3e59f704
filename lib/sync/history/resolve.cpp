#include "sync/history/resolve.hpp"

#include "contract/words.hpp"
#include "core/clock.hpp"
#include "db/secondary/base_table.hpp"
#include "db/secondary/data_table.hpp"
#include "db/secondary/plan_application.hpp"
#include "db/secondary/plan_writer.hpp"
#include "db/secondary/secondary_schema.hpp"
#include "db/secondary/shared_tables.hpp"
#include "db/secondary/target.hpp"
#include "db/secondary/typed_value.hpp"
#include "journal/head.hpp"
#include "journal/quarantine_cause.hpp"
#include "journal/record.hpp"
#include "journal/run_kind.hpp"
#include "merge/merge.hpp"
#include "sync/detect/k_anonymity.hpp"
#include "sync/history/choice.hpp"
#include "sync/mapping/left_columns.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/merge/plan.hpp"
#include "sync/run/books_key.hpp"
#include "sync/run/leaving.hpp"
#include "sync/run/rare_keys.hpp"
#include "sync/run/writing_run.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace abgleich::sync {

namespace {

[[noreturn]] void no_history() {
  throw Failure(Code::usage, "the secondary has no history yet, so nothing is open",
                "the first run makes it: abgleich sync");
}

/// One tracked table while its conflicts are decided.
class Table {
 public:
  Table(db::Target& target, const db::LocatedRelation& relation)
      : target_(target),
        table_(target.prepare(relation)),
        relation_(table_.relation()),
        writer_(table_) {}

  [[nodiscard]] const db::Relation& relation() const { return relation_; }

  /// Plans one decision. Returns why the conflict stays open, where nothing can be planned.
  std::optional<Left> decide(const journal::Conflict& conflict, const Resolution& resolution,
                             Take side) {
    const auto key = key_row(conflict);
    const auto now = db::DataTable(target_, relation_).find(key);
    if (!as_it_was(conflict, now)) {
      return Left{.id = conflict.id,
                  .why =
                      "the row in the secondary has changed since; run abgleich sync, then look "
                      "again",
                  .now = as_it_is(conflict, now)};
    }
    if (db::is_taken(target_, relation_, key)) {
      return Left{.id = conflict.id,
                  .why = "the row with this key is another peer's now; run abgleich sync"};
    }
    if (auto why = undecidable(conflict, resolution, side)) {
      return Left{.id = conflict.id, .why = *std::move(why)};
    }
    if (!resolution.set.empty()) {
      return set(conflict, resolution, key, now);
    }
    take(conflict, side, key, now);
    return std::nullopt;
  }

  db::PlannedTable& finish() { return plan_.emplace(writer_.finish()); }

  /// To be called after `applied`.
  void record() const { plan_->record(); }

  /// The decided conflicts that were applied; those that were refused go to `left`.
  std::vector<std::string> applied(std::vector<Left>& left) {
    plan_->refused_rows([&](const db::RefusedRow& refused) {
      const auto found = decided_.find(refused.key_text);
      left.push_back({.id = found->second, .why = "the secondary's constraints refuse it"});
      decided_.erase(found);
    });
    std::vector<std::string> ids;
    for (const auto& [key, id] : decided_) {
      ids.push_back(id);
    }
    return ids;
  }

 private:
  /// Why this conflict cannot be decided in this way; empty where it can.
  [[nodiscard]] std::optional<std::string> undecidable(const journal::Conflict& conflict,
                                                       const Resolution& resolution,
                                                       Take side) const {
    const bool primary = side == Take::primary;
    if (conflict.action == journal::ConflictAction::partly &&
        (primary || !resolution.set.empty())) {
      return "only a run knows the primary's side of it whole; run abgleich resume --reason TEXT "
             "and abgleich sync, then look again";
    }
    if (conflict.kind == journal::kConstraint && primary && resolution.set.empty()) {
      const auto change = change_of(relation_.source, conflict);
      return fmt::format(
          "the secondary's constraint{} refuses what the primary has; {}",
          change.constraint.empty() ? std::string() : fmt::format(" '{}'", change.constraint),
          report::settled_by(change));
    }
    return std::nullopt;
  }

  /// Plans the decision that one side is right, for all cells of the row.
  void take(const journal::Conflict& conflict, Take side, const Row& key,
            const std::optional<Row>& now) {
    db::PlanRow row{.action = action_of(conflict, side),
                    .mask = std::string(relation_.columns.size(), '0'),
                    .fate = side == Take::primary ? "resolved_primary" : "resolved_secondary",
                    .key_text = conflict.key_text};
    Row values = key;
    for (const auto& cell : conflict.cells) {
      const auto at = column(cell.column);
      if (cell.primary) {
        values.cells[at] = *cell.primary;
        row.mask[at] = cell.primary == cell.secondary ? '0' : '1';
      }
    }
    if (row.action == db::PlanAction::insert) {
      row.mask.assign(relation_.columns.size(), '1');
    }
    const auto base = db::BaseTable(target_, relation_).find(key);
    row.base = base;
    if (row.action != db::PlanAction::remove && row.action != db::PlanAction::forget) {
      row.digests = next_base(conflict, base);
    }
    const std::string all(relation_.columns.size(), '1');
    if (row.action == db::PlanAction::update) {
      row.before = journal::cells_text(relation_, *now, row.mask);
    } else if (row.action == db::PlanAction::remove && now) {
      row.before = journal::cells_text(relation_, *now, all);
    }
    if (row.action == db::PlanAction::update || row.action == db::PlanAction::insert) {
      row.after = journal::cells_text(relation_, values, row.mask);
    }
    writer_.add(row, values);
    decided_[conflict.key_text] = conflict.id;
  }

  /// Plans values that a person has chosen: they count as the secondary's own edits of what the
  /// primary has.
  std::optional<Left> set(const journal::Conflict& conflict, const Resolution& resolution,
                          const Row& key, const std::optional<Row>& now) {
    if (resolution.take_said && !of_two_rows(conflict)) {
      throw Failure(Code::usage, "say which side to take, or which values to set",
                    "--set COLUMN=VALUE alone: only where both sides have inserted the row does "
                    "--take beside it say whose the other cells are. Nothing was changed");
    }
    if (auto ask = asks_for_side(conflict, resolution)) {
      return ask;
    }
    const bool refused = conflict.kind == journal::kConstraint;
    const bool inserts = refused && conflict.action == journal::ConflictAction::insert;
    if (!now && !inserts) {
      return Left{
          .id = conflict.id,
          .why = "the secondary does not have the row, so no value can be set; take a side"};
    }
    db::PlanRow row{.action = inserts ? db::PlanAction::insert : db::PlanAction::update,
                    .mask = std::string(relation_.columns.size(), inserts ? '1' : '0'),
                    .fate = "resolved_set",
                    .key_text = conflict.key_text};
    Row values = key;
    bool primary_has_it = false;
    for (const auto& cell : conflict.cells) {
      primary_has_it = primary_has_it || cell.primary.has_value();
      if ((refused || fills_in(conflict, resolution)) && cell.primary &&
          !relation_.is_key(column(cell.column))) {
        values.cells[column(cell.column)] = *cell.primary;
        row.mask[column(cell.column)] = '1';
      }
    }
    for (const auto& [name, text] : resolution.set) {
      const auto at = settable(name);
      const auto [known, is_new] = literals_.try_emplace(at);
      if (is_new) {
        known->second = db::typed_value(target_, relation_.columns[at], text);
      }
      values.cells[at] = known->second;
      row.mask[at] = '1';
    }
    // a row that the primary has deleted is the secondary's own from now on: it leaves the base
    const auto base = db::BaseTable(target_, relation_).find(key);
    row.base = base;
    if (primary_has_it) {
      row.digests = next_base(conflict, base);
    }
    if (now) {
      row.before = journal::cells_text(relation_, *now, row.mask);
    }
    row.after = journal::cells_text(relation_, values, row.mask);
    writer_.add(row, values);
    decided_[conflict.key_text] = conflict.id;
    return std::nullopt;
  }

  /// Whether both sides have inserted the row, differently. Then cells that are not set can be
  /// taken from either side.
  static bool of_two_rows(const journal::Conflict& conflict) {
    return conflict.kind == merge::name_of(merge::Case::both_inserted);
  }
  static bool fills_in(const journal::Conflict& conflict, const Resolution& resolution) {
    return of_two_rows(conflict) && resolution.take_said && resolution.take == Take::primary;
  }

  [[nodiscard]] std::optional<Left> asks_for_side(const journal::Conflict& conflict,
                                                  const Resolution& resolution) const {
    if (!of_two_rows(conflict) || resolution.take_said) {
      return std::nullopt;
    }
    std::string others;
    for (const auto& cell : conflict.cells) {
      const bool chosen = std::ranges::any_of(
          resolution.set, [&](const auto& value) { return value.first == cell.column; });
      if (!chosen && cell.primary != cell.secondary) {
        others += fmt::format("{}{}", others.empty() ? "" : ", ", cell.column);
      }
    }
    if (others.empty()) {
      return std::nullopt;
    }
    return Left{.id = conflict.id,
                .why = fmt::format("the rows differ in {} too: say which side they take, with "
                                   "--take primary or --take secondary beside --set",
                                   others)};
  }

  [[nodiscard]] std::size_t settable(const std::string& name) const {
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < relation_.columns.size(); ++i) {
      if (relation_.is_key(i)) {
        continue;
      }
      if (relation_.columns[i].name == name) {
        return i;
      }
      names.push_back(relation_.columns[i].name);
    }
    const auto near = contract::nearest(name, names);
    throw Failure(Code::usage,
                  fmt::format("'{}' has no column {} that could be set", relation_.name,
                              contract::in_quotes(name)),
                  (near ? fmt::format("did you mean '{}'? ", *near) : std::string()) +
                      fmt::format("the columns: {}. Nothing was changed", fmt::join(names, ", ")));
  }

  [[nodiscard]] report::Change as_it_is(const journal::Conflict& conflict,
                                        const std::optional<Row>& now) const {
    auto change = change_of(relation_.source, conflict);
    for (auto& cell : change.cells) {
      cell.secondary = now ? std::optional(now->cells[column(cell.column)]) : std::nullopt;
    }
    return change;
  }

  [[nodiscard]] std::size_t column(const std::string& name) const {
    const auto found = std::ranges::find(relation_.columns, name, &db::RelationColumn::name);
    if (found == relation_.columns.end()) {
      throw Failure(
          Code::usage,
          fmt::format("the conflict names column '{}', which is no longer exported", name),
          "run abgleich sync, then look again: abgleich conflicts");
    }
    return static_cast<std::size_t>(found - relation_.columns.begin());
  }

  [[nodiscard]] Row key_row(const journal::Conflict& conflict) const {
    Row key;
    key.cells.resize(relation_.columns.size());
    for (auto& [name, value] : journal::read_cells(conflict.key_text)) {
      key.cells[column(name)] = value;
    }
    return key;
  }

  [[nodiscard]] bool as_it_was(const journal::Conflict& conflict,
                               const std::optional<Row>& now) const {
    if (conflict.kind == journal::kConstraint) {
      return true;
    }
    return std::ranges::all_of(conflict.cells, [&](const journal::ConflictCell& cell) {
      const auto at = column(cell.column);
      return cell.secondary.has_value() == now.has_value() &&
             (!now || relation_.is_key(at) || now->cells[at] == *cell.secondary);
    });
  }

  static db::PlanAction action_of(const journal::Conflict& conflict, Take take) {
    const bool primary = conflict.cells.empty() || conflict.cells.front().primary.has_value();
    const bool secondary = !conflict.cells.empty() && conflict.cells.front().secondary.has_value();
    const bool deletion = conflict.kind == journal::kConstraint
                              ? conflict.action == journal::ConflictAction::remove
                              : !primary;
    if (take == Take::secondary) {
      return deletion ? db::PlanAction::forget : db::PlanAction::agree;
    }
    if (deletion) {
      return db::PlanAction::remove;
    }
    return secondary ? db::PlanAction::update : db::PlanAction::insert;
  }

  /// The base as if both sides had agreed on the primary's values of the cells in conflict: what
  /// the secondary has instead counts as its own edit from now on.
  std::string next_base(const journal::Conflict& conflict,
                        const std::optional<std::string>& base) const {
    auto digests =
        base ? base_digests(relation_, *base) : std::vector<Digest>(relation_.columns.size());
    for (const auto& [name, digest] : conflict.unwritten) {
      if (!base) {
        digests[column(name)] = digest;
      }
    }
    for (const auto& cell : conflict.cells) {
      digests[column(cell.column)] = cell.digest;
    }
    return pack(digests);
  }

  db::Target& target_;
  db::StagedTable& table_;
  const db::LocatedRelation& relation_;
  db::PlanWriter writer_;
  std::optional<db::PlannedTable> plan_;        // once it is finished
  std::map<std::string, std::string> decided_;  // key -> id
  std::map<std::size_t, Value> literals_;       // what was typed for a column
};

/// Throws Failure where decisions from a file are for another pairing than this one.
void expect_pairing(const Resolution& resolution, const db::HeadRow& head) {
  if (!resolution.decisions.empty() && resolution.pairing != journal::pairing_mark(head.lineage)) {
    throw Failure(Code::usage, "these decisions are for another pairing",
                  "name the pairing whose page they come from: --profile NAME; or make the page "
                  "anew: abgleich report --decide FILE. Nothing was changed");
  }
}

/// The tracked tables as the secondary has them. Throws Failure where a table was named that is not
/// among them.
std::vector<db::LocatedRelation> known_relations(db::Target& target,
                                                 const std::vector<db::TrackedRow>& tracked,
                                                 const Resolution& resolution) {
  std::vector<db::Relation> relations;
  relations.reserve(tracked.size());
  for (const auto& row : tracked) {
    relations.push_back(relation_of(row));
  }
  if (!resolution.table.empty() &&
      std::ranges::find(relations, resolution.table, &db::Relation::source) == relations.end()) {
    std::vector<std::string_view> names;
    names.reserve(relations.size());
    for (const auto& relation : relations) {
      names.push_back(relation.source);
    }
    const auto near = contract::nearest(resolution.table, names);
    throw Failure(
        Code::usage,
        fmt::format("table {} is not synchronised", contract::in_quotes(resolution.table)),
        (near ? fmt::format("did you mean '{}'? ", *near) : std::string()) +
            "see the tables: abgleich status. Nothing was changed");
  }
  return db::SecondarySchema(target).locate(std::move(relations)).relations;
}

/// Carries out what was decided. Returns the run's counts.
nlohmann::ordered_json apply(db::Target& target, std::map<std::int64_t, Table>& tables,
                             Resolved& resolved) {
  std::vector<db::PlannedTable*> plans;
  plans.reserve(tables.size());
  for (auto& [id, table] : tables) {
    plans.push_back(&table.finish());
  }
  db::PlanApplication(target, plans).apply();
  auto counts = nlohmann::ordered_json::object();
  for (auto& [id, table] : tables) {
    const auto applied = table.applied(resolved.left);
    table.record();
    for (const auto& conflict : applied) {
      target.books().close_conflict(conflict);
    }
    resolved.decided += static_cast<std::int64_t>(applied.size());
    counts[table.relation().source] = {{"resolved", applied.size()}};
  }
  return counts;
}

/// Why a conflict of this table cannot be decided; empty: it can. What was kept of the primary's
/// side is not written where an older contract let it leave. `as_it_is`: nothing is to be written.
std::optional<std::string> refused_by_contract(const Pairing& pairing,
                                               const LeftBefore& left_before,
                                               const std::string& table, bool as_it_is) {
  if (left_before.is_same(table)) {
    return std::nullopt;
  }
  if (pairing.contract.find_table(table) != nullptr) {
    return "the contract lets other things of this table leave than when the conflict was found; "
           "run abgleich sync, then look again";
  }
  return as_it_is ? std::nullopt
                  : std::optional<std::string>(
                        "the contract no longer has this table, so only the secondary's side can "
                        "be taken: abgleich resolve ID --take secondary");
}

Resolved attempt(const WritingRun& frame, const Resolution& resolution) {
  RunAttempt run(frame, now_utc());
  auto& target = run.target();
  const auto& head = run.look();
  if (!head) {
    no_history();
  }
  expect_pairing(resolution, *head);
  target.load_catalog();

  const auto tracked = target.books().tracked();
  const auto relations = known_relations(target, tracked, resolution);
  const LeftBefore left_before(frame.pairing(), target, frame.keyring());
  Resolved resolved;
  Choice choice(resolution);
  std::map<std::int64_t, Table> tables;
  target.books().conflicts([&](const db::ConflictRow& row) {
    const auto at = std::ranges::find(relations, row.tracked, &db::Relation::id);
    if (at == relations.end() || !choice.takes(row.id, at->source)) {
      return;
    }
    const auto side = choice.side_of(row.id);
    if (auto why = refused_by_contract(frame.pairing(), left_before, at->source,
                                       side == Take::secondary && resolution.set.empty())) {
      resolved.left.push_back({.id = row.id, .why = std::move(*why)});
      return;
    }
    auto table = tables.find(row.tracked);
    if (table == tables.end()) {
      refuse_changed_columns(target, tracked[static_cast<std::size_t>(at - relations.begin())]);
      table = tables.try_emplace(row.tracked, target, *at).first;
    }
    if (auto left = table->second.decide(journal::from_row(row), resolution, side)) {
      resolved.left.push_back(std::move(*left));
    }
  });
  if (choice.lacks_some()) {
    target.books().conflicts(
        [&](const db::ConflictRow& row) { choice.know(change_of("", journal::from_row(row))); });
  }
  choice.check(resolved.left);

  const auto counts = apply(target, tables, resolved);
  choice.put_in_order(resolved.left);
  resolved.open = target.books().count_conflicts();
  if (resolved.decided > 0) {
    resolved.run = run.commit(
        {.kind = journal::RunKind::resolve,
         .reason = resolution.reason.empty() ? std::nullopt : std::optional(resolution.reason),
         .counts = counts.dump()});
  }
  return resolved;
}

/// The names of the tracked tables, by number.
std::map<std::int64_t, std::string> table_names(db::Books& books) {
  std::map<std::int64_t, std::string> names;
  for (const auto& row : books.tracked()) {
    names[row.id] = row.source;
  }
  return names;
}

}  // namespace

Resolved resolve(const Pairing& pairing, const Resolution& resolution) {
  const WritingRun frame(pairing);
  return frame.attempts([&] { return attempt(frame, resolution); });
}

void each_conflict(const Pairing& pairing,
                   const std::function<void(const report::Change&)>& on_conflict) {
  db::Target target(pairing.config.secondary, db::Mode::dry);
  (void)open_to_look(pairing, target);
  if (!target.books().exist()) {
    return;
  }
  const auto names = table_names(target.books());
  std::map<std::int64_t, std::string> finished;
  target.books().each_run(
      [&](const db::RunRow& run, bool /*genuine*/) { finished.emplace(run.epoch, run.finished); });
  target.books().conflicts([&](const db::ConflictRow& row) {
    const auto name = names.find(row.tracked);
    auto change = change_of(name == names.end() ? "" : name->second, journal::from_row(row));
    if (const auto found = finished.find(row.epoch); found != finished.end()) {
      change.since = found->second;
      change.age = seconds_since(found->second);
    }
    on_conflict(change);
  });
}

void each_quarantined(const Pairing& pairing,
                      const std::function<void(const report::Change&)>& on_row) {
  db::Target target(pairing.config.secondary, db::Mode::dry);
  (void)open_to_look(pairing, target);
  if (!target.books().exist()) {
    return;
  }
  const auto names = table_names(target.books());
  const auto rare = read_rare_keys(pairing);
  target.books().quarantines([&](const db::QuarantineRow& row) {
    const auto name = names.find(row.tracked);
    const auto table = name == names.end() ? std::string() : name->second;
    const auto meant = [&](const RareKey& key) {
      return journal::is_rarity(row.reason) && key.tracked == row.tracked &&
             key.still_there == journal::is_still_there(row.reason);
    };
    if (std::ranges::count_if(rare, meant) != row.rows || !journal::is_rarity(row.reason)) {
      on_row(change_of(table, row));
      return;
    }
    for (const auto& key : rare) {
      if (meant(key)) {
        auto one = row;
        one.key_text = key.key_text;
        one.rows = 1;
        on_row(change_of(table, one));
      }
    }
  });
}

}  // namespace abgleich::sync
