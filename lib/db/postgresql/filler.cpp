#include "db/postgresql/filler.hpp"

#include "db/postgresql/copy_text.hpp"

#include <fmt/format.h>

#include <utility>

namespace abgleich::db::postgresql {

namespace {

constexpr std::size_t kBatchBytes = std::size_t{1} << 20U;

/// Empty where one of the types has no form.
std::vector<BinaryForm> forms_of(PostgresConnection& connection, std::string_view table,
                                 const std::string& columns) {
  const auto row =
      connection.run(fmt::format("SELECT {} FROM {} LIMIT 0", columns, table), PGRES_TUPLES_OK);
  std::vector<BinaryForm> forms;
  for (int i = 0; i < PQnfields(row.get()); ++i) {
    const auto form = binary_form(PQftype(row.get(), i));
    if (!form) {
      return {};
    }
    forms.push_back(*form);
  }
  return forms;
}

}  // namespace

PostgresFiller::PostgresFiller(PostgresConnection& connection, std::string_view table,
                               const std::vector<std::string>& columns)
    : connection_(connection), columns_(columns.size()) {
  const auto list = fmt::format("{}", fmt::join(columns, ", "));
  forms_ = forms_of(connection, table, list);
  copy_ = fmt::format("COPY {} ({}) FROM STDIN{}", table, list,
                      forms_.empty() ? "" : " (FORMAT binary)");
}

PostgresFiller::~PostgresFiller() {
  connection_.sender().forget();  // what was flushed has arrived
}

void PostgresFiller::add(std::span<const Cell> row) {
  if (row.size() != columns_) {
    throw Failure(Code::bug, fmt::format("a row of {} cells was to be loaded into {} columns",
                                         row.size(), columns_));
  }
  if (forms_.empty()) {
    append_copy_line(row, buffer_);
  } else {
    if (rows_ == 0) {
      append_binary_header(buffer_);
    }
    if (!append_binary_row(row, forms_, buffer_)) {
      throw Fault(Fault::Cause::data, "22P03",
                  Error{.code = Code::secondary_refuses,
                        .message = "a value is not of the type of its column (SQLSTATE 22P03)",
                        .hint = {}});
    }
  }
  ++rows_;
  if (buffer_.size() >= kBatchBytes) {
    send();
  }
}

void PostgresFiller::send() {
  if (rows_ == 0) {
    return;
  }
  if (!forms_.empty()) {
    append_binary_trailer(buffer_);
  }
  auto& sender = connection_.sender();
  sender.send({.copy = copy_, .bytes = std::move(buffer_), .rows = std::exchange(rows_, 0)});
  buffer_ = sender.spare();
}

void PostgresFiller::flush() {
  send();
  connection_.sender().rest();
}

}  // namespace abgleich::db::postgresql
