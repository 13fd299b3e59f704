#include "core/value.hpp"
#include "support/sqlite_file.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace abgleich;
using db::Cell;
using db::Connection;
using db::Fault;
using db::Session;
using Storage = db::Cell::Storage;

namespace {

/// A database with one table, open for writing.
struct Fixture {
  explicit Fixture(const std::string& sql) {
    test::run_sqlite(file, sql);
    session = test::open_for_writing(file);
  }

  Connection& operator*() const { return *session.connection; }
  Connection* operator->() const { return session.connection.get(); }

  test::TemporaryDirectory directory;
  std::filesystem::path file = directory / "x.db";
  Session session;
};

using Copy = std::pair<Storage, std::string>;

std::vector<std::vector<Copy>> rows_of(Connection& connection, std::string_view sql,
                                       std::span<const Cell> parameters = {}) {
  std::vector<std::vector<Copy>> rows;
  connection.query(sql, parameters, [&](std::span<const Cell> cells) {
    auto& row = rows.emplace_back();
    for (const auto& cell : cells) {
      row.emplace_back(cell.storage, std::string(cell.bytes));
    }
  });
  return rows;
}

std::string only(Connection& connection, std::string_view sql) {
  const auto rows = rows_of(connection, sql);
  REQUIRE(rows.size() == 1);
  return rows[0].at(0).second;
}

template <class Body>
Fault fault_of(const Body& body) {
  try {
    body();
  } catch (const Fault& fault) {
    return fault;
  }
  FAIL("no fault");
  std::abort();
}

const std::vector<Copy>& extremes() {
  using namespace std::string_literals;
  static const std::vector<Copy> kCells{
      {Storage::null, ""},
      {Storage::integer, "0"},
      {Storage::integer, "-1"},
      {Storage::integer, "9223372036854775807"},
      {Storage::integer, "-9223372036854775808"},
      {Storage::integer, "9007199254740993"},
      {Storage::real, "0"},
      {Storage::real, "-0"},
      {Storage::real, "5"},
      {Storage::real, "0.1"},
      {Storage::real, "1.7976931348623157e+308"},
      {Storage::real, "5e-324"},
      {Storage::real, "Infinity"},
      {Storage::real, "-Infinity"},
      {Storage::text, ""},
      {Storage::text, "5"},
      {Storage::text, "a\0b\0"s},
      {Storage::text, "\0"s},
      {Storage::text, "Müller 🦠"},
      {Storage::text, "\xff\xfe invalid"},
      {Storage::text, std::string(100000, 'x')},
      {Storage::blob, ""},
      {Storage::blob, "\0\xff"s},
      {Storage::blob, std::string(100000, '\0')},
  };
  return kCells;
}

}  // namespace

TEST_CASE("every storage class goes in and comes out as it is") {
  const Fixture db("CREATE TABLE t(n INTEGER PRIMARY KEY, a, b)");
  std::int64_t n = 0;
  for (const auto& [storage, bytes] : extremes()) {
    const auto id = std::to_string(++n);
    const Cell cells[] = {{Storage::integer, id}, {storage, bytes}};
    CHECK(db->execute("INSERT INTO t VALUES ($1, $2, NULL)", cells) == 1);
  }
  {
    const auto loader = db->load("t", {"n", "b"});
    for (const auto& [storage, bytes] : extremes()) {
      const auto id = std::to_string(++n);
      const Cell cells[] = {{Storage::integer, id}, {storage, bytes}};
      loader->add(cells);
    }
    loader->flush();
  }
  std::vector<Copy> bound;
  std::vector<Copy> loaded;
  db->read("SELECT a, b, n FROM t ORDER BY n", [&](std::span<const Cell> cells) {
    auto& to = bound.size() < extremes().size() ? bound : loaded;
    const auto& cell = bound.size() < extremes().size() ? cells[0] : cells[1];
    to.emplace_back(cell.storage, std::string(cell.bytes));
  });
  CHECK(bound == extremes());
  CHECK(loaded == extremes());
}

