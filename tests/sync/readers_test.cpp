// Several connections that read one table of the primary at once.
#include "core/error.hpp"
#include "db/engine/connection.hpp"
#include "db/primary/source.hpp"
#include "mask/reader.hpp"
#include "support/postgres.hpp"
#include "support/waiting.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace abgleich;
using namespace abgleich::db;
using abgleich::test::PlainConnection;
using abgleich::test::TemporaryDatabase;
using abgleich::test::wait_until;

namespace {

const Fingerprinter kFingerprinter(SipKey{1, 2, 3});

constexpr std::size_t kRows = 123'155;

/// A table of some 20 MB with everything that a heap can have: rows that were updated (and stand
/// elsewhere now), holes, pages without a row, an end that was deleted, values that are kept
/// elsewhere, characters that COPY writes in another way.
void make_table(const TemporaryDatabase& database) {
  PlainConnection connection(database.url());
  connection.run(
      "CREATE TABLE person (id integer PRIMARY KEY, a text, b text) WITH (autovacuum_enabled = "
      "off);"
      "ALTER TABLE person ALTER b SET STORAGE EXTERNAL;"
      "INSERT INTO person SELECT i, 'row ' || i || repeat('x', 60), "
      "CASE WHEN i % 11 = 0 THEN NULL WHEN i % 7 = 0 THEN E'tab\\t, back\\\\slash\\nÜ' ELSE '' END "
      "FROM generate_series(1, 150000) i;"
      "UPDATE person SET b = repeat('toast ', 800) WHERE id % 5000 = 0;"
      "DELETE FROM person WHERE id % 13 = 0 OR id BETWEEN 40000 AND 52000 OR id > 140000;"
      "UPDATE person SET a = 'new' WHERE id % 100 = 0");
  connection.run("VACUUM person");
  connection.run("INSERT INTO person SELECT i, 'late', 'x' FROM generate_series(200000, 205000) i");
}

Endpoint endpoint_of(const std::string& url, int workers) {
  Endpoint endpoint;
  endpoint.engine = Engine::postgresql;
  endpoint.url = url;
  endpoint.schema = "public";
  endpoint.workers = workers;
  return endpoint;
}

struct Seen {
  std::vector<std::string> rows;  // place, fingerprints, and values of those that are not known
  std::int64_t known = 0;

  bool operator==(const Seen&) const = default;
};

/// Reads the table; every third row is known. `during` is called with the number of rows so far.
Seen read(Source& source, const std::function<void(std::size_t)>& during = {},
          const std::string& where = {}) {
  const auto* table =
      source.lock_schema({{.table = "person", .columns = {"id", "a", "b"}}}).find_table("person");
  REQUIRE(table != nullptr);
  std::vector<const CatalogColumn*> columns;
  for (const char* name : {"a", "b", "id"}) {
    columns.push_back(table->find_column(name));
  }
  Seen seen;
  source.read(
      {.table = "person", .columns = columns, .key = {2}, .place = "ctid", .where = where},
      kFingerprinter,
      [&](const RowMark& mark) {
        seen.rows.push_back(std::string(mark.place) + " " + std::to_string(mark.key.low) + " " +
                            std::to_string(mark.row.high));
        if (during) {
          during(seen.rows.size());
        }
        const bool known = seen.rows.size() % 3 == 0;
        seen.known += known ? 1 : 0;
        return known;
      },
      [&](const RawRow& row, const RowMark& mark) {
        CHECK(seen.rows.back().starts_with(mark.place));
        for (const auto& cell : row.cells) {
          const auto& value = mask::Reader::open(cell);
          seen.rows.back() += value.is_null() ? "|NULL" : "|" + value.bytes();
        }
      });
  return seen;
}

std::string connections(const TemporaryDatabase& database) {
  return database.run(
      "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
      "AND application_name = 'abgleich'");
}

}  // namespace

