#include "db/postgresql/filler.hpp"

#include <utility>

namespace abgleich::db::postgresql {

namespace {

constexpr std::size_t kBatchBytes = std::size_t{1} << 20U;

}  // namespace

PostgresFiller::PostgresFiller(PostgresConnection& connection, std::string_view table,
                               const std::vector<std::string>& columns)
    : connection_(connection), batch_(connection, table, columns) {}

PostgresFiller::~PostgresFiller() {
  connection_.sender().forget();  // rows that were flushed have arrived already
}

void PostgresFiller::add(std::span<const Cell> row) {
  (void)batch_.add(row);
  if (batch_.size() >= kBatchBytes) {
    send();
  }
}

void PostgresFiller::send() {
  auto& sender = connection_.sender();
  for (auto& rows : batch_.both()) {
    if (const auto count = rows.rows(); count > 0) {
      sender.send({.copy = rows.statement(), .bytes = rows.take(), .rows = count});
      rows.reuse(sender.spare());
    }
  }
}

void PostgresFiller::flush() {
  send();
  connection_.sender().rest();
}

}  // namespace abgleich::db::postgresql
