#include "db/postgresql/result.hpp"

#include "db/postgresql/hex.hpp"

namespace abgleich::db::postgresql {

namespace {

constexpr Oid kBytea = 17;  // from pg_type.dat; it never changes

}  // namespace

std::span<const Cell> ResultRow::cells(const PGresult* result, int row) {
  const auto columns = static_cast<std::size_t>(PQnfields(result));
  cells_.resize(columns);
  blobs_.resize(columns);
  for (std::size_t i = 0; i < columns; ++i) {
    const auto column = static_cast<int>(i);
    if (PQgetisnull(result, row, column) != 0) {
      cells_[i] = {};
      continue;
    }
    const std::string_view text(PQgetvalue(result, row, column),
                                static_cast<std::size_t>(PQgetlength(result, row, column)));
    if (PQftype(result, column) == kBytea && bytes_from_hex(text, blobs_[i])) {
      cells_[i] = {Cell::Storage::blob, blobs_[i]};
    } else {
      cells_[i] = text_cell(text);
    }
  }
  return cells_;
}

}  // namespace abgleich::db::postgresql
