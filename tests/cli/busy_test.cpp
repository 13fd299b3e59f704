// Servers that are busy, starting, stopping, or that end what we do: a run is tried again within
// bounds and from the start, never waits without a limit, and never applies anything twice.
#include "support/pairing.hpp"
#include "support/server.hpp"
#include "support/waiting.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>

namespace abgleich::test {

namespace {

const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
    "id = { class = \"pseudonym\", identity = \"person\" }\n"
    "status = \"plain\"\nnote = \"plain\"\n";
const char* const kSchema =
    "CREATE TABLE person (id integer PRIMARY KEY, status text, note text);"
    "INSERT INTO person SELECT i, 'open', 'note ' || i FROM generate_series(1, 20) i";
const char* const kUpdate = "UPDATE person SET status = 'case' WHERE id = 1";

struct Busy : Pairing {
  explicit Busy(On primary_on, On secondary_on) : Pairing(primary_on, secondary_on, kContract) {
    primary_url = primary.url();
  }
  /// With a primary on a server of its own.
  explicit Busy(const Server& server, On secondary_on = On::sqlite)
      : Pairing(On::sqlite, secondary_on, kContract) {
    primary_url = server.url();
    server.sql(kSchema);
    set();
    REQUIRE(sync()["tables"]["person"]["inserted"] == 20);
  }

  void set(const std::string& top = "", const std::string& of_primary = "",
           const std::string& of_secondary = "") const {
    write_file(directory / "abgleich.toml", top + "\n[primary]\nurl = \"" + primary_url + "\"\n" +
                                                of_primary + "\n[secondary]\nurl = \"" +
                                                secondary.url() + "\"\n" + of_secondary + "\n");
  }
  [[nodiscard]] Program start() const {
    return {command({"sync", "-v"}), directory.path().string()};
  }
  std::string runs() {
    return secondary.rows(secondary.engine() == On::sqlite ? "SELECT count(*) FROM abgleich_run"
                                                           : "SELECT count(*) FROM abgleich.run");
  }
  /// Two runs have been: the first, and one that made person 1 a case.
  void check_applied_once() {
    CHECK(runs() == "2");
    CHECK(secondary.rows("SELECT note FROM person WHERE status = 'case'") == "note 1");
    CHECK(run({"verify", "--exit-code"}).exit == 0);
  }
  void check_untouched(const Ran& ran, const std::string& state) {
    CHECK(ran.exit == 30);
    CHECK_MESSAGE(ran.err.find(state) != std::string::npos, ran.err);
    CHECK(runs() == "1");
    CHECK(secondary.rows("SELECT count(*) FROM person WHERE status = 'case'") == "0");
  }

  std::string primary_url;
};

/// Both sides on the server that all tests share, and synced once.
struct Shared : Busy {
  Shared() : Busy(On::postgresql, On::postgresql), other(secondary.url()) {
    primary.run(kSchema);
    set();
    REQUIRE(sync()["tables"]["person"]["inserted"] == 20);
    primary.run(kUpdate);
  }
  /// What a run has to wait for: at its begin, with the primary's snapshot open, or at its end.
  void hold_head() { other.run("BEGIN; SELECT * FROM abgleich.head FOR UPDATE"); }
  void hold_row() { other.run("BEGIN; UPDATE person SET note = 'mine' WHERE note = 'note 1'"); }

  static std::string name_of(const Database& database) {
    const auto url = database.url();
    return url.substr(14, url.find('?') - 14);
  }
  /// Sessions of the program, with what more is said of them.
  static std::string ours(const Database& database, const std::string& more) {
    return "FROM pg_stat_activity WHERE application_name = 'abgleich' AND datname = '" +
           name_of(database) + "' AND " + more;
  }
  void wait_until_it_waits() const {
    wait_for(secondary.url(), "SELECT count(*) " + ours(secondary, "wait_event_type = 'Lock'"),
             "1");
  }
  /// Ends or cancels, and waits until that is done.
  void send(const Database& database, const std::string& signal) const {
    PlainConnection server(server_url());
    const auto pid = server.run("SELECT pid " + ours(database, "true"));
    REQUIRE(!pid.empty());
    server.run("SELECT " + signal + "(" + pid + ")");
    wait_for(server_url(),
             "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND pid = " + pid, "0");
  }

