#include "db/postgresql/postgresql.hpp"
#include "support/postgres.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace abgleich;
using namespace abgleich::db;
using abgleich::test::TemporaryDatabase;

namespace {

std::unique_ptr<Connection> connect_to(const TemporaryDatabase& database) {
  Endpoint made;
  made.role = Role::secondary;
  made.engine = Engine::postgresql;
  made.url = database.url();
  return postgresql::connect(made, Access::write);
}

std::string count(Connection& connection, const std::string& table) {
  std::string rows;
  connection.query("SELECT count(*) FROM public." + table, {},
                   [&](std::span<const Cell> row) { rows = std::string(row[0].bytes); });
  return rows;
}

}  // namespace

TEST_CASE("fillers: every type arrives as it would as text, in binary or not") {
  const TemporaryDatabase database;
  const std::string columns =
      "(a text, b varchar(9), c bytea, d boolean, e smallint, f integer, g bigint, h uuid";
  database.run("CREATE TABLE binary_one " + columns + "); CREATE TABLE text_one " + columns +
               ", i date); CREATE TABLE expected " + columns +
               "); INSERT INTO expected VALUES ('tab\t\\ Ü', 'nine chrs', '\\x00ff5c0a', true, "
               "-32768, 2147483647, -9223372036854775808, '00010203-0405-0607-0809-0a0b0c0d0e0f'), "
               "('', '', '', false, 0, 0, 0, 'ffffffff-ffff-ffff-ffff-ffffffffffff'), "
               "(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)");
  const auto connection = connect_to(database);
  connection->execute("BEGIN");
  std::vector<std::string> names{"a", "b", "c", "d", "e", "f", "g", "h"};
  const auto binary = connection->fill("public.binary_one", names);
  names.emplace_back("i");
  const auto text = connection->fill("public.text_one", names);
  const std::string zero("\0\377\\\n", 4);
  std::vector<std::vector<Cell>> rows{
      {text_cell("tab\t\\ Ü"), text_cell("nine chrs"), Cell{Cell::Storage::blob, zero},
       text_cell("t"), text_cell("-32768"), text_cell("2147483647"),
       text_cell("-9223372036854775808"), text_cell("00010203-0405-0607-0809-0a0b0c0d0e0f")},
      {text_cell(""), text_cell(""), Cell{Cell::Storage::blob, ""}, text_cell("f"), text_cell("0"),
       text_cell("0"), text_cell("0"), text_cell("ffffffff-ffff-ffff-ffff-ffffffffffff")},
      std::vector<Cell>(8)};
  for (auto& row : rows) {
    binary->add(row);
    row.push_back(text_cell("2020-02-29"));
    text->add(row);
  }
  binary->flush();
  text->flush();
  connection->execute("COMMIT");
  const std::string same =
      "SELECT count(*) FROM expected x JOIN #one y ON to_jsonb(x) = to_jsonb(y) - 'i'";
  CHECK(database.run(std::string(same).replace(same.find('#'), 1, "binary_")) == "3");
  CHECK(database.run(std::string(same).replace(same.find('#'), 1, "text_")) == "3");
}

TEST_CASE("fillers: what goes in binary is what the server reads from the text") {
  const std::vector<std::pair<std::string, std::vector<std::string>>> types{
      {"numeric",
       {"0", "-0.00", "1", "10", "9999", "10000", "100000000", "-12345678.9", "0.1", "0.0001",
        "0.00001", "1.2300", "99999999999999999999999999999999.999999999999999999999", "NaN",
        "Infinity", "0.50000000", "123456789012345678901234567890", "-0.000000000000000000000001"}},
      {"numeric(6, 2)", {"1", "-1.255", "9999.99", "0.004"}},
      {"date",
       {"2000-01-01", "1999-12-31", "0001-01-01", "9999-12-31", "1900-02-28", "2020-02-29",
        "0044-03-15 BC", "infinity", "-infinity", "294276-12-31"}},
      {"timestamp",
       {"2000-01-01 00:00:00", "1999-12-31 23:59:59.999999", "0001-01-01 00:00:00",
        "9999-12-31 23:59:59.5", "2020-02-29 12:34:56.000001", "infinity",
        "0044-03-15 01:02:03 BC"}},
      {"timestamp(0)", {"2000-01-01 00:00:00.5", "2020-02-29 23:59:59.4"}},
      {"timestamptz",
       {"2000-01-01 00:00:00+00", "1999-12-31 23:59:59.999999+00", "2020-03-29 01:30:00+00",
        "-infinity", "2020-03-29 01:30:00+05:45"}},
      {"double precision",
       {"0", "-0", "0.1", "1e-307", "1.7976931348623157e+308", "5e-324", "-1.5", "NaN", "Infinity",
        "123456789.12345679"}},
      {"real", {"0.1", "3.4028235e+38", "1e-45", "-2.5", "16777217"}},
      {"json", {R"({"b": 1,  "a": [null]})", "1"}},
      {"jsonb", {R"({"b": 1,  "a": [null]})", "\"Ü\""}},
      {"char(5)", {"ab", "abcde", ""}},
  };
  for (const auto& [type, values] : types) {
    CAPTURE(type);
    const TemporaryDatabase database;
    database.run("CREATE TABLE t (n integer, v " + type + ", x text)");
    const auto connection = connect_to(database);
    connection->execute("BEGIN");
    {
      const auto filler = connection->fill("public.t", {"n", "v", "x"});
      for (std::size_t i = 0; i < values.size(); ++i) {
        const auto n = std::to_string(i);
        filler->add(std::vector<Cell>{text_cell(n), text_cell(values[i]), text_cell(values[i])});
      }
      filler->flush();
    }
    connection->execute("COMMIT");
    CHECK(database.run("SELECT count(*) FROM t") == std::to_string(values.size()));
    CHECK(database.run("SELECT string_agg(x, ' ') FROM t WHERE CAST(CAST(x AS " + type +
                       ") AS text) IS DISTINCT FROM CAST(v AS text)") == "");
  }
}

