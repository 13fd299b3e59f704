// A connection to PostgreSQL: raw libpq for statements, COPY and cursors on the connection that
// libpqxx owns.
#pragma once

#include "db/connection.hpp"
#include "db/postgresql/copy_sender.hpp"
#include "db/postgresql/faults.hpp"
#include "db/postgresql/pqxx_connection.hpp"
#include "db/postgresql/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db::postgresql {

class PostgresConnection final : public Connection {
 public:
  /// Takes over a connection that is up. `peer` decides how its faults are reported.
  PostgresConnection(PGconn* connected, Peer peer);

  std::int64_t execute(std::string_view sql, std::span<const Cell> parameters = {}) override;
  void execute_script(std::string_view sql) override;
  void query(std::string_view sql, std::span<const Cell> parameters, const OnRow& row) override;
  void read(std::string_view sql, const OnRow& row) override;
  void read_unknown(std::string_view sql, const Leading& leading, const IsKnown& known,
                    const OnRow& row) override;
  void defer_constraints() override;
  void check_constraints() override;
  std::unique_ptr<Cursor> open(std::string_view sql) override;
  std::unique_ptr<Loader> load(std::string_view table, const std::vector<std::string>& columns,
                               Loader::Refused refused = {}) override;
  std::unique_ptr<Loader> fill(std::string_view table,
                               const std::vector<std::string>& columns) override;

  /// Runs one statement without parameters; throws Fault unless it ends as `expected`.
  Result run(const std::string& sql, ExecStatusType expected);

  /// COPY … FROM STDIN of a batch. Throws Failure{secondary_refuses} where fewer rows arrive.
  void copy_in(const std::string& copy, std::string_view bytes, std::size_t rows);

  /// Sends in the background. Every other call waits for it, and those that run a statement throw
  /// what it failed with.
  [[nodiscard]] CopySender& sender();

  [[nodiscard]] PGconn* raw() const {
    if (sender_) {
      sender_->wait();
    }
    return connection_.raw();
  }
  [[nodiscard]] const Peer& peer() const { return peer_; }

 private:
  void rest() {
    if (sender_) {
      sender_->rest();
    }
  }
  Result run_at_once(const std::string& sql, ExecStatusType expected);
  void copy_in_at_once(const std::string& copy, std::string_view bytes, std::size_t rows);
  Result run_with(std::string_view sql, std::span<const Cell> parameters);
  /// COPY … TO STDOUT, a line at a time.
  void copy_out(std::string_view sql, const std::function<void(std::span<char>)>& line);
  void stop_copy() noexcept;

  PqxxConnection connection_;
  Peer peer_;
  std::int64_t cursors_ = 0;
  std::unique_ptr<CopySender> sender_;  // ends before the connection does
};

}  // namespace abgleich::db::postgresql
