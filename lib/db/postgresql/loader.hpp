// Bulk insertion by COPY … FROM STDIN, in batches of about 1 MiB. Where rows may be refused, these
// are found by halving the batch.
#pragma once

#include "db/postgresql/copy_rows.hpp"

#include <array>
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
  struct RefusedRow {
    std::int64_t ordinal;
    CopyRows* rows;
    std::size_t at;  // in these
    std::string state;
  };
  struct Numbered {
    CopyRows* rows;
    const std::vector<std::int64_t>& ordinals;
  };

  void send(CopyRows& rows, std::size_t first, std::size_t last);
  std::optional<std::string> try_send(CopyRows& rows, std::size_t first, std::size_t last);
  void send_halving(const Numbered& numbered, std::size_t first, std::size_t last,
                    std::vector<RefusedRow>& out);
  void retry_dependants(std::vector<RefusedRow>& refused);

  PostgresConnection& connection_;
  CopyBatches batch_;
  std::array<std::vector<std::int64_t>, 2> ordinals_;  // of the rows in each part of the batch
  Refused refused_;
  std::int64_t next_row_ = 0;  // ordinal
};

}  // namespace abgleich::db::postgresql
