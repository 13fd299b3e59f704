// Of the bookkeeping: its seals, and what shows whether it is whole.
#include "db/books.hpp"
#include "db/cell_values.hpp"

#include <fmt/format.h>

namespace abgleich::db {

Seal Books::base_seal(std::int64_t tracked) {
  Seal seal;
  session_.connection->query(
      fmt::format("SELECT rows, sum FROM {} WHERE what = 'base' AND n = {}", own("seal"), tracked),
      {}, [&](std::span<const Cell> cells) {
        seal = {.rows = number(cells[0]), .sum = number<std::uint64_t>(cells[1].bytes, 16)};
      });
  return seal;
}

void Books::seal_base(std::int64_t tracked, const Seal& seal) {
  session_.connection->execute(
      fmt::format("INSERT INTO {} (what, n, rows, sum) VALUES ('base', {}, {}, '{:016x}') "
                  "ON CONFLICT (what, n) DO UPDATE SET rows = excluded.rows, sum = excluded.sum",
                  own("seal"), tracked, seal.rows, seal.sum));
}

void Books::seal_journal(std::int64_t epoch) {
  session_.connection->execute(
      fmt::format("INSERT INTO {0} (what, n, rows, sum) SELECT 'journal', {1}, count(*), '' "
                  "FROM {2} WHERE epoch = {1} HAVING count(*) > 0",
                  own("seal"), epoch, own("journal")));
}

void Books::each_run(const std::function<void(const RunRow&)>& on_row) {
  const auto cursor = session_.connection->open(
      fmt::format("SELECT epoch, id, kind, started, finished, operator, reason, counts, previous, "
                  "hash FROM {} ORDER BY epoch",
                  own("run")));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    on_row({.epoch = number(cells[0]),
            .id = text(cells[1]),
            .kind = text(cells[2]),
            .started = text(cells[3]),
            .finished = text(cells[4]),
            .operator_ = text(cells[5]),
            .reason = cells[6].storage == Cell::Storage::null ? std::nullopt
                                                              : std::optional(text(cells[6])),
            .counts = text(cells[7]),
            .previous = text(cells[8]),
            .hash = text(cells[9])});
  }
}

void Books::unsealed_journal(
    const std::function<void(std::int64_t, std::int64_t, std::int64_t)>& on_epoch) {
  const auto cursor = session_.connection->open(fmt::format(
      "SELECT both_.epoch, sum(both_.entries), sum(both_.sealed) FROM ("
      "SELECT epoch, count(*) AS entries, 0 AS sealed FROM {} GROUP BY epoch UNION ALL "
      "SELECT n, 0, rows FROM {} WHERE what = 'journal') AS both_ "
      "GROUP BY both_.epoch HAVING sum(both_.entries) <> sum(both_.sealed) ORDER BY both_.epoch",
      own("journal"), own("seal")));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    on_epoch(number(cells[0]), number(cells[1]), number(cells[2]));
  }
}

Books::Untracked Books::count_untracked() {
  const auto count = [&](std::string_view table) {
    std::int64_t rows = 0;
    session_.connection->query(
        fmt::format("SELECT count(*) FROM {} WHERE tracked NOT IN (SELECT id FROM {})", own(table),
                    own("tracked")),
        {}, [&](std::span<const Cell> cells) { rows = number(cells[0]); });
    return rows;
  };
  return {.journal = count("journal"),
          .conflicts = count("conflict"),
          .quarantined = count("quarantine")};
}

void Books::forget_untracked() {
  for (const auto* table : {"conflict", "quarantine"}) {
    session_.connection->execute(fmt::format(
        "DELETE FROM {} WHERE tracked NOT IN (SELECT id FROM {})", own(table), own("tracked")));
  }
}

}  // namespace abgleich::db
