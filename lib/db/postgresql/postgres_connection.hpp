// A connection to PostgreSQL: raw libpq for statements, COPY and cursors on the connection that
// libpqxx owns.
#pragma once

#include "db/engine/connection.hpp"
#include "db/engine/tracer.hpp"
#include "db/postgresql/background.hpp"
#include "db/postgresql/copy_binary.hpp"
#include "db/postgresql/copy_sender.hpp"
#include "db/postgresql/faults.hpp"
#include "db/postgresql/pqxx_connection.hpp"
#include "db/postgresql/result.hpp"
#include "db/postgresql/stall_watch.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db::postgresql {

/// A statement that the server works on while the caller does something else. One at a time per
/// connection: every other call waits for it first.
struct Awaited {
  Result result;
};

class PostgresConnection final : public Connection {
 public:
  /// Takes over a connection that is up. `peer` decides how its faults are reported. The connection
  /// is cut if the server does not answer for longer than `silence`; 0: never.
  PostgresConnection(PGconn* connected, Peer peer, std::chrono::seconds silence = {},
                     Tracer tracer = Tracer({}));

  std::int64_t execute(std::string_view sql, std::span<const Cell> parameters = {}) override;
  void execute_script(std::string_view sql) override;
  void query(std::string_view sql, std::span<const Cell> parameters, const OnRow& row) override;
  void read(std::string_view sql, const OnRow& row) override;
  void read_blobs(std::string_view sql, const OnRow& row) override;
  void read_unknown(std::string_view sql, const Leading& leading, const IsKnown& known,
                    const OnRow& row) override;
  void defer_constraints() override;
  void check_constraints() override;
  std::unique_ptr<Cursor> open(std::string_view sql) override;
  std::unique_ptr<Loader> load(std::string_view table, const std::vector<std::string>& columns,
                               Loader::Refused refused = {}) override;
  std::unique_ptr<Loader> fill(std::string_view table,
                               const std::vector<std::string>& columns) override;
  void meanwhile(const std::function<void()>& work) override;
  void end_meanwhile() override;

  /// Runs one statement without parameters; throws Fault unless it ends as `expected`.
  Result run(const std::string& sql, ExecStatusType expected);

  /// Runs several SELECT statements without parameters in one exchange, and returns the results in
  /// their order. Throws the Fault of the first one that fails; `done`: how many before it did not.
  std::vector<Result> run_each(const std::vector<std::string>& statements, std::size_t& done);

  /// Sends a query and does not wait. `awaited` has to live until `take` or `withdraw`.
  void send(const std::string& sql, Awaited& awaited);
  /// Reads what has arrived of the result so far, so that the server can send more.
  void pump();
  /// The rows of the query. Throws Fault. REQUIRES: it was sent, and the result was not taken yet.
  Result take(Awaited& awaited);
  /// Waits for the query, and drops its result.
  void withdraw(Awaited& awaited) noexcept;

  /// Throws Fault unless the rows have as many columns as the query says.
  void require(const PGresult* result, std::string_view sql) const;

  /// The binary forms of a query's columns; empty where one of their types has none.
  std::vector<BinaryForm> binary_forms(std::string_view sql);

  /// COPY … FROM STDIN of a batch. Throws Failure{secondary_refuses} where fewer rows arrive.
  void copy_in(const std::string& copy, std::string_view bytes, std::size_t rows);

  /// Sends batches in the background. Every other call waits for them, and those that run a
  /// statement throw what a batch failed with.
  [[nodiscard]] CopySender& sender();

  [[nodiscard]] PGconn* raw() {
    background_.wait();
    if (sender_) {
      sender_->wait();
    }
    arrive();
    return connection_.raw();
  }
  [[nodiscard]] const Peer& peer() const { return peer_; }

  /// Records the size of a row that is sent: a cursor may have to read such rows again.
  void will_send(std::size_t bytes) {
    auto widest = widest_sent_.load(std::memory_order_relaxed);
    while (widest < bytes && !widest_sent_.compare_exchange_weak(widest, bytes)) {
    }
  }
  [[nodiscard]] std::size_t widest_sent() const { return widest_sent_; }

  /// Whether the Fault of a lock that was not given in time says who holds it.
  enum class LockHolders : std::uint8_t { named, unnamed };
  void set_lock_holders(LockHolders holders) { lock_holders_ = holders; }

 private:
  void rest() {
    background_.rest();
    if (sender_) {
      sender_->rest();
    }
    arrive();
  }
  /// Waits for the query that was sent, if there is one.
  void arrive() noexcept;
  /// The Fault of the current statement; or of the query sent before it, if that one has aborted
  /// the transaction.
  [[nodiscard]] Fault fault(const PGresult* result);
  Result run_at_once(const std::string& sql, ExecStatusType expected);
  void copy_in_at_once(const std::string& copy, std::string_view bytes, std::size_t rows);
  Result run_with(std::string_view sql, std::span<const Cell> parameters);
  /// COPY … TO STDOUT with these options, a row at a time.
  void copy_out(std::string_view sql, std::string_view options,
                const std::function<void(std::span<char>)>& row);
  void stop_copy() noexcept;

  /// Takes every result that is left of the current statement.
  template <class Take>
  void take_results(const Take& take);
  [[nodiscard]] int next_copy_row(char** row);

  PqxxConnection connection_;
  Peer peer_;
  StallWatch watch_;
  LockHolders lock_holders_ = LockHolders::named;
  KnownNames names_;  // of the current statement
  std::int64_t cursors_ = 0;
  Tracer tracer_;
  std::atomic<std::size_t> widest_sent_ = 0;  // bytes
  Awaited* awaited_ = nullptr;
  std::optional<Tracer::Running> sent_;  // of the query that is awaited
  Result failed_;                        // of a query that was sent, until its Fault is thrown
  std::unique_ptr<CopySender> sender_;   // destroyed before the connection is
  Background background_;                // destroyed first
};

}  // namespace abgleich::db::postgresql
