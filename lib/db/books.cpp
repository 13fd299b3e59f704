#include "db/books.hpp"

#include "db/cell_values.hpp"

#include <fmt/format.h>

namespace abgleich::db {

namespace {

// Named like the other temporary tables; see clauses.hpp.
constexpr const char* kFoundConflict = "abgleich_tmp_found_conflict";
constexpr const char* kFoundQuarantine = "abgleich_tmp_found_quarantine";

constexpr std::string_view kConflictColumns = "id, tracked, key_text, kind, detail, epoch";
constexpr std::string_view kQuarantineColumns =
    "tracked, key_text, column_name, reason, rows, epoch";

ConflictRow conflict_row(std::span<const Cell> cells) {
  return {.id = text(cells[0]),
          .tracked = number(cells[1]),
          .key_text = text(cells[2]),
          .kind = text(cells[3]),
          .detail = text(cells[4]),
          .epoch = number(cells[5])};
}

QuarantineRow quarantine_row(std::span<const Cell> cells) {
  return {.tracked = number(cells[0]),
          .key_text = text(cells[1]),
          .column = text(cells[2]),
          .reason = text(cells[3]),
          .rows = number(cells[4]),
          .epoch = number(cells[5])};
}

std::string in_list(const std::vector<std::int64_t>& numbers) {
  return fmt::format("({})", fmt::join(numbers, ", "));
}

}  // namespace

std::string Books::own(std::string_view name) const {
  return session_.dialect->own_table(name);
}

void Books::create() {
  session_.connection->execute_script(ddl());
}

std::optional<HeadRow> Books::head(Lock lock) {
  std::optional<HeadRow> head;
  const bool locks = lock == Lock::row && session_.dialect->engine() == Engine::postgresql;
  session_.connection->query(
      fmt::format("SELECT lineage, epoch, hash, run, key_check, primary_id, paused FROM {}{}",
                  own("head"), locks ? " FOR UPDATE" : ""),
      {}, [&](std::span<const Cell> cells) {
        head = HeadRow{.lineage = text(cells[0]),
                       .epoch = number(cells[1]),
                       .hash = text(cells[2]),
                       .run = text(cells[3]),
                       .key_check = text(cells[4]),
                       .primary_id = text(cells[5]),
                       .paused = optional_text(cells[6])};
      });
  return head;
}

bool Books::advance_head(const std::optional<HeadRow>& from, const HeadRow& to) {
  const auto epoch = std::to_string(to.epoch);
  if (!from) {
    const Cell cells[] = {text_cell(to.lineage), number_cell(epoch),      text_cell(to.hash),
                          text_cell(to.run),     text_cell(to.key_check), text_cell(to.primary_id),
                          cell_of(to.paused)};
    return session_.connection->execute(
               fmt::format(
                   "INSERT INTO {} (only_row, format, lineage, epoch, hash, run, "
                   "key_check, primary_id, paused) VALUES (1, {}, $1, $2, $3, $4, $5, $6, $7)",
                   own("head"), kFormat),
               cells) == 1;
  }
  const auto old_epoch = std::to_string(from->epoch);
  const Cell cells[] = {number_cell(epoch),      text_cell(to.hash),       text_cell(to.run),
                        text_cell(to.key_check), text_cell(to.primary_id), cell_of(to.paused),
                        number_cell(old_epoch),  text_cell(from->hash)};
  return session_.connection->execute(
             fmt::format("UPDATE {} SET epoch = $1, hash = $2, run = $3, key_check = $4, "
                         "primary_id = $5, paused = $6 WHERE epoch = $7 AND hash = $8",
                         own("head")),
             cells) == 1;
}

std::vector<TrackedRow> Books::tracked() {
  std::vector<TrackedRow> rows;
  session_.connection->query(
      fmt::format("SELECT id, source, target, key_columns, columns, since FROM {} ORDER BY id",
                  own("tracked")),
      {}, [&](std::span<const Cell> cells) {
        rows.push_back({.id = number(cells[0]),
                        .source = text(cells[1]),
                        .target = text(cells[2]),
                        .key_columns = text(cells[3]),
                        .columns = text(cells[4]),
                        .since = number(cells[5])});
      });
  return rows;
}

void Books::put_tracked(const TrackedRow& row) {
  const auto id = std::to_string(row.id);
  const auto since = std::to_string(row.since);
  const Cell cells[] = {number_cell(id),        text_cell(row.source),
                        text_cell(row.target),  text_cell(row.key_columns),
                        text_cell(row.columns), number_cell(since)};
  session_.connection->execute(
      fmt::format("INSERT INTO {} (id, source, target, key_columns, columns, since) "
                  "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET "
                  "source = excluded.source, target = excluded.target, "
                  "key_columns = excluded.key_columns, columns = excluded.columns, "
                  "since = excluded.since",
                  own("tracked")),
      cells);
}

void Books::insert_run(const RunRow& run) {
  const auto epoch = std::to_string(run.epoch);
  const Cell cells[] = {number_cell(epoch),     text_cell(run.id),       text_cell(run.kind),
                        text_cell(run.started), text_cell(run.finished), text_cell(run.operator_),
                        cell_of(run.reason),    text_cell(run.counts),   text_cell(run.previous),
                        text_cell(run.hash)};
  session_.connection->execute(
      fmt::format("INSERT INTO {} (epoch, id, kind, started, finished, operator, reason, counts, "
                  "previous, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                  own("run")),
      cells);
}

std::vector<RunRow> Books::runs(std::int64_t limit) {
  return select_runs(fmt::format("ORDER BY epoch DESC LIMIT {}", limit), {});
}

std::vector<RunRow> Books::runs_called(const std::string& prefix) {
  const auto length = std::to_string(prefix.size());
  const Cell cells[] = {number_cell(length), text_cell(prefix)};
  return select_runs("WHERE substr(id, 1, $1) = $2 ORDER BY epoch DESC LIMIT 2", cells);
}

std::vector<RunRow> Books::select_runs(std::string_view which, std::span<const Cell> parameters) {
  std::vector<RunRow> rows;
  session_.connection->query(
      fmt::format("SELECT epoch, id, kind, started, finished, operator, reason, counts, previous, "
                  "hash, purged FROM {} {}",
                  own("run"), which),
      parameters, [&](std::span<const Cell> cells) {
        rows.push_back({.epoch = number(cells[0]),
                        .id = text(cells[1]),
                        .kind = text(cells[2]),
                        .started = text(cells[3]),
                        .finished = text(cells[4]),
                        .operator_ = text(cells[5]),
                        .reason = optional_text(cells[6]),
                        .counts = text(cells[7]),
                        .previous = text(cells[8]),
                        .hash = text(cells[9]),
                        .purged = optional_text(cells[10])});
      });
  return rows;
}

std::int64_t Books::one_number(const std::string& sql, std::span<const Cell> parameters) {
  std::int64_t value = 0;
  session_.connection->query(sql, parameters,
                             [&](std::span<const Cell> cells) { value = number(cells[0]); });
  return value;
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
  session_.connection->execute(
      fmt::format("DELETE FROM {} WHERE what = 'journal' AND n <= {}", own("seal"), epoch));
  const Cell cells[] = {text_cell(now)};
  return session_.connection->execute(
      fmt::format("UPDATE {} SET purged = $1 WHERE purged IS NULL AND epoch <= {}", own("run"),
                  epoch),
      cells);
}

void Books::journal_note(const JournalRow& row) {
  const auto epoch = std::to_string(row.epoch);
  const auto tracked = std::to_string(row.tracked);
  const auto n = std::to_string(row.n);
  const Cell cells[] = {number_cell(epoch),      number_cell(tracked), number_cell(n),
                        text_cell(row.key_text), text_cell(row.fate),  cell_of(row.before),
                        cell_of(row.after)};
  session_.connection->execute(
      fmt::format("INSERT INTO {} (epoch, tracked, n, key_text, fate, before, after) "
                  "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                  own("journal")),
      cells);
}

void Books::journal_of(std::int64_t epoch, const std::function<void(const JournalRow&)>& on_row) {
  const auto cursor = session_.connection->open(fmt::format(
      "SELECT epoch, tracked, n, key_text, fate, before, after, moved, base_before, base_after "
      "FROM {} WHERE epoch = {} ORDER BY tracked, n",
      own("journal"), epoch));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    on_row({.epoch = number(cells[0]),
            .tracked = number(cells[1]),
            .n = number(cells[2]),
            .key_text = text(cells[3]),
            .fate = text(cells[4]),
            .before = optional_text(cells[5]),
            .after = optional_text(cells[6]),
            .base = {.moved = optional_text(cells[7]),
                     .before = optional_packed(*session_.dialect, cells[8]),
                     .after = optional_packed(*session_.dialect, cells[9])}});
  }
}

void Books::edit_images(std::int64_t tracked, const std::function<bool(std::string&)>& edit) {
  const auto cursor = session_.connection->open(
      fmt::format("SELECT epoch, n, before, after FROM {} WHERE tracked = {} "
                  "AND n > 0 AND (before IS NOT NULL OR after IS NOT NULL)",
                  own("journal"), tracked));
  const auto sql = fmt::format(
      "UPDATE {} SET before = $1, after = $2 WHERE epoch = $3 AND tracked = {} AND n = $4",
      own("journal"), tracked);
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    const auto epoch = text(cells[0]);
    const auto n = text(cells[1]);
    auto before = optional_text(cells[2]);
    auto after = optional_text(cells[3]);
    const bool first = before && edit(*before);
    const bool second = after && edit(*after);
    if (first || second) {
      const Cell parameters[] = {cell_of(before), cell_of(after), number_cell(epoch),
                                 number_cell(n)};
      session_.connection->execute(sql, parameters);
    }
  }
}

void Books::begin_findings() {
  const std::string_view end =
      session_.dialect->engine() == Engine::postgresql ? ") ON COMMIT DROP" : ")";
  session_.connection->execute(
      fmt::format("CREATE TEMPORARY TABLE {} (id text, tracked bigint, key_text text, "
                  "kind text, detail text, epoch bigint{}",
                  kFoundConflict, end));
  session_.connection->execute(
      fmt::format("CREATE TEMPORARY TABLE {} (tracked bigint, key_text text, "
                  "column_name text, reason text, rows bigint, epoch bigint{}",
                  kFoundQuarantine, end));
  conflict_loader_ = session_.connection->load(
      kFoundConflict, {"id", "tracked", "key_text", "kind", "detail", "epoch"});
  quarantine_loader_ = session_.connection->load(
      kFoundQuarantine, {"tracked", "key_text", "column_name", "reason", "rows", "epoch"});
}

void Books::found_conflict(const ConflictRow& row) {
  const auto tracked = std::to_string(row.tracked);
  const Cell cells[] = {text_cell(row.id),   number_cell(tracked),  text_cell(row.key_text),
                        text_cell(row.kind), text_cell(row.detail), number_cell("0")};
  conflict_loader_->add(cells);
}

bool Books::unfind_conflict(std::int64_t tracked, const std::string& key_text) {
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
  quarantine_loader_->add(cells);
}

Settled Books::settle(std::int64_t epoch, const std::vector<std::int64_t>& tracked,
                      const std::string& recorded, const std::string& found,
                      std::string_view columns, const std::vector<std::string_view>& identity) {
  if (tracked.empty()) {
    return {};
  }
  // `identity` names the columns that make two rows the same; the epoch is not one of them.
  const auto same = [&](std::string_view left, std::string_view right) {
    std::string text;
    for (const auto& column : identity) {
      text +=
          fmt::format("{}{}.{} = {}.{}", text.empty() ? "" : " AND ", left, column, right, column);
    }
    return text;
  };
  Settled settled;
  settled.gone = session_.connection->execute(fmt::format(
      "DELETE FROM {0} AS r WHERE r.tracked IN {1} AND NOT EXISTS (SELECT 1 FROM {2} f WHERE {3})",
      recorded, in_list(tracked), found, same("f", "r")));
  settled.added = session_.connection->execute(fmt::format(
      "INSERT INTO {0} ({1}, epoch) SELECT {1}, {2} FROM {3} f WHERE f.tracked IN {4} AND NOT "
      "EXISTS (SELECT 1 FROM {0} r WHERE {5})",
      recorded, columns, epoch, found, in_list(tracked), same("r", "f")));
  return settled;
}

Settled Books::settle_conflicts(std::int64_t epoch, const std::vector<std::int64_t>& tracked) {
  conflict_loader_->flush();
  return settle(epoch, tracked, own("conflict"), kFoundConflict,
                "id, tracked, key_text, kind, detail", {"id"});
}

Settled Books::settle_quarantine(std::int64_t epoch, const std::vector<std::int64_t>& tracked) {
  quarantine_loader_->flush();
  const auto sums = fmt::format(
      "(SELECT tracked, key_text, column_name, reason, sum(rows) AS rows FROM {} "
      "GROUP BY tracked, key_text, column_name, reason)",
      kFoundQuarantine);
  return settle(epoch, tracked, own("quarantine"), sums,
                "tracked, key_text, column_name, reason, rows",
                {"tracked", "key_text", "column_name", "reason", "rows"});
}

void Books::found_conflicts(const std::function<void(const ConflictRow&)>& on_row) {
  conflict_loader_->flush();
  const auto cursor = session_.connection->open(fmt::format(
      "SELECT {} FROM {} ORDER BY tracked, key_text", kConflictColumns, kFoundConflict));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    on_row(conflict_row(cells));
  }
}

