// Of the bookkeeping: the rotation of the key. Every record is given to a function that may change
// it, and everything is sealed with the new key.
#include "db/bookkeeping/books.hpp"
#include "db/bookkeeping/books_cells.hpp"
#include "db/engine/clauses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace abgleich::db {

namespace {

constexpr const char* kJournal = "abgleich_tmp_rejournal";
constexpr std::string_view kSets[] = {"conflict", "fact", "quarantine", "run", "tracked"};

}  // namespace

void Books::begin_reseal(const SealKeys& keys) {
  for (const std::string_view table : kSets) {
    expect(table);
  }
  before_.emplace(sealer());
  sealer_.emplace(keys, before_->lineage());
  rejournaled_.clear();
}

void Books::rewrite_journal(const std::function<void(JournalRow&)>& rewrite) {
  auto& connection = *session_.connection;
  const auto& dialect = *session_.dialect;
  connection.execute(fmt::format(
      "CREATE TEMPORARY TABLE {0} (epoch bigint, tracked bigint, n bigint, key_text text, fate "
      "text, before text, after text, moved text, base_before {1}, base_after {1}, mac {1}{2}",
      kJournal, dialect.blob_type(), table_end(dialect, Lifetime::temporary)));
  {
    const auto loader =
        connection.load(kJournal, {"epoch", "tracked", "n", "key_text", "fate", "before", "after",
                                   "moved", "base_before", "base_after", "mac"});
    const auto cursor =
        connection.open(fmt::format("SELECT {}, mac FROM {}", kJournalColumns, own("journal")));
    for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
      auto row = journal_row(dialect, cells);
      auto& [was, now] = rejournaled_[row.epoch];
      expect_entry(row, mac_in(cells[kJournalWidth]), was);
      rewrite(row);
      const auto mac = sealer().mac(fields_of(row));
      now += sealer().share(mac);
      const auto epoch = std::to_string(row.epoch);
      const auto tracked = std::to_string(row.tracked);
      const auto n = std::to_string(row.n);
      const Cell out[] = {
          number_cell(epoch),      number_cell(tracked),      number_cell(n),
          text_cell(row.key_text), text_cell(row.fate),       cell_of(row.before),
          cell_of(row.after),      cell_of(row.base.moved),   blob_of(row.base.before),
          blob_of(row.base.after), {Cell::Storage::blob, mac}};
      loader->add(out);
    }
    loader->flush();
  }
  connection.execute("DELETE FROM " + own("journal"));
  // numbered again in the order of the new keys: the old numbers would tell the order of
  // the old ones
  const auto order = fmt::format("{}, n", by_key_text());
  connection.execute(fmt::format(
      "INSERT INTO {0} ({1}, mac) SELECT epoch, tracked, CASE WHEN n = 0 THEN 0 ELSE row_number() "
      "OVER "
      "(PARTITION BY epoch, tracked, CASE WHEN n = 0 THEN 0 ELSE 1 END ORDER BY {2}) END, "
      "key_text, "
      "fate, before, after, moved, base_before, base_after, mac FROM {3} ORDER BY epoch, tracked, "
      "{2}",
      own("journal"), kJournalColumns, order, kJournal));
  connection.execute(std::string("DROP TABLE ") + kJournal);
}

void Books::rewrite_conflicts(const std::function<void(ConflictRow&)>& rewrite) {
  std::vector<ConflictRow> rows;
  conflicts([&](const ConflictRow& row) { rows.push_back(row); });
  session_.connection->execute("DELETE FROM " + own("conflict"));
  for (auto& row : rows) {
    rewrite(row);
  }
  std::ranges::sort(rows, {},
                    [](const ConflictRow& row) { return std::tie(row.tracked, row.key_text); });
  for (const auto& row : rows) {
    record_conflict(row);
  }
}

void Books::rewrite_quarantine(const std::function<void(QuarantineRow&)>& rewrite) {
  std::vector<QuarantineRow> rows;
  quarantines([&](const QuarantineRow& row) { rows.push_back(row); });
  session_.connection->execute("DELETE FROM " + own("quarantine"));
  const auto loader = session_.connection->load(
      own("quarantine"), {"tracked", "key_text", "column_name", "reason", "rows", "epoch", "mac"});
  for (auto& row : rows) {
    rewrite(row);
  }
  std::ranges::sort(rows, {}, [](const QuarantineRow& row) {
    return std::tie(row.tracked, row.key_text, row.column, row.reason);
  });
  for (const auto& row : rows) {
    const auto tracked = std::to_string(row.tracked);
    const auto count = std::to_string(row.rows);
    const auto epoch = std::to_string(row.epoch);
    const auto mac = sealer().mac(row);
    const Cell out[] = {number_cell(tracked),      text_cell(row.key_text), text_cell(row.column),
                        text_cell(row.reason),     number_cell(count),      number_cell(epoch),
                        {Cell::Storage::blob, mac}};
    loader->add(out);
  }
  loader->flush();
}

void Books::end_reseal() {
  for (const auto& row : tracked()) {
    put_tracked(row);
  }
  for (const auto& fact : all_facts()) {
    put_fact(fact);
  }
  std::vector<RunRow> runs = select_runs("ORDER BY epoch", {});
  for (auto& run : runs) {
    const auto [was, now] = rejournaled_[run.epoch];
    if (was != journal_seal(run)) {
      refuse_forged(
          fmt::format("the journal of run {} does not have the entries that it wrote", run.id));
    }
    run.entries = now.rows;
    run.sum = sealer().hidden(now.sum);
    put_run(run);
    rejournaled_.erase(run.epoch);
  }
  if (!rejournaled_.empty()) {
    refuse_forged("the journal has entries of runs that are not there");
  }
  before_.reset();
  for (const std::string_view table : kSets) {
    changes(table);
  }
}

}  // namespace abgleich::db
