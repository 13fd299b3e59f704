#include "sync/verify/repair.hpp"

#include "contract/tokens.hpp"
#include "core/clock.hpp"
#include "db/primary/source.hpp"
#include "db/secondary/base_table.hpp"
#include "db/secondary/plan_writer.hpp"
#include "db/secondary/secondary_schema.hpp"
#include "db/secondary/target.hpp"
#include "journal/audit.hpp"
#include "journal/head.hpp"
#include "journal/record.hpp"
#include "journal/run_kind.hpp"
#include "mask/keyring.hpp"
#include "state/latch.hpp"
#include "sync/detect/stage.hpp"
#include "sync/mapping/located_table.hpp"
#include "sync/mapping/settle_identities.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/run/accepted.hpp"
#include "sync/run/primary_position.hpp"
#include "sync/run/recover.hpp"
#include "sync/run/writing_run.hpp"
#include "sync/verify/base_integrity.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <functional>
#include <utility>

namespace abgleich::sync {

namespace {

/// Reads a table of the primary into its stage.
using TableReader = std::function<Staged(db::StagedTable&, const ExportedTable&)>;

/// Rewrites the base of one table.
class TableRepair {
 public:
  TableRepair(db::StagedTable& table, const ExportedTable& exported, merge::Trust trust)
      : table_(table), exported_(exported), explainer_(table.target(), exported, trust) {}

  void run(const Staged& staged) {
    db::PlanWriter plan(table_);
    const auto known = [&](db::Pair& pair) { take(pair, PrimarySide::known, plan); };
    const auto held_back = [&](db::Pair& pair) { take(pair, PrimarySide::held_back, plan); };
    table_.staged_pairs(known);
    if (staged.keyless > 0) {
      table_.missing_pairs(held_back);
    } else {
      table_.missing_pairs(known);
    }
    table_.held_back_pairs(db::HeldBack::all, held_back);
    plan.finish().record();
  }

  [[nodiscard]] std::int64_t rewritten() const { return rewritten_; }
  [[nodiscard]] std::int64_t removed() const { return removed_; }

 private:
  void take(db::Pair& pair, PrimarySide side, db::PlanWriter& plan) {
    if (explainer_.explain(pair, side).row != merge::Standing::unexplained) {
      return;
    }
    db::PlanRow row{.mask = std::string(exported_.columns.size(), '0'),
                    .fate = "repaired",
                    .key_text = journal::key_text(exported_.relation, pair.primary)};
    const auto base = explainer_.corrected_base();
    if (base.empty()) {
      row.action = db::PlanAction::forget;
      ++removed_;
    } else {
      row.action = db::PlanAction::agree;
      row.digests = pack(base);
      ++rewritten_;
    }
    row.base = pair.base_digests;
    plan.add(row, pair.primary);
  }

