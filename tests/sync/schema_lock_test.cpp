// DDL of the vendor between the reading of the catalogue and the reading of the rows.
#include "db/primary/source.hpp"
#include "mask/reader.hpp"
#include "support/postgres.hpp"
#include "support/sqlite_file.hpp"
#include "support/temporary_directory.hpp"
#include "support/waiting.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace abgleich;
using namespace abgleich::db;
using abgleich::test::PlainConnection;
using abgleich::test::TemporaryDatabase;
using abgleich::test::wait_until;

namespace {

const std::vector<Reading> kPerson{{.table = "person", .columns = {"id", "a", "b"}},
                                   {.table = "absent", .columns = {"id"}}};

Endpoint endpoint_of(const TemporaryDatabase& database) {
  Endpoint endpoint;
  endpoint.engine = Engine::postgresql;
  endpoint.url = database.url();
  endpoint.schema = "public";
  return endpoint;
}

void fill(const TemporaryDatabase& database) {
  database.run(
      "CREATE TABLE person (id integer PRIMARY KEY, a text, b text);"
      "INSERT INTO person VALUES (1, 'a1', 'b1'), (2, 'a2', 'b2')");
}

/// "id|a|b" of every row, by the names that the fenced catalogue has.
std::string rows(Source& source, const Catalog& catalog, const std::string& name = "person") {
  std::string text;
  const auto* table = catalog.find_table(name);
  REQUIRE(table != nullptr);
  std::vector<const CatalogColumn*> columns;
  for (const char* column : {"id", "a", "b"}) {
    columns.push_back(table->find_column(column));
    REQUIRE(columns.back() != nullptr);
  }
  source.read(name, columns, [&](const RawRow& row) {
    for (const auto& cell : row.cells) {
      text += std::string(mask::Reader::open(cell).bytes()) + "|";
    }
    text += " ";
  });
  return text;
}

}  // namespace

TEST_CASE("fence: DDL that was committed behind the snapshot makes a newer snapshot") {
  const TemporaryDatabase database;
  fill(database);
  Source source(endpoint_of(database));
  CHECK(source.catalog().find_table("person")->columns.size() == 3);

  SUBCASE("a column was renamed") {
    database.run("ALTER TABLE person RENAME a TO c");
    const auto& catalog = source.lock_schema(kPerson);
    CHECK(catalog.find_table("person")->find_column("a") == nullptr);
    CHECK(catalog.find_table("person")->find_column("c") != nullptr);
  }
  SUBCASE("two columns have swapped their names") {
    database.run(
        "ALTER TABLE person RENAME a TO t; ALTER TABLE person RENAME b TO a;"
        "ALTER TABLE person RENAME t TO b");
    const auto& catalog = source.lock_schema(kPerson);
    CHECK(catalog.find_table("person")->find_column("a")->identity == 3);
    CHECK(rows(source, catalog) == "1|b1|a1| 2|b2|a2| ");
  }
  SUBCASE("two tables have swapped their names") {
    database.run(
        "CREATE TABLE other (id integer, a text, b text); ALTER TABLE person RENAME TO t;"
        "ALTER TABLE other RENAME TO person");
    CHECK(rows(source, source.lock_schema(kPerson)).empty());
  }
  SUBCASE("a column is of another type, without a rewrite") {
    database.run("ALTER TABLE person ALTER a TYPE varchar");
    CHECK(source.lock_schema(kPerson).find_table("person")->find_column("a")->type.native ==
          "character varying");
  }
  SUBCASE("a table was rewritten: it would look empty") {
    database.run("ALTER TABLE person ADD w text DEFAULT random()::text");
    const auto& catalog = source.lock_schema(kPerson);
    CHECK(catalog.find_table("person")->find_column("w") != nullptr);
    CHECK(rows(source, catalog) == "1|a1|b1| 2|a2|b2| ");
  }
  SUBCASE("a table was emptied and filled again") {
    database.run("TRUNCATE person; INSERT INTO person VALUES (7, 'x', 'y')");
    CHECK(rows(source, source.lock_schema(kPerson)) == "7|x|y| ");
  }
  SUBCASE("a table is gone") {
    database.run("DROP TABLE person");
    CHECK(source.lock_schema(kPerson).find_table("person") == nullptr);
  }
  SUBCASE("other tables and mere rows do not matter: the snapshot stays") {
    database.run(
        "INSERT INTO person VALUES (3, 'a3', 'b3'); CREATE TABLE other (id integer);"
        "ALTER TABLE person ADD CONSTRAINT c CHECK (id > 0)");
    const auto& catalog = source.lock_schema(kPerson);
    CHECK(catalog.find_table("other") == nullptr);
    CHECK(rows(source, catalog) == "1|a1|b1| 2|a2|b2| ");
  }
}

