#include "db/source.hpp"

#include "db/postgresql/fence.hpp"
#include "db/statements.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace abgleich::db {

Source::Source(const Endpoint& endpoint) : session_(open(endpoint, Access::read)) {
  begin_snapshot(session_);
}

Source::~Source() {
  rollback(session_);
}

const Catalog& Source::catalog() {
  if (!catalog_read_) {
    catalog_ = read_catalog(session_);
    catalog_read_ = true;
  }
  return catalog_;
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

}  // namespace

std::string Source::labels_now() {
  return labels_matter_ ? postgresql::labels_mark(*session_.connection) : std::string();
}

const Catalog& Source::fence(const std::vector<Reading>& readings) {
  if (session_.dialect->engine() != Engine::postgresql) {
    return catalog();  // the read transaction holds schema and data alike
  }
  using Clock = std::chrono::steady_clock;
  const auto began = Clock::now();
  while (postgresql::hold(*session_.connection, catalog(), readings,
                          Clock::now() - began < kDoubt
                              ? postgresql::Gone::by_ddl
                              : postgresql::Gone::for_good) == postgresql::Hold::moved) {
    if (Clock::now() - began > kPatience) {
      throw Failure(Code::try_again, "the schema of the primary is being changed",
                    "run the same command again when the vendor's update is through. Nothing was "
                    "changed");
    }
    rollback(session_);
    std::this_thread::sleep_for(kPause);
    begin_snapshot(session_);
    catalog_read_ = false;
  }
  labels_matter_ = reads_labels(catalog_, readings);
  labels_ = labels_now();
  return catalog_;
}

void Source::finish() {
  rollback(session_);
  begin_snapshot(session_);
  if (labels_now() != labels_) {
    throw Fault(Fault::Cause::serialization, "40001",
                Error{.code = Code::try_again,
                      .message = "the labels of an enumeration were changed while the primary was "
                                 "read",
                      .hint = "run the same command again. Nothing was changed"});
  }
}

void Source::read(const std::string& table, const std::vector<const CatalogColumn*>& columns,
                  const std::function<void(const RawRow&)>& on_row) {
  RawRow row;
  row.cells.resize(columns.size());
  std::string scratch;
  session_.connection->read(select_columns(*session_.dialect, session_.schema, table, columns),
                            [&](std::span<const Cell> cells) {
                              for (std::size_t i = 0; i < columns.size(); ++i) {
                                if (cells[i].storage == Cell::Storage::null) {
                                  row.cells[i].set_null();
                                  continue;
                                }
                                const auto value =
                                    session_.dialect->decode(columns[i]->type, cells[i], scratch);
                                row.cells[i].set(value.kind, value.bytes);
                              }
                              on_row(row);
                            });
}

}  // namespace abgleich::db
