#include "db/engine/engine.hpp"

#include "db/primary/readers.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace abgleich::db {

TEST_CASE(
    "every engine of the list is in the registry, with a dialect and bookkeeping of its own") {
  for (const auto& engine : engines()) {
    CAPTURE(engine.name);
    const auto& found = backend(engine.engine);
    CHECK(found.dialect().engine() == engine.engine);
    CHECK(&found.dialect() == &dialect(engine.engine));
    CHECK(&found.dialect().traits() == &engine);
    const auto head = "CREATE TABLE " + found.dialect().own_name(kUsualBooks, "head");
    CHECK(found.books_ddl().find(head) != std::string_view::npos);
    CHECK(found.watch() != nullptr);
  }
}

TEST_CASE("an engine knows what a row was refused for by its own states, and nothing of others'") {
  const auto& server = backend(Engine::postgresql);
  const auto& file = backend(Engine::sqlite);
  CHECK(server.broken_by("23505") == "unique");
  CHECK(server.broken_by("P0001") == "trigger");
  CHECK(server.broken_by("SQLITE_CONSTRAINT_UNIQUE").empty());
  CHECK(file.broken_by("SQLITE_CONSTRAINT_UNIQUE") == "unique");
  CHECK(file.broken_by("SQLITE_CONSTRAINT_TRIGGER") == "trigger");
  CHECK(file.broken_by("23505").empty());
}

TEST_CASE(
    "updates by another table, and rows that take another's place, are guarded where needed") {
  const JoinedUpdate update{.table = "data",
                            .alias = "t",
                            .set = "a = p.c0",
                            .from = "plan p",
                            .where = "p.n = t.n",
                            .of_people = true};
  CHECK(dialect(Engine::postgresql).update_from(update) ==
        "UPDATE data AS t SET a = p.c0 FROM plan p WHERE p.n = t.n");
  CHECK(dialect(Engine::sqlite).update_from(update) ==
        "UPDATE OR ABORT data AS t SET a = p.c0 FROM plan p WHERE p.n = t.n");
  auto ours = update;
  ours.of_people = false;
  CHECK(dialect(Engine::sqlite).update_from(ours) ==
        "UPDATE data AS t SET a = p.c0 FROM plan p WHERE p.n = t.n");
  for (const auto& engine : engines()) {
    CAPTURE(engine.name);
    CHECK(dialect(engine.engine)
              .upsert({.table = "seal",
                       .columns = {"what", "n", "rows", "sum"},
                       .key = 2,
                       .values = "$1, 4, 7, $2"}) ==
          "INSERT INTO seal (what, n, rows, sum) VALUES ($1, 4, 7, $2) ON CONFLICT (what, n) "
          "DO UPDATE SET rows = excluded.rows, sum = excluded.sum");
  }
}

TEST_CASE("numbers of rows, bytes and casts are written as each engine has them") {
  const std::vector<std::int64_t> some{3, 5};
  const auto& server = dialect(Engine::postgresql);
  const auto& file = dialect(Engine::sqlite);
  CHECK(server.between("p.n", 1, 9) ==
        "p.n OPERATOR(pg_catalog.>=) 1 AND p.n OPERATOR(pg_catalog.<=) 9");
  CHECK(file.between("p.n", 1, 9) == "p.n BETWEEN 1 AND 9");
  CHECK(server.among("n", some) == "n OPERATOR(pg_catalog.=) ANY (CAST('{3,5}' AS bigint[]))");
  CHECK(file.among("n", some) == "n IN (3, 5)");
  CHECK(server.blob_literal("r\xff") == "CAST('\\x72ff' AS bytea)");
  CHECK(file.blob_literal("r\xff") == "X'72ff'");
  CHECK(server.cast("$1", "uuid") == "CAST($1 AS uuid)");
  CHECK(file.cast("$1", "uuid") == "$1");
  CHECK(server.analyze("t", "a, b") == "ANALYZE t (a, b)");
  CHECK(file.analyze("t", "a, b").empty());
}

}  // namespace abgleich::db
