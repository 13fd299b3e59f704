#include "sync/rekey.hpp"

#include "contract/toml_text.hpp"
#include "contract/words.hpp"
#include "db/retry.hpp"
#include "db/source.hpp"
#include "db/target.hpp"
#include "journal/head.hpp"
#include "journal/state.hpp"
#include "mask/keyring.hpp"
#include "sync/books_key.hpp"
#include "sync/commit.hpp"
#include "sync/exported.hpp"
#include "sync/key_change.hpp"
#include "sync/lay_down.hpp"
#include "sync/leaving.hpp"
#include "sync/records_by_key.hpp"
#include "sync/recover.hpp"
#include "sync/rekeyed_rows.hpp"
#include "sync/same_table.hpp"
#include "sync/settle_identities.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>

namespace abgleich::sync {

namespace {

[[noreturn]] void refuse(const std::string& message, const std::string& hint) {
  throw Failure(Code::drift_decision, message, hint + ". Nothing was changed");
}

void refuse_blocked(const std::vector<drift::Event>& drift, const std::string& table) {
  for (const auto& event : drift) {
    if (event.verdict == drift::Verdict::block && event.table == table) {
      refuse(fmt::format("drift blocks table '{}' ({}{}{})", table, event.kind,
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

/// The contract with both keys for the table's, so that only rows that have both are read as whole.
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

/// Columns for the new key, and what keeps it unique, where the owner makes them.
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
  if (target.remakes_base(change.before, change.now.relation)) {
    throw Failure(
        Code::drift_decision,
        fmt::format("the base of '{}' has to be made anew for a key of another type, and "
                    "[secondary] manage_schema is false",
                    change.now.table->name),
        "set manage_schema = true for this one run as the secondary's owner. Nothing was changed");
  }
}

void hold_alike(const db::Relation& before, db::Relation& now) {
  for (std::size_t i = 0; i < now.columns.size(); ++i) {
    now.columns[i].held = before.columns[i].held;
    now.columns[i].equality = before.columns[i].equality;
    now.columns[i].bytewise = before.columns[i].bytewise;
  }
}

/// Brings the columns, and tells both relations how the secondary holds them.
void bring_columns(const Pairing& pairing, db::Target& target, KeyChange& change) {
  target.load_catalog();
  auto& now = change.now.relation;
  const auto& name = now.renamed_from.empty() ? now.name : now.renamed_from;
  if (target.catalog().find_table(name) == nullptr) {
    throw Failure(Code::other_secondary,
                  fmt::format("table '{}' of the secondary is not there", name),
                  "see what to do: abgleich sync. Nothing was changed");
  }
  std::vector<db::Relation> relations{change.before};
  auto ddl = target.missing_ddl(relations);
  auto asked = ddl;
  std::ranges::move(target.key_ddl(now, db::Target::Keys::to_come), std::back_inserter(asked));
  change.before = relations.front();
  hold_alike(change.before, now);
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
  relations = {change.before};
  (void)target.missing_ddl(relations);
  change.before = relations.front();
  hold_alike(change.before, now);
}

/// The new key keeps rows apart, and what was the key may be NULL where it may in the primary.
void bring_key(const Pairing& pairing, db::Target& target, KeyChange& change) {
  auto& exported = change.now;
  if (!pairing.config.secondary.manage_schema) {
    // the owner is told by the next run, which has to see that it is news
    for (std::size_t i = 0; i < exported.columns.size(); ++i) {
      auto& column = exported.layout.columns[i];
      column.nullable = column.nullable && !exported.relation.columns[i].loosened;
    }
    return;
  }
  target.execute_ddl(target.key_ddl(exported.relation, db::Target::Keys::filled));
  std::vector<db::Relation> relations{exported.relation};
  target.execute_ddl(target.missing_ddl(relations));
}

std::string rows_of(std::int64_t rows) {
  return rows == 1 ? "1 row" : fmt::format("{} rows", rows);
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
  const auto& limit = table.max_deleted.value_or(pairing.config.max_deleted);
  if (!limit.allows(found.lost, rows.base_rows())) {
    throw Failure(Code::limit,
                  fmt::format("{} of {} rows of '{}' are not in the primary by the key that is to "
                              "go, more than max_deleted = {} allows",
                              found.lost, rows.base_rows(), table.name, limit.text()),
                  fmt::format("look at the primary; if they are deleted, name the old key in the "
                              "contract once more and run: abgleich sync --accept-mass-change {} "
                              "--reason TEXT; then run: {}. Nothing was changed",
                              contract::in_shell(table.name), again));
  }
}

/// The bookkeeping knows the table by its new key. What earlier runs did can be taken back as
/// before, where their records fit.
void settle_tracked(db::Target& target, const KeyChange& change,
                    const std::vector<db::TrackedRow>& tracked, const db::TrackedRow& known,
                    std::int64_t epoch) {
  auto row = tracked_row(change.now);
  row.since = change.keeps_order ? known.since : epoch;
  free_names(target.books(), tracked, {row});
  target.books().put_tracked(row);
}

RekeyReport attempt(const Pairing& given, const std::string& called, const std::string& reason,
                    const mask::Keyring& keyring, Progress& progress) {
  const auto started = journal::now_utc();
  db::Source source(given.config.primary);
  const auto& primary = source.fence(readings_of(given.contract));
  const auto drift = drift_events(given, primary);
  refuse_blocked(drift, called);
  db::Target target(given.config.secondary, db::Mode::real);
  const auto head = recover(given, target, keyring, primary_of(source), report::Run::real);
  if (!head) {
    throw Failure(Code::usage, "the secondary has no history yet",
                  "the first run takes the keys that the contract names: abgleich sync");
  }
  if (const auto wider = refuse_widening(given, target, head, keyring)) {
    throw Failure(*wider);
  }
  const auto epoch = head->epoch + 1;
  const auto tracked = known_tables(target);
  const auto pairing = settle_identities(given, primary, tracked);
  const auto& table = *pairing.contract.find_table(called);
  const auto& known = tracked_of(tracked, table);
  auto tables = export_tables(pairing.contract, primary, drift, tracked, keyring);
  auto change = key_change(tables, table, known);
  bring_columns(pairing, target, change);
  if (target.measure_base(change.before).seal != target.base_seal(change.before)) {
    damaged_base(table.name);  // or the new seal would hide it
  }

  const auto both = with_both_keys(pairing.contract, change);
  auto readings = export_tables(both, primary, drift, tracked, keyring);
  const auto reading = std::ranges::find(
      readings, called, [](const ExportedTable& exported) { return exported.table->name; });
  reading->relation.columns = change.now.relation.columns;  // as the secondary holds them
  target.prepare(change.before);
  RekeyedRows rows(target, change, *reading, keyring);
  rows.learn(source, progress);
  rows.run();
  source.finish();
  judge(pairing, change, rows);

  RekeyReport report{.table = called, .was = other_key(known, table), .now = table.key};
  const auto& now = change.now.relation;
  target.books().begin_reseal(seal_keys(keyring));
  report.rows = target
                    .apply_rekey({{.relation = &change.before,
                                   .becomes = &now,
                                   .columns = now.key,
                                   .integers = {},
                                   .kept = {}}})
                    .front();
  RecordsByKey(change, rows.keys(), keyring).rewrite(target.books());
  bring_key(pairing, target, change);
  settle_tracked(target, change, tracked, known, epoch);
  target.books().end_reseal();
  report.left = lay_down_data(target, {now}, epoch);
  const nlohmann::ordered_json counts = {{called, {{"rekeyed", report.rows}}}};
  report.run = commit_run(
      pairing, target, head, head->key_check, head->primary_id,
      {.kind = kRekey,
       .started = started,
       .reason = fmt::format("'{}' by {} in place of {}: {}", called, fmt::join(report.now, ", "),
                             fmt::join(report.was, ", "), reason),
       .counts = counts.dump()});
  return report;
}

}  // namespace

RekeyReport rekey(const Pairing& pairing, const std::string& table, const std::string& reason,
                  Progress& progress) {
  const auto keyring = mask::Keyring::read(pairing.config.key_file);
  const journal::StateLock lock(pairing.config.state_directory);
  expect_unlatched(pairing, keyring);
  return db::with_retries({.in_all = pairing.config.retry_for},
                          [&] { return attempt(pairing, table, reason, keyring, progress); });
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
