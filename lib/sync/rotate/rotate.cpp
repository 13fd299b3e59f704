#include "sync/rotate/rotate.hpp"

#include "core/clock.hpp"
#include "db/secondary/base_table.hpp"
#include "db/secondary/rekey.hpp"
#include "db/secondary/staged_table.hpp"
#include "journal/head.hpp"
#include "journal/run_kind.hpp"
#include "mask/rekey.hpp"
#include "sync/detect/stage.hpp"
#include "sync/mapping/secondary_drift.hpp"
#include "sync/mapping/settle_identities.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/mapping/table_matches.hpp"
#include "sync/rotate/rekeyed_records.hpp"
#include "sync/run/commit.hpp"
#include "sync/run/leaving.hpp"
#include "sync/run/recover.hpp"
#include "sync/run/schema.hpp"
#include "sync/run/writing_run.hpp"
#include "sync/verify/lay_down.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace abgleich::sync {

namespace {

/// Throws Failure where drift blocks a table: it would keep its old pseudonyms.
void expect_all_tables(const Pairing& pairing, const std::vector<ExportedTable>& tables) {
  for (const auto& table : pairing.contract.tables) {
    if (std::ranges::none_of(tables, [&](const ExportedTable& exported) {
          return exported.table->name == table.name;
        })) {
      throw Failure(Code::drift_decision,
                    fmt::format("the key cannot be rotated while drift blocks '{}'", table.name),
                    "decide the drift first: abgleich drift. Nothing was changed");
    }
  }
}

/// Throws Failure where people's changes to the secondary wait for a decision: a column that they
/// have dropped would be made anew, and empty.
void refuse_undecided(const std::vector<drift::Event>& changed) {
  for (const auto& event : changed) {
    if (event.verdict == drift::Verdict::block) {
      throw Failure(Code::drift_decision,
                    "the key cannot be rotated before what people have done to the secondary is "
                    "decided: " +
                        secondary_text(event),
                    fmt::format("{}; then run: abgleich sync. Nothing was changed", event.hint));
    }
  }
}

void learn(db::Source& source, const ExportedTable& exported, const RekeyedTable& rekeyed,
           Progress& progress) {
  std::vector<const CatalogColumn*> columns;
  std::vector<mask::Rekeying*> rekeyings;
  std::vector<contract::CanonicalForm> forms;
  for (std::size_t i = 0; i < exported.columns.size(); ++i) {
    auto* const rekeying = rekeyed.rekeying(i);
    if (rekeying != nullptr && rekeying->learns()) {
      columns.push_back(exported.sources[i]);
      rekeyings.push_back(rekeying);
      forms.push_back(exported.columns[i]->form);
    }
  }
  if (columns.empty()) {
    return;
  }
  std::int64_t rows = 0;
  source.read(exported.table->name, columns, [&](const RawRow& raw) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      rekeyings[i]->learn(raw.cells[i], columns[i]->type, forms[i]);
    }
    if (++rows % kProgressEvery == 0) {
      progress.at("rekey", exported.table->name, rows);
    }
  });
}

/// Rewrites the rows of one table: its data in new pseudonyms, and its base in digests of the new
/// epoch. Each new digest says what the old one said: which side has not changed since.
class TableRotation {
 public:
  TableRotation(db::StagedTable& table, RekeyedTable& rekeyed)
      : table_(table), rekeyed_(rekeyed), rows_(table) {}

  void run() {
    const auto take = [this](db::Pair& pair) { this->take(pair); };
    table_.staged_pairs(take);
    table_.missing_pairs(take);
    table_.held_back_pairs(db::HeldBack::all, take);
    table_.secondary_only(take);
    rows_.finish();
  }

