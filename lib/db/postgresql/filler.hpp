// Bulk insertion into a table that is filled from nothing: sent while the next rows are made.
#pragma once

#include "db/postgresql/copy_rows.hpp"
#include "db/postgresql/postgres_connection.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db::postgresql {

class PostgresFiller final : public Loader {
 public:
  /// `connection` outlives this. A row that the server will not take makes one of the next calls
  /// throw Fault, of this filler or of another on the same connection, or the next statement.
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
