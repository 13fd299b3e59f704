#include "db/postgresql/copy_rows.hpp"

#include "db/postgresql/copy_text.hpp"

#include <fmt/format.h>

#include <utility>

namespace abgleich::db::postgresql {

namespace {

constexpr std::size_t kLargeRow = std::size_t{1} << 20U;

std::size_t size_of(std::span<const Cell> row) {
  std::size_t size = 0;
  for (const auto& cell : row) {
    size += cell.bytes.size();
  }
  return size;
}

}  // namespace

CopyRows::CopyRows(std::string copy, std::vector<BinaryForm> forms)
    : copy_(std::move(copy)), forms_(std::move(forms)) {}

bool CopyRows::add(std::span<const Cell> row) {
  if (!forms_.empty() && rows() == 0) {
    append_binary_header(buffer_);
  }
  const auto start = buffer_.size();
  if (const auto size = size_of(row); size > kLargeRow) {
    buffer_.reserve(start + size + kLargeRow / 2);  // otherwise the buffer would double
  }
  if (forms_.empty()) {
    append_copy_line(row, buffer_);
  } else if (!append_binary_row(row, forms_, buffer_)) {
    buffer_.resize(rows() == 0 ? 0 : start);
    return false;
  }
  starts_.push_back(start);
  return true;
}

std::string_view CopyRows::bytes(std::size_t first, std::size_t last, std::string& scratch) {
  if (!forms_.empty() && !closed_) {
    append_binary_trailer(buffer_);
    closed_ = true;
  }
  const std::string_view all = buffer_;
  if (first == 0 && last == rows()) {
    return all;
  }
  const auto some =
      all.substr(0, last == rows() ? all.size() : starts_[last]).substr(starts_[first]);
  if (forms_.empty()) {
    return some;
  }
  scratch.clear();
  append_binary_header(scratch);
  scratch += some;
  if (last != rows()) {
    append_binary_trailer(scratch);
  }
  return scratch;
}

std::string CopyRows::take() {
  std::string unused;
  (void)bytes(0, rows(), unused);
  auto all = std::move(buffer_);
  clear();
  return all;
}

void CopyRows::reuse(std::string&& buffer) {
  buffer_.swap(buffer);
  buffer_.clear();
}

void CopyRows::clear() {
  buffer_.clear();
  starts_.clear();
  closed_ = false;
}

CopyBatches::CopyBatches(PostgresConnection& connection, std::string_view table,
                         const std::vector<std::string>& columns)
    : connection_(connection),
      table_(table),
      columns_(fmt::format("{}", fmt::join(columns, ", "))),
      width_(columns.size()) {}

std::size_t CopyBatches::add(std::span<const Cell> row) {
  if (row.size() != width_) {
    throw Failure(Code::bug, fmt::format("a row of {} cells was to be loaded into {} columns",
                                         row.size(), width_));
  }
  if (both_.empty()) {
    const auto copy = fmt::format("COPY {} ({}) FROM STDIN", table_, columns_);
    auto forms = connection_.binary_forms(fmt::format("SELECT {} FROM {}", columns_, table_));
    if (!forms.empty()) {
      both_.emplace_back(copy + " (FORMAT binary)", std::move(forms));
    }
    both_.emplace_back(copy, std::vector<BinaryForm>());
  }
  connection_.will_send(size_of(row));
  std::size_t taker = 0;
  while (!both_[taker].add(row)) {
    ++taker;  // the last, text, takes every row
  }
  return taker;
}

std::size_t CopyBatches::rows() const {
  std::size_t rows = 0;
  for (const auto& one : both_) {
    rows += one.rows();
  }
  return rows;
}

std::size_t CopyBatches::size() const {
  std::size_t size = 0;
  for (const auto& one : both_) {
    size += one.size();
  }
  return size;
}

void CopyBatches::clear() {
  for (auto& one : both_) {
    one.clear();
  }
}

}  // namespace abgleich::db::postgresql