 private:
  void take(db::Pair& pair) {
    const auto& exported = rekeyed_.exported();
    rekeyed_.rekey(pair.primary, primary_);
    rekeyed_.rekey(pair.secondary, secondary_);
    was_secondary_.clear();
    now_secondary_.clear();
    was_primary_.clear();
    now_primary_.clear();
    auto data = db::RekeyWriter::Data::as_it_is;
    if (pair.in_secondary) {
      if (secondary_ != pair.secondary) {
        data = db::RekeyWriter::Data::changes;
      }
      db::respell_key(exported.relation, pair.primary, pair.secondary);
      digest_row(exported, pair.secondary, key_bytes_, was_secondary_);
      db::respell_key(exported.relation, primary_, secondary_);
      rekeyed_.digest(secondary_, now_secondary_);
    }
    if (pair.primary_digests) {
      was_primary_ = unpack_digests(*pair.primary_digests);
      rekeyed_.digest(primary_, now_primary_);
    }
    std::optional<std::string> base;
    if (pair.base_digests) {
      base = next_base(base_digests(exported.relation, *pair.base_digests));
    }
    rows_.add(pair.primary, pair.in_secondary ? secondary_ : primary_, data, base);
  }

  [[nodiscard]] std::string next_base(std::vector<Digest> base) const {
    for (std::size_t i = 0; i < base.size(); ++i) {
      if (!was_primary_.empty() && base[i] == was_primary_[i]) {
        base[i] = now_primary_[i];
      } else if (!was_secondary_.empty() && base[i] == was_secondary_[i]) {
        base[i] = now_secondary_[i];
      } else {
        base[i] = rekeyed_.unknown(base[i]);
      }
    }
    return pack(base);
  }

  db::StagedTable& table_;
  RekeyedTable& rekeyed_;
  db::RekeyWriter rows_;
  Row primary_;
  Row secondary_;
  std::vector<Digest> was_primary_;
  std::vector<Digest> was_secondary_;
  std::vector<Digest> now_primary_;
  std::vector<Digest> now_secondary_;
  std::string key_bytes_;
};

db::TableRekey columns_of(db::Target& target, const RekeyedTable& rekeyed) {
  const auto& exported = rekeyed.exported();
  db::TableRekey columns{.relation = &exported.relation};
  for (std::size_t i = 0; i < exported.columns.size(); ++i) {
    if (const auto* rekeying = rekeyed.rekeying(i)) {
      columns.columns.push_back(i);
      if (!rekeying->learns()) {
        columns.integers.push_back(i);
      }
    }
  }
  for (const auto& kept : rekeyed.kept()) {
    auto found = db::rekey_kept(target, exported.relation, kept.column->name, kept.column->type,
                                [&](Value& value) { kept.rekeying->rekey(value); });
    if (found) {
      columns.kept.push_back(std::move(*found));
    }
  }
  return columns;
}

void rewrite_books(db::Books& books, std::vector<RekeyedTable>& tables, const SipKey& id_key) {
  const auto table_of = [&](std::int64_t id) -> RekeyedTable* {
    const auto found = std::ranges::find_if(
        tables, [&](const RekeyedTable& one) { return one.exported().relation.id == id; });
    return found == tables.end() ? nullptr : &*found;
  };
  books.rewrite_journal([&](db::JournalRow& row) {
    if (auto* const table = table_of(row.tracked)) {
      table->rewrite(row);
    }
  });
  books.rewrite_conflicts([&](db::ConflictRow& row) {
    if (auto* const table = table_of(row.tracked)) {
      table->rewrite(row, id_key);
    }
  });
  books.rewrite_quarantine([&](db::QuarantineRow& row) {
    if (const auto* const table = table_of(row.tracked)) {
      table->rewrite(row);
    }
  });
}

/// Records the tables in the bookkeeping. Forgets the bases of tables that the contract no longer
/// names: their rows are not rotated, so their digests would be of an epoch that is over.
void remember_tracked(db::Target& target, const std::vector<LocatedTable>& tables,
                      const std::vector<db::TrackedRow>& tracked, std::int64_t epoch) {
  std::vector<db::TrackedRow> next;
  next.reserve(tables.size());
  for (const auto& exported : tables) {
    next.push_back(tracked_row(exported));
  }
  free_names(target.books(), tracked, next);
  for (auto& row : next) {
    const auto known = std::ranges::find(tracked, row.id, &db::TrackedRow::id);
    if (known == tracked.end() || known->columns != row.columns || known->source != row.source ||
        known->target != row.target || known->key_columns != row.key_columns) {
      row.since = epoch;
      target.books().put_tracked(row);
    }
  }
  for (const auto& row : tracked) {
    if (std::ranges::none_of(tables, [&](const ExportedTable& exported) {
          return exported.relation.id == row.id;
        })) {
      const auto relation = relation_of(row);
      db::BaseTable(target, relation).forget();
    }
  }
}