TEST_CASE("a UTF-16 database is read and written as UTF-8") {
  const Fixture db(
      "PRAGMA encoding = 'UTF-16le'; CREATE TABLE \"tä\"(\"spälte\" TEXT, b); "
      "INSERT INTO \"tä\" VALUES ('Grüße 🦠', x'00ff')");
  using namespace std::string_literals;
  const auto text = "ÄÖ\0ß"s;
  const Cell cells[] = {db::text_cell(text)};
  db->execute("INSERT INTO \"tä\"(\"spälte\") VALUES ($1)", cells);
  const auto rows = rows_of(*db, "SELECT \"spälte\", b FROM \"tä\" ORDER BY rowid");
  CHECK(rows[0][0] == Copy{Storage::text, "Grüße 🦠"});
  CHECK(rows[0][1] == Copy{Storage::blob, "\0\xff"s});
  CHECK(rows[1][0] == Copy{Storage::text, text});
  const auto catalog = read_catalog(const_cast<Session&>(db.session));
  REQUIRE(catalog.find_table("tä") != nullptr);
  CHECK(catalog.find_table("tä")->find_column("spälte") != nullptr);
}

TEST_CASE("what UTF-16 cannot keep is refused, and what is malformed in it stays malformed") {
  Fixture db("PRAGMA encoding = 'UTF-16be'; CREATE TABLE t(a TEXT)");
  // every character around the places where UTF-16 and UTF-8 change their form
  std::vector<std::string> kept;
  for (const auto* text :
       {"\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbd", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\xf0\x9f\xbf\xbe",
        "\xef\xbb\xbf"
        "a"}) {
    kept.emplace_back(text);
  }
  for (const auto& text : kept) {
    const Cell cells[] = {db::text_cell(text)};
    db->execute("INSERT INTO t VALUES ($1)", cells);
  }
  std::vector<std::string> read;
  db->read("SELECT a FROM t ORDER BY rowid",
           [&](auto cells) { read.emplace_back(cells[0].bytes); });
  CHECK(read == kept);
  for (const std::string text : {"a\xef\xbf\xbe", "\xef\xbf\xbfz", "\xff", "\xed\xa0\x80"}) {
    const Cell cells[] = {db::text_cell(text)};
    CHECK(fault_of([&] { db->execute("INSERT INTO t VALUES ($1)", cells); }).cause() ==
          Fault::Cause::data);
  }
  // a high surrogate alone, one before a letter, a low one alone
  for (const auto& [hex, utf8] :
       std::vector<std::pair<std::string, std::string>>{{"d83d", "\xed\xa0\xbd"},
                                                        {"d83d0041",
                                                         "\xed\xa0\xbd"
                                                         "A"},
                                                        {"0041de00", "A\xed\xb8\x80"}}) {
    db->execute("DELETE FROM t");
    db->execute("INSERT INTO t VALUES (CAST(x'" + hex + "' AS TEXT))");
    CHECK(only(*db, "SELECT a FROM t") == utf8);
    CHECK_FALSE(is_utf8(utf8));
  }
}

TEST_CASE("execute counts the rows that the statement itself changed") {
  const Fixture db(
      "CREATE TABLE t(a); CREATE TABLE log(a);"
      "CREATE TRIGGER tr AFTER UPDATE ON t BEGIN INSERT INTO log VALUES (1), (2); END;");
  CHECK(db->execute("INSERT INTO t VALUES (1), (2), (3)") == 3);
  CHECK(db->execute("UPDATE t SET a = a + 1") == 3);
  CHECK(db->execute("CREATE TABLE u(a)") == 0);
  CHECK(db->execute("SELECT count(*) FROM t") == 0);
  CHECK(db->execute("DELETE FROM t WHERE a = 99") == 0);
  const Cell one[] = {{Storage::integer, "2"}};
  CHECK(db->execute("DELETE FROM t WHERE a >= $1", one) == 3);
  CHECK(only(*db, "SELECT count(*) FROM log") == "6");
}

