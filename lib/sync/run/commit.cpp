#include "sync/run/commit.hpp"

#include "core/clock.hpp"
#include "journal/head.hpp"
#include "report/json.hpp"
#include "report/text.hpp"
#include "state/anchor.hpp"
#include "state/operator_name.hpp"
#include "sync/mapping/constraints.hpp"
#include "sync/mapping/left_columns.hpp"
#include "sync/mapping/secondary_drift.hpp"
#include "sync/mapping/table_matches.hpp"
#include "sync/run/apply.hpp"
#include "sync/run/leaving.hpp"
#include "sync/run/other_books.hpp"
#include "sync/run/primary_position.hpp"
#include "sync/run/row_order.hpp"
#include "sync/run/writing_run.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
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

/// Purges the journal of runs that are older than the configuration keeps. `newest`: the number of
/// the last run. True: there were some.
bool purge_journal(const Pairing& pairing, db::Books& books, std::int64_t newest) {
  using Unit = contract::Retention::Unit;
  const auto& keep = pairing.config.keep;
  if (keep.unit == Unit::forever) {
    return false;
  }
  const auto last =
      keep.unit == Unit::days ? books.last_before(utc_days_ago(keep.amount)) : newest - keep.amount;
  return last > 0 && books.purge_journal(last, now_utc()) > 0;
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

/// Lists the open conflicts in the outcome, unless there are too many for anybody to read.
void list_conflicts(db::Books& books, const std::vector<db::TrackedRow>& processed,
                    report::Outcome& outcome) {
  constexpr std::int64_t kListed = 1000;
  if (outcome.open_conflicts == 0 || outcome.open_conflicts > kListed) {
    return;
  }
  std::map<std::int64_t, std::string> names;
  for (const auto& rows : {books.tracked(), processed}) {
    for (const auto& row : rows) {
      names[row.id] = row.source;
    }
  }
  books.conflicts([&](const db::ConflictRow& row) {
    outcome.conflicts.push_back({.table = names[row.tracked], .id = row.id});
  });
}

/// The drift that a run has seen, as text for its hash.
std::string drift_text(const std::vector<drift::Event>& events) {
  std::string text;
  for (const auto& event : events) {
    text += report::json_line(event) + "\n";
  }
  return text;
}

/// The number of the run since which rows of base and journal have their columns in this order. It
/// is the current run (`epoch`) if the order changes, but not if only a type does.
std::int64_t ordered_since(const std::vector<db::TrackedRow>& known, const db::TrackedRow& row,
                           std::int64_t epoch) {
  const auto before = std::ranges::find(known, row.id, &db::TrackedRow::id);
  return before != known.end() && same_order(*before, row) ? before->since : epoch;
}

}  // namespace

std::string commit_run(const Pairing& pairing, db::Target& target,
                       const std::optional<db::HeadRow>& head, const RunFacts& facts) {
  db::RunRow run{.epoch = head ? head->epoch + 1 : 1,
                 .kind = std::string(name_of(facts.kind)),
                 .started = facts.started,
                 .finished = now_utc(),
                 .operator_ = state::operator_name(),
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
                         .key_check = facts.key_check ? *facts.key_check : head->key_check,
                         .primary_id = facts.primary_id ? *facts.primary_id : head->primary_id,
                         .paused = pause_after(head, facts)};
  if (!target.books().advance_head(head, next)) {
    throw Failure(Code::try_again, "another run has changed the secondary meanwhile",
                  "run it again: abgleich sync. Nothing was changed");
  }
  state::write_intent(pairing.config.state_directory, anchor_of(target, next));
  target.commit();
  state::settle_intent(pairing.config.state_directory);
  return run.id;
}