/// Throws Failure where the owner has to make missing tables or columns first: a rotation needs
/// every table whole.
void expect_no_ddl_left(const Schema& schema) {
  if (!schema.refused.empty()) {
    throw Failure(
        Code::drift_decision,
        "the secondary lacks tables or columns of the contract, and [secondary] "
        "manage_schema is false",
        fmt::format("run this in the secondary as its owner, then run: abgleich sync: {}. "
                    "Nothing was changed",
                    fmt::join(schema.refused, "; ")));
  }
}

}  // namespace

std::optional<int> epoch_to_rotate(db::Target& target, const mask::Keyring& keyring) {
  if (keyring.epoch() == 1 || !target.books().exist()) {
    return std::nullopt;
  }
  const auto head = target.books().head(db::Books::Lock::none);
  if (!head || head->key_check == keyring.check_value()) {
    return std::nullopt;
  }
  return keyring.epoch_of(head->key_check);
}

Rotation rotate(const WritingRun& frame, RunAttempt& run, db::Source& source, int from,
                const std::set<std::string>& refill, Progress& progress) {
  const auto started = now_utc();
  const auto& given = frame.pairing();
  const auto& keyring = frame.keyring();
  auto& target = run.target();
  const auto before = keyring.until(from);
  const auto& primary = source.catalog();
  const auto drift = drift_events(given, primary);
  const auto& head = run.look(before, primary_of(source));
  if (const auto wider = refuse_widening(given, target, head, keyring, primary)) {
    throw Failure(*wider);
  }
  const auto tracked = known_tables(target);
  const auto pairing = settle_identities(given, primary, tracked);
  auto exported = export_tables(pairing.contract, primary, drift, tracked, before);
  refuse_undecided(find_secondary_drift(pairing, target, refill, exported));
  expect_all_tables(pairing, exported);
  const auto schema = bring_schema(pairing, target, std::move(exported), report::Run::real);
  expect_no_ddl_left(schema);
  const auto& tables = schema.tables;

  Rekeyings rekeyings(before, keyring);
  std::vector<RekeyedTable> rekeyed;
  rekeyed.reserve(tables.size());
  for (const auto& table : tables) {
    rekeyed.emplace_back(table, rekeyings, keyring);
    learn(source, table, rekeyed.back(), progress);
  }
  rekeyings.finish();
  target.books().begin_findings();  // what staging holds back is found again by the next run
  std::vector<db::TableRekey> columns;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    auto& table = target.prepare(tables[i].located());
    stage_table({source, table, tables[i], before, progress});
    TableRotation(table, rekeyed[i]).run();
    columns.push_back(columns_of(target, rekeyed[i]));
  }
  Rotation rotation{.from = from, .to = keyring.epoch()};
  auto counts = nlohmann::ordered_json::object();
  target.books().begin_reseal(seal_keys(keyring));
  const auto rows = db::apply_rekey(target, columns);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    counts[tables[i].table->name] = {{"rekeyed", rows[i]}};
    rotation.rows += rows[i];
  }
  rewrite_books(target.books(), rekeyed, keyring.purpose_key("conflict-id"));
  rotation.orphans = rekeyings.orphans();
  remember_tracked(target, tables, tracked, run.epoch());
  target.books().end_reseal();
  rotation.left = lay_down_data(target, relations_of(tables), run.epoch());
  rotation.run =
      run.commit({.kind = journal::RunKind::rotate,
                  .started = started,
                  .reason = fmt::format("key rotated from epoch {} to {}", from, keyring.epoch()),
                  .counts = counts.dump(),
                  .key_check = keyring.check_value()});
  return rotation;
}

std::string text_of(const Rotation& rotation) {
  auto text = fmt::format("the key's epoch {} is in: {} rows have new pseudonyms, run {}",
                          rotation.to, rotation.rows, rotation.run);
  if (!rotation.left.empty()) {
    text += "; " + text_of(rotation.left);
  }
  return text;
}

}  // namespace abgleich::sync