  db::StagedTable& table_;
  const ExportedTable& exported_;
  RowExplainer explainer_;
  std::int64_t rewritten_ = 0;
  std::int64_t removed_ = 0;
};

/// Throws Failure where the contract's columns are not those of the last run, since the base is
/// read by its layout. A missing base is made again, empty.
std::vector<LocatedTable> bring_layout(const Pairing& pairing, db::Target& target,
                                       std::vector<ExportedTable> tables, std::size_t gone) {
  target.load_catalog();
  auto [relations, ddl] =
      db::SecondarySchema(target).locate(relations_of(tables), db::OthersBases::as_far_as_there);
  // more statements than missing bases mean that tables have changed as well
  const bool same =
      ddl.size() <= gone && std::ranges::all_of(tables, [](const ExportedTable& exported) {
        return exported.previous_labels == exported.labels;
      });
  if (!same) {
    throw Failure(
        Code::configuration,
        "the contract's columns, or the tables of the secondary, are no longer those of "
        "the last run",
        "put them back as they were, repair, then change them again. Nothing was changed");
  }
  if (!ddl.empty() && !pairing.config.secondary.manage_schema) {
    throw Failure(Code::drift_decision,
                  "a base is gone from the secondary, and [secondary] manage_schema is false",
                  fmt::format("run this in the secondary as its owner, then repair again: {}. "
                              "Nothing was changed",
                              fmt::join(ddl, "; ")));
  }
  target.execute_ddl(ddl);
  return located_tables(std::move(tables), std::move(relations));
}

/// The damaged tables that the contract still names; throws Failure where drift blocks one of them.
/// The base of a table that it no longer names is only sealed anew, since no run reads it.
std::vector<ExportedTable> damaged_tables(const Pairing& pairing, const CheckedBases& bases,
                                          std::vector<ExportedTable> tables) {
  for (const auto& damage : bases.damage) {
    const bool readable = std::ranges::any_of(tables, [&](const ExportedTable& exported) {
      return exported.table->name == damage.table || exported.table->was == damage.table;
    });
    if (!readable && pairing.contract.find_table(damage.table) != nullptr) {
      throw Failure(
          Code::drift_decision,
          fmt::format("the base of '{}' cannot be repaired: drift blocks the table", damage.table),
          "decide the drift first: abgleich drift. Nothing was changed");
    }
  }
  std::erase_if(tables, [&](const ExportedTable& exported) {
    return bases.of(exported.relation.id) == merge::Trust::sealed;
  });
  return tables;
}

/// Corrects a head that somebody else has written: as far as that is known, it becomes what the
/// last run left. Throws Failure where the last run's row is not ours either.
db::HeadRow correct_head(db::Books& books, const db::HeadRow& forged, const mask::Keyring& keyring,
                         const std::string& primary_id) {
  std::optional<db::RunRow> last;
  bool ours = false;
  std::optional<std::string> paused;
  books.each_run([&](const db::RunRow& run, bool genuine) {
    if (journal::is(run.kind, journal::RunKind::revert)) {
      paused = fmt::format("run {}: {}", run.id, run.reason.value_or("a run was taken back"));
    } else if (journal::is(run.kind, journal::RunKind::resume)) {
      paused.reset();
    }
    last = run;
    ours = genuine;
  });
  if (!ours) {
    throw Failure(
        Code::integrity,
        "neither the head of the bookkeeping nor the last run is as we have left it",
        "there is nothing to go on from: restore the secondary from its backup, then run: "
        "abgleich adopt --reason TEXT. Nothing was changed");
  }
  auto head = forged;
  head.epoch = last->epoch;
  head.hash = last->hash;
  head.run = last->id;
  head.key_check = keyring.check_value();
  head.primary_id = primary_id;
  head.paused = forged.paused ? forged.paused : paused;
  (void)books.advance_head(forged, head);
  return head;
}

/// Removes from the bookkeeping what no run of ours has written. The next run finds conflicts and
/// quarantine again. A run without its journal can no longer be taken back. A table that is no
/// longer tracked is compared with the secondary as in a first run, so no row is lost.
void forget_forged(const Pairing& pairing, db::Target& target, const journal::Findings& findings,
                   report::Repair& repair) {
  auto& books = target.books();
  books.forget_forged(findings.journals, now_utc());
  repair.journals = static_cast<std::int64_t>(findings.journals.size());
  if (!findings.tables_forged) {
    return;
  }
  const auto ddl = db::drop_untracked_bases(target);
  if (!ddl.empty() && !pairing.config.secondary.manage_schema) {
    throw Failure(Code::drift_decision,
                  "bases of tables that nobody knows are to go, and [secondary] manage_schema is "
                  "false",
                  fmt::format("run this in the secondary as its owner, then repair again: {}. "
                              "Nothing was changed",
                              fmt::join(ddl, "; ")));
  }
  target.execute_ddl(ddl);
}

/// Makes the damaged bases agree with what primary and secondary have. Returns the run's counts.
nlohmann::ordered_json rewrite_bases(const TableReader& read, db::Target& target,
                                     const std::vector<LocatedTable>& tables,
                                     const CheckedBases& bases, report::Repair& repair) {
  auto counts = nlohmann::ordered_json::object();
  target.books().begin_findings();
  for (const auto& exported : tables) {
    auto& prepared = target.prepare(exported.located());
    const auto staged = read(prepared, exported);
    TableRepair table(prepared, exported, bases.of(exported.relation.id));
    table.run(staged);
    repair.rewritten += table.rewritten();
    repair.removed += table.removed();
    counts[exported.table->name] = {{"base_rewritten", table.rewritten()},
                                    {"base_removed", table.removed()}};
  }
  return counts;
}

/// Seals the damaged bases anew, also those of tables that the contract no longer has.
void reseal_damaged(db::Target& target, const std::vector<db::TrackedRow>& tracked,
                    const CheckedBases& bases) {
  for (const auto& row : tracked) {
    if (bases.of(row.id) != merge::Trust::sealed) {
      const auto relation = relation_of(row);
      db::BaseTable(target, relation).reseal();
    }
  }
}

report::Repair attempt(const WritingRun& frame, const std::string& reason, Progress& progress) {
  auto started = now_utc();
  const auto& given = frame.pairing();
  const auto& keyring = frame.keyring();
  const auto& directory = given.config.state_directory;
  db::Source source(given.config.primary, filters_of(given.contract));
  const auto& primary = source.lock_schema(readings_of(given.contract));
  const auto drift = drift_events(given, primary);
  contract::read_issued(given.contract);

  RunAttempt run(frame, std::move(started));
  auto& target = run.target();
  auto& books = target.books();
  // a paused pairing may be repaired: its data does not move
  const auto& head = run.look({.lock = db::Books::Lock::row, .forged = db::Books::Forged::taken});
  if (!head) {
    throw Failure(Code::usage, "the secondary has no history yet, so there is no base",
                  "the first run makes it: abgleich sync");
  }
  const auto findings = journal::audit(books, *head);
  if (findings.head_forged) {
    run.stand_at(correct_head(books, *head, keyring, journal::primary_id(primary.identity)));
  }
  if (!findings.damage.empty()) {  // the recorded position of the primary may be forged
    journal::check_primary(head, journal::primary_id(primary.identity));
  } else {
    expect_primary(given, target, keyring, head, primary.identity, source.position());
  }
  report::Repair repair;
  if (!findings.damage.empty()) {
    forget_forged(given, target, findings, repair);
  }
  expect_accepted(given, target);
  const auto tracked = books.tracked();
  const auto pairing = settle_identities(given, primary, tracked);
  const auto bases =
      check_bases(target, tracked, findings.seals_forged ? Seals::somebody_elses : Seals::ours);
  if (bases.damage.empty() && findings.damage.empty()) {
    state::clear_latch(directory);
    return repair;
  }

  auto counts = nlohmann::ordered_json::object();
  if (!bases.damage.empty()) {
    auto damaged = damaged_tables(
        pairing, bases, export_tables(pairing.contract, primary, drift, tracked, keyring));
    const auto tables = bring_layout(pairing, target, std::move(damaged), bases.gone);
    const TableReader read = [&](db::StagedTable& table, const ExportedTable& exported) {
      return stage_table({source, table, exported, keyring, progress});
    };
    counts = rewrite_bases(read, target, tables, bases, repair);
    reseal_damaged(target, tracked, bases);
  }
  books.forget_untracked();
  state::note_repair(directory, head->lineage, head->epoch);
  repair.run =
      run.commit({.kind = journal::RunKind::repair, .reason = reason, .counts = counts.dump()});
  state::clear_latch(directory);
  return repair;
}

}  // namespace

report::Repair repair_base(const Pairing& pairing, const std::string& reason, Progress& progress) {
  const WritingRun frame(pairing, {.latch = WritingRun::Latch::does_not_matter});
  return frame.attempts([&] { return attempt(frame, reason, progress); });
}

}  // namespace abgleich::sync
