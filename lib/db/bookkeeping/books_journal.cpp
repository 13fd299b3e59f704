// Of the bookkeeping: the journal. Each entry has a MAC, and the row of a run has the seal of all
// of its entries.
#include "db/bookkeeping/books.hpp"
#include "db/bookkeeping/books_cells.hpp"
#include "db/engine/clauses.hpp"

#include <fmt/format.h>

namespace abgleich::db {

namespace {

constexpr const char* kErased = "abgleich_tmp_erased";

}  // namespace

void Books::journal_note(const JournalRow& row) {
  const auto epoch = std::to_string(row.epoch);
  const auto tracked = std::to_string(row.tracked);
  const auto n = std::to_string(row.n);
  const auto mac = sealer().mac(fields_of(row));
  const Cell cells[] = {number_cell(epoch),      number_cell(tracked),      number_cell(n),
                        text_cell(row.key_text), text_cell(row.fate),       cell_of(row.before),
                        cell_of(row.after),      {Cell::Storage::blob, mac}};
  session_.connection->execute(
      fmt::format("INSERT INTO {} (epoch, tracked, n, key_text, fate, before, after, mac) "
                  "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                  own("journal")),
      cells);
  journal_ += sealer().share(mac);
}

void Books::journal_grew(std::int64_t tracked) {
  const auto cursor = session_.connection->open(fmt::format(
      "SELECT mac FROM {} WHERE epoch = {} AND tracked = {}", own("journal"), epoch_, tracked));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    journal_ += sealer().share(mac_in(cells[0]));
  }
}

Seal Books::journal_seal(const RunRow& run) const {
  return {.rows = run.entries, .sum = reader().revealed(run.sum).value_or(0)};
}

void Books::journal_of(std::int64_t epoch, const std::function<void(const JournalRow&)>& on_row) {
  Seal left;
  if (sealer_) {
    expect("run");
    for (const auto& run : select_runs(fmt::format("WHERE epoch = {}", epoch), {})) {
      left = journal_seal(run);
    }
  }
  Seal found;
  const auto cursor = session_.connection->open(
      fmt::format("SELECT {}, mac FROM {} WHERE epoch = {} ORDER BY tracked, n", kJournalColumns,
                  own("journal"), epoch));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    const auto row = journal_row(*session_.dialect, cells);
    if (sealer_) {
      expect_entry(row, mac_in(cells[kJournalWidth]), found);
    }
    on_row(row);
  }
  if (sealer_ && found != left) {
    refuse_forged(
        fmt::format("the journal of run r{} does not have the entries that it wrote", epoch));
  }
}

void Books::expect_entry(const JournalRow& row, std::string_view mac, Seal& found) const {
  if (reader().mac(fields_of(row)) != mac) {
    refuse_forged(
        fmt::format("an entry in the journal of run r{} was changed after that run", row.epoch));
  }
  found += reader().share(mac);
}

void Books::change_entries(const std::map<std::int64_t, std::pair<Seal, Seal>>& changes_of) {
  for (const auto& [epoch, change] : changes_of) {
    for (const auto& run : select_runs(fmt::format("WHERE epoch = {}", epoch), {})) {
      auto after = run;
      auto seal = journal_seal(run);
      seal -= change.first;
      seal += change.second;
      after.entries = seal.rows;
      after.sum = sealer().hidden(seal.sum);
      put_run(after);
    }
  }
}

void Books::edit_images(std::int64_t tracked, const std::function<bool(std::string&)>& edit) {
  std::map<std::int64_t, std::pair<Seal, Seal>> changed;
  {
    const auto cursor = session_.connection->open(
        fmt::format("SELECT {}, mac FROM {} WHERE tracked = {} "
                    "AND n > 0 AND (before IS NOT NULL OR after IS NOT NULL)",
                    kJournalColumns, own("journal"), tracked));
    const auto sql = fmt::format(
        "UPDATE {} SET before = $1, after = $2, mac = $3 WHERE epoch = $4 "
        "AND tracked = {} AND n = $5",
        own("journal"), tracked);
    for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
      auto row = journal_row(*session_.dialect, cells);
      Seal was;
      expect_entry(row, mac_in(cells[kJournalWidth]), was);
      const bool first = row.before && edit(*row.before);
      const bool second = row.after && edit(*row.after);
      if (first || second) {
        const auto epoch = std::to_string(row.epoch);
        const auto n = std::to_string(row.n);
        const auto mac = sealer().mac(fields_of(row));
        const Cell parameters[] = {cell_of(row.before),
                                   cell_of(row.after),
                                   {Cell::Storage::blob, mac},
                                   number_cell(epoch),
                                   number_cell(n)};
        session_.connection->execute(sql, parameters);
        auto& change = changed[row.epoch];
        change.first += was;
        change.second += sealer().share(mac);
      }
    }
  }
  change_entries(changed);
}

void Books::erase_images(std::int64_t tracked, const std::string& keys) {
  auto& connection = *session_.connection;
  const auto& dialect = *session_.dialect;
  std::map<std::int64_t, std::pair<Seal, Seal>> changed;
  connection.execute(fmt::format("CREATE TEMPORARY TABLE {} (epoch bigint, n bigint, mac {}{}",
                                 kErased, dialect.blob_type(),
                                 table_end(dialect, Lifetime::temporary)));
  {
    const auto loader = connection.load(kErased, {"epoch", "n", "mac"});
    const auto cursor = connection.open(
        fmt::format("SELECT {}, mac FROM {} WHERE tracked = {} AND key_text IN ({})",
                    kJournalColumns, own("journal"), tracked, keys));
    for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
      auto row = journal_row(dialect, cells);
      auto& change = changed[row.epoch];
      expect_entry(row, mac_in(cells[kJournalWidth]), change.first);
      row.before.reset();
      row.after.reset();
      row.base = {};
      const auto mac = sealer().mac(fields_of(row));
      change.second += sealer().share(mac);
      const auto epoch = std::to_string(row.epoch);
      const auto n = std::to_string(row.n);
      const Cell out[] = {number_cell(epoch), number_cell(n), {Cell::Storage::blob, mac}};
      loader->add(out);
    }
    loader->flush();
  }
  connection.execute(dialect.update_from(
      {.table = own("journal"),
       .alias = "j",
       .set = "before = NULL, after = NULL, moved = NULL, base_before = NULL, base_after = NULL, "
              "mac = e.mac",
       .from = fmt::format("{} e", kErased),
       .where = fmt::format("j.tracked = {} AND j.epoch = e.epoch AND j.n = e.n", tracked)}));
  connection.execute(std::string("DROP TABLE ") + kErased);
  change_entries(changed);
}

std::int64_t Books::last_before(const std::string& moment) {
  const Cell cells[] = {text_cell(moment)};
  return one_number(fmt::format("SELECT coalesce(max(epoch), 0) FROM {} WHERE purged IS NULL AND "
                                "finished < $1",
                                own("run")),
                    cells);
}

std::int64_t Books::purge_journal(std::int64_t epoch, const std::string& now) {
  session_.connection->execute(
      fmt::format("DELETE FROM {} WHERE epoch <= {}", own("journal"), epoch));
  const auto runs = select_runs(fmt::format("WHERE purged IS NULL AND epoch <= {}", epoch), {});
  for (auto run : runs) {
    run.purged = now;
    run.entries = 0;
    run.sum = sealer().hidden(0);
    put_run(run);
  }
  return static_cast<std::int64_t>(runs.size());
}

}  // namespace abgleich::db
