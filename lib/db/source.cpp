#include "db/source.hpp"

#include "db/postgresql/fence.hpp"
#include "db/postgresql/readers.hpp"
#include "db/source_statements.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <thread>

namespace abgleich::db {

Source::Source(const Endpoint& endpoint)
    : endpoint_(endpoint), session_(open(endpoint, Access::read)) {
  begin();
  make_readers();
}

void Source::begin() {
  watch_.before_snapshot(session_);
  begin_snapshot(session_);
  watch_.in_snapshot(session_);
}

Source::~Source() {
  readers_.reset();
  rollback(session_);
}

namespace {

// The word has no other place in the grammar; where it stands in a comment a proposal is missed.
constexpr std::string_view kAutoincrement =
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND upper(sql) LIKE '%AUTOINCREMENT%'";

}  // namespace

const Catalog& Source::catalog() {
  if (!catalog_read_) {
    catalog_ = read_catalog(session_);
    catalog_read_ = true;
  }
  return catalog_;
}

std::set<std::string> Source::tables_that_reuse_keys() {
  std::set<std::string> tables;
  if (session_.dialect->engine() != Engine::sqlite) {
    return tables;
  }
  for (const auto& table : catalog().tables) {
    if (std::ranges::any_of(table.columns, &CatalogColumn::auto_identity)) {
      tables.insert(table.name);
    }
  }
  session_.connection->query(std::string(kAutoincrement), {}, [&](std::span<const Cell> cells) {
    tables.erase(std::string(cells[0].bytes));
  });
  return tables;
}

std::vector<std::string> Source::tables_lying_elsewhere(const std::vector<std::string>& names) {
  std::vector<std::string> found;
  std::vector<std::int64_t> tables;
  for (const auto& name : names) {
    if (const auto* table = catalog().find_table(name); table != nullptr && table->identity != 0) {
      tables.push_back(table->identity);
    }
  }
  if (!tables.empty()) {  // SQLite's have no identity, and lie in the file
    session_.connection->query(
        select_lying_elsewhere(tables), {},
        [&](std::span<const Cell> cells) { found.emplace_back(cells[0].bytes); });
  }
  return found;
}

namespace {

// A vendor's update changes many tables one after the other; longer than this, the next run is as
// good.
constexpr auto kPatience = std::chrono::seconds(30);
// What is still gone after this is no change that is under way.
constexpr auto kDoubt = std::chrono::seconds(2);
constexpr auto kPause = std::chrono::milliseconds(100);

/// Whether an enumeration is among what is read.
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
  if (session_.dialect->engine() == Engine::postgresql) {
    readers_ = std::make_unique<postgresql::Readers>(
        endpoint_, dynamic_cast<postgresql::PostgresConnection&>(*session_.connection));
  }
}

std::string Source::shortfall() const {
  return readers_ ? readers_->shortfall() : std::string();
}

std::string Source::labels_now() {
  return labels_matter_ ? postgresql::labels_mark(*session_.connection) : std::string();
}

const Catalog& Source::fence(const std::vector<Reading>& readings) {
  if (session_.dialect->engine() != Engine::postgresql) {
    return catalog();  // the read transaction holds schema and data alike
  }
  using Clock = std::chrono::steady_clock;
  const auto began = Clock::now();
  const auto lock_patience =
      endpoint_.lock_timeout.count() == 0 ? kPatience : endpoint_.lock_timeout;
  for (;;) {
    const auto waited = Clock::now() - began;
    const auto found =
        postgresql::hold(*session_.connection, catalog(), readings,
                         waited < kDoubt ? postgresql::Gone::by_ddl : postgresql::Gone::for_good);
    if (found.hold == postgresql::Hold::held) {
      break;
    }
    if (found.hold == postgresql::Hold::locked && waited > lock_patience) {
      throw postgresql::locked(*session_.connection, found.table);
    }
    if (waited > kPatience) {
      throw Failure(Code::try_again,
                    fmt::format("the schema of the primary is being changed: '{}'", found.table),
                    "run the same command again when the vendor's update is through. Nothing was "
                    "changed");
    }
    readers_.reset();
    rollback(session_);
    std::this_thread::sleep_for(kPause);
    begin();
    make_readers();
    catalog_read_ = false;
  }
  labels_matter_ = reads_labels(catalog_, readings);
  labels_ = labels_now();
  return catalog_;
}

void Source::finish() {
  readers_.reset();
  watch_.after_reading(session_);
  rollback(session_);  // what is done with the rows is no reason to keep old ones alive here
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
                     scan.where),
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
  const auto* table = readers_ ? catalog().find_table(scan.table) : nullptr;
  if (table == nullptr || table->kind != TableKind::table) {
    return false;
  }
  const auto select = [&](const std::string& place, const std::string& where) {
    return select_unknown(*session_.dialect, session_.schema, scan.table, columns, place, where);
  };
  using postgresql::Readers;
  return readers_->read(
      {.table = table->identity,
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

RowVersions Source::row_versions(const CatalogTable& table,
                                 const std::vector<const CatalogColumn*>& columns) {
  RowVersions versions;
  if (session_.dialect->engine() != Engine::postgresql ||
      (table.kind != TableKind::table && table.kind != TableKind::partitioned)) {
    return versions;
  }
  auto& connection = *session_.connection;
  // reads nothing, and keeps its lock; LOCK TABLE would ask for rights on the whole table
  connection.execute(select_unknown(*session_.dialect, session_.schema, table.name,
                                    {columns.front()}, {}, "false"));
  const auto number = [](const Cell& cell) {
    std::uint64_t value = 0;
    std::from_chars(cell.bytes.data(), cell.bytes.data() + cell.bytes.size(), value);
    return value;
  };
  if (!watch_.may_ask_facts()) {
    return versions;
  }
  bool standby = true;
  connection.query(select_server_facts(), {}, [&](std::span<const Cell> row) {
    standby = row[0].bytes != "f";
    versions.facts = catalog().identity.system + " " + catalog().identity.database + " " +
                     std::string(row[1].bytes) + " ";
    versions.horizon = number(row[2]);
    versions.next = number(row[3]);
  });
  connection.query(select_table_facts(table.identity, columns), {}, [&](std::span<const Cell> row) {
    versions.usable = row[0].bytes == "t";
    versions.moved = row[1].bytes == "t";
    versions.facts += row[2].bytes;
  });
  if (versions.moved) {
    throw Fault(Fault::Cause::serialization, "55000",
                Error{.code = Code::try_again,
                      .message = "table '" + table.name +
                                 "' of the primary was replaced while it was to be read",
                      .hint = "run the same command again. Nothing was changed"});
  }
  versions.usable = versions.usable && !standby && !catalog().identity.system.empty();
  return versions;
}

std::int64_t Source::count_rows(const std::string& table) {
  std::int64_t rows = 0;
  session_.connection->query(
      "SELECT count(*) FROM " + session_.dialect->table(session_.schema, table), {},
      [&](std::span<const Cell> row) {
        std::from_chars(row[0].bytes.data(), row[0].bytes.data() + row[0].bytes.size(), rows);
      });
  return rows;
}

void Source::read_keys(const Scan& scan, const Fingerprinter& fingerprinter,
                       const std::function<void(const Fingerprint&)>& on_key) {
  std::vector<const CatalogColumn*> columns;
  for (const auto i : scan.key) {
    columns.push_back(scan.columns[i]);
  }
  if (session_.dialect->engine() == Engine::postgresql) {
    // an index would give them in another order than the table
    session_.connection->execute("SET enable_indexonlyscan = off");
  }
  session_.connection->read_unknown(
      select_unknown(*session_.dialect, session_.schema, scan.table, columns, {}, {}),
      {.places = 0, .keys = columns.size()},
      [&](std::string_view, std::string_view key, std::string_view) {
        on_key(fingerprinter.of(key));
        return true;
      },
      {});
}

void Source::read(const std::string& table, const std::vector<const CatalogColumn*>& columns,
                  const std::function<void(const RawRow&)>& on_row) {
  read_rows(select_columns(*session_.dialect, session_.schema, table, columns), columns, on_row);
}

void Source::sample(const std::string& table, const std::vector<const CatalogColumn*>& columns,
                    std::int64_t rows, const std::function<void(const RawRow&)>& on_row) {
  read_rows(select_some(*session_.dialect, session_.schema, table, columns, rows), columns, on_row);
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
