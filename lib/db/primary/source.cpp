#include "db/primary/source.hpp"

#include "core/condition_misfit.hpp"
#include "db/engine/engine.hpp"
#include "db/primary/condition_statements.hpp"
#include "db/primary/readers.hpp"
#include "db/primary/source_statements.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <thread>
#include <utility>

namespace abgleich::db {

Source::Source(const Endpoint& endpoint, RowFilters filters)
    : endpoint_(endpoint),
      session_(open(endpoint, Access::read)),
      watch_(session_.backend->watch()),
      filters_(std::move(filters)) {
  begin();
  make_readers();
}

void Source::begin() {
  locked_.clear();
  ahead_.clear();
  watch_->before_snapshot(session_);
  begin_snapshot(session_);
  watch_->in_snapshot(session_);
}

Source::~Source() {
  readers_.reset();
  rollback(session_);
}

const Catalog& Source::catalog() {
  if (!catalog_read_) {
    catalog_ = read_catalog(session_);
    catalog_read_ = true;
  }
  return catalog_;
}

std::set<std::string> Source::tables_that_reuse_keys() {
  return session_.backend->reused_keys(session_, catalog());
}

std::vector<std::string> Source::tables_lying_elsewhere(const std::vector<std::string>& names) {
  std::vector<std::int64_t> tables;
  for (const auto& name : names) {
    if (const auto* table = catalog().find_table(name); table != nullptr && table->identity != 0) {
      tables.push_back(table->identity);
    }
  }
  return tables.empty() ? std::vector<std::string>()
                        : session_.backend->lying_elsewhere(session_, tables);
}

namespace {

// How long a run waits for an update of the vendor, which changes many tables one after the other.
// After that, the next run can as well read them.
constexpr auto kPatience = std::chrono::seconds(30);
// A table, column or right that is still missing after this time is lost, and not
// just being changed.
constexpr auto kDoubt = std::chrono::seconds(2);
constexpr auto kPause = std::chrono::milliseconds(100);

/// Whether a column that is read is of an enumeration.
bool reads_labels(const Catalog& catalog, const std::vector<Reading>& readings) {
  return std::ranges::any_of(readings, [&](const Reading& reading) {
    const auto* table = catalog.find_table(reading.table);
    return table != nullptr && std::ranges::any_of(reading.columns, [&](const std::string& name) {
             const auto* column = table->find_column(name);
             return column != nullptr && !column->type.labels.empty();
           });
  });
}

/// Indexes into a reading's columns, in the order in which they are selected: the key first.
std::vector<std::size_t> selected(const Source::Scan& scan) {
  auto order = scan.key;
  for (std::size_t i = 0; i < scan.columns.size(); ++i) {
    if (std::ranges::find(scan.key, i) == scan.key.end()) {
      order.push_back(i);
    }
  }
  return order;
}

}  // namespace

void Source::make_readers() {
  readers_ = session_.backend->readers(endpoint_, session_);
}

std::string Source::shortfall() const {
  return readers_ ? readers_->shortfall() : std::string();
}

std::string Source::labels_now() {
  return labels_matter_ ? session_.backend->labels_mark(session_) : std::string();
}

const Catalog& Source::lock_schema(const std::vector<Reading>& readings) {
  using Clock = std::chrono::steady_clock;
  const auto began = Clock::now();
  const auto lock_patience =
      endpoint_.lock_timeout.count() == 0 ? kPatience : endpoint_.lock_timeout;
  for (;;) {
    const auto waited = Clock::now() - began;
    const auto found = session_.backend->hold(session_, catalog(), readings,
                                              waited < kDoubt ? Gone::by_ddl : Gone::for_good);
    if (found.hold == Hold::held) {
      break;
    }
    if (found.hold == Hold::locked && waited > lock_patience) {
      throw session_.backend->locked(session_, found.table);
    }
    if (waited > kPatience) {
      throw Failure(Code::try_again,
                    fmt::format("the schema of the primary is being changed: '{}'", found.table),
                    "run the same command again when the vendor's update has finished. Nothing was "
                    "changed");
    }
    readers_.reset();
    rollback(session_);
    std::this_thread::sleep_for(kPause);
    begin();
    make_readers();
    catalog_read_ = false;
  }
  for (const auto& reading : readings) {
    locked_.insert(reading.table);
  }
  labels_matter_ = reads_labels(catalog_, readings);
  labels_ = labels_now();
  return catalog_;
}

void Source::finish() {
  readers_.reset();
  watch_->after_reading(session_);
  rollback(session_);  // an open snapshot would keep the primary from removing old rows
  if (!labels_matter_) {
    return;
  }
  begin_snapshot(session_);
  const auto labels = labels_now();
  rollback(session_);
  if (labels != labels_) {
    throw Fault(Fault::Cause::serialization, "40001",
                Error{.code = Code::try_again,
                      .message = "the labels of an enumeration were changed while the primary was "
                                 "read",
                      .hint = "run the same command again. Nothing was changed"});
  }
}

void Source::read(const Scan& scan, const Fingerprinter& fingerprinter, const IsKnown& known,
                  const OnRow& on_row) {
  const auto order = selected(scan);
  std::vector<const CatalogColumn*> columns;
  columns.reserve(order.size());
  for (const auto i : order) {
    columns.push_back(scan.columns[i]);
  }
  const std::size_t places = scan.place.empty() ? 0 : 1;
  RawRow row;
  row.cells.resize(columns.size());
  std::string scratch;
  const auto take = [&](std::span<const Cell> cells, const RowMark& mark) {
    for (std::size_t i = 0; i < order.size(); ++i) {
      const auto& cell = cells[places + i];
      auto& raw = row.cells[order[i]];
      if (cell.storage == Cell::Storage::null) {
        raw.set_null();
        continue;
      }
      const auto value = session_.dialect->decode(columns[i]->type, cell, scratch);
      raw.set(value.kind, value.bytes);
    }
    on_row(row, mark);
  };
  if (read_by_several(scan, columns, fingerprinter, known, take)) {
    return;
  }
  RowMark mark;
  session_.connection->read_unknown(
      select_unknown(*session_.dialect, session_.schema, scan.table, columns, scan.place,
                     only(scan.table, scan.where)),
      {.places = places, .keys = scan.key.size()},
      [&](std::string_view place, std::string_view key, std::string_view bytes) {
        mark.place = place;
        mark.key = fingerprinter.of(key);
        mark.row = fingerprinter.of(bytes);
        return known(mark);
      },
      [&](std::span<const Cell> cells) { take(cells, mark); });
}

bool Source::read_by_several(
    const Scan& scan, const std::vector<const CatalogColumn*>& columns,
    const Fingerprinter& fingerprinter, const IsKnown& known,
    const std::function<void(std::span<const Cell>, const RowMark&)>& row) {
  const bool whole = readers_ && !filters_.contains(scan.table);
  const auto* table = whole ? catalog().find_table(scan.table) : nullptr;
  if (table == nullptr || table->kind != TableKind::table) {
    return false;
  }
  const auto select = [&](const std::string& place, const std::string& where) {
    return select_unknown(*session_.dialect, session_.schema, scan.table, columns, place, where);
  };
  const auto ahead = ahead_.find(scan.table);
  return readers_->read(
      {.table = table->identity,
       .pages = ahead == ahead_.end() ? std::nullopt : ahead->second.versions.pages,
       .share = scan.where.empty() ? Readers::Share::whole : Readers::Share::few,
       .touch = select({}, "false"),
       .select =
           [&](std::string_view condition) {
             return select(scan.place, scan.where.empty()
                                           ? std::string(condition)
                                           : fmt::format("({}) AND {}", scan.where, condition));
           },
       .leading = {.places = scan.place.empty() ? std::size_t{0} : std::size_t{1},
                   .keys = scan.key.size()}},
      fingerprinter, known, row);
}

std::string Source::only(const std::string& table, const std::string& where) {
  const auto filter = filters_.find(table);
  if (filter == filters_.end()) {
    return where;
  }
  const auto own = sql_of(table, filter->second);
  return where.empty() ? own : fmt::format("({}) AND ({})", where, own);
}

std::string Source::sql_of(const std::string& table, const RowFilter& filter) {
  const auto* there = catalog().find_table(table);
  const auto why = there == nullptr ? std::optional<std::string>("the primary has no such table")
                                    : misfit_of(filter.condition, *there, &catalog());
  if (why) {
    refuse_filter(filter, *why);
  }
  return condition_text(*session_.dialect, session_.schema, filter.condition, *there, catalog());
}

void refuse_filter(const RowFilter& filter, const std::string& why) {
  throw Failure(Code::configuration, fmt::format("{}: {}: {}", filter.place, filter.what, why),
                fmt::format("correct {} in the contract. Nothing was changed", filter.what));
}

VersionedTable Source::versioned(const CatalogTable& table,
                                 const std::vector<const CatalogColumn*>& columns) {
  auto read = columns;
  if (const auto filter = filters_.find(table.name); filter != filters_.end()) {
    // the columns that the filter compares are read as well
    for (const auto& name : columns_of(filter->second.condition)) {
      if (const auto* column = table.find_column(name);
          column != nullptr && std::ranges::find(read, column) == read.end()) {
        read.push_back(column);
      }
    }
  }
  return {.table = table,
          .columns = std::move(read),
          .database = catalog().identity,
          .may_ask_facts = watch_->may_ask_facts(),
          .locked = locked_.contains(table.name)};
}

void Source::look_ahead(const std::vector<Wanted>& tables) {
  std::vector<VersionedTable> asked;
  asked.reserve(tables.size());
  for (const auto& wanted : tables) {
    asked.push_back(versioned(*wanted.table, wanted.columns));
  }
  auto versions = session_.backend->row_versions(session_, asked);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const auto& name = tables[i].table->name;
    ahead_[name] = {.versions = judged(name, std::move(versions[i]))};
  }
}