void Books::found_quarantines(const std::function<void(const QuarantineRow&)>& on_row) {
  quarantine_loader_->flush();
  const auto cursor = session_.connection->open(
      fmt::format("SELECT {} FROM {} ORDER BY tracked, key_text, column_name", kQuarantineColumns,
                  kFoundQuarantine));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    on_row(quarantine_row(cells));
  }
}

void Books::conflicts(const std::function<void(const ConflictRow&)>& on_row) {
  const auto cursor = session_.connection->open(fmt::format(
      "SELECT {} FROM {} ORDER BY tracked, key_text", kConflictColumns, own("conflict")));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    on_row(conflict_row(cells));
  }
}

std::optional<ConflictRow> Books::conflict_of(std::int64_t tracked, const std::string& key_text) {
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
  const auto tracked = std::to_string(row.tracked);
  const auto epoch = std::to_string(row.epoch);
  const Cell cells[] = {text_cell(row.id),   number_cell(tracked),  text_cell(row.key_text),
                        text_cell(row.kind), text_cell(row.detail), number_cell(epoch)};
  session_.connection->execute(fmt::format("INSERT INTO {} ({}) VALUES ($1, $2, $3, $4, $5, $6)",
                                           own("conflict"), kConflictColumns),
                               cells);
}

void Books::close_conflict(const std::string& id) {
  const Cell cells[] = {text_cell(id)};
  session_.connection->execute(fmt::format("DELETE FROM {} WHERE id = $1", own("conflict")), cells);
}

void Books::quarantines(const std::function<void(const QuarantineRow&)>& on_row) {
  const auto cursor = session_.connection->open(
      fmt::format("SELECT {} FROM {} ORDER BY tracked, key_text, column_name", kQuarantineColumns,
                  own("quarantine")));
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
