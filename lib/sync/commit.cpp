#include "sync/commit.hpp"

#include "journal/head.hpp"
#include "journal/state.hpp"
#include "report/json.hpp"
#include "report/text.hpp"
#include "sync/apply.hpp"
#include "sync/constraints.hpp"
#include "sync/lay_down.hpp"
#include "sync/leaving.hpp"
#include "sync/left_columns.hpp"
#include "sync/primary_position.hpp"
#include "sync/revert.hpp"
#include "sync/same_table.hpp"
#include "sync/secondary_drift.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace abgleich::sync {

namespace {

std::vector<report::TableCounts> counts_of(const std::vector<Judged>& judged) {
  std::vector<report::TableCounts> counts;
  counts.reserve(judged.size());
  for (const auto& table : judged) {
    counts.push_back(table.counts);
  }
  return counts;
}

std::optional<std::string> pause_after(const std::optional<db::HeadRow>& head,
                                       const RunFacts& facts) {
  switch (facts.pause) {
    case RunFacts::Pause::set:
      return facts.pause_reason;
    case RunFacts::Pause::lift:
      return std::nullopt;
    default:
      return head ? head->paused : std::nullopt;
  }
}

/// Forgets the changes of runs that are older than the configuration keeps, `newest` being the last
/// one. True: there were some.
bool purge_journal(const Pairing& pairing, db::Books& books, std::int64_t newest) {
  using Unit = contract::Retention::Unit;
  const auto& keep = pairing.config.keep;
  if (keep.unit == Unit::forever) {
    return false;
  }
  const auto last = keep.unit == Unit::days ? books.last_before(journal::utc_days_ago(keep.amount))
                                            : newest - keep.amount;
  return last > 0 && books.purge_journal(last, journal::now_utc()) > 0;
}

}  // namespace

std::string counts_json(const std::vector<report::TableCounts>& tables) {
  auto json = nlohmann::ordered_json::object();
  for (const auto& counts : tables) {
    json[counts.table] = {{"inserted", counts.inserted},   {"updated", counts.updated},
                          {"deleted", counts.deleted},     {"unchanged", counts.unchanged},
                          {"conflicts", counts.conflicts}, {"quarantined", counts.quarantined}};
  }
  return json.dump();
}

namespace {

bool same_tracked(const std::vector<db::TrackedRow>& known, const db::TrackedRow& row) {
  return std::ranges::any_of(known, [&](const db::TrackedRow& other) {
    return other.id == row.id && other.source == row.source && other.target == row.target &&
           other.key_columns == row.key_columns && other.columns == row.columns;
  });
}

/// What drift a run has seen, for its hash.
std::string drift_text(const std::vector<drift::Event>& events) {
  std::string text;
  for (const auto& event : events) {
    text += report::json_line(event) + "\n";
  }
  return text;
}

/// The epoch since which rows of base and journal are in this order: that of the change only where
/// it is more than a change of type.
std::int64_t ordered_since(const std::vector<db::TrackedRow>& known, const db::TrackedRow& row,
                           std::int64_t epoch) {
  const auto before = std::ranges::find(known, row.id, &db::TrackedRow::id);
  return before != known.end() && same_order(*before, row) ? before->since : epoch;
}

}  // namespace

std::string commit_run(const Pairing& pairing, db::Target& target,
                       const std::optional<db::HeadRow>& head, const std::string& key_check,
                       const std::string& primary_id, const RunFacts& facts) {
  db::RunRow run{.epoch = head ? head->epoch + 1 : 1,
                 .kind = facts.kind,
                 .started = facts.started,
                 .finished = journal::now_utc(),
                 .operator_ = journal::operator_name(),
                 .reason = facts.reason,
                 .counts = facts.counts,
                 .nonce = db::random_nonce(),
                 .deeds = target.books().deeds(facts.drift)};
  const auto& lineage = target.books().sealer().lineage();
  journal::chain(head, lineage, run);
  target.books().insert_run(run);
  const db::HeadRow next{.lineage = lineage,
                         .epoch = run.epoch,
                         .hash = run.hash,
                         .run = run.id,
                         .key_check = key_check,
                         .primary_id = primary_id,
                         .paused = pause_after(head, facts)};
  if (!target.books().advance_head(head, next)) {
    throw Failure(Code::try_again, "another run has changed the secondary meanwhile",
                  "run it again: abgleich sync. Nothing was changed");
  }
  journal::write_intent(pairing.config.state_directory, anchor_of(target, next));
  target.commit();
  journal::settle_intent(pairing.config.state_directory);
  return run.id;
}

