#include "sync/rotate/rekey.hpp"

#include "contract/tokens.hpp"
#include "contract/toml_text.hpp"
#include "contract/words.hpp"
#include "core/clock.hpp"
#include "db/primary/source.hpp"
#include "db/secondary/base_table.hpp"
#include "db/secondary/rekey.hpp"
#include "db/secondary/secondary_schema.hpp"
#include "db/secondary/target.hpp"
#include "journal/head.hpp"
#include "journal/run_kind.hpp"
#include "sync/mapping/key_change.hpp"
#include "sync/mapping/settle_identities.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/mapping/table_matches.hpp"
#include "sync/rotate/records_by_key.hpp"
#include "sync/rotate/rekeyed_rows.hpp"
#include "sync/run/books_key.hpp"
#include "sync/run/leaving.hpp"
#include "sync/run/recover.hpp"
#include "sync/run/writing_run.hpp"
#include "sync/verify/lay_down.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace abgleich::sync {

namespace {

[[noreturn]] void refuse(const std::string& message, const std::string& hint) {
  throw Failure(Code::drift_decision, message, hint + ". Nothing was changed");
}

void refuse_blocked(const std::vector<drift::Event>& drift, const std::string& table) {
  for (const auto& event : drift) {
    if (event.verdict == drift::Verdict::block && event.table == table) {
      refuse(fmt::format("drift blocks table '{}' ({}{}{})", table, name_of(event.kind),
                         event.column.empty() ? "" : " ", event.column),
             "decide it first: " + event.hint);
    }
  }
}

const db::TrackedRow& tracked_of(const std::vector<db::TrackedRow>& tracked,
                                 const contract::Table& table) {
  const auto* row = find_tracked(tracked, table);
  if (row == nullptr) {
    throw Failure(Code::usage,
                  fmt::format("the secondary does not know table '{}' yet", table.name),
                  "its first run takes the key that the contract names: abgleich sync. Nothing was "
                  "changed");
  }
  if (other_key(*row, table).empty()) {
    throw Failure(Code::usage,
                  fmt::format("the secondary knows the rows of '{}' by that key already ({})",
                              table.name, fmt::join(table.key, ", ")),
                  fmt::format("for another one, name it in the contract first: below [tables.{}], "
                              "key = [\"COLUMN\"]. Nothing was changed",
                              contract::toml_key(table.name)));
  }
  return *row;
}

/// The contract with the old and the new key together as the table's key: a row of the primary is
/// usable only where it has both.
contract::Contract with_both_keys(const contract::Contract& given, const KeyChange& change) {
  auto contract = given;
  for (auto& table : contract.tables) {
    if (table.name != change.now.table->name || !change.old_key_exported) {
      continue;
    }
    for (const auto i : change.before.key) {
      if (std::ranges::find(table.key, change.now.columns[i]->name) == table.key.end()) {
        table.key.push_back(change.now.columns[i]->name);
      }
    }
  }
  return contract;
}

/// Throws Failure where the secondary lacks columns for the new key, or what keeps it unique, and
/// its owner has to make them (`manage_schema` is false).
void expect_schema(const Pairing& pairing, const db::Target& target, const KeyChange& change,
                   const std::vector<std::string>& ddl) {
  if (pairing.config.secondary.manage_schema) {
    return;
  }
  if (!ddl.empty()) {
    throw Failure(Code::drift_decision,
                  fmt::format("the secondary lacks what holds the new key of '{}', and [secondary] "
                              "manage_schema is false",
                              change.now.table->name),
                  fmt::format("run this in the secondary as its owner, then run: {}: {}. Nothing "
                              "was changed",
                              how_to_rekey(change.now.table->name), fmt::join(ddl, "; ")));
  }
  if (db::remakes_base(target, change.before, change.now.relation)) {
    throw Failure(
        Code::drift_decision,
        fmt::format("the base of '{}' has to be made anew for a key of another type, and "
                    "[secondary] manage_schema is false",
                    change.now.table->name),
        "set manage_schema = true for this one run as the secondary's owner. Nothing was changed");
  }
}

/// Makes the missing columns, and looks up for both relations how the secondary stores them.
/// Returns the relation with the old key.
db::LocatedRelation bring_columns(const Pairing& pairing, db::Target& target, KeyChange& change) {
  target.load_catalog();
  auto& now = change.now.relation;
  const auto& name = now.renamed_from.empty() ? now.name : now.renamed_from;
  if (target.catalog().find_table(name) == nullptr) {
    throw Failure(Code::other_secondary,
                  fmt::format("table '{}' of the secondary is not there", name),
                  "see what to do: abgleich sync. Nothing was changed");
  }
  const db::SecondarySchema schema(target);
  const auto located = schema.locate(std::vector{change.before});
  if (!located.relations.front().shared_bases.empty()) {
    throw Failure(Code::configuration,
                  fmt::format("the rows of several peers are in table '{}', so its key cannot be "
                              "changed for one of them",
                              name),
                  "name the old key in the contract again. Nothing was changed");
  }
  const auto& ddl = located.missing_ddl;
  auto asked = ddl;
  std::ranges::move(db::key_ddl(target, now, db::Keys::to_come), std::back_inserter(asked));
  change.before = located.relations.front();
  now = schema.by_another_key(located.relations.front(), now);
  expect_schema(pairing, target, change, asked);
  target.execute_ddl(ddl);
  for (auto* relation : {&change.before, &now}) {
    relation->renamed_from.clear();
    for (auto& column : relation->columns) {
      column.renamed_from.clear();
    }
    for (auto& column : relation->kept) {
      column.renamed_from.clear();
    }
  }
  auto before = schema.locate(change.before);
  change.before = before;
  now = schema.by_another_key(before, now);
  return before;
}

/// Makes the new key unique, and lets columns of the old key be NULL where the primary allows it.
void bring_key(const Pairing& pairing, db::Target& target, KeyChange& change) {
  auto& exported = change.now;
  if (!pairing.config.secondary.manage_schema) {
    // the layout stays as it was for these columns: so the next run sees a change and tells the
    // owner
    for (std::size_t i = 0; i < exported.columns.size(); ++i) {
      auto& column = exported.layout.columns[i];
      column.nullable = column.nullable && !exported.relation.columns[i].loosened;
    }
    return;
  }
  target.execute_ddl(db::key_ddl(target, exported.relation, db::Keys::filled));
  target.execute_ddl(
      db::SecondarySchema(target).locate(std::vector{exported.relation}).missing_ddl);
}

std::string rows_of(std::int64_t rows) {
  return rows == 1 ? "1 row" : fmt::format("{} rows", rows);
}

/// Throws Failure where more rows of the base than max_deleted allows are not in the primary, by
/// the old key.
void judge_lost(const Pairing& pairing, const contract::Table& table, std::int64_t lost,
                std::int64_t base_rows) {
  const auto& limit = table.max_deleted.value_or(pairing.config.max_deleted);
  if (!limit.allows(lost, base_rows)) {
    throw Failure(Code::limit,
                  fmt::format("{} of {} rows of '{}' are not in the primary by the key that is to "
                              "go, more than max_deleted = {} allows",
                              lost, base_rows, table.name, limit.text()),
                  fmt::format("look at the primary; if they are deleted, name the old key in the "
                              "contract once more and run: abgleich sync --accept-mass-change {} "
                              "--reason TEXT; then run: {}. Nothing was changed",
                              contract::in_shell(table.name), how_to_rekey(table.name)));
  }
}

void judge(const Pairing& pairing, const KeyChange& change, const RekeyedRows& rows) {
  const auto& table = *change.now.table;
  const auto& found = rows.obstacles();
  const auto key = fmt::format("{}", fmt::join(table.key, ", "));
  const auto again = how_to_rekey(table.name);
  if (found.keyless > 0) {
    refuse(fmt::format("{} of '{}' in the primary without a usable {}, which is to be the key",
                       rows_of(found.keyless), table.name, key),
           fmt::format("wait until its vendor has filled it, or name another key in the contract, "
                       "then run: {}",
                       again));
  }
  if (found.alike > 0) {
    std::vector<std::string> was;
    for (const auto i : change.before.key) {
      was.push_back(change.before.columns[i].source);
    }
    refuse(
        fmt::format("{} of '{}' in the primary with the {} of another row: by that the secondary "
                    "knows its rows, so nothing tells which is which",
                    rows_of(found.alike), table.name, fmt::join(was, ", ")),
        fmt::format("it has to be unique in the primary until the new key has taken its place: "
                    "ask its vendor to correct it, then run: {}",
                    again));
  }
  if (found.repeated > 0) {
    refuse(fmt::format("{} of '{}' with the {} of another row, which is to be the key",
                       rows_of(found.repeated), table.name, key),
           fmt::format("name columns that are unique together as the key in the contract, then "
                       "run: {}",
                       again));
  }
  if (found.edited > 0) {
    refuse(fmt::format("{} of '{}' of which people have edited {} in the secondary, which is to "
                       "be the key",
                       rows_of(found.edited), change.now.relation.name, key),
           fmt::format("a key is the primary's: put its values back in the secondary (abgleich "
                       "verify counts them as edited), then run: {}",
                       again));
  }
  if (found.nameless > 0) {
    refuse(fmt::format("{} of '{}' in the secondary that the primary does not have, without a {}, "
                       "which is to be the key",
                       rows_of(found.nameless), change.now.relation.name, key),
           fmt::format("rows that people have inserted need one there: give it to them; for rows "
                       "that the primary has deleted since the last run, name the old key in the "
                       "contract once more and run: abgleich sync; then run: {}",
                       again));
  }
  judge_lost(pairing, table, found.lost, rows.base_rows());
}

/// Records the table with its new key in the bookkeeping. Earlier runs can still be taken back
/// where the order of columns is the same.
void remember_tracked(db::Target& target, const KeyChange& change,
                      const std::vector<db::TrackedRow>& tracked, const db::TrackedRow& known,
                      std::int64_t epoch) {
  auto row = tracked_row(change.now);
  row.since = change.keeps_order ? known.since : epoch;
  free_names(target.books(), tracked, {row});
  target.books().put_tracked(row);
}

/// A damaged base must not get a new seal: that would hide the damage.
void expect_sealed_base(db::Target& target, const KeyChange& change) {
  if (db::BaseTable base(target, change.before); base.measure().seal != base.seal()) {
    damaged_base(change.now.table->name);
  }
}

/// Gives every row of the table, and every record of it in the bookkeeping, the new key. Returns
/// how many rows changed.
std::int64_t give_new_keys(db::Target& target, const KeyChange& change, const RekeyedRows& rows,
                           const mask::Keyring& keyring) {
  const auto& now = change.now.relation;
  const auto changed = db::apply_rekey(target, {{.relation = &change.before,
                                                 .becomes = &now,
                                                 .columns = now.key,
                                                 .integers = {},
                                                 .kept = {}}})
                           .front();
  RecordsByKey(change, rows.keys(), keyring).rewrite(target.books());
  return changed;
}

RekeyReport attempt(const WritingRun& frame, const std::string& called, const std::string& reason,
                    Progress& progress) {
  auto started = now_utc();
  const auto& given = frame.pairing();
  const auto& keyring = frame.keyring();
  db::Source source(given.config.primary, filters_of(given.contract));
  const auto& primary = source.lock_schema(readings_of(given.contract));
  const auto drift = drift_events(given, primary);
  refuse_blocked(drift, called);
  contract::read_issued(given.contract);
  RunAttempt run(frame, std::move(started));
  auto& target = run.target();
  const auto& head = run.look(primary_of(source));
  if (!head) {
    throw Failure(Code::usage, "the secondary has no history yet",
                  "the first run takes the keys that the contract names: abgleich sync");
  }
  if (const auto wider = refuse_widening(given, target, head, keyring, primary)) {
    throw Failure(*wider);
  }
  const auto epoch = run.epoch();
  const auto tracked = known_tables(target);
  const auto pairing = settle_identities(given, primary, tracked);
  const auto& table = *pairing.contract.find_table(called);
  const auto& known = tracked_of(tracked, table);
  auto tables = export_tables(pairing.contract, primary, drift, tracked, keyring);
  auto change = key_change(tables, table, known);
  const auto before = bring_columns(pairing, target, change);
  expect_sealed_base(target, change);

  const auto both = with_both_keys(pairing.contract, change);
  auto readings = export_tables(both, primary, drift, tracked, keyring);
  const auto reading = std::ranges::find(
      readings, called, [](const ExportedTable& exported) { return exported.table->name; });
  reading->relation.columns = change.now.relation.columns;  // as the secondary stores them
  RekeyedRows rows(target.prepare(before), change, *reading, keyring);
  rows.learn(source, progress);
  rows.run();
  source.finish();
  judge(pairing, change, rows);

  RekeyReport report{.table = called, .was = other_key(known, table), .now = table.key};
  target.books().begin_reseal(seal_keys(keyring));
  report.rows = give_new_keys(target, change, rows, keyring);
  bring_key(pairing, target, change);
  remember_tracked(target, change, tracked, known, epoch);
  target.books().end_reseal();
  report.left = lay_down_data(
      target, {db::SecondarySchema(target).by_another_key(before, change.now.relation)}, epoch);
  const nlohmann::ordered_json counts = {{called, {{"rekeyed", report.rows}}}};
  report.run = run.commit(
      {.kind = journal::RunKind::rekey,
       .reason = fmt::format("'{}' by {} in place of {}: {}", called, fmt::join(report.now, ", "),
                             fmt::join(report.was, ", "), reason),
       .counts = counts.dump()});
  return report;
}

}  // namespace

RekeyReport rekey(const Pairing& pairing, const std::string& table, const std::string& reason,
                  Progress& progress) {
  const WritingRun frame(pairing);
  return frame.attempts([&] { return attempt(frame, table, reason, progress); });
}

std::string text_of(const RekeyReport& report) {
  auto text =
      fmt::format("run {} applied: the rows of '{}' are known by {} in place of {}", report.run,
                  report.table, fmt::join(report.now, ", "), fmt::join(report.was, ", "));
  if (!report.left.empty()) {
    text += "; " + text_of(report.left);
  }
  return text;
}

}  // namespace abgleich::sync
