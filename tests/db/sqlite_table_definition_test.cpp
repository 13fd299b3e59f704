#include "db/sqlite/table_definition.hpp"

#include <doctest/doctest.h>

namespace abgleich::db::sqlite {

namespace {

const CatalogForeignKey kVisit{
    .columns = {"person"}, .table = "person", .referenced = {"id"}, .deferrable = true};

std::string key(std::string_view columns, std::string_view parent, std::string_view rest) {
  return std::string("FOREIGN KEY (") + std::string(columns) + ") REFERENCES " +
         std::string(parent) + std::string(rest);
}

}  // namespace

TEST_CASE("a foreign key of ours leaves a table's definition, and all the rest stays to the byte") {
  const auto ours = key("\"person\"", "\"person\" (\"id\")", " DEFERRABLE INITIALLY IMMEDIATE");
  const std::string before =
      "CREATE TABLE \"visit\" (\"id\" INTEGER PRIMARY KEY AUTOINCREMENT, -- , FOREIGN KEY (\n"
      " [odd , name] text DEFAULT '),(' CHECK (length(\"odd , name\") > 0), person integer";
  CHECK(without_foreign_key(before + ", " + ours + ") STRICT", kVisit) == before + ") STRICT");
  CHECK(without_foreign_key(before + "\n,\n" + ours + ", UNIQUE (person))", kVisit) ==
        before + "\n, UNIQUE (person))");
}

TEST_CASE("a primary key that was outgrown becomes unique, and may be NULL") {
  const CatalogKey key{.name = "", .columns = {"id"}};
  CHECK(with_unique_for_primary_key(
            "CREATE TABLE \"person\" (\"id\" TEXT NOT NULL, \"NULL\" TEXT NOT NULL, PRIMARY KEY "
            "(\"id\"), UNIQUE (\"NULL\"), code TEXT)",
            key) ==
        "CREATE TABLE \"person\" (\"id\" TEXT, \"NULL\" TEXT NOT NULL, UNIQUE (\"id\"), UNIQUE "
        "(\"NULL\"), code TEXT)");
  const CatalogKey both{.name = "", .columns = {"a", "b"}};
  CHECK(with_unique_for_primary_key(
            "CREATE TABLE p (a TEXT NOT NULL, b INT NOT NULL, PRIMARY KEY (a, b)) STRICT", both) ==
        "CREATE TABLE p (a TEXT, b INT, UNIQUE (a, b)) STRICT");
  // by which the rows lie, of other columns, or as people write it
  CHECK_FALSE(with_unique_for_primary_key(
      "CREATE TABLE p (id TEXT NOT NULL, PRIMARY KEY (id)) WITHOUT ROWID", key));
  CHECK_FALSE(with_unique_for_primary_key("CREATE TABLE p (a TEXT, PRIMARY KEY (a))", key));
  CHECK_FALSE(with_unique_for_primary_key("CREATE TABLE p (id TEXT PRIMARY KEY)", key));
}

TEST_CASE("a foreign key that people wrote stays, however alike it is") {
  const std::string head = "CREATE TABLE visit (id integer, person integer, ";
  for (const auto& people : {
           key("person", "person (id)", ")"),
           key("person", "person (id)", " DEFERRABLE INITIALLY DEFERRED)"),
           key("person", "person (id)", " ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE)"),
           "CONSTRAINT mine " + key("person", "person (id)", " DEFERRABLE INITIALLY IMMEDIATE)"),
           key("id", "person (id)", " DEFERRABLE INITIALLY IMMEDIATE)"),
           key("person", "place (id)", " DEFERRABLE INITIALLY IMMEDIATE)"),
           key("person", "person (code)", " DEFERRABLE INITIALLY IMMEDIATE)"),
       }) {
    CAPTURE(people);
    CHECK_FALSE(without_foreign_key(head + people, kVisit));
  }
  CHECK_FALSE(without_foreign_key("CREATE TABLE visit (id integer", kVisit));
}

TEST_CASE("a clause is put behind all others, past comments and parentheses in text") {
  CHECK(
      with_clause("CREATE TABLE t(a text DEFAULT ')', b -- last)\n) WITHOUT ROWID", "CHECK (1)") ==
      "CREATE TABLE t(a text DEFAULT ')', b -- last)\n, CHECK (1)) WITHOUT ROWID");
  CHECK_FALSE(with_clause("CREATE TABLE t AS SELECT 1", "CHECK (1)"));
}

}  // namespace abgleich::db::sqlite