TEST_CASE("readers: rows come in the same order and are the same, however many read") {
  const TemporaryDatabase database;
  make_table(database);
  Source one(endpoint_of(database.url(), 1));
  const auto expected = read(one);
  CHECK(expected.rows.size() == kRows);
  CHECK(connections(database) == "1");
  const std::string few = "a = 'new'";
  const auto expected_few = read(one, {}, few);
  CHECK(expected_few.rows.size() == 1'182);
  for (const int workers : {2, 5, 16}) {
    CAPTURE(workers);
    Source source(endpoint_of(database.url(), workers));
    CHECK(read(source) == expected);
    CHECK(connections(database) == std::to_string(1 + workers));
    CHECK(read(source, {}, few) == expected_few);
    CHECK(source.shortfall().empty());
    source.finish();
    for (int patience = 0; connections(database) != "2" && patience < 5'000; ++patience) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    CHECK(connections(database) == "2");
  }
}

TEST_CASE("readers: all of them see the one snapshot, whatever happens to the table meanwhile") {
  const TemporaryDatabase database;
  make_table(database);
  Source one(endpoint_of(database.url(), 1));
  const auto expected = read(one);
  Source source(endpoint_of(database.url(), 5));
  const auto seen = read(source, [&](std::size_t rows) {
    if (rows == 1) {
      database.run(
          "INSERT INTO person SELECT i, 'grown', '' FROM generate_series(300000, 320000) i;"
          "UPDATE person SET a = 'changed' WHERE id % 20 = 0; DELETE FROM person WHERE id % 3 = 0");
    }
  });
  CHECK(seen == expected);
  CHECK(read(source) == expected);
}

TEST_CASE("readers: one that is lost in the middle ends the reading, and nobody waits for it") {
  const TemporaryDatabase database;
  make_table(database);
  for (const std::string order : {"ASC", "DESC"}) {  // the first connection, the last one
    CAPTURE(order);
    Source source(endpoint_of(database.url(), 3));
    std::size_t rows = 0;
    try {
      read(source, [&](std::size_t seen) {
        rows = seen;
        if (seen == 1) {
          database.run(
              "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = "
              "current_database() AND application_name = 'abgleich' ORDER BY backend_start " +
              order + " LIMIT 1");
        }
      });
      FAIL("a reader was lost, and all rows came");
    } catch (const Fault& fault) {
      CHECK(fault.cause() == Fault::Cause::unreachable);
      CHECK(fault.error().code == Code::try_again);
    }
    CHECK(rows > 0);
    CHECK(rows < kRows);
  }
}

TEST_CASE("readers: whoever takes the rows may give up, and the snapshot goes on") {
  const TemporaryDatabase database;
  make_table(database);
  for (const int workers : {1, 2, 5}) {
    CAPTURE(workers);
    Source source(endpoint_of(database.url(), workers));
    const auto expected = read(source);
    for (const std::size_t until : {1U, 30'000U}) {
      CHECK_THROWS_WITH(read(source,
                             [&](std::size_t rows) {
                               if (rows == until) {
                                 throw std::runtime_error("enough");
                               }
                             }),
                        "enough");
      CHECK(source.count_rows("person") == std::int64_t{kRows});
      CHECK(read(source) == expected);
    }
  }
}

TEST_CASE("readers: where the server does not let more in, fewer read, and it is said") {
  const TemporaryDatabase database;
  make_table(database);
  const auto role = database.name() + "_few";
  database.run("CREATE ROLE " + role + " LOGIN CONNECTION LIMIT 2; GRANT SELECT ON person TO " +
               role);
  {
    Source one(endpoint_of(database.url(), 1));
    Source source(endpoint_of(database.url_as(role), 5));
    CHECK(read(source) == read(one));
    CHECK(source.shortfall() ==
          "2 of 5 connections read the primary: the server does not let more in (SQLSTATE 53300)");
  }
  database.run("ALTER ROLE " + role + " CONNECTION LIMIT 1");
  {
    Source one(endpoint_of(database.url(), 1));
    Source source(endpoint_of(database.url_as(role), 5));
    CHECK(read(source) == read(one));
    CHECK(source.shortfall().starts_with("1 of 5 connections read the primary"));
  }
  database.run("DROP OWNED BY " + role + "; DROP ROLE " + role);
}

TEST_CASE("readers: a role that may not export a snapshot reads with one connection") {
  const TemporaryDatabase database;
  make_table(database);
  const auto role = database.name() + "_alone";
  database.run("CREATE ROLE " + role + " LOGIN; GRANT SELECT ON person TO " + role +
               "; REVOKE EXECUTE ON FUNCTION pg_export_snapshot() FROM public");
  {
    Source source(endpoint_of(database.url_as(role), 2));
    CHECK(read(source).rows.size() == kRows);
    CHECK(source.shortfall() ==
          "one connection reads the primary: this role may not export a snapshot");
  }
  database.run("DROP OWNED BY " + role + "; DROP ROLE " + role);
}

TEST_CASE("readers: nobody who waits for the table is waited for") {
  const TemporaryDatabase database;
  make_table(database);
  Source source(endpoint_of(database.url(), 3));
  source.lock_schema({{.table = "person", .columns = {"id", "a", "b"}}});
  std::jthread vendor([&] { database.run("ALTER TABLE person ADD c integer"); });
  wait_until("the vendor waits for the table", [&] {
    return database.run(
               "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = "
               "'person'::regclass") != "0";
  });
  const auto* table = source.catalog().find_table("person");
  std::size_t rows = 0;
  const auto began = std::chrono::steady_clock::now();
  source.read({.table = "person",
               .columns = {table->find_column("id"), table->find_column("a")},
               .key = {0},
               .place = {},
               .where = {}},
              kFingerprinter,
              [&](const RowMark&) {
                ++rows;
                return true;
              },
              {});
  CHECK(rows == kRows);
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(30));
  source.finish();  // lets the vendor go on
}

TEST_CASE("readers: small tables, views and what has children are read by one connection") {
  const TemporaryDatabase database;
  const auto reads_alone = [&] {
    Source source(endpoint_of(database.url(), 4));
    CHECK(!read(source).rows.empty());
    CHECK(connections(database) == "1");
    CHECK(source.shortfall().empty());
  };
  SUBCASE("small") {
    database.run(
        "CREATE TABLE person AS SELECT i AS id, 'a' AS a, 'b' AS b FROM generate_series(1, 1000) "
        "i");
    reads_alone();
  }
  SUBCASE("with a child") {
    make_table(database);
    database.run("CREATE TABLE child () INHERITS (person); INSERT INTO child VALUES (1, '', '')");
    reads_alone();
  }
}
