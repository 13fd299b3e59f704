#include "db/postgresql/cursor.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace abgleich::db::postgresql {

namespace {

constexpr int kFirstRows = 64;  // before anything is known about their width
constexpr int kMostRows = 2000;
constexpr std::size_t kFetchBytes = std::size_t{1} << 20U;  // the next batch needs as much again
constexpr int kPumpEvery = 16;
// A batch stays below this even if its rows are as wide as the widest that was sent, counted twice,
// since a row may be a pair of two.
constexpr std::size_t kMostBytes = std::size_t{64} << 20U;

}  // namespace

PostgresCursor::PostgresCursor(PostgresConnection& connection, std::string_view sql,
                               std::string name)
    : connection_(connection),
      name_(std::move(name)),
      sql_(sql),
      batch_rows_(std::min(kFirstRows, most_rows())) {
  connection_.run(fmt::format("DECLARE {} NO SCROLL CURSOR FOR {}", name_, sql_), PGRES_COMMAND_OK);
}

PostgresCursor::~PostgresCursor() {
  connection_.withdraw(coming_);
  // An open cursor would keep its table from being altered. It may have been closed already, with
  // its transaction or savepoint; CLOSE would then fail and abort the transaction.
  if (!open_ || PQtransactionStatus(connection_.raw()) != PQTRANS_INTRANS) {
    return;
  }
  const auto look = fmt::format("SELECT FROM pg_cursors WHERE name = '{}'", name_);
  const Result there(PQexec(connection_.raw(), look.c_str()));
  if (PQntuples(there.get()) == 1) {
    const Result closed(PQexec(connection_.raw(), fmt::format("CLOSE {}", name_).c_str()));
  }
}

int PostgresCursor::most_rows() const {
  const auto widest = 2 * connection_.widest_sent() + 1;
  return static_cast<int>(
      std::clamp(kMostBytes / widest, std::size_t{1}, static_cast<std::size_t>(kMostRows)));
}

void PostgresCursor::fetch() {
  batch_.reset();  // first, so that no more batches than necessary are in memory
  if (!sent_) {
    send();
  }
  sent_ = false;
  batch_ = connection_.take(coming_);
  connection_.require(batch_.get(), sql_);
  at_ = 0;
  const int rows = PQntuples(batch_.get());
  if (rows < batch_rows_) {
    connection_.run(fmt::format("CLOSE {}", name_), PGRES_COMMAND_OK);
    open_ = false;
  }
  if (rows > 0) {
    const auto width = PQresultMemorySize(batch_.get()) / static_cast<std::size_t>(rows) + 1;
    batch_rows_ = static_cast<int>(
        std::clamp(kFetchBytes / width, std::size_t{1}, static_cast<std::size_t>(most_rows())));
  }
  if (open_) {
    send();  // the server makes the next rows ready while the caller takes these
  }
}

void PostgresCursor::send() {
  connection_.send(fmt::format("FETCH FORWARD {} FROM {}", batch_rows_, name_), coming_);
  sent_ = true;
}

std::span<const Cell> PostgresCursor::next() {
  if (!batch_ || at_ == PQntuples(batch_.get())) {
    if (!open_) {
      return {};
    }
    fetch();
    if (PQntuples(batch_.get()) == 0) {
      return {};
    }
  }
  if (at_ % kPumpEvery == 0) {
    connection_.pump();
  }
  return cells_.cells(batch_.get(), at_++);
}

}  // namespace abgleich::db::postgresql
