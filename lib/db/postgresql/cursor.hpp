// A server-side cursor, fetched in batches that are limited in rows and, by the width of the rows
// seen so far, in bytes. While the caller works on one batch, the server makes the next.
#pragma once

#include "db/postgresql/postgres_connection.hpp"

#include <string>
#include <string_view>

namespace abgleich::db::postgresql {

class PostgresCursor final : public Cursor {
 public:
  /// REQUIRES: a transaction is open; `name` is new in it and needs no quotes; `connection`
  /// outlives this.
  PostgresCursor(PostgresConnection& connection, std::string_view sql, std::string name);
  ~PostgresCursor() override;
  PostgresCursor(const PostgresCursor&) = delete;
  PostgresCursor& operator=(const PostgresCursor&) = delete;

  std::span<const Cell> next() override;

 private:
  [[nodiscard]] int most_rows() const;
  void fetch();
  void send();

  PostgresConnection& connection_;
  std::string name_;
  std::string sql_;
  Result batch_;
  Awaited coming_;
  bool sent_ = false;
  ResultRow cells_;
  int batch_rows_;  // what to ask for next
  int at_ = 0;
  bool open_ = true;
};

}  // namespace abgleich::db::postgresql