TEST_CASE("parameters are numbered and may be used more than once") {
  const Fixture db("CREATE TABLE t(a)");
  const Cell cells[] = {db::text_cell("x"), db::text_cell("y")};
  const auto rows = rows_of(*db, "SELECT $1, $2, $1 || $2", cells);
  CHECK(rows[0] ==
        std::vector<Copy>{{Storage::text, "x"}, {Storage::text, "y"}, {Storage::text, "xy"}});
  const Cell one[] = {db::text_cell("x")};
  CHECK_THROWS_AS(db->execute("INSERT INTO t VALUES ($1 || $2)", one), Failure);
  CHECK_THROWS_AS(rows_of(*db, "SELECT $1, $2, $3", cells), Failure);
  CHECK_THROWS_AS(rows_of(*db, "SELECT 1; SELECT 2"), Failure);
}

TEST_CASE("a cell that SQLite would alter on the way in is a fault") {
  const Fixture db("CREATE TABLE t(a)");
  for (const auto& cell :
       {Cell{Storage::integer, "9223372036854775808"}, Cell{Storage::real, "NaN"},
        Cell{Storage::integer, "five"}, Cell{Storage::real, ""}}) {
    const Cell cells[] = {cell};
    const auto fault = fault_of([&] { db->execute("INSERT INTO t VALUES ($1)", cells); });
    CHECK(fault.cause() == Fault::Cause::data);
  }
  CHECK(only(*db, "SELECT count(*) FROM t") == "0");
}

TEST_CASE("a script runs as a whole and stops at its first error") {
  const Fixture db("CREATE TABLE t(a)");
  db->execute_script("-- a comment\nCREATE TABLE u(a); INSERT INTO u VALUES (';');\n-- end\n");
  CHECK(only(*db, "SELECT a FROM u") == ";");
  const auto fault = fault_of([&] { db->execute_script("CREATE TABLE v(a); nonsense; SELECT 1"); });
  CHECK(fault.state() == "SQLITE_ERROR");
}

TEST_CASE("a fault has its class, names, and never a value") {
  const Fixture db(
      "CREATE TABLE p(id INTEGER PRIMARY KEY); INSERT INTO p VALUES (1);"
      "CREATE TABLE t(a TEXT UNIQUE, b NOT NULL, c CHECK (c <> 'geheim'), "
      "d REFERENCES p(id), PRIMARY KEY (b)); INSERT INTO t VALUES ('geheim', 'geheim', 1, 1);"
      "CREATE TABLE s(a INTEGER) STRICT;"
      "CREATE TRIGGER tr BEFORE UPDATE ON t BEGIN SELECT raise(ABORT, 'geheim'); END;");
  struct Case {
    std::string sql;
    Fault::Cause cause;
    std::string state;
    std::string named;
  };
  const std::vector<Case> cases{
      {"INSERT INTO t VALUES ('geheim', 2, 1, 1)", Fault::Cause::constraint,
       "SQLITE_CONSTRAINT_UNIQUE", "'t.a'"},
      {"INSERT INTO t VALUES (2, 'geheim', 1, 1)", Fault::Cause::constraint,
       "SQLITE_CONSTRAINT_PRIMARYKEY", "'t.b'"},
      {"INSERT INTO p VALUES (1)", Fault::Cause::constraint, "SQLITE_CONSTRAINT_PRIMARYKEY",
       "'p.id'"},
      {"INSERT INTO t VALUES (2, NULL, 1, 1)", Fault::Cause::constraint,
       "SQLITE_CONSTRAINT_NOTNULL", "'t.b'"},
      {"INSERT INTO t VALUES (2, 2, 'geheim', 1)", Fault::Cause::constraint,
       "SQLITE_CONSTRAINT_CHECK", ""},
      {"INSERT INTO t VALUES (2, 2, 2, 'geheim')", Fault::Cause::constraint,
       "SQLITE_CONSTRAINT_FOREIGNKEY", ""},
      {"INSERT INTO s VALUES ('geheim')", Fault::Cause::constraint, "SQLITE_CONSTRAINT_DATATYPE",
       "'s.a'"},
      {"UPDATE t SET a = 'geheim'", Fault::Cause::constraint, "SQLITE_CONSTRAINT_TRIGGER", ""},
      {"INSERT INTO p VALUES ('geheim')", Fault::Cause::data, "SQLITE_MISMATCH", ""},
      {"SELECT * FROM nowhere", Fault::Cause::missing, "SQLITE_ERROR", "'nowhere'"},
      {"SELECT absent FROM t", Fault::Cause::missing, "SQLITE_ERROR", ""},
      {"INSERT INTO t(absent) VALUES ('geheim')", Fault::Cause::missing, "SQLITE_ERROR", ""},
      {"SELECT 'geheim' FROM t WHERE", Fault::Cause::other, "SQLITE_ERROR", ""},
      {"SELECT 'geheim", Fault::Cause::other, "SQLITE_ERROR", ""},
      {"COMMIT", Fault::Cause::other, "SQLITE_ERROR", ""},
  };
  for (const auto& [sql, cause, state, named] : cases) {
    CAPTURE(sql);
    const auto fault = fault_of([&] { db->execute(sql); });
    CHECK(fault.cause() == cause);
    CHECK(fault.state() == state);
    const auto& error = fault.error();
    CAPTURE(error.message);
    CHECK(error.message.find(named) != std::string::npos);
    CHECK(error.message.find("geheim") == std::string::npos);
    CHECK(error.hint.find("geheim") == std::string::npos);
    CHECK(error.message.find(db.file.string()) != std::string::npos);
    CHECK(error.message.find(state) != std::string::npos);
  }
}

