// The one place that knows which libpqxx it is compiled with: 6.4 (Debian 12) or 7 (Debian 13).
#pragma once

#include <libpq-fe.h>
#include <pqxx/pqxx>

#include <utility>

namespace abgleich::db::postgresql {

#if PQXX_VERSION_MAJOR >= 7

/// Owns a libpq connection that is up. libpqxx 7 never reconnects.
class PqxxConnection {
 public:
  explicit PqxxConnection(PGconn* connected)
      : raw_(connected), connection_(pqxx::connection::seize_raw_connection(connected)) {}

  [[nodiscard]] PGconn* raw() const { return raw_; }

 private:
  PGconn* raw_;
  pqxx::connection connection_;
};

#else

/// Hands out a connection that is up, once. libpqxx 6 asks its policy again when it wants to
/// reconnect by itself; we would not learn then that our transaction has ended.
class HandOverOnce : public pqxx::connectionpolicy {
 public:
  explicit HandOverOnce(handle connected) : pqxx::connectionpolicy({}), connected_(connected) {}

  handle do_startconnect(handle current) override {
    if (current != nullptr) {
      return current;
    }
    if (connected_ == nullptr) {
      throw pqxx::broken_connection("the connection is gone and is not made again");
    }
    return std::exchange(connected_, nullptr);
  }

 private:
  handle connected_;
};

/// Owns a libpq connection that is up, and never makes another.
class PqxxConnection : private HandOverOnce, private pqxx::connection_base {
 public:
  explicit PqxxConnection(PGconn* connected)
      : HandOverOnce(connected),
        pqxx::connection_base(static_cast<pqxx::connectionpolicy&>(*this)),
        raw_(connected) {
    init();
  }
  ~PqxxConnection() override { close(); }
  PqxxConnection(const PqxxConnection&) = delete;
  PqxxConnection& operator=(const PqxxConnection&) = delete;

  [[nodiscard]] PGconn* raw() const { return raw_; }

 private:
  PGconn* raw_;
};

#endif

}  // namespace abgleich::db::postgresql
