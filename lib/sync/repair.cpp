#include "sync/repair.hpp"

#include "db/retry.hpp"
#include "db/source.hpp"
#include "db/target.hpp"
#include "journal/audit.hpp"
#include "journal/head.hpp"
#include "journal/latch.hpp"
#include "journal/record.hpp"
#include "journal/state.hpp"
#include "mask/keyring.hpp"
#include "sync/accepted.hpp"
#include "sync/books_key.hpp"
#include "sync/commit.hpp"
#include "sync/evidence.hpp"
#include "sync/exported.hpp"
#include "sync/primary_position.hpp"
#include "sync/recover.hpp"
#include "sync/settle_identities.hpp"
#include "sync/stage.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace abgleich::sync {

namespace {

/// Rewrites the base of one table.
class TableRepair {
 public:
  TableRepair(db::Target& target, const ExportedTable& exported, merge::Trust trust)
      : target_(target), exported_(exported), witness_(target, exported, trust) {}

  void run(const Staged& staged) {
    const auto& relation = exported_.relation;
    db::Target::Plan plan(target_, relation);
    const auto known = [&](db::Pair& pair) { take(pair, PrimarySide::known, plan); };
    const auto held = [&](db::Pair& pair) { take(pair, PrimarySide::held, plan); };
    target_.staged_pairs(relation, known);
    if (staged.nameless > 0) {
      target_.missing_pairs(relation, held);
    } else {
      target_.missing_pairs(relation, known);
    }
    target_.held_pairs(relation, db::Held::all, held);
    plan.finish();
    target_.settle(relation);
  }

  [[nodiscard]] std::int64_t rewritten() const { return rewritten_; }
  [[nodiscard]] std::int64_t removed() const { return removed_; }

 private:
  void take(db::Pair& pair, PrimarySide side, db::Target::Plan& plan) {
    if (witness_.explain(pair, side).row != merge::Standing::unexplained) {
      return;
    }
    db::PlanRow row{.mask = std::string(exported_.columns.size(), '0'),
                    .fate = "repaired",
                    .key_text = journal::key_text(exported_.relation, pair.primary)};
    const auto base = witness_.mended();
    if (base.empty()) {
      row.action = db::PlanAction::forget;
      ++removed_;
    } else {
      row.action = db::PlanAction::agree;
      row.cells = pack(base);
      ++rewritten_;
    }
    row.base = pair.base_cells;
    plan.add(row, pair.primary);
  }

  db::Target& target_;
  const ExportedTable& exported_;
  RowWitness witness_;
  std::int64_t rewritten_ = 0;
  std::int64_t removed_ = 0;
};

/// The repair reads by the layout that the base has: the contract must be that of the last run. A
/// base that is gone is made again, empty.
void bring_layout(const Pairing& pairing, db::Target& target, std::vector<ExportedTable>& tables,
                  std::size_t gone) {
  target.load_catalog();
  auto relations = relations_of(tables);
  const auto ddl = target.missing_ddl(relations);
  bool same = ddl.size() <= gone;  // where the data is as it was, only bases can be missing
  for (std::size_t i = 0; i < tables.size(); ++i) {
    tables[i].relation = relations[i];
    same = same && tables[i].previous_labels == tables[i].labels;
  }
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
}

/// The damaged tables that can be read now. One that is in the contract no longer is only sealed
/// anew: no run reads its base.
std::vector<ExportedTable> damaged_tables(const Pairing& pairing, const Bases& bases,
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

/// A head that somebody else has written, as the last run has left it, as far as that can be known.
db::HeadRow mend_head(db::Books& books, const db::HeadRow& forged, const mask::Keyring& keyring,
                      const std::string& primary_id) {
  std::optional<db::RunRow> last;
  bool ours = false;
  std::optional<std::string> paused;
  books.each_run([&](const db::RunRow& run, bool genuine) {
    if (run.kind == "revert") {
      paused = fmt::format("run {}: {}", run.id, run.reason.value_or("a run was taken back"));
    } else if (run.kind == "resume") {
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

/// Takes out of the bookkeeping what nobody of us has written. What is open is found again by the
/// next run; a run without its journal cannot be taken back; a table that nobody knows any more is
/// held against the secondary as on the first day, and nobody's row is lost.
void forget_forged(const Pairing& pairing, db::Target& target, const journal::Findings& findings,
                   report::Repair& repair) {
  auto& books = target.books();
  books.forget_forged(findings.journals, journal::now_utc());
  repair.journals = static_cast<std::int64_t>(findings.journals.size());
  if (!findings.tables_forged) {
    return;
  }
  const auto ddl = target.drop_untracked_bases();
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

report::Repair attempt(const Pairing& given, const mask::Keyring& keyring,
                       const std::string& reason, Progress& progress) {
  const auto started = journal::now_utc();
  const auto& directory = given.config.state_directory;
  db::Source source(given.config.primary);
  const auto& primary = source.fence(readings_of(given.contract));
  const auto drift = drift_events(given, primary);

  db::Target target(given.config.secondary, db::Mode::real);
  auto& books = target.books();
  // a paused pairing may be repaired: its data does not move
  auto head = open_books(given, target, keyring,
                         {.lock = db::Books::Lock::row, .forged = db::Books::Forged::taken});
  if (!head) {
    throw Failure(Code::usage, "the secondary has no history yet, so there is no base",
                  "the first run makes it: abgleich sync");
  }
  const auto findings = journal::audit(books, *head);
  if (findings.head_forged) {
    head = mend_head(books, *head, keyring, journal::primary_id(primary.identity));
  }
  if (!findings.damage.empty()) {  // what it says of the primary may be anybody's
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
      look_at_bases(target, tracked, findings.seals_forged ? Seals::somebody_elses : Seals::ours);
  if (bases.damage.empty() && findings.damage.empty()) {
    journal::clear_latch(directory);
    return repair;
  }

  auto counts = nlohmann::ordered_json::object();
  if (!bases.damage.empty()) {
    auto tables = damaged_tables(pairing, bases,
                                 export_tables(pairing.contract, primary, drift, tracked, keyring));
    bring_layout(pairing, target, tables, bases.gone);
    books.begin_findings();
    for (const auto& exported : tables) {
      target.prepare(exported.relation);
      const auto staged = stage_table(source, target, exported, keyring, progress);
      TableRepair table(target, exported, bases.of(exported.relation.id));
      table.run(staged);
      repair.rewritten += table.rewritten();
      repair.removed += table.removed();
      counts[exported.table->name] = {{"base_rewritten", table.rewritten()},
                                      {"base_removed", table.removed()}};
    }
    for (const auto& row : tracked) {
      if (bases.of(row.id) != merge::Trust::sealed) {
        target.seal_base(relation_of(row));
      }
    }
  }
  books.forget_untracked();
  journal::note_repair(directory, head->lineage, head->epoch);
  repair.run = commit_run(pairing, target, head, head->key_check, head->primary_id,
                          {.kind = std::string(journal::kRepair),
                           .started = started,
                           .reason = reason,
                           .counts = counts.dump()});
  journal::clear_latch(directory);
  return repair;
}

}  // namespace

report::Repair repair_base(const Pairing& pairing, const std::string& reason, Progress& progress) {
  const auto keyring = mask::Keyring::read(pairing.config.key_file);
  const journal::StateLock lock(pairing.config.state_directory);
  return db::with_retries({.in_all = pairing.config.retry_for},
                          [&] { return attempt(pairing, keyring, reason, progress); });
}

}  // namespace abgleich::sync