TEST_CASE("a constraint that rolls back the whole transaction is no refused row") {
  const Fixture db(
      "CREATE TABLE t(a UNIQUE ON CONFLICT ROLLBACK); INSERT INTO t VALUES (1);"
      "CREATE TABLE u(a); CREATE TRIGGER tr BEFORE INSERT ON u "
      "BEGIN SELECT raise(ROLLBACK, 'no'); END");
  db->execute("BEGIN IMMEDIATE");
  auto fault = fault_of([&] { db->execute("INSERT INTO t VALUES (1)"); });
  CHECK(fault.cause() == Fault::Cause::other);
  CHECK(fault.error().code == Code::secondary_refuses);

  db->execute("BEGIN IMMEDIATE");
  const auto loader = db->load("u", {"a"}, [](auto, const auto&) { FAIL("reported as a row"); });
  const Cell cells[] = {{Storage::integer, "1"}};
  fault = fault_of([&] { loader->add(cells); });
  CHECK(fault.cause() == Fault::Cause::other);
}

TEST_CASE("a loader reports refused rows by ordinal and loads the others") {
  const Fixture db(
      "CREATE TABLE t(a INTEGER PRIMARY KEY, b NOT NULL, c CHECK (c > 0) UNIQUE ON CONFLICT "
      "REPLACE)");
  db->execute("BEGIN IMMEDIATE");
  std::vector<std::pair<std::int64_t, std::string>> refused;
  const auto loader = db->load(
      "t", {"a", "b", "c"},
      [&](std::int64_t row, const std::string& state) { refused.emplace_back(row, state); });
  const auto add = [&](const char* a, const char* b, const char* c) {
    const Cell cells[] = {{Storage::integer, a},
                          b == nullptr ? Cell{} : Cell{Storage::text, b},
                          {Storage::integer, c}};
    loader->add(cells);
  };
  add("1", "x", "1");
  add("1", "y", "2");
  add("2", nullptr, "3");
  add("3", "z", "0");
  add("4", "w", "1");  // would replace row 1, were its constraint obeyed
  add("99999999999999999999", "w", "5");
  add("5", "v", "5");
  loader->flush();
  db->execute("COMMIT");
  CHECK(refused ==
        std::vector<std::pair<std::int64_t, std::string>>{{1, "SQLITE_CONSTRAINT_PRIMARYKEY"},
                                                          {2, "SQLITE_CONSTRAINT_NOTNULL"},
                                                          {3, "SQLITE_CONSTRAINT_CHECK"},
                                                          {4, "SQLITE_CONSTRAINT_UNIQUE"},
                                                          {5, "SQLITE_MISMATCH"}});
  CHECK(only(*db, "SELECT group_concat(a || b) FROM t") == "1x,5v");
}

