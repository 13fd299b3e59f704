// Bulk insertion into an empty table: rows are sent while the caller makes the next ones.
#pragma once

#include "db/postgresql/copy_rows.hpp"
#include "db/postgresql/postgres_connection.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db::postgresql {

class PostgresFiller final : public Loader {
 public:
  /// `connection` outlives this. A row that the server refuses makes a later call throw Fault: one
  /// of this filler, one of another filler on the same connection, or the next statement.
  PostgresFiller(PostgresConnection& connection, std::string_view table,
                 const std::vector<std::string>& columns);
  ~PostgresFiller() override;
  PostgresFiller(const PostgresFiller&) = delete;
  PostgresFiller& operator=(const PostgresFiller&) = delete;

  void add(std::span<const Cell> row) override;
  void flush() override;

 private:
  void send();

  PostgresConnection& connection_;
  CopyBatches batch_;
};

}  // namespace abgleich::db::postgresql