TEST_CASE("fence: behind it no DDL gets through before the snapshot ends") {
  const TemporaryDatabase database;
  fill(database);
  Source source(endpoint_of(database));
  const auto& catalog = source.lock_schema(kPerson);
  std::atomic<bool> changed = false;
  std::thread vendor([&] {
    PlainConnection connection(database.url());
    connection.run(
        "ALTER TABLE person RENAME a TO t; ALTER TABLE person RENAME b TO a;"
        "ALTER TABLE person RENAME t TO b");
    changed = true;
  });
  wait_until("the vendor waits for the table", [&] {
    return changed || database.run(
                          "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = "
                          "'person'::regclass") != "0";
  });
  CHECK_FALSE(changed);
  CHECK(rows(source, catalog) == "1|a1|b1| 2|a2|b2| ");
  source.finish();
  vendor.join();
  CHECK(changed);
}

TEST_CASE("fence: partitions and what is behind a view are held as well") {
  const TemporaryDatabase database;
  database.run(
      "CREATE TABLE log (id integer, a text, b text) PARTITION BY RANGE (id);"
      "CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (10);"
      "INSERT INTO log VALUES (1, 'a1', 'b1'); CREATE TABLE behind (id integer, a text, b text);"
      "INSERT INTO behind VALUES (5, 'a5', 'b5'); CREATE VIEW person AS SELECT * FROM behind");
  const std::vector<Reading> both{{.table = "log", .columns = {"id", "a", "b"}},
                                  {.table = "person", .columns = {"id", "a", "b"}}};
  Source source(endpoint_of(database));
  (void)source.catalog();
  database.run(
      "TRUNCATE log_1; INSERT INTO log VALUES (2, 'a2', 'b2');"
      "TRUNCATE behind; INSERT INTO behind VALUES (6, 'a6', 'b6')");
  const auto& catalog = source.lock_schema(both);
  CHECK(rows(source, catalog, "log") == "2|a2|b2| ");
  CHECK(rows(source, catalog) == "6|a6|b6| ");
  const auto refused = [&](const std::string& ddl) {
    return database.run("SET lock_timeout = '50ms'; DO $$ BEGIN " + ddl +
                        "; EXCEPTION WHEN lock_not_available THEN CREATE TABLE IF NOT EXISTS "
                        "refused (); END $$; SELECT to_regclass('refused')") == "refused";
  };
  CHECK(refused("TRUNCATE log_1"));
  CHECK(refused("ALTER TABLE behind RENAME a TO c"));
}

TEST_CASE("fence: rights on columns are enough, and a right that is lost is no DDL") {
  const TemporaryDatabase database;
  fill(database);
  const auto role = "fence_" + std::to_string(::getpid());
  database.run("CREATE ROLE " + role + " LOGIN; GRANT SELECT (id, a, b) ON person TO " + role);
  auto endpoint = endpoint_of(database);
  endpoint.url = database.url_as(role);
  {
    Source source(endpoint);
    CHECK(rows(source, source.lock_schema(kPerson)) == "1|a1|b1| 2|a2|b2| ");
  }
  {
    Source source(endpoint);
    (void)source.catalog();
    database.run("REVOKE SELECT (a) ON person FROM " + role);
    CHECK_FALSE(source.lock_schema(kPerson).find_table("person")->find_column("a")->readable);
  }
  database.run("DROP OWNED BY " + role + "; DROP ROLE " + role);
}

TEST_CASE("fence: nothing holds the labels of an enumeration, so they are compared at the end") {
  const TemporaryDatabase database;
  database.run(
      "CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TABLE person (id integer, a mood, b text);"
      "INSERT INTO person VALUES (1, 'sad', 'b1')");
  Source source(endpoint_of(database));
  source.lock_schema(kPerson);
  SUBCASE("renamed meanwhile") {
    database.run("ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'");
    try {
      source.finish();
      FAIL("the change went unseen");
    } catch (const Failure& failure) {
      CHECK(failure.error().code == Code::try_again);
    }
  }
  SUBCASE("as they were") {
    source.finish();
  }
}

TEST_CASE("fence: SQLite's read transaction holds schema and rows alike") {
  const test::TemporaryDirectory directory;
  const auto file = directory.path() / "primary.db";
  const auto run = [&](const char* sql, int expected) {
    sqlite3* vendor = nullptr;
    REQUIRE(sqlite3_open(file.c_str(), &vendor) == SQLITE_OK);
    CHECK(sqlite3_exec(vendor, sql, nullptr, nullptr, nullptr) == expected);
    sqlite3_close(vendor);
  };
  for (const char* mode : {"PRAGMA journal_mode = WAL", "PRAGMA journal_mode = DELETE"}) {
    CAPTURE(mode);
    run(mode, SQLITE_OK);
    run("DROP TABLE IF EXISTS person; CREATE TABLE person (id INTEGER PRIMARY KEY, a TEXT, b TEXT);"
        "INSERT INTO person VALUES (1, 'a1', 'b1')",
        SQLITE_OK);
    Source source(test::sqlite_endpoint(file));
    const auto& catalog = source.lock_schema(kPerson);
    // With a write-ahead log the vendor goes on and we do not see it; without one he waits.
    run("ALTER TABLE person RENAME a TO t; ALTER TABLE person RENAME b TO a;"
        "ALTER TABLE person RENAME t TO b",
        std::string(mode).ends_with("WAL") ? SQLITE_OK : SQLITE_BUSY);
    CHECK(rows(source, catalog) == "1|a1|b1| ");
  }
}