TEST_CASE("fillers: two tables take turns on one connection, and statements see what was sent") {
  const TemporaryDatabase database;
  database.run(
      "CREATE TABLE a (id integer, v text); CREATE TABLE b (id integer, v text, n numeric)");
  const auto connection = connect_to(database);
  connection->execute("BEGIN");
  {
    const auto a = connection->fill("public.a", {"id", "v"});
    const auto b = connection->fill("public.b", {"id", "v", "n"});
    const std::string wide(300, 'x');
    for (int i = 0; i < 20'000; ++i) {
      const auto id = std::to_string(i);
      a->add(std::vector<Cell>{text_cell(id), text_cell(wide)});
      b->add(std::vector<Cell>{text_cell(id), text_cell(wide), text_cell("1.5")});
      if (i == 10'000) {
        CHECK(count(*connection, "a") != "0");
        a->flush();
        CHECK(count(*connection, "a") == "10001");
      }
    }
    a->flush();
    b->flush();
  }
  connection->execute("COMMIT");
  CHECK(database.run("SELECT count(DISTINCT id) FROM a") == "20000");
  CHECK(database.run("SELECT sum(n) FROM b") == "30000.0");
}

TEST_CASE("fillers: a row that is refused is told of in the end, and the savepoint still stands") {
  const TemporaryDatabase database;
  database.run("CREATE TABLE t (id integer CHECK (id <> 7), v text)");
  const auto connection = connect_to(database);
  connection->execute("BEGIN");
  connection->execute("SAVEPOINT before");
  for (const std::string bad : {"7", "x"}) {
    const std::string wide(2000, 'x');
    const auto fill = [&] {
      const auto filler = connection->fill("public.t", {"id", "v"});
      for (int i = 0; i < 3000; ++i) {
        const auto id = i == 5 ? bad : std::to_string(100 + i);
        filler->add(std::vector<Cell>{text_cell(id), text_cell(wide)});
      }
      filler->flush();
    };
    try {
      fill();
      FAIL("the row was taken");
    } catch (const Fault& fault) {
      CHECK((fault.cause() == Fault::Cause::constraint || fault.cause() == Fault::Cause::data));
      CHECK(fault.error().message.find("xx") == std::string::npos);
    }
    connection->execute("ROLLBACK TO SAVEPOINT before");
    CHECK(count(*connection, "t") == "0");
  }
  {
    const auto filler = connection->fill("public.t", {"id", "v"});
    filler->add(std::vector<Cell>{text_cell("7"), text_cell("never sent")});
  }
  CHECK(count(*connection, "t") == "0");
  connection->execute("COMMIT");
}

TEST_CASE("fillers: a server that ends is told of, and nobody waits for it") {
  const TemporaryDatabase database;
  database.run("CREATE TABLE t (v text)");
  const auto connection = connect_to(database);
  connection->execute("BEGIN");
  const auto filler = connection->fill("public.t", {"v"});
  const std::string wide(5000, 'x');
  const auto fill = [&] {
    for (int i = 0; i < 5000; ++i) {
      if (i == 500) {
        database.run(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = "
            "current_database() AND application_name = 'abgleich'");
      }
      filler->add(std::vector<Cell>{text_cell(wide)});
    }
    filler->flush();
  };
  CHECK_THROWS_AS(fill(), Fault);
}
