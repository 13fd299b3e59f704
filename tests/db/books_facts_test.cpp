#include "db/bookkeeping/books.hpp"
#include "support/postgres.hpp"
#include "support/sqlite_file.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

namespace abgleich::db {
namespace {

void remember_and_forget(const Endpoint& endpoint) {
  auto session = open(endpoint, Access::write);
  begin_write(session);
  Books books(session);
  books.create();
  books.seal_with({}, "lineage", 1, Books::Forged::refused);
  CHECK(books.facts("format").empty());
  books.put_fact({.kind = "format", .name = "person", .value = "\"text\"", .epoch = 1});
  books.put_fact({.kind = "format", .name = "case\"'", .value = "{}", .epoch = 1});
  books.put_fact({.kind = "other", .name = "person", .value = "1", .epoch = 1});
  books.put_fact({.kind = "format", .name = "person", .value = "\"uuid\"", .epoch = 2});
  const auto facts = books.facts("format");
  REQUIRE(facts.size() == 2);
  CHECK(facts[0].name == "case\"'");
  CHECK(facts[1].value == "\"uuid\"");
  CHECK(facts[1].epoch == 2);
  books.forget_fact("format", "person");
  CHECK_FALSE(books.find_fact("format", "person"));
  CHECK(books.find_fact("other", "person")->value == "1");
  rollback(session);
}

TEST_CASE("a fact is kept by kind and name, the newest stands, and it is forgotten alone") {
  SUBCASE("SQLite") {
    const test::TemporaryDirectory directory;
    const auto file = directory.path() / "secondary.db";
    test::run_sqlite(file, "CREATE TABLE t (a)");
    remember_and_forget(test::sqlite_endpoint(file, Role::secondary));
  }
  SUBCASE("PostgreSQL") {
    const test::TemporaryDatabase database;
    remember_and_forget({.role = Role::secondary,
                         .engine = Engine::postgresql,
                         .url = database.url(),
                         .schema = "public"});
  }
}

}  // namespace
}  // namespace abgleich::db
