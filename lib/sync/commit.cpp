#include "sync/commit.hpp"

#include "journal/head.hpp"
#include "journal/state.hpp"
#include "report/text.hpp"
#include "sync/apply.hpp"
#include "sync/revert.hpp"
#include "sync/same_table.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

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
                 .counts = facts.counts};
  const auto lineage = head ? head->lineage : journal::new_lineage();
  journal::chain(head, lineage, run);
  target.books().insert_run(run);
  target.books().seal_journal(run.epoch);
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
  const journal::Anchor anchor{.lineage = lineage, .epoch = run.epoch, .hash = run.hash};
  journal::write_intent(pairing.config.state_directory, anchor);
  target.commit();
  journal::settle_intent(pairing.config.state_directory);
  return run.id;
}

void finish_run(const Pairing& pairing, db::Target& target,
                const std::vector<ExportedTable>& tables, const std::vector<Judged>& judged,
                const std::optional<db::HeadRow>& head, const Schema& schema,
                const mask::Keyring& keyring, const DatabaseIdentity& primary,
                const Options& options, Detection& detection, const OnChange& on_change,
                report::Outcome& outcome) {
  auto& books = target.books();
  const auto epoch = head ? head->epoch + 1 : 1;
  std::vector<std::int64_t> processed;
  processed.reserve(tables.size());
  for (const auto& exported : tables) {
    processed.push_back(exported.relation.id);
  }
  const auto conflicts = books.settle_conflicts(epoch, processed);
  const auto quarantine = books.settle_quarantine(epoch, processed);
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
    if (!same_tracked(known, row)) {
      row.since = ordered_since(known, row, epoch);
      books.put_tracked(row);
      changed = true;
    }
    changed = changed || judged[i].counts.inserted > 0 || judged[i].plan_rows > 0;
  }
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
      target.commit();  // nothing that a run would be the name of
    }
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
      target.settle(tables[i].relation, epoch,
                    tables[i].rules.on_delete == merge::OnDelete::erase
                        ? db::BeforeImages::not_of_deleted
                        : db::BeforeImages::keep);
    }
  }
  detection.look(target, tables, judged);
  tell_details();
  outcome.run =
      commit_run(pairing, target, head, keyring.check_value(), journal::primary_id(primary),
                 {.kind = "sync",
                  .started = outcome.started,
                  .reason = options.reason.empty() ? std::nullopt : std::optional(options.reason),
                  .counts = counts_json(counts_of(judged))});
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

void settle_outcome(const std::vector<Judged>& judged, report::Outcome& outcome) {
  for (const auto& table : judged) {
    outcome.tables.push_back(table.counts);
    if (table.rare > 0) {
      outcome.notes.push_back(
          fmt::format("{} of '{}' {} held back by min_k: too few subjects share "
                      "the quasi-identifiers",
                      table.rare == 1 ? "1 row" : fmt::format("{} rows", table.rare),
                      table.counts.table, table.rare == 1 ? "is" : "are"));
    }
    if (table.staged.nameless > 0) {
      const bool one = table.staged.nameless == 1;
      outcome.notes.push_back(fmt::format(
          "{} {} of '{}' {} no usable key; until that is mended in the primary, no row of this "
          "table counts as deleted",
          table.staged.nameless, one ? "row" : "rows", table.counts.table, one ? "has" : "have"));
    }
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
  if (outcome.result == report::Result::unchanged) {
    outcome.result = report::Result::refused;
  }
  outcome.error =
      Error{.code = Code::drift_decision,
            .message = fmt::format("drift needs a decision before {} synchronised: {}",
                                   blocked.size() == 1 ? "this table is" : "these tables are",
                                   fmt::join(blocked, ", ")),
            .hint = "look at it: abgleich drift. In these tables nothing was changed"};
}

}  // namespace abgleich::sync
