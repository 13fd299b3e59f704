// A PostgreSQL server for one test, which may stop, crash, copy and promote it.
// tests/support/private-postgres says where its programs are.
#pragma once

#include "support/postgres.hpp"
#include "support/program.hpp"
#include "support/temporary_directory.hpp"
#include "support/waiting.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <string>

namespace abgleich::test {

/// Waits until a query's first value is this one; if that does not happen, the test fails.
inline void wait_for(const std::string& url, const std::string& sql, const std::string& value) {
  PlainConnection connection(url);
  wait_until("it is " + value + ": " + sql, [&] { return connection.run(sql) == value; });
}

class Server {
 public:
  /// A new one, running. `settings` are added to its postgresql.conf, one on each line.
  explicit Server(const std::string& settings = "") {
    run(kOwner + "$as $bin/initdb -D data -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync");
    configure("fsync = off\n" + settings);
    start();
  }
  /// A standby of `primary`, running.
  explicit Server(const Server& primary, const std::string& settings = "") {
    run(kOwner + "$as $bin/pg_basebackup -D data -c fast --no-sync -R -d 'host=" +
        primary.directory() + " user=postgres'");
    configure(settings);
    start();
  }
  Server& operator=(const Server&) = delete;
  ~Server() {
    (void)run_program(
        {"/bin/bash", "-c", kWords + "$as $bin/pg_ctl stop -D data -m immediate >/dev/null 2>&1"},
        directory());
  }

  [[nodiscard]] std::string directory() const { return directory_.path().string(); }
  [[nodiscard]] std::string url(const std::string& database = "postgres") const {
    return "postgresql:///" + database + "?host=" + directory() + "&user=postgres";
  }
  std::string sql(const std::string& statements, const std::string& database = "postgres") const {
    return PlainConnection(url(database)).run(statements);
  }

  void start() const { run("$as $bin/pg_ctl start -D data -w -t 60 -l data/log"); }
  void stop() const { run("$as $bin/pg_ctl stop -D data -w -m fast"); }
  void restart() const {
    stop();
    start();
  }
  void promote() const { run("$as $bin/pg_ctl promote -D data -w"); }
  /// The process that writes what nobody waits for. While it is stopped, commits that are not
  /// synchronous are only in memory.
  [[nodiscard]] std::string wal_writer() const { return sql(kWalWriter); }
  /// Ends it; the server ends all sessions, recovers and goes on under the same postmaster.
  void crash_one(const std::string& process) const {
    run("kill -KILL " + process);
    wait_until("the server has recovered", [&] {
      const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(PQconnectdb(url().c_str()),
                                                                  PQfinish);
      const std::unique_ptr<PGresult, void (*)(PGresult*)> now(PQexec(connection.get(), kWalWriter),
                                                               PQclear);
      return PQntuples(now.get()) == 1 && PQgetvalue(now.get(), 0, 0) != process;
    });
  }
  /// Ends all its processes at once.
  void crash() const {
    const auto pids = sql("SELECT string_agg(CAST(pid AS text), ' ') FROM pg_stat_activity");
    run("kill -9 $(head -n 1 data/postmaster.pid) " + pids +
        " || true; for i in $(seq 100); do "
        "kill -0 " +
        pids + " || break; sleep 0.05; done");
  }
  /// Runs any command in the directory that has `data`. `$bin` is the directory of the server's
  /// programs, and `$as` makes it run as the server's user.
  void run(const std::string& command) const {
    const auto ran = run_program({"/bin/bash", "-ec",
                                  kWords + "{ " + command +
                                      "; } >said 2>&1 </dev/null || { cat said; "
                                      "cat data/log; exit 1; }"},
                                 directory());
    REQUIRE_MESSAGE(ran.exit == 0, command, "\n", ran.out, ran.err);
  }

 private:
  static constexpr const char* kWalWriter =
      "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'";
  inline static const std::string kWords =
      "export LC_ALL=C.UTF-8; as=$ABGLEICH_TEST_PG_AS; bin=${ABGLEICH_TEST_PG_BIN:?}; ";
  inline static const std::string kOwner =
      "test -z \"$ABGLEICH_TEST_PG_OWNER\" || chown \"$ABGLEICH_TEST_PG_OWNER\" .; ";

  void configure(const std::string& settings) const {
    std::ofstream(directory_ / "data" / "postgresql.conf", std::ios::app)
        << "listen_addresses = ''\nunix_socket_directories = '" << directory()
        << "'\nshared_buffers = 16MB\nautovacuum = off\n"
        << settings << "\n";
  }

  TemporaryDirectory directory_;
};

}  // namespace abgleich::test
