// Of the bookkeeping: what is open (conflicts, rows held back), and what a run has found of that.
#include "db/bookkeeping/books.hpp"
#include "db/bookkeeping/books_cells.hpp"
#include "db/engine/clauses.hpp"
#include "db/engine/engine.hpp"

#include <fmt/format.h>

namespace abgleich::db {

namespace {

// Named like the other temporary tables; see clauses.hpp.
constexpr const char* kFoundConflict = "abgleich_tmp_found_conflict";
constexpr const char* kFoundQuarantine = "abgleich_tmp_found_quarantine";
constexpr const char* kNewQuarantine = "abgleich_tmp_new_quarantine";

std::string in_list(const std::vector<std::int64_t>& numbers) {
  return fmt::format("({})", fmt::join(numbers, ", "));
}

}  // namespace

void Books::begin_findings() {
  conflict_loader_.reset();
  quarantine_loader_.reset();
  if (!session_.backend->temporary_tables_cost()) {
    (void)conflict_loader();
    (void)quarantine_loader();
  }
}

Loader& Books::conflict_loader() {
  if (!conflict_loader_) {
    session_.connection->execute(
        fmt::format("CREATE TEMPORARY TABLE {} (id text, tracked bigint, key_text text, "
                    "kind text, detail text, epoch bigint, mac {}{}",
                    kFoundConflict, session_.dialect->blob_type(),
                    table_end(*session_.dialect, Lifetime::temporary)));
    conflict_loader_ = session_.connection->load(
        kFoundConflict, {"id", "tracked", "key_text", "kind", "detail", "epoch", "mac"});
  }
  return *conflict_loader_;
}

Loader& Books::quarantine_loader() {
  if (!quarantine_loader_) {
    session_.connection->execute(
        fmt::format("CREATE TEMPORARY TABLE {} (tracked bigint, key_text text, "
                    "column_name text, reason text, rows bigint, epoch bigint{}",
                    kFoundQuarantine, table_end(*session_.dialect, Lifetime::temporary)));
    quarantine_loader_ = session_.connection->load(
        kFoundQuarantine, {"tracked", "key_text", "column_name", "reason", "rows", "epoch"});
  }
  return *quarantine_loader_;
}

void Books::found_conflict(const ConflictRow& row) {
  const auto tracked = std::to_string(row.tracked);
  const auto epoch = std::to_string(epoch_);
  auto sealed = row;
  sealed.epoch = epoch_;
  const auto mac = sealer().mac(sealed);
  const Cell cells[] = {text_cell(row.id),         number_cell(tracked),  text_cell(row.key_text),
                        text_cell(row.kind),       text_cell(row.detail), number_cell(epoch),
                        {Cell::Storage::blob, mac}};
  conflict_loader().add(cells);
}

bool Books::unfind_conflict(std::int64_t tracked, const std::string& key_text) {
  if (!conflict_loader_) {
    return false;
  }
  conflict_loader_->flush();
  const auto number_text = std::to_string(tracked);
  const Cell cells[] = {number_cell(number_text), text_cell(key_text)};
  return session_.connection->execute(
             fmt::format("DELETE FROM {} WHERE tracked = $1 AND key_text = $2", kFoundConflict),
             cells) > 0;
}

void Books::found_quarantine(const QuarantineRow& row) {
  const auto tracked = std::to_string(row.tracked);
  const auto rows = std::to_string(row.rows);
  const Cell cells[] = {number_cell(tracked),  text_cell(row.key_text), text_cell(row.column),
                        text_cell(row.reason), number_cell(rows),       number_cell("0")};
  quarantine_loader().add(cells);
}

Settled Books::settle(std::string_view table, const std::vector<std::int64_t>& tracked,
                      const std::string& found, std::string_view columns,
                      const std::vector<std::string_view>& identity,
                      std::string_view rest_of_order) {
  if (tracked.empty()) {
    return {};
  }
  expect(table);
  // Two rows are the same where the columns of `identity` are; the number of the run is not
  // one of these.
  const auto same = [&](std::string_view left, std::string_view right) {
    std::string text;
    for (const auto& column : identity) {
      text +=
          fmt::format("{}{}.{} = {}.{}", text.empty() ? "" : " AND ", left, column, right, column);
    }
    return text;
  };
  Settled settled;
  auto gone = "r.tracked IN " + in_list(tracked);
  if (!found.empty()) {
    gone += fmt::format(" AND NOT EXISTS (SELECT 1 FROM {} f WHERE {})", found, same("f", "r"));
  }
  settled.gone =
      session_.connection->execute(session_.dialect->delete_where(own(table), "r", gone));
  settled.added =
      found.empty()
          ? 0
          : session_.connection->execute(fmt::format(
                "INSERT INTO {0} ({1}) SELECT {1} FROM {2} f WHERE f.tracked IN {3} AND NOT "
                "EXISTS (SELECT 1 FROM {0} r WHERE {4}) ORDER BY f.tracked, {5}{6}",
                own(table), columns, found, in_list(tracked), same("r", "f"),
                session_.dialect->bytewise("f.key_text"), rest_of_order));
  if (settled.added + settled.gone > 0) {
    changes(table);
  }
  return settled;
}

Settled Books::record_conflicts(const std::vector<std::int64_t>& tracked) {
  if (conflict_loader_) {
    conflict_loader_->flush();
  }
  return settle("conflict", tracked, conflict_loader_ ? kFoundConflict : "",
                "id, tracked, key_text, kind, detail, epoch, mac", {"id"}, "");
}

Settled Books::record_quarantine(const std::vector<std::int64_t>& tracked) {
  if (!quarantine_loader_) {
    return settle("quarantine", tracked, {}, {}, {}, {});
  }
  quarantine_loader_->flush();
  auto& connection = *session_.connection;
  // found rows with the same reason become one row, so only now it is known what is to be sealed
  connection.execute(fmt::format(
      "CREATE TEMPORARY TABLE {} (tracked bigint, key_text text, column_name text, reason text, "
      "rows bigint, epoch bigint, mac {}{}",
      kNewQuarantine, session_.dialect->blob_type(),
      table_end(*session_.dialect, Lifetime::temporary)));
  {
    const auto loader = connection.load(
        kNewQuarantine, {"tracked", "key_text", "column_name", "reason", "rows", "epoch", "mac"});
    const auto cursor = connection.open(
        fmt::format("SELECT tracked, key_text, column_name, reason, sum(rows), {} FROM {} "
                    "GROUP BY tracked, key_text, column_name, reason",
                    epoch_, kFoundQuarantine));
    for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
      const auto mac = sealer().mac(quarantine_row(cells));
      std::vector<Cell> row(cells.begin(), cells.end());
      row.push_back({Cell::Storage::blob, mac});
      loader->add(row);
    }
    loader->flush();
  }
  return settle("quarantine", tracked, kNewQuarantine,
                "tracked, key_text, column_name, reason, rows, epoch, mac",
                {"tracked", "key_text", "column_name", "reason", "rows"},
                ", f.column_name, f.reason, f.rows");
}