namespace {

/// Writes the tables to the bookkeeping. True: a table or its rows have changed.
bool remember_tracked(const FinishedRun& run, const std::vector<db::TrackedRow>& known,
                      std::vector<db::TrackedRow>& next) {
  auto& books = run.attempt.books();
  const auto epoch = run.attempt.epoch();
  bool changed = false;
  free_names(books, known, next);
  for (std::size_t i = 0; i < next.size(); ++i) {
    auto& row = next[i];
    if (std::ranges::find(known, row.id, &db::TrackedRow::id) == known.end()) {
      remember_order(books, run.tables[i].relation, epoch);
    }
    if (!same_tracked(known, row)) {
      row.since = ordered_since(known, row, epoch);
      books.put_tracked(row);
      changed = true;
    }
    changed = changed || run.judged[i].counts.inserted > 0 || run.judged[i].plan_rows > 0;
  }
  return changed;
}

/// Records what leaves by this contract. True: that has changed.
bool remember_leaving_of(const FinishedRun& run) {
  // the first run decides on the whole contract, blocked tables included; later runs do not decide
  // on blocked tables
  auto leaving = run.attempt.head() ? std::set<std::string>{} : all_tables(run.pairing.contract);
  for (const auto& exported : run.tables) {
    leaving.insert(exported.table->name);
  }
  return record_leaving(run.pairing, run.attempt.target(), run.keyring, run.attempt.epoch(),
                        leaving, LeavingBy::run);
}

/// Writes what is recorded of a run even if no row has changed. True: something has changed.
bool record_findings(const FinishedRun& run, report::Outcome& outcome) {
  auto& books = run.attempt.books();
  std::vector<std::int64_t> processed;
  std::vector<db::TrackedRow> next;
  for (const auto& exported : run.tables) {
    processed.push_back(exported.relation.id);
    next.push_back(tracked_row(exported));
  }
  const auto conflicts = books.record_conflicts(processed);
  const auto quarantine = books.record_quarantine(processed);
  bool changed = !run.attempt.head() || !run.schema.executed.empty() ||
                 conflicts.added + conflicts.gone > 0 || quarantine.added + quarantine.gone > 0;
  const auto known = books.tracked();
  changed = remember_tracked(run, known, next) || changed;
  changed = remember_leaving_of(run) || changed;
  outcome.open_conflicts = books.count_conflicts();
  list_conflicts(books, next, outcome);
  outcome.open_quarantined = books.count_quarantine();
  return changed;
}

/// Base and journal of every table that the run has written to.
void record_tables(const FinishedRun& run) {
  for (std::size_t i = 0; i < run.tables.size(); ++i) {
    const auto& judged = run.judged[i];
    if (judged.way == HowWritten::filled) {
      run.attempt.books().journal_note(
          {.epoch = run.attempt.epoch(),
           .tracked = run.tables[i].relation.id,
           .n = 0,
           .key_text = "{}",
           .fate = std::string(kFirstLoad),
           .after = fmt::format("{{\"rows\": {}}}", judged.counts.inserted)});
    } else if (judged.plan_rows > 0) {
      judged.plan->record();
    }
  }
}

}  // namespace

void finish_run(const FinishedRun& run, Detection& detection, const OnChange& on_change,
                report::Outcome& outcome) {
  auto& attempt = run.attempt;
  auto& target = attempt.target();
  const auto& head = attempt.head();
  const auto epoch = attempt.epoch();
  const bool changed = record_findings(run, outcome);
  const bool purged =
      head && purge_journal(run.pairing, attempt.books(), changed ? epoch : head->epoch);
  const auto tell_details = [&] {
    if (run.options.detail == Detail::changes) {
      tell(target, run.tables, run.judged, on_change);
    }
  };
  if (!changed) {
    tell_details();
    detection.look(run.tables, run.judged);
    outcome.result = report::Result::unchanged;
    if (purged) {
      attempt.books().seal_head(*head);
      target.commit();  // a purge is not recorded as a run
    }
    witness_position(run.pairing, target, run.keyring, *head, run.primary.position);
    return;
  }
  record_tables(run);
  remember_constraints(run.pairing, target, run.tables, epoch);
  remember_columns(target, run.tables, epoch);
  remember_names(run.pairing, target, run.keyring, run.live, epoch);
  remember_schema(run.pairing, attempt.books(), epoch);
  detection.look(run.tables, run.judged);
  tell_details();
  keep_position(run.pairing, target, run.keyring, run.primary.position, From::here);
  const auto& reason = run.options.reason;
  outcome.run = attempt.commit({.kind = journal::RunKind::sync,
                                .started = outcome.started,
                                .reason = reason.empty() ? std::nullopt : std::optional(reason),
                                .counts = counts_json(counts_of(run.judged)),
                                .drift = drift_text(outcome.drift),
                                .key_check = run.keyring.check_value(),
                                .primary_id = journal::primary_id(run.primary.identity)});
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

/// Adds notes about a table's rows that the counts do not explain.
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
  if (table.staged.keyless > 0) {
    const bool one = table.staged.keyless == 1;
    outcome.notes.push_back(fmt::format(
        "{} {} of '{}' {} no usable key; until that is corrected in the primary, no row of this "
        "table counts as deleted",
        table.staged.keyless, one ? "row" : "rows", table.counts.table, one ? "has" : "have"));
  }
}

}  // namespace

void sum_up(const std::vector<Judged>& judged, report::Outcome& outcome) {
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