TEST_CASE("a loader without a listener throws at the first refused row") {
  const Fixture db("CREATE TABLE t(a UNIQUE)");
  const auto loader = db->load("t", {"a"});
  const Cell cells[] = {{Storage::integer, "1"}};
  loader->add(cells);
  const auto fault = fault_of([&] { loader->add(cells); });
  CHECK(fault.state() == "SQLITE_CONSTRAINT_UNIQUE");
  CHECK(only(*db, "SELECT count(*) FROM t") == "1");
  const Cell two[] = {{Storage::integer, "1"}, {Storage::integer, "1"}};
  CHECK_THROWS_AS(loader->add(two), Failure);
}

TEST_CASE("a trigger that drops loaded rows is noticed") {
  const Fixture db(
      "CREATE TABLE t(a); CREATE TRIGGER tr BEFORE INSERT ON t "
      "BEGIN SELECT raise(IGNORE); END");
  const auto loader = db->load("t", {"a"});
  const Cell cells[] = {{Storage::integer, "1"}};
  CHECK_THROWS_AS(loader->add(cells), Failure);
}

TEST_CASE("a hundred thousand rows are loaded, read and followed by cursors at the same time") {
  constexpr int kRows = 100000;
  const Fixture db("CREATE TABLE t(n INTEGER PRIMARY KEY, a TEXT); CREATE TABLE u(n, a)");
  begin_write(const_cast<Session&>(db.session));
  {
    const auto loader = db->load("t", {"n", "a"});
    for (int i = 0; i < kRows; ++i) {
      const auto number = std::to_string(i);
      const Cell cells[] = {{Storage::integer, number}, db::text_cell(number)};
      loader->add(cells);
    }
    loader->flush();
  }
  const auto up = db->open("SELECT n, a FROM t ORDER BY n");
  const auto down = db->open("SELECT n FROM t ORDER BY n DESC");
  const auto loader = db->load("u", {"n", "a"});
  int matched = 0;
  for (int i = 0; i < kRows; ++i) {
    const auto row = up->next();
    const auto other = down->next();
    REQUIRE(row.size() == 2);
    REQUIRE(other.size() == 1);
    matched += row[0].bytes == std::to_string(i) && row[1].bytes == row[0].bytes &&
                       other[0].bytes == std::to_string(kRows - 1 - i)
                   ? 1
                   : 0;
    loader->add(row);
    if (i % 10000 == 0) {
      CHECK(only(*db, "SELECT count(*) FROM u") == std::to_string(i + 1));
    }
  }
  CHECK(matched == kRows);
  CHECK(up->next().empty());
  CHECK(up->next().empty());  // does not begin again
  commit(const_cast<Session&>(db.session));
  int read = 0;
  db->read("SELECT n, a FROM u", [&](auto) { ++read; });
  CHECK(read == kRows);
}

TEST_CASE("a snapshot of a WAL database stays while another connection writes") {
  const test::TemporaryDirectory directory;
  const auto file = directory / "wal.db";
  test::run_sqlite(file, "PRAGMA journal_mode = WAL; CREATE TABLE t(a); INSERT INTO t VALUES (1)");
  auto reading = test::open_for_reading(file);
  auto writing = test::open_for_writing(file);
  begin_snapshot(reading);
  writing.connection->execute("INSERT INTO t VALUES (2)");
  writing.connection->execute("CREATE TABLE later(a)");
  CHECK(only(*reading.connection, "SELECT count(*) FROM t") == "1");
  CHECK(read_catalog(reading).find_table("later") == nullptr);
  rollback(reading);
  begin_snapshot(reading);
  CHECK(only(*reading.connection, "SELECT count(*) FROM t") == "2");
  CHECK(read_catalog(reading).find_table("later") != nullptr);
  rollback(reading);
}

TEST_CASE("a snapshot begins with begin_snapshot, not with the first query") {
  const test::TemporaryDirectory directory;
  const auto file = directory / "wal.db";
  test::run_sqlite(file, "PRAGMA journal_mode = WAL; CREATE TABLE t(a)");
  auto reading = test::open_for_reading(file);
  begin_snapshot(reading);
  test::run_sqlite(file, "INSERT INTO t VALUES (1)");
  CHECK(only(*reading.connection, "SELECT count(*) FROM t") == "0");
}

