#include "db/table_definition.hpp"

#include <doctest/doctest.h>

namespace abgleich::db {

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

}  // namespace abgleich::db
