#include "db/engine/tracer.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace abgleich::db {

TEST_CASE("a traced statement is one line without values") {
  CHECK(without_values("SELECT a,\n   b FROM t  WHERE a = $1 ") ==
        "SELECT a, b FROM t WHERE a = $1");
  CHECK(without_values("-- it's 5\nSELECT a -- 6\n FROM t") == "SELECT a FROM t");
  CHECK(without_values("x = 'it''s Müller' AND y = 12") == "x = ? AND y = ?");
  CHECK(without_values("x = E'a\\'b' OR y = x'00ff'") == "x = E? OR y = x?");
  CHECK(without_values("a = 1.5e9 AND b = -3 AND c = 0x1F") == "a = ? AND b = -? AND c = ?");
  CHECK(without_values("SELECT c0, c12 FROM plan_1 LIMIT 5") ==
        "SELECT c0, c12 FROM plan_1 LIMIT ?");
  CHECK(without_values("SELECT $$it's Müller$$, $q$a $$ b$q$") == "SELECT ?, ?");
}

TEST_CASE("names stay as they are in a traced statement") {
  CHECK(without_values(R"(SELECT "it's ""5""", größe FROM "a 1")") ==
        R"(SELECT "it's ""5""", größe FROM "a 1")");
}

TEST_CASE("what is not ended is not shown either") {
  CHECK(without_values("x = 'Müller") == "x = ?");
  CHECK(without_values("x = $q$Müller") == "x = ?");
  CHECK(without_values("x = E'M\\") == "x = E?");
  CHECK(without_values("") == "");
}

TEST_CASE("statements are told of with their rows, and not at all where nobody listens") {
  std::vector<TracedStatement> told;
  Endpoint endpoint;
  CHECK(!Tracer(endpoint).wanted());
  endpoint.role = Role::secondary;
  endpoint.on_statement = [&](const TracedStatement& statement) { told.push_back(statement); };
  const Tracer tracer(endpoint);
  {
    Tracer::Running running(tracer, "SELECT 1");
    running.row();
    running.row();
  }
  REQUIRE(told.size() == 1);
  CHECK(told[0].role == Role::secondary);
  CHECK(told[0].text == "SELECT ?");
  CHECK(told[0].rows == 2);
}

}  // namespace abgleich::db