RowVersions Source::row_versions(const CatalogTable& table,
                                 const std::vector<const CatalogColumn*>& columns) {
  if (const auto known = ahead_.find(table.name); known != ahead_.end()) {
    return known->second.versions;
  }
  return judged(table.name,
                session_.backend->row_versions(session_, {versioned(table, columns)}).front());
}

RowVersions Source::judged(const std::string& table, RowVersions versions) const {
  const auto filter = filters_.find(table);
  if (filter != filters_.end() && reaches_beyond(filter->second.condition)) {
    versions.usable = false;
  }
  return versions;
}

std::string Source::place() const {
  return session_.backend->place();
}

std::string Source::recent_place(std::uint64_t horizon) const {
  return session_.backend->recent_place(horizon);
}

std::string Source::recent_or_at(std::uint64_t horizon,
                                 const std::vector<std::string>& places) const {
  return session_.backend->recent_or_at(horizon, places);
}

namespace {

// A table of so few pages is counted in no time, even if nobody needs the number.
constexpr std::uint64_t kSmall = 64;

std::int64_t number_in(const Cell& cell) {
  std::int64_t value = 0;
  std::from_chars(cell.bytes.data(), cell.bytes.data() + cell.bytes.size(), value);
  return value;
}

}  // namespace

std::int64_t Source::count_rows(const std::string& table) {
  const auto known = ahead_.find(table);
  if (known != ahead_.end() && known->second.versions.pages.value_or(kSmall) < kSmall) {
    if (!known->second.rows) {
      count_small();
    }
    return *known->second.rows;
  }
  return count(table, only(table));
}