TEST_CASE("a locked database is unreachable once the time to wait is over") {
  const Fixture db("CREATE TABLE t(a)");
  auto other = test::open_for_writing(db.file);
  begin_write(other);
  db->execute("PRAGMA busy_timeout = 20");
  const auto fault = fault_of([&] { begin_write(const_cast<Session&>(db.session)); });
  CHECK(fault.cause() == Fault::Cause::unreachable);
  CHECK(fault.error().code == Code::try_again);
  CHECK(fault.state() == "SQLITE_BUSY");
  rollback(other);
  begin_write(const_cast<Session&>(db.session));
  commit(const_cast<Session&>(db.session));
}

TEST_CASE("a commit that readers hold up fails without an unknown outcome and can be repeated") {
  Fixture db("PRAGMA journal_mode = DELETE; CREATE TABLE t(a)");
  auto reading = test::open_for_reading(db.file);
  begin_snapshot(reading);
  db->execute("PRAGMA busy_timeout = 20");
  begin_write(db.session);
  db->execute("INSERT INTO t VALUES (1)");
  const auto fault = fault_of([&] { commit(db.session); });
  CHECK(fault.cause() == Fault::Cause::unreachable);
  rollback(reading);
  commit(db.session);
  CHECK(only(*db, "SELECT count(*) FROM t") == "1");
}

TEST_CASE("a write after somebody else's is a lost race, to be retried") {
  Fixture db("PRAGMA journal_mode = WAL; CREATE TABLE t(a)");
  db->execute("BEGIN");
  only(*db, "SELECT count(*) FROM t");
  test::run_sqlite(db.file, "INSERT INTO t VALUES (1)");
  const auto fault = fault_of([&] { db->execute("INSERT INTO t VALUES (2)"); });
  CHECK(fault.cause() == Fault::Cause::serialization);
  CHECK(fault.state() == "SQLITE_BUSY_SNAPSHOT");
}

TEST_CASE("rollback undoes everything and never throws") {
  Fixture db("CREATE TABLE t(a)");
  begin_write(db.session);
  db->execute("INSERT INTO t VALUES (1)");
  db->execute("CREATE TABLE u(a)");
  rollback(db.session);
  rollback(db.session);
  CHECK(only(*db, "SELECT count(*) FROM t") == "0");
  CHECK(only(*db, "SELECT count(*) FROM sqlite_schema") == "1");
}

TEST_CASE("foreign keys are put off and checked when asked") {
  Fixture db("CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(p REFERENCES p(id))");
  begin_write(db.session);
  CHECK(fault_of([&] { db->execute("INSERT INTO c VALUES (1)"); }).state() ==
        "SQLITE_CONSTRAINT_FOREIGNKEY");

  db->defer_constraints();
  db->execute("INSERT INTO c VALUES (1)");
  db->execute("INSERT INTO p VALUES (1)");
  db->check_constraints();
  // from here on at once again
  CHECK_THROWS_AS(db->execute("INSERT INTO c VALUES (2)"), Fault);

  db->execute("SAVEPOINT s");
  db->defer_constraints();
  db->execute("INSERT INTO c VALUES (3)");
  const auto fault = fault_of([&] { db->check_constraints(); });
  CHECK(fault.cause() == Fault::Cause::constraint);
  db->execute("ROLLBACK TO SAVEPOINT s");
  db->execute("RELEASE SAVEPOINT s");
  db->check_constraints();
  CHECK_THROWS_AS(db->execute("INSERT INTO c VALUES (2)"), Fault);
  commit(db.session);
  CHECK(only(*db, "SELECT count(*) FROM c") == "1");
}

TEST_CASE("a commit with a broken deferred key is a constraint fault and leaves nothing") {
  Fixture db("CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(p REFERENCES p(id))");
  begin_write(db.session);
  db->defer_constraints();
  db->execute("INSERT INTO c VALUES (1)");
  CHECK(fault_of([&] { commit(db.session); }).cause() == Fault::Cause::constraint);
  rollback(db.session);
  CHECK(only(*db, "SELECT count(*) FROM c") == "0");
}