  PlainConnection other;  // somebody else's on the secondary
};

}  // namespace

TEST_CASE("exit 30: a primary without a free connection is tried again within bounds") {
  const Server server("max_connections = 6\nsuperuser_reserved_connections = 0");
  Busy pairing(server);
  server.sql(kUpdate);
  std::vector<std::unique_ptr<PlainConnection>> others;
  for (int i = 0; i < 6; ++i) {
    others.push_back(std::make_unique<PlainConnection>(server.url()));
  }
  pairing.set("retry_for = \"1s\"");
  const auto ran = pairing.run({"sync"});
  pairing.check_untouched(ran, "SQLSTATE 53300");
  CHECK(ran.err.find("the server has no free connection") != std::string::npos);
  CHECK(ran.err.find(" times") != std::string::npos);
  pairing.set("retry_for = \"0\"");
  pairing.check_untouched(pairing.run({"sync"}), "53300)\n");

  pairing.set();
  const auto log = server.directory() + "/data/log";
  const auto refused = [&] { return read_file(log).size(); };
  const auto before = refused();
  auto program = pairing.start();
  wait_until("the server has refused it", [&] { return refused() != before; });
  others.clear();
  CHECK(program.wait().exit == 0);
  pairing.check_applied_once();
}

TEST_CASE("exit 30: a primary that is starting up is tried again within bounds") {
  const Server server;
  Busy pairing(server);
  server.sql(kUpdate);
  server.stop();
  // a standby that nobody may look at answers as a server does that is still reading its log
  server.run("$as touch data/standby.signal; echo hot_standby=off >>data/postgresql.conf");
  server.start();
  pairing.set("retry_for = \"1s\"");
  pairing.check_untouched(pairing.run({"sync"}), "SQLSTATE 57P03");
  pairing.set();
  auto program = pairing.start();
  server.promote();
  CHECK(program.wait().exit == 0);
  pairing.check_applied_once();
}

TEST_CASE("a standby that ends a reading for its recovery is read again from the start") {
  const Server server;
  const Server standby(server, "max_standby_streaming_delay = 0\nhot_standby_feedback = off");
  Busy pairing(server);
  server.sql(kUpdate);
  const auto follow = [&] {
    wait_for(standby.url(),
             "SELECT pg_last_wal_replay_lsn() >= CAST('" +
                 server.sql("SELECT pg_current_wal_lsn()") + "' AS pg_lsn)",
             "t");
  };
  follow();
  pairing.primary_url = standby.url();
  pairing.set();
  const std::string ours =
      "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'abgleich'";
  pairing.secondary.run("BEGIN IMMEDIATE");
  auto program = pairing.start();
  wait_for(standby.url(), ours + " AND xact_start IS NOT NULL AND backend_xmin IS NOT NULL", "1");
  server.sql("DELETE FROM person WHERE id = 3");
  // the snapshot may be another one than the one that was waited for, and newer than a change; the
  // session that was ended is no longer there, for the run may be connected again already
  wait_until("the run's reading has been ended", [&] {
    server.sql("UPDATE person SET note = 'new' WHERE id = 2");
    server.sql("VACUUM person");
    return read_file(standby.directory() + "/data/log").find("conflict with recovery") !=
           std::string::npos;
  });
  pairing.secondary.run("COMMIT");
  const auto ran = program.wait();
  CHECK_MESSAGE(ran.exit == 0, ran.err);
  follow();
  CHECK(pairing.runs() == "2");
  CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE note IN ('new', 'note 3')") ==
        "1");
  CHECK(pairing.run({"verify", "--exit-code"}).exit == 0);
}