std::int64_t Source::count(const std::string& table, const std::string& where) {
  std::int64_t rows = 0;
  session_.connection->query(count_all(*session_.dialect, session_.schema, table, where), {},
                             [&](std::span<const Cell> row) { rows = number_in(row[0]); });
  return rows;
}

std::int64_t Source::count_rows(const std::string& table,
                                const std::optional<Condition>& condition) {
  return count(table,
               condition ? sql_of(table, {.condition = *condition, .place = {}}) : std::string());
}

bool Source::has_rows(const std::string& table) {
  std::int64_t rows = 0;
  session_.connection->query(count_some(*session_.dialect, session_.schema, table, 1), {},
                             [&](std::span<const Cell> row) { rows = number_in(row[0]); });
  return rows > 0;
}

void Source::count_small() {
  constexpr std::size_t kAtOnce = 100;
  std::vector<std::pair<std::string, Ahead*>> small;
  for (auto& [table, ahead] : ahead_) {
    if (ahead.versions.pages.value_or(kSmall) < kSmall) {
      small.emplace_back(count_all(*session_.dialect, session_.schema, table, only(table)), &ahead);
    }
  }
  for (std::span rest(small); !rest.empty();) {
    const auto some = rest.first(std::min(kAtOnce, rest.size()));
    rest = rest.subspan(some.size());
    std::string counts;
    for (const auto& [count, ahead] : some) {
      counts += fmt::format("{}({})", counts.empty() ? "" : ", ", count);
    }
    session_.connection->query("SELECT " + counts, {}, [&](std::span<const Cell> row) {
      for (std::size_t i = 0; i < some.size(); ++i) {
        some[i].second->rows = number_in(row[i]);
      }
    });
  }
}

