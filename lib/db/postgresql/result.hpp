// A libpq result that frees itself, and its rows as cells.
#pragma once

#include "db/engine/connection.hpp"

#include <libpq-fe.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace abgleich::db::postgresql {

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, ClearResult>;

/// Views of one row at a time; its buffers are reused. Columns of type bytea are handed over as
/// blobs, everything else as text.
class ResultRow {
 public:
  /// REQUIRES: every result has the same columns. Valid until the next call and while `result` is.
  std::span<const Cell> cells(const PGresult* result, int row);

 private:
  std::vector<Cell> cells_;
  std::vector<std::string> blobs_;
};

}  // namespace abgleich::db::postgresql
