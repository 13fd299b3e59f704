#include "db/postgresql/loader.hpp"

#include <algorithm>
#include <utility>

namespace abgleich::db::postgresql {

namespace {

constexpr std::size_t kLoadBytes = std::size_t{1} << 20U;
constexpr std::string_view kForeignKey = "23503";

}  // namespace

PostgresLoader::PostgresLoader(PostgresConnection& connection, std::string_view table,
                               const std::vector<std::string>& columns, Refused refused)
    : connection_(connection), batch_(connection, table, columns), refused_(std::move(refused)) {}

void PostgresLoader::add(std::span<const Cell> row) {
  ordinals_.at(batch_.add(row)).push_back(next_row_++);
  if (batch_.size() >= kLoadBytes) {
    flush();
  }
}

void PostgresLoader::flush() {
  if (batch_.rows() == 0) {
    return;
  }
  std::vector<RefusedRow> refused;
  const auto both = batch_.both();
  for (std::size_t i = 0; i < both.size(); ++i) {
    if (both[i].rows() == 0) {
      continue;
    }
    if (refused_) {
      send_halving({&both[i], ordinals_.at(i)}, 0, both[i].rows(), refused);
    } else {
      send(both[i], 0, both[i].rows());
    }
  }
  retry_dependants(refused);
  const bool giant = batch_.size() > 4 * kLoadBytes;
  for (auto& rows : both) {
    rows.clear();
    if (giant) {
      rows.reuse({});  // gives the memory back
    }
  }
  for (auto& ordinals : ordinals_) {
    ordinals.clear();
  }
  // At the end, since the callback may throw, and nothing may be sent twice; in the rows' order.
  std::ranges::sort(refused, {}, &RefusedRow::ordinal);
  for (const auto& row : refused) {
    refused_(row.ordinal, row.state);
  }
}

void PostgresLoader::send(CopyRows& rows, std::size_t first, std::size_t last) {
  std::string part;
  connection_.copy_in(rows.statement(), rows.bytes(first, last, part), last - first);
}

/// The SQLSTATE where a row was refused; then nothing of the range is loaded.
std::optional<std::string> PostgresLoader::try_send(CopyRows& rows, std::size_t first,
                                                    std::size_t last) {
  connection_.end_meanwhile();  // its failures are not caused by these rows
  const bool guarded = PQtransactionStatus(connection_.raw()) == PQTRANS_INTRANS;
  if (guarded) {
    connection_.run("SAVEPOINT abgleich_load", PGRES_COMMAND_OK);
  }
  std::optional<std::string> state;
  try {
    send(rows, first, last);
  } catch (const Fault& fault) {
    if (!blames_row(fault)) {
      throw;
    }
    state = fault.state();
  }
  if (guarded) {
    if (state) {
      connection_.run("ROLLBACK TO SAVEPOINT abgleich_load", PGRES_COMMAND_OK);
    }
    connection_.run("RELEASE SAVEPOINT abgleich_load", PGRES_COMMAND_OK);
  }
  return state;
}

void PostgresLoader::send_halving(const Numbered& numbered, std::size_t first, std::size_t last,
                                  std::vector<RefusedRow>& out) {
  auto state = try_send(*numbered.rows, first, last);
  if (!state) {
    return;
  }
  if (last - first == 1) {
    out.push_back({numbered.ordinals[first], numbered.rows, first, std::move(*state)});
    return;
  }
  const auto middle = first + (last - first) / 2;
  send_halving(numbered, first, middle, out);
  send_halving(numbered, middle, last, out);
}

/// Halving may separate a row from the one that it refers to. Rows that were refused only for a
/// missing parent are sent again, until that loads no more.
void PostgresLoader::retry_dependants(std::vector<RefusedRow>& refused) {
  bool progress = refused.size() < batch_.rows();
  while (progress) {
    progress = false;
    std::vector<RefusedRow> left;
    for (auto& row : refused) {
      auto again = row.state == kForeignKey ? try_send(*row.rows, row.at, row.at + 1)
                                            : std::optional(std::move(row.state));
      if (again) {
        left.push_back({row.ordinal, row.rows, row.at, std::move(*again)});
      } else {
        progress = true;
      }
    }
    refused = std::move(left);
  }
}

}  // namespace abgleich::db::postgresql
