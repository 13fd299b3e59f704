#include "db/postgresql/postgresql.hpp"
#include "support/postgres.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

using namespace abgleich;
using namespace abgleich::db;
using abgleich::test::TemporaryDatabase;
using Refusals = std::map<std::int64_t, std::string>;

namespace {

std::unique_ptr<Connection> connect_to(const TemporaryDatabase& database) {
  Endpoint made;
  made.role = Role::secondary;
  made.engine = Engine::postgresql;
  made.url = database.url();
  return postgresql::connect(made, Access::write);
}

void add(Loader& loader, const std::vector<std::string>& row) {
  std::vector<Cell> cells;
  for (const auto& text : row) {
    cells.push_back(text_cell(text));
  }
  loader.add(cells);
}

Loader::Refused into(Refusals& refusals) {
  return [&refusals](std::int64_t row, const std::string& state) {
    CHECK_MESSAGE(refusals.emplace(row, state).second, "a row was refused twice");
  };
}

}  // namespace

TEST_CASE("a loader leaves out exactly the rows that the server would not take") {
  const TemporaryDatabase database;
  database.run(
      "CREATE TABLE t (id int PRIMARY KEY, v varchar(5) NOT NULL, n smallint CHECK (n <> 13));"
      "INSERT INTO t VALUES (500, 'there', 0)");
  const auto connection = connect_to(database);
  connection->execute("BEGIN");
  Refusals refusals;
  const auto loader = connection->load("public.t", {"id", "v", "n"}, into(refusals));
  for (int i = 0; i < 1000; ++i) {
    std::vector<std::string> row{std::to_string(i), "text", "1"};
    if (i == 0 || i == 999) {
      row[1] = "too long";
    } else if (i == 7) {
      row[2] = "13";
    } else if (i == 8) {
      row[2] = "40000";
    } else if (i == 9) {
      row[0] = "8x";
    }
    add(*loader, row);
  }
  loader->flush();
  loader->flush();  // nothing is left to send
  const Refusals expected{{0, "22001"}, {7, "23514"},   {8, "22003"},
                          {9, "22P02"}, {500, "23505"}, {999, "22001"}};
  CHECK(refusals == expected);
  connection->execute("COMMIT");
  CHECK(database.run("SELECT count(*) FROM t") == "995");
  CHECK(database.run("SELECT v FROM t WHERE id = 500") == "there");
}

TEST_CASE("ordinals count over all batches of a loader") {
  const TemporaryDatabase database;
  database.run("CREATE TABLE t (id int, v varchar(5000))");
  const auto connection = connect_to(database);
  connection->execute("BEGIN");
  Refusals refusals;
  const auto loader = connection->load("public.t", {"id", "v"}, into(refusals));
  for (int i = 0; i < 2000; ++i) {  // 10 MB, so several batches
    add(*loader, {i == 1500 ? "x" : std::to_string(i), std::string(5000, 'v')});
  }
  CHECK(refusals.size() == 1);
  add(*loader, {"y", ""});
  loader->flush();
  CHECK(refusals == Refusals{{1500, "22P02"}, {2000, "22P02"}});
  connection->execute("COMMIT");
  CHECK(database.run("SELECT count(*) FROM t") == "1999");
}

TEST_CASE("without a transaction the good rows are loaded all the same") {
  const TemporaryDatabase database;
  database.run("CREATE TABLE t (id int PRIMARY KEY)");
  const auto connection = connect_to(database);
  Refusals refusals;
  const auto loader = connection->load("public.t", {"id"}, into(refusals));
  for (const auto* id : {"1", "2", "2", "3", "x"}) {
    add(*loader, {id});
  }
  loader->flush();
  CHECK(refusals == Refusals{{2, "23505"}, {4, "22P02"}});
  CHECK(database.run("SELECT count(*) FROM t") == "3");
}

TEST_CASE("a bad row does not cost its neighbours their parents") {
  const TemporaryDatabase database;
  database.run("CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t, n int NOT NULL)");
  const auto connection = connect_to(database);
  connection->execute("BEGIN");
  Refusals refusals;
  const auto loader = connection->load("public.t", {"id", "up", "n"}, into(refusals));
  add(*loader, {"1", "4", "0"});  // its parent comes in the other half
  add(*loader, {"2", "1", "0"});
  add(*loader, {"3", "3", "x"});
  add(*loader, {"4", "4", "0"});
  add(*loader, {"5", "99", "0"});
  add(*loader, {"6", "5", "0"});
  loader->flush();
  connection->execute("COMMIT");
  CHECK(refusals == Refusals{{2, "22P02"}, {4, "23503"}, {5, "23503"}});
  CHECK(database.run("SELECT string_agg(id::text, ',' ORDER BY id) FROM t") == "1,2,4");
}