void finish_run(const Pairing& pairing, db::Target& target,
                const std::vector<ExportedTable>& tables, const std::vector<Judged>& judged,
                const std::optional<db::HeadRow>& head, const Schema& schema,
                const mask::Keyring& keyring, const Primary& primary, const Options& options,
                Detection& detection, const OnChange& on_change, report::Outcome& outcome) {
  auto& books = target.books();
  const auto epoch = head ? head->epoch + 1 : 1;
  std::vector<std::int64_t> processed;
  processed.reserve(tables.size());
  for (const auto& exported : tables) {
    processed.push_back(exported.relation.id);
  }
  const auto conflicts = books.settle_conflicts(processed);
  const auto quarantine = books.settle_quarantine(processed);
  bool changed = !head || !schema.executed.empty() || conflicts.added + conflicts.gone > 0 ||
                 quarantine.added + quarantine.gone > 0;
  const auto known = books.tracked();
  std::vector<db::TrackedRow> next;
  next.reserve(tables.size());
  for (const auto& exported : tables) {
    next.push_back(tracked_row(exported));
  }
  free_names(books, known, next);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    auto& row = next[i];
    if (std::ranges::find(known, row.id, &db::TrackedRow::id) == known.end()) {
      remember_order(books, tables[i].relation, epoch);
    }
    if (!same_tracked(known, row)) {
      row.since = ordered_since(known, row, epoch);
      books.put_tracked(row);
      changed = true;
    }
    changed = changed || judged[i].counts.inserted > 0 || judged[i].plan_rows > 0;
  }
  // nothing left before the first run, whose contract is decided with it, blocked tables and all
  auto leaving = head ? std::set<std::string>{} : all_tables(pairing.contract);
  for (const auto& exported : tables) {
    leaving.insert(exported.table->name);
  }
  changed = record_leaving(pairing, target, keyring, epoch, leaving) || changed;
  outcome.open_conflicts = books.count_conflicts();
  outcome.open_quarantined = books.count_quarantine();
  const bool purged = head && purge_journal(pairing, books, changed ? epoch : head->epoch);
  const auto tell_details = [&] {
    if (options.detail == Detail::changes) {
      tell(target, tables, on_change);
    }
  };
  if (!changed) {
    tell_details();
    detection.look(target, tables, judged);
    outcome.result = report::Result::unchanged;
    if (purged) {
      books.seal_head(*head);
      target.commit();  // nothing that a run would be the name of
    }
    witness_position(pairing, target, keyring, *head, primary.position);
    return;
  }
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (judged[i].way == Way::filled) {
      books.journal_note({.epoch = epoch,
                          .tracked = tables[i].relation.id,
                          .n = 0,
                          .key_text = "{}",
                          .fate = std::string(kFirstLoad),
                          .after = fmt::format("{{\"rows\": {}}}", judged[i].counts.inserted)});
    } else if (judged[i].plan_rows > 0) {
      target.settle(tables[i].relation);
    }
  }
  remember_constraints(pairing, target, tables, epoch);
  remember_columns(target, tables, epoch);
  detection.look(target, tables, judged);
  tell_details();
  keep_position(pairing, target, keyring, primary.position, From::here);
  outcome.run = commit_run(
      pairing, target, head, keyring.check_value(), journal::primary_id(primary.identity),
      {.kind = "sync",
       .started = outcome.started,
       .reason = options.reason.empty() ? std::nullopt : std::optional(options.reason),
       .counts = counts_json(counts_of(judged)),
       .drift = drift_text(outcome.drift)});
  outcome.result = report::Result::applied;
}

void count_findings(const std::vector<Judged>& judged, report::Outcome& outcome) {
  outcome.result = report::Result::unchanged;
  for (const auto& table : judged) {
    outcome.open_conflicts += table.counts.conflicts;
    outcome.open_quarantined += table.counts.quarantined;
    if (table.plan_rows > 0) {
      outcome.result = report::Result::applied;
    }
  }
}

namespace {

/// What is to be said of a table's rows beyond their numbers.
void note_table(const Judged& table, report::Outcome& outcome) {
  if (const auto rare = table.staged.rare; rare > 0) {
    outcome.notes.push_back(
        fmt::format("{} of '{}' {} held back by min_k: too few subjects share "
                    "the quasi-identifiers",
                    rare == 1 ? "1 row" : fmt::format("{} rows", rare), table.counts.table,
                    rare == 1 ? "is" : "are"));
  }
  if (const auto rows = table.counts.withdrawn; rows > 0) {
    outcome.notes.push_back(fmt::format(
        "{} of '{}' {} withdrawn from the secondary for that reason; {} come back when more "
        "subjects share {} quasi-identifiers",
        rows == 1 ? "1 row" : fmt::format("{} rows", rows), table.counts.table,
        outcome.kind == report::Run::dry ? "would be"
        : rows == 1                      ? "was"
                                         : "were",
        rows == 1 ? "it will" : "they", rows == 1 ? "its" : "their"));
  }
  if (table.staged.nameless > 0) {
    const bool one = table.staged.nameless == 1;
    outcome.notes.push_back(fmt::format(
        "{} {} of '{}' {} no usable key; until that is mended in the primary, no row of this "
        "table counts as deleted",
        table.staged.nameless, one ? "row" : "rows", table.counts.table, one ? "has" : "have"));
  }
}

}  // namespace

void settle_outcome(const std::vector<Judged>& judged, report::Outcome& outcome) {
  for (const auto& table : judged) {
    outcome.tables.push_back(table.counts);
    note_table(table, outcome);
  }
  if (outcome.open_conflicts > 0) {
    outcome.code = severer(outcome.code, Code::conflicts_open);
  }
  if (outcome.open_quarantined > 0 || !outcome.drift.empty()) {
    outcome.code = severer(outcome.code, Code::quarantine_or_drift);
  }
  const auto blocked = report::blocked_tables(outcome.drift);
  if (blocked.empty()) {
    return;
  }
  outcome.code = severer(outcome.code, Code::drift_decision);
  const auto people = std::ranges::find_if(outcome.drift, [](const drift::Event& event) {
    return of_the_secondary(event) && event.verdict == drift::Verdict::block;
  });
  const auto hint =
      people == outcome.drift.end() ? std::string("look at it: abgleich drift") : people->hint;
  if (outcome.result == report::Result::unchanged) {
    outcome.result = report::Result::refused;
  }
  outcome.error =
      Error{.code = Code::drift_decision,
            .message = fmt::format("drift needs a decision before {} synchronised: {}",
                                   blocked.size() == 1 ? "this table is" : "these tables are",
                                   fmt::join(blocked, ", ")),
            .hint = hint + ". In these tables nothing was changed"};
}

}  // namespace abgleich::sync
