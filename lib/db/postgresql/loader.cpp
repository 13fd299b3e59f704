#include "db/postgresql/loader.hpp"

#include "db/postgresql/copy_text.hpp"

#include <fmt/format.h>

namespace abgleich::db::postgresql {

namespace {

constexpr std::size_t kLoadBytes = std::size_t{1} << 20U;
constexpr std::string_view kForeignKey = "23503";

}  // namespace

PostgresLoader::PostgresLoader(PostgresConnection& connection, std::string_view table,
                               const std::vector<std::string>& columns, Refused refused)
    : connection_(connection),
      copy_(fmt::format("COPY {} ({}) FROM STDIN", table, fmt::join(columns, ", "))),
      columns_(columns.size()),
      refused_(std::move(refused)) {}

void PostgresLoader::add(std::span<const Cell> row) {
  if (row.size() != columns_) {
    throw Failure(Code::bug, fmt::format("a row of {} cells was to be loaded into {} columns",
                                         row.size(), columns_));
  }
  starts_.push_back(buffer_.size());
  append_copy_line(row, buffer_);
  if (buffer_.size() >= kLoadBytes) {
    flush();
  }
}

void PostgresLoader::flush() {
  if (starts_.empty()) {
    return;
  }
  std::vector<RefusedLine> refused;
  if (refused_) {
    send_halving(0, lines(), refused);
    retry_dependants(refused);
  } else {
    send(0, lines());
  }
  const auto first_row = first_row_;
  first_row_ += static_cast<std::int64_t>(lines());
  starts_.clear();
  buffer_.clear();
  if (buffer_.capacity() > 4 * kLoadBytes) {
    buffer_.shrink_to_fit();  // after a giant row
  }
  // Last, for the callback may throw, and nothing may be sent twice.
  for (const auto& [line, state] : refused) {
    refused_(first_row + static_cast<std::int64_t>(line), state);
  }
}

void PostgresLoader::send(std::size_t first, std::size_t last) {
  std::string_view bytes = buffer_;
  bytes = bytes.substr(0, last == lines() ? bytes.size() : starts_[last]).substr(starts_[first]);
  connection_.copy_in(copy_, bytes, last - first);
}

/// SQLSTATE where a row is to blame; nothing of the range is loaded then.
std::optional<std::string> PostgresLoader::try_send(std::size_t first, std::size_t last) {
  const bool guarded = PQtransactionStatus(connection_.raw()) == PQTRANS_INTRANS;
  if (guarded) {
    connection_.run("SAVEPOINT abgleich_load", PGRES_COMMAND_OK);
  }
  std::optional<std::string> state;
  try {
    send(first, last);
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

void PostgresLoader::send_halving(std::size_t first, std::size_t last,
                                  std::vector<RefusedLine>& out) {
  auto state = try_send(first, last);
  if (!state) {
    return;
  }
  if (last - first == 1) {
    out.push_back({first, std::move(*state)});
    return;
  }
  const auto middle = first + (last - first) / 2;
  send_halving(first, middle, out);
  send_halving(middle, last, out);
}

/// Halving may part a row from the one that it refers to: what only missed its parent gets another
/// chance for as long as that helps.
void PostgresLoader::retry_dependants(std::vector<RefusedLine>& refused) {
  bool progress = refused.size() < lines();
  while (progress) {
    progress = false;
    std::vector<RefusedLine> left;
    for (auto& [line, state] : refused) {
      auto again =
          state == kForeignKey ? try_send(line, line + 1) : std::optional(std::move(state));
      if (again) {
        left.push_back({line, std::move(*again)});
      } else {
        progress = true;
      }
    }
    refused = std::move(left);
  }
}

}  // namespace abgleich::db::postgresql
