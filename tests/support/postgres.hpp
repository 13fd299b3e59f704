// A database for one test on the server that tests/support/private-postgres started.
#pragma once

#include <doctest/doctest.h>
#include <libpq-fe.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace abgleich::test {

/// A plain libpq connection to prepare a test: every statement must succeed.
class PlainConnection {
 public:
  explicit PlainConnection(const std::string& url) : raw_(PQconnectdb(url.c_str())) {
    if (PQstatus(raw_.get()) != CONNECTION_OK) {
      FAIL("cannot connect to the test server: ", std::string(PQerrorMessage(raw_.get())));
    }
    run("SET client_min_messages = error");
  }

  /// Runs statements; returns the first column of the first row of the last one, empty for none.
  std::string run(const std::string& sql) {
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(raw_.get(), sql.c_str()),
                                                                PQclear);
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
      FAIL("a test's own statement failed: ", std::string(PQerrorMessage(raw_.get())));
    }
    return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
  }

  /// False: the session has ended, as far as is known.
  [[nodiscard]] bool works() const { return PQstatus(raw_.get()) == CONNECTION_OK; }

  /// The server's message about a statement that fails; empty if it works.
  std::string complaint(const std::string& sql) {
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(raw_.get(), sql.c_str()),
                                                                PQclear);
    return PQresultErrorMessage(result.get());
  }

  /// Runs a query and hands over every row: row(columns, values), NULL as a null pointer.
  template <class Row>
  void each(const std::string& sql, const Row& row) {
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(raw_.get(), sql.c_str()),
                                                                PQclear);
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) {
      FAIL("a test's own query failed: ", std::string(PQerrorMessage(raw_.get())));
    }
    std::vector<char*> values(static_cast<std::size_t>(PQnfields(result.get())));
    for (int i = 0; i < PQntuples(result.get()); ++i) {
      for (int column = 0; column < PQnfields(result.get()); ++column) {
        values[static_cast<std::size_t>(column)] = PQgetisnull(result.get(), i, column) == 1
                                                       ? nullptr
                                                       : PQgetvalue(result.get(), i, column);
      }
      row(PQnfields(result.get()), values.data());
    }
  }

 private:
  struct Finish {
    void operator()(PGconn* raw) const { PQfinish(raw); }
  };
  std::unique_ptr<PGconn, Finish> raw_;
};

/// The URI of a private server: "ABGLEICH_TEST_PG" for the first, "ABGLEICH_TEST_PG2" for the
/// second. If it is missing, the test fails: a test that does not run proves nothing.
inline std::string server_url(const char* variable = "ABGLEICH_TEST_PG") {
  const char* url = std::getenv(variable);
  if (url == nullptr) {
    FAIL(std::string(variable), " is not set; hint: tests/support/private-postgres -- COMMAND");
  }
  return url;
}

/// Creates a database, and at the end drops it and ends all its sessions, unless
/// ABGLEICH_KEEP_TEST_DB is set.
class TemporaryDatabase {
 public:
  explicit TemporaryDatabase(const char* variable = "ABGLEICH_TEST_PG", std::string_view with = {})
      : server_(server_url(variable)), name_(new_name()) {
    PlainConnection(server_).run("CREATE DATABASE " + name_ + " TEMPLATE template0 " +
                                 std::string(with));
  }
  ~TemporaryDatabase() {
    if (std::getenv("ABGLEICH_KEEP_TEST_DB") != nullptr) {
      std::fprintf(stderr, "kept: %s\n", url().c_str());
      return;
    }
    PlainConnection server(server_);
    server.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + name_ +
               "'");
    server.run("DROP DATABASE " + name_);
  }
  TemporaryDatabase(const TemporaryDatabase&) = delete;
  TemporaryDatabase& operator=(const TemporaryDatabase&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string url() const { return url_with(server_, "postgres"); }
  /// The same for another role, which the test has created.
  [[nodiscard]] std::string url_as(std::string_view user) const { return url_with(server_, user); }

  /// Runs statements as superuser; see PlainConnection::run.
  std::string run(const std::string& sql) const { return PlainConnection(url()).run(sql); }

 private:
  /// postgresql:///postgres?host=DIRECTORY&user=postgres, with database and user replaced.
  [[nodiscard]] std::string url_with(const std::string& server, std::string_view user) const {
    const std::string::size_type from = server.find("host=");
    const std::string::size_type to = server.find('&', from);
    return "postgresql:///" + name_ + "?" + server.substr(from, to - from) +
           "&user=" + std::string(user);
  }

  static std::string new_name() {
    static int count = 0;
    return "abgleich_test_" + std::to_string(::getpid()) + "_" + std::to_string(++count);
  }

  std::string server_;
  std::string name_;
};

}  // namespace abgleich::test
