#include "db/bookkeeping/books.hpp"

#include "core/error.hpp"
#include "db/bookkeeping/books_cells.hpp"
#include "db/engine/clauses.hpp"

#include <fmt/format.h>

namespace abgleich::db {

std::string Books::own(std::string_view name) const {
  return session_.own_table(name);
}

std::string Books::by_key_text() const {
  return session_.dialect->bytewise("key_text");
}

std::string Books::own_name(std::string_view name) const {
  return session_.own_name(name);
}

void Books::create() {
  session_.connection->execute_script(ddl());
  forget_read();
}

std::optional<HeadRow> Books::head(Lock lock) {
  std::optional<HeadRow> head;
  session_.connection->query(
      fmt::format("SELECT lineage, epoch, hash, run, key_check, primary_id, paused, seals, mac "
                  "FROM {}{}",
                  own("head"),
                  lock == Lock::row ? session_.dialect->row_lock() : std::string_view()),
      {}, [&](std::span<const Cell> cells) {
        head = HeadRow{.lineage = text(cells[0]),
                       .epoch = number(cells[1]),
                       .hash = text(cells[2]),
                       .run = text(cells[3]),
                       .key_check = text(cells[4]),
                       .primary_id = text(cells[5]),
                       .paused = optional_text(cells[6]),
                       .seals = mac_in(cells[7]),
                       .mac = mac_in(cells[8])};
      });
  return head;
}

bool Books::advance_head(const std::optional<HeadRow>& from, HeadRow to) {
  seal_sets();
  to.seals = sealer().mac_of_seals(all_seals());
  to.mac = sealer().mac(to);
  const auto epoch = std::to_string(to.epoch);
  const Cell seals{Cell::Storage::blob, to.seals};
  const Cell mac{Cell::Storage::blob, to.mac};
  if (!from) {
    const Cell cells[] = {text_cell(to.lineage),
                          number_cell(epoch),
                          text_cell(to.hash),
                          text_cell(to.run),
                          text_cell(to.key_check),
                          text_cell(to.primary_id),
                          cell_of(to.paused),
                          seals,
                          mac};
    return session_.connection->execute(
               fmt::format("INSERT INTO {} (only_row, format, lineage, epoch, hash, run, "
                           "key_check, primary_id, paused, seals, mac) VALUES (1, {}, $1, $2, $3, "
                           "$4, $5, $6, $7, $8, $9)",
                           own("head"), kFormat),
               cells) == 1;
  }
  const auto old_epoch = std::to_string(from->epoch);
  const Cell cells[] = {number_cell(epoch),
                        text_cell(to.hash),
                        text_cell(to.run),
                        text_cell(to.key_check),
                        text_cell(to.primary_id),
                        cell_of(to.paused),
                        seals,
                        mac,
                        number_cell(old_epoch),
                        text_cell(from->hash)};
  return session_.connection->execute(
             fmt::format("UPDATE {} SET epoch = $1, hash = $2, run = $3, key_check = $4, "
                         "primary_id = $5, paused = $6, seals = $7, mac = $8 WHERE epoch = $9 AND "
                         "hash = $10",
                         own("head")),
             cells) == 1;
}

void Books::seal_head(HeadRow head) {
  const auto from = head;
  (void)advance_head(from, std::move(head));
}

template <class Row>
void Books::expect_row(const Row& row, const Cell& mac, std::string_view what) const {
  if (sealer_ && reader().mac(row) != mac_in(mac)) {
    refuse_forged(what);
  }
}

std::vector<TrackedRow> Books::tracked() {
  expect("tracked");
  if (!read_.tracked) {
    auto& rows = read_.tracked.emplace();
    session_.connection->query(
        fmt::format("SELECT {} FROM {} ORDER BY id", kTrackedColumns, own("tracked")), {},
        [&](std::span<const Cell> cells) { rows.push_back(tracked_row(cells)); });
  }
  return *read_.tracked;
}

void Books::put_tracked(const TrackedRow& row) {
  changes("tracked");
  const auto id = std::to_string(row.id);
  const auto since = std::to_string(row.since);
  const auto mac = sealer().mac(row);
  const Cell cells[] = {number_cell(id),           text_cell(row.source),
                        text_cell(row.target),     text_cell(row.key_columns),
                        text_cell(row.columns),    number_cell(since),
                        {Cell::Storage::blob, mac}};
  session_.connection->execute(
      session_.dialect->upsert(
          {.table = own("tracked"),
           .columns = {"id", "source", "target", "key_columns", "columns", "since", "mac"},
           .values = "$1, $2, $3, $4, $5, $6, $7"}),
      cells);
  if (read_.tracked) {
    const auto at = std::ranges::lower_bound(*read_.tracked, row.id, {}, &TrackedRow::id);
    if (at != read_.tracked->end() && at->id == row.id) {
      *at = row;
    } else {
      read_.tracked->insert(at, row);
    }
  }
}

void Books::insert_run(RunRow run) {
  run.entries = journal_.rows;
  run.sum = sealer().hidden(journal_.sum);
  const auto epoch = std::to_string(run.epoch);
  const auto entries = std::to_string(run.entries);
  const auto mac = sealer().mac(run);
  const Cell cells[] = {
      number_cell(epoch),        text_cell(run.id),       text_cell(run.kind),
      text_cell(run.started),    text_cell(run.finished), text_cell(run.operator_),
      cell_of(run.reason),       text_cell(run.counts),   text_cell(run.nonce),
      text_cell(run.deeds),      text_cell(run.previous), text_cell(run.hash),
      cell_of(run.purged),       number_cell(entries),    text_cell(run.sum),
      {Cell::Storage::blob, mac}};
  session_.connection->execute(
      fmt::format("INSERT INTO {} ({}, mac) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, "
                  "$12, $13, $14, $15, $16)",
                  own("run"), kRunColumns),
      cells);
  // there may be many runs: their seal is continued, not computed again
  auto all = set_seal("run");
  all += sealer().share(mac);
  put_seal("run", 0, all);
}

void Books::put_run(const RunRow& run) {
  changes("run");
  const auto epoch = std::to_string(run.epoch);
  const auto entries = std::to_string(run.entries);
  const auto mac = sealer().mac(run);
  const Cell cells[] = {cell_of(run.purged),
                        number_cell(entries),
                        text_cell(run.sum),
                        {Cell::Storage::blob, mac},
                        number_cell(epoch)};
  session_.connection->execute(
      fmt::format("UPDATE {} SET purged = $1, entries = $2, sum = $3, mac = $4 WHERE epoch = $5",
                  own("run")),
      cells);
}

std::vector<RunRow> Books::runs(std::int64_t limit) {
  return select_runs(fmt::format("ORDER BY epoch DESC LIMIT {}", limit), {});
}

std::optional<RunRow> Books::find_run(std::int64_t epoch) {
  auto found = select_runs(fmt::format("WHERE epoch = {}", epoch), {});
  return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

std::vector<RunRow> Books::runs_called(const std::string& prefix) {
  const auto length = std::to_string(prefix.size());
  const Cell cells[] = {number_cell(length), text_cell(prefix)};
  return select_runs("WHERE substr(id, 1, $1) = $2 ORDER BY epoch DESC LIMIT 2", cells);
}

std::vector<RunRow> Books::select_runs(std::string_view which, std::span<const Cell> parameters) {
  std::vector<RunRow> rows;
  session_.connection->query(
      fmt::format("SELECT {}, mac FROM {} {}", kRunColumns, own("run"), which), parameters,
      [&](std::span<const Cell> cells) {
        rows.push_back(run_row(cells));
        expect_row(rows.back(), cells[kRunWidth], "a run is not as it was written");
      });
  return rows;
}

void Books::each_run(const std::function<void(const RunRow&, bool genuine)>& on_row) {
  const auto cursor = session_.connection->open(
      fmt::format("SELECT {}, mac FROM {} ORDER BY epoch", kRunColumns, own("run")));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    const auto row = run_row(cells);
    on_row(row, !sealer_ || reader().mac(row) == mac_in(cells[kRunWidth]));
  }
}

std::int64_t Books::one_number(const std::string& sql, std::span<const Cell> parameters) {
  std::int64_t value = 0;
  session_.connection->query(sql, parameters,
                             [&](std::span<const Cell> cells) { value = number(cells[0]); });
  return value;
}

}  // namespace abgleich::db