void Books::found_conflicts(const std::function<void(const ConflictRow&)>& on_row) {
  if (!conflict_loader_) {
    return;
  }
  conflict_loader_->flush();
  const auto cursor = session_.connection->open(fmt::format(
      "SELECT {} FROM {} ORDER BY tracked, {}", kConflictColumns, kFoundConflict, by_key_text()));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    on_row(conflict_row(cells));
  }
}

void Books::found_quarantines(const std::function<void(const QuarantineRow&)>& on_row) {
  if (!quarantine_loader_) {
    return;
  }
  quarantine_loader_->flush();
  const auto cursor = session_.connection->open(
      fmt::format("SELECT {} FROM {} ORDER BY tracked, {}, column_name, reason", kQuarantineColumns,
                  kFoundQuarantine, by_key_text()));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    on_row(quarantine_row(cells));
  }
}

void Books::conflicts(const std::function<void(const ConflictRow&)>& on_row) {
  expect("conflict");
  const auto cursor = session_.connection->open(fmt::format(
      "SELECT {} FROM {} ORDER BY tracked, {}", kConflictColumns, own("conflict"), by_key_text()));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    on_row(conflict_row(cells));
  }
}

std::optional<ConflictRow> Books::conflict_of(std::int64_t tracked, const std::string& key_text) {
  expect("conflict");
  std::optional<ConflictRow> row;
  const auto number_text = std::to_string(tracked);
  const Cell parameters[] = {number_cell(number_text), text_cell(key_text)};
  session_.connection->query(fmt::format("SELECT {} FROM {} WHERE tracked = $1 AND key_text = $2",
                                         kConflictColumns, own("conflict")),
                             parameters,
                             [&](std::span<const Cell> cells) { row = conflict_row(cells); });
  return row;
}

void Books::record_conflict(const ConflictRow& row) {
  changes("conflict");
  const auto tracked = std::to_string(row.tracked);
  const auto epoch = std::to_string(row.epoch);
  const auto mac = sealer().mac(row);
  const Cell cells[] = {text_cell(row.id),         number_cell(tracked),  text_cell(row.key_text),
                        text_cell(row.kind),       text_cell(row.detail), number_cell(epoch),
                        {Cell::Storage::blob, mac}};
  session_.connection->execute(
      fmt::format("INSERT INTO {} ({}, mac) VALUES ($1, $2, $3, $4, $5, $6, $7)", own("conflict"),
                  kConflictColumns),
      cells);
}

void Books::close_conflict(const std::string& id) {
  changes("conflict");
  const Cell cells[] = {text_cell(id)};
  session_.connection->execute(fmt::format("DELETE FROM {} WHERE id = $1", own("conflict")), cells);
}

void Books::quarantines(const std::function<void(const QuarantineRow&)>& on_row) {
  expect("quarantine");
  const auto cursor = session_.connection->open(
      fmt::format("SELECT {} FROM {} ORDER BY tracked, {}, column_name, reason", kQuarantineColumns,
                  own("quarantine"), by_key_text()));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    on_row(quarantine_row(cells));
  }
}

std::int64_t Books::count_conflicts() {
  return one_number(fmt::format("SELECT count(*) FROM {}", own("conflict")), {});
}

std::int64_t Books::count_quarantine() {
  return one_number(fmt::format("SELECT coalesce(sum(rows), 0) FROM {}", own("quarantine")), {});
}

}  // namespace abgleich::db