TEST_CASE("a session or statement of a run that is ended is made again from the start, and once") {
  Shared pairing;
  pairing.hold_head();
  auto program = pairing.start();
  pairing.wait_until_it_waits();
  SUBCASE("the secondary's statement") {
    pairing.send(pairing.secondary, "pg_cancel_backend");
  }
  SUBCASE("the secondary's session") {
    pairing.send(pairing.secondary, "pg_terminate_backend");
  }
  SUBCASE("the primary's session") {
    pairing.send(pairing.primary, "pg_terminate_backend");
  }
  pairing.other.run("COMMIT");
  const auto ran = program.wait();
  CHECK_MESSAGE(ran.exit == 0, ran.err);
  CHECK_MESSAGE(ran.err.find("; it was tried again") != std::string::npos, ran.err);
  pairing.check_applied_once();
}

TEST_CASE("exit 30: a lock in the secondary is waited for within bounds, the primary let go") {
  Shared pairing;
  pairing.hold_row();
  SUBCASE("for too long") {
    pairing.set("retry_for = \"0\"", "", "lock_timeout = \"1s\"");
    const auto ran = pairing.run({"sync"});
    pairing.check_untouched(ran, "SQLSTATE 55P03");
    CHECK(ran.err.find("a lock was held by somebody else for too long") != std::string::npos);
    CHECK(ran.err.find("Nothing was changed") != std::string::npos);
    pairing.other.run("ROLLBACK");
    CHECK(pairing.run({"sync"}).exit == 0);
    pairing.check_applied_once();
  }
  SUBCASE("and got") {
    auto program = pairing.start();
    pairing.wait_until_it_waits();
    CHECK(pairing.primary.rows("SELECT count(*) " +
                               Shared::ours(pairing.primary, "backend_xmin IS NOT NULL")) == "0");
    CHECK(pairing.primary.rows("SELECT count(*) FROM pg_locks WHERE relation = CAST('person' AS "
                               "regclass) AND pid <> pg_backend_pid()") == "0");
    pairing.other.run("ROLLBACK");
    const auto ran = program.wait();
    CHECK_MESSAGE(ran.exit == 0, ran.err);
    pairing.check_applied_once();
  }
  SUBCASE("and got, but the row is another one now") {
    auto program = pairing.start();
    pairing.wait_until_it_waits();
    pairing.other.run("COMMIT");
    const auto ran = program.wait();
    CHECK_MESSAGE(ran.exit == 0, ran.err);
    CHECK(pairing.runs() == "2");
    CHECK(pairing.secondary.rows("SELECT note FROM person WHERE status = 'case'") == "mine");
  }
  SUBCASE("of a whole table") {
    pairing.other.run("ROLLBACK; BEGIN; LOCK TABLE person");
    pairing.set("retry_for = \"0\"", "", "lock_timeout = \"1s\"");
    const auto ran = pairing.run({"sync"});
    pairing.other.run("ROLLBACK");
    pairing.check_untouched(ran, "SQLSTATE 55P03");
  }
}

TEST_CASE("a deadlock in the secondary ends the run's transaction, and it is tried again") {
  Shared pairing;
  pairing.other.run("SET deadlock_timeout = '1h'");  // so that the run is the one that finds it
  pairing.hold_row();
  auto program = pairing.start();
  pairing.wait_until_it_waits();
  // the run has this row, and waits for the other one
  pairing.other.run("SELECT * FROM abgleich.head FOR UPDATE");
  pairing.other.run("ROLLBACK");
  const auto ran = program.wait();
  CHECK_MESSAGE(ran.exit == 0, ran.err);
  CHECK_MESSAGE(ran.err.find("; it was tried again") != std::string::npos, ran.err);
  pairing.check_applied_once();
}

TEST_CASE("a table of the primary that somebody changes is not waited for with locks") {
  Shared pairing;
  PlainConnection vendor(pairing.primary.url());
  vendor.run("BEGIN; LOCK TABLE person");
  auto program = pairing.start();
  wait_for(server_url(), "SELECT count(*) " + Shared::ours(pairing.primary, "true"), "1");
  vendor.run("ALTER TABLE person ADD COLUMN more text DEFAULT 'x'; COMMIT");
  const auto ran = program.wait();
  // whether its snapshot has the new column, which the first run did not know, or is from just
  // before
  CHECK_MESSAGE((ran.exit == 0 || ran.exit == 11), ran.err);
  pairing.check_applied_once();
}