TEST_CASE("without a place for refusals the first bad row is a fault") {
  const TemporaryDatabase database;
  database.run("CREATE TABLE t (id int PRIMARY KEY)");
  const auto connection = connect_to(database);
  const auto loader = connection->load("public.t", {"id"});
  add(*loader, {"1"});
  add(*loader, {"CANARY"});
  try {
    loader->flush();
    FAIL("no fault");
  } catch (const Fault& fault) {
    CHECK(fault.cause() == Fault::Cause::data);
    CHECK(fault.state() == "22P02");
    CHECK(fault.error().code == Code::secondary_refuses);
    CHECK(fault.error().message.find("CANARY") == std::string::npos);
  }
  CHECK(connection->execute("INSERT INTO public.t VALUES (3)") == 1);
}

TEST_CASE("what no row is to blame for is a fault even with a place for refusals") {
  const TemporaryDatabase database;
  const auto connection = connect_to(database);
  Refusals refusals;
  const auto loader = connection->load("public.missing", {"id"}, into(refusals));
  const auto load = [&] {
    add(*loader, {"1"});
    loader->flush();
  };
  CHECK_THROWS_AS(load(), Fault);
  CHECK(refusals.empty());
}

TEST_CASE("a trigger that drops rows without a word is found out") {
  const TemporaryDatabase database;
  database.run(
      "CREATE TABLE t (id int);"
      "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
      "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()");
  const auto connection = connect_to(database);
  const auto loader = connection->load("public.t", {"id"});
  add(*loader, {"1"});
  CHECK_THROWS_AS(loader->flush(), Failure);
}

TEST_CASE("cursors and loaders take turns on one connection") {
  const TemporaryDatabase database;
  database.run(
      "CREATE TABLE from_here (id int); CREATE TABLE to_here (id int);"
      "INSERT INTO from_here SELECT generate_series(1, 10000)");
  const auto connection = connect_to(database);
  connection->execute("BEGIN");
  const auto up = connection->open("SELECT id FROM public.from_here ORDER BY id");
  const auto down = connection->open("SELECT id FROM public.from_here ORDER BY id DESC");
  Refusals refusals;
  const auto loader = connection->load("public.to_here", {"id"}, into(refusals));
  int rows = 0;
  for (auto cells = up->next(); !cells.empty(); cells = up->next()) {
    const auto other = down->next();
    REQUIRE(other.size() == 1);
    const auto sum =
        std::stoi(std::string(cells[0].bytes)) + std::stoi(std::string(other[0].bytes));
    if (sum != 10001) {
      FAIL("the cursors are out of step");
    }
    add(*loader, {++rows == 5000 ? "x" : std::string(cells[0].bytes)});
    if (rows % 1000 == 0) {
      loader->flush();
      connection->execute("UPDATE public.to_here SET id = id");
    }
  }
  CHECK(down->next().empty());
  CHECK(down->next().empty());
  loader->flush();
  connection->execute("COMMIT");
  CHECK(rows == 10000);
  CHECK(refusals == Refusals{{4999, "22P02"}});
  CHECK(database.run("SELECT count(DISTINCT id) FROM to_here") == "9999");
}

TEST_CASE("a cursor hands over NULL, text and bytes, wide rows and none") {
  const TemporaryDatabase database;
  const auto connection = connect_to(database);
  connection->execute("BEGIN");
  const auto cursor = connection->open(
      "SELECT NULL, '\\x00ff'::bytea, repeat('x', 1000000), g FROM generate_series(1, 100) g");
  int rows = 0;
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    ++rows;
    CHECK(cells[0].storage == Cell::Storage::null);
    CHECK(cells[1].storage == Cell::Storage::blob);
    CHECK(cells[1].bytes == std::string_view("\0\xff", 2));
    CHECK(cells[2].bytes.size() == 1000000);
    CHECK(cells[3].bytes == std::to_string(rows));
  }
  CHECK(rows == 100);
  CHECK(connection->open("SELECT 1 WHERE false")->next().empty());
}

TEST_CASE("an abandoned cursor neither stays nor breaks a transaction") {
  const TemporaryDatabase database;
  database.run("CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 5000)");
  const auto connection = connect_to(database);
  connection->execute("BEGIN");
  {
    const auto cursor = connection->open("SELECT id FROM public.t");
    CHECK(cursor->next().size() == 1);
  }
  connection->execute("ALTER TABLE public.t ADD COLUMN x int");  // fails while a cursor is open
  auto survivor = connection->open("SELECT id FROM public.t");
  CHECK(survivor->next().size() == 1);
  connection->execute("ROLLBACK");
  connection->execute("BEGIN");
  survivor.reset();
  CHECK(connection->execute("SELECT 1") == 1);
  connection->execute("COMMIT");
}
