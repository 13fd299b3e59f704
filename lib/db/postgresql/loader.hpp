// Bulk insertion by COPY … FROM STDIN in batches of about 1 MiB; where rows may be refused, the
// culprits are found by halving the batch.
#pragma once

#include "db/postgresql/postgres_connection.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db::postgresql {

class PostgresLoader final : public Loader {
 public:
  /// `connection` outlives this. With `refused` and inside a transaction every attempt runs under
  /// a savepoint; outside, every COPY commits by itself.
  PostgresLoader(PostgresConnection& connection, std::string_view table,
                 const std::vector<std::string>& columns, Refused refused);

  void add(std::span<const Cell> row) override;
  void flush() override;

 private:
  struct RefusedLine {
    std::size_t line;
    std::string state;
  };

  [[nodiscard]] std::size_t lines() const { return starts_.size(); }
  void send(std::size_t first, std::size_t last);
  std::optional<std::string> try_send(std::size_t first, std::size_t last);
  void send_halving(std::size_t first, std::size_t last, std::vector<RefusedLine>& out);
  void retry_dependants(std::vector<RefusedLine>& refused);

  PostgresConnection& connection_;
  std::string copy_;
  std::size_t columns_;
  Refused refused_;
  std::string buffer_;
  std::vector<std::size_t> starts_;  // of the buffered lines
  std::int64_t first_row_ = 0;       // ordinal of the first buffered line
};

}  // namespace abgleich::db::postgresql
