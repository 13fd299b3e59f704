#include "db/secondary/rekey_statements.hpp"

#include <doctest/doctest.h>

namespace abgleich::db {
namespace {

Relation person() {
  Relation relation;
  relation.name = "person";
  relation.id = 3;
  for (const auto* name : {"no\"te", "id", "n"}) {
    RelationColumn column{.source = name, .name = name};
    column.stored.native = "text";
    relation.columns.push_back(column);
  }
  relation.columns[2].stored.native = "bigint";
  relation.columns[2].stored.family = Family::integer;
  relation.key = {1, 2};
  relation.foreign_keys = {{.columns = {1, 2}, .table = "other", .referenced = {"a", "b"}}};
  return relation;
}

TEST_CASE("integers go aside and come home, text goes straight, for all tables at once") {
  const auto relation = person();
  const std::vector<RekeyWork> work{{.relation = &relation,
                                     .data = "\"s\".\"person\"",
                                     .base = "b",
                                     .columns = {0, 1, 2},
                                     .integers = {2}}};
  const auto& postgresql = dialect(Engine::postgresql);
  CHECK(
      rekey_data(postgresql, work, RekeyStep::aside).statements ==
      std::vector<std::string>{
          "WITH u0 AS (UPDATE \"s\".\"person\" AS t SET \"no\"\"te\" = r.c0, \"id\" = r.c1, \"n\" "
          "= CASE WHEN r.c2 OPERATOR(pg_catalog.>=) 0 THEN -1 OPERATOR(pg_catalog.-) r.c2 ELSE "
          "r.c2 "
          "END FROM pg_temp.abgleich_tmp_rekey_3 r WHERE r.in_data OPERATOR(pg_catalog.=) 1 AND "
          "r.k1 OPERATOR(pg_catalog.=) t.\"id\" AND r.k2 OPERATOR(pg_catalog.=) t.\"n\" RETURNING "
          "1) SELECT (SELECT pg_catalog.count(*) FROM u0)"});
  CHECK(rekey_data(postgresql, work, RekeyStep::home).statements ==
        std::vector<std::string>{
            "WITH u0 AS (UPDATE \"s\".\"person\" AS t SET \"n\" = r.c2 FROM "
            "pg_temp.abgleich_tmp_rekey_3 r "
            "WHERE r.in_data OPERATOR(pg_catalog.=) 1 AND r.c1 OPERATOR(pg_catalog.=) t.\"id\" AND "
            "CASE WHEN r.c2 OPERATOR(pg_catalog.>=) 0 THEN -1 OPERATOR(pg_catalog.-) r.c2 ELSE "
            "r.c2 END OPERATOR(pg_catalog.=) t.\"n\" RETURNING 1) SELECT (SELECT "
            "pg_catalog.count(*) FROM u0)"});
  CHECK(rekey_data(postgresql, work, RekeyStep::home).counted);
  const auto sqlite = rekey_data(dialect(Engine::sqlite), work, RekeyStep::aside);
  REQUIRE(sqlite.statements.size() == 1);
  CHECK_FALSE(sqlite.counted);
  CHECK(sqlite.statements[0].starts_with("UPDATE OR ABORT \"s\".\"person\" AS t SET "));
}

TEST_CASE("SQLite does the children first, and nothing is done for tables without pseudonyms") {
  const auto parent = person();
  auto child = person();
  child.id = 4;
  const std::vector<RekeyWork> work{
      {.relation = &parent, .data = "parent", .base = "b", .columns = {0}, .integers = {}},
      {.relation = &child, .data = "child", .base = "b", .columns = {0}, .integers = {}},
      {.relation = &child, .data = "plain", .base = "b", .columns = {}, .integers = {}}};
  const auto statements = rekey_data(dialect(Engine::sqlite), work, RekeyStep::aside).statements;
  REQUIRE(statements.size() == 2);
  CHECK(statements[0].starts_with("UPDATE OR ABORT child "));
  CHECK(statements[1].starts_with("UPDATE OR ABORT parent "));
  CHECK(rekey_data(dialect(Engine::sqlite), work, RekeyStep::home).statements.empty());
  CHECK(rekey_data(dialect(Engine::postgresql), work, RekeyStep::home).statements.empty());
}

TEST_CASE("the new base has the new key, by its place in the key") {
  const auto relation = person();
  const RekeyWork work{
      .relation = &relation, .data = "d", .base = "b", .columns = {}, .integers = {}};
  CHECK(clear_base(work) == "DELETE FROM b");
  // in the order of the new keys: the old order would tell which was which
  CHECK(fill_base(dialect(Engine::postgresql), work, relation) ==
        "INSERT INTO b (k0, k1, cells) SELECT c1, c2, cells FROM pg_temp.abgleich_tmp_rekey_3 "
        "WHERE cells IS NOT NULL ORDER BY c1 COLLATE \"C\", c2");
  auto by_another_key = relation;
  by_another_key.key = {0};
  CHECK(fill_base(dialect(Engine::sqlite), work, by_another_key) ==
        "INSERT INTO b (k0, cells) SELECT c0, cells FROM temp.abgleich_tmp_rekey_3 "
        "WHERE cells IS NOT NULL ORDER BY c0 COLLATE BINARY");
  CHECK(rekey_columns(relation) ==
        std::vector<std::string>{"k1", "k2", "c0", "c1", "c2", "in_data", "cells"});
  CHECK(create_rekey(dialect(Engine::postgresql), relation) ==
        "CREATE TEMPORARY TABLE pg_temp.abgleich_tmp_rekey_3 (k1 text, k2 bigint, c0 text, c1 "
        "text, c2 "
        "bigint, in_data integer NOT NULL, cells bytea) ON COMMIT DROP");
}

TEST_CASE("a foreign key has an index for the time of a rotation") {
  const auto relation = person();
  const RekeyWork work{.relation = &relation,
                       .data = "\"s\".\"person\"",
                       .base = "b",
                       .columns = {},
                       .integers = {}};
  const auto& postgresql = dialect(Engine::postgresql);
  CHECK(create_key_index(postgresql, work, 0) ==
        "CREATE INDEX \"abgleich_rekey_3_0\" ON \"s\".\"person\" (\"id\", \"n\")");
  CHECK(drop_key_index(postgresql, "s", work, 0) == "DROP INDEX \"s\".\"abgleich_rekey_3_0\"");
}

}  // namespace
}  // namespace abgleich::db
