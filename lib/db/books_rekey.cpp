// Of the bookkeeping: every record of journal, conflicts and quarantine passes by and may be
// changed, for the rotation of the key.
#include "db/books.hpp"
#include "db/cell_values.hpp"

#include <fmt/format.h>

namespace abgleich::db {

namespace {

constexpr const char* kJournal = "abgleich_tmp_rejournal";
constexpr std::string_view kJournalColumns =
    "epoch, tracked, n, key_text, fate, before, after, moved, base_before, base_after";

}  // namespace

void Books::rewrite_journal(const std::function<void(JournalRow&)>& rewrite) {
  auto& connection = *session_.connection;
  const auto& dialect = *session_.dialect;
  const bool postgresql = dialect.engine() == Engine::postgresql;
  const std::string_view blob = postgresql ? "bytea" : "BLOB";
  connection.execute(fmt::format(
      "CREATE TEMPORARY TABLE {} (epoch bigint, tracked bigint, n bigint, key_text text, fate "
      "text, before text, after text, moved text, base_before {}, base_after {}){}",
      kJournal, blob, blob, postgresql ? " ON COMMIT DROP" : ""));
  {
    const auto loader =
        connection.load(kJournal, {"epoch", "tracked", "n", "key_text", "fate", "before", "after",
                                   "moved", "base_before", "base_after"});
    const auto cursor =
        connection.open(fmt::format("SELECT {} FROM {}", kJournalColumns, own("journal")));
    for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
      JournalRow row{.epoch = number(cells[0]),
                     .tracked = number(cells[1]),
                     .n = number(cells[2]),
                     .key_text = std::string(cells[3].bytes),
                     .fate = std::string(cells[4].bytes),
                     .before = optional_text(cells[5]),
                     .after = optional_text(cells[6]),
                     .base = {.moved = optional_text(cells[7]),
                              .before = optional_packed(dialect, cells[8]),
                              .after = optional_packed(dialect, cells[9])}};
      rewrite(row);
      const auto epoch = std::to_string(row.epoch);
      const auto tracked = std::to_string(row.tracked);
      const auto n = std::to_string(row.n);
      const Cell out[] = {number_cell(epoch),       number_cell(tracked),
                          number_cell(n),           text_cell(row.key_text),
                          text_cell(row.fate),      cell_of(row.before),
                          cell_of(row.after),       cell_of(row.base.moved),
                          blob_of(row.base.before), blob_of(row.base.after)};
      loader->add(out);
    }
    loader->flush();
  }
  connection.execute("DELETE FROM " + own("journal"));
  connection.execute(fmt::format("INSERT INTO {0} ({1}) SELECT {1} FROM {2}", own("journal"),
                                 kJournalColumns, kJournal));
  connection.execute(std::string("DROP TABLE ") + kJournal);
}

void Books::rewrite_conflicts(const std::function<void(ConflictRow&)>& rewrite) {
  std::vector<ConflictRow> rows;
  conflicts([&](const ConflictRow& row) { rows.push_back(row); });
  session_.connection->execute("DELETE FROM " + own("conflict"));
  for (auto& row : rows) {
    rewrite(row);
    record_conflict(row);
  }
}

void Books::rewrite_quarantine(const std::function<void(QuarantineRow&)>& rewrite) {
  std::vector<QuarantineRow> rows;
  quarantines([&](const QuarantineRow& row) { rows.push_back(row); });
  session_.connection->execute("DELETE FROM " + own("quarantine"));
  const auto loader = session_.connection->load(
      own("quarantine"), {"tracked", "key_text", "column_name", "reason", "rows", "epoch"});
  for (auto& row : rows) {
    rewrite(row);
    const auto tracked = std::to_string(row.tracked);
    const auto count = std::to_string(row.rows);
    const auto epoch = std::to_string(row.epoch);
    const Cell out[] = {number_cell(tracked),  text_cell(row.key_text), text_cell(row.column),
                        text_cell(row.reason), number_cell(count),      number_cell(epoch)};
    loader->add(out);
  }
  loader->flush();
}

}  // namespace abgleich::db