TEST_CASE("exit 30: statements and transactions of ours end when their time is over") {
  SUBCASE("a statement on the primary") {
    Busy pairing(On::postgresql, On::sqlite);
    pairing.primary.run(
        "CREATE TABLE people (id integer PRIMARY KEY, status text, note text);"
        "INSERT INTO people VALUES (1, 'open', '');"
        "CREATE VIEW person AS SELECT p.* FROM people p, LATERAL pg_sleep(p.id)");
    pairing.set("retry_for = \"0\"", "statement_timeout = \"1s\"");
    const auto ran = pairing.run({"sync"});
    CHECK(ran.exit == 30);
    CHECK(ran.err.find("statement_timeout, or was cancelled there") != std::string::npos);
    CHECK(ran.err.find("set statement_timeout higher. Nothing was changed") != std::string::npos);
    pairing.set();
    CHECK(pairing.run({"sync"}).exit == 0);
  }
  SUBCASE("a transaction on the primary that waits for us") {
    Shared pairing;
    pairing.set("retry_for = \"0\"", "statement_timeout = \"1s\"");
    pairing.hold_head();
    auto program = pairing.start();
    pairing.wait_until_it_waits();
    wait_for(server_url(), "SELECT count(*) " + Shared::ours(pairing.primary, "true"), "0");
    pairing.other.run("ROLLBACK");
    pairing.check_untouched(program.wait(), "the connection to the primary was lost");
    pairing.set();
    CHECK(pairing.run({"sync"}).exit == 0);
    pairing.check_applied_once();
  }
}

TEST_CASE("exit 30: a server that is connected and stops answering is given up after its time") {
  const Server server;
  Busy pairing(server);
  server.sql(kUpdate);
  pairing.set("retry_for = \"0\"", "statement_timeout = \"5s\"");
  pairing.secondary.run("BEGIN IMMEDIATE");
  auto program = pairing.start();
  // at rest or at work, it is there until the secondary lets go
  const std::string ours = "FROM pg_stat_activity WHERE application_name = 'abgleich'";
  wait_for(server.url(), "SELECT count(*) " + ours + " AND xact_start IS NOT NULL", "1");
  const auto process = server.sql("SELECT pid " + ours);
  server.run("kill -STOP " + process);
  pairing.secondary.run("COMMIT");
  const auto ran = program.wait();
  server.run("kill -CONT " + process);
  pairing.check_untouched(ran, "has not answered for 10 s");
}

TEST_CASE("exit 30: who holds a lock that was waited for in vain is named, by process") {
  Shared pairing;
  const auto named = [](PlainConnection& holder) {
    return "process " + holder.run("SELECT pg_backend_pid()") + " ('clerk')";
  };
  pairing.set("retry_for = \"0\"", "lock_timeout = \"1s\"", "lock_timeout = \"1s\"");
  SUBCASE("on the primary, a plain LOCK TABLE: no schema is being changed") {
    PlainConnection vendor(pairing.primary.url());
    vendor.run("SET application_name = 'clerk'; BEGIN; LOCK TABLE person");
    const auto ran = pairing.run({"sync"});
    pairing.check_untouched(ran, "'person' of the primary is locked by " + named(vendor));
    CHECK(ran.err.find("schema") == std::string::npos);
    vendor.run("ROLLBACK");
  }
  SUBCASE("in the secondary, of a row") {
    pairing.other.run("SET application_name = 'clerk'");
    pairing.hold_row();
    pairing.check_untouched(pairing.run({"sync"}), "for too long, by " + named(pairing.other));
    pairing.other.run("ROLLBACK");
  }
  SUBCASE("in the secondary, of a prepared transaction") {
    pairing.hold_row();
    pairing.other.run("PREPARE TRANSACTION 'left_behind'");
    pairing.check_untouched(pairing.run({"sync"}), "for too long, by a prepared transaction");
    pairing.other.run("ROLLBACK PREPARED 'left_behind'");
  }
  CHECK(pairing.run({"sync"}).exit == 0);
  pairing.check_applied_once();
}

}  // namespace abgleich::test