void Source::read_keys(const Scan& scan, const Fingerprinter& fingerprinter,
                       const std::function<void(const Fingerprint&)>& on_key) {
  std::vector<const CatalogColumn*> columns;
  for (const auto i : scan.key) {
    columns.push_back(scan.columns[i]);
  }
  session_.backend->read_in_table_order(session_);
  session_.connection->read_unknown(
      select_unknown(*session_.dialect, session_.schema, scan.table, columns, {}, only(scan.table)),
      {.places = 0, .keys = columns.size()},
      [&](std::string_view, std::string_view key, std::string_view) {
        on_key(fingerprinter.of(key));
        return true;
      },
      {});
}

std::optional<Grants> Source::grants(const std::vector<Reading>& readings) {
  ReadColumns columns;
  for (const auto& reading : readings) {
    columns[reading.table].insert(reading.columns.begin(), reading.columns.end());
  }
  return session_.backend->grants_to_read(session_, catalog(), columns);
}

void Source::read(const std::string& table, const std::vector<const CatalogColumn*>& columns,
                  const std::function<void(const RawRow&)>& on_row) {
  read_rows(select_unknown(*session_.dialect, session_.schema, table, columns, {}, only(table)),
            columns, on_row);
}

void Source::sample(const std::string& table, const std::vector<const CatalogColumn*>& columns,
                    std::int64_t rows, const std::function<void(const RawRow&)>& on_row) {
  read_rows(select_some(*session_.dialect, session_.schema, table, columns, only(table), rows),
            columns, on_row);
}

void Source::read_rows(const std::string& statement,
                       const std::vector<const CatalogColumn*>& columns,
                       const std::function<void(const RawRow&)>& on_row) {
  RawRow row;
  row.cells.resize(columns.size());
  std::string scratch;
  session_.connection->read(statement, [&](std::span<const Cell> cells) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (cells[i].storage == Cell::Storage::null) {
        row.cells[i].set_null();
        continue;
      }
      const auto value = session_.dialect->decode(columns[i]->type, cells[i], scratch);
      row.cells[i].set(value.kind, value.bytes);
    }
    on_row(row);
  });
}

}  // namespace abgleich::db
