// Who may create something in the secondary's PostgreSQL gives it a name that the program uses: it
// must not be taken for ours, and nothing of it runs with our rights.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

namespace abgleich::test {

namespace {

const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";
const char* const kPerson =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = \"plain\"\nname = \"plain\"\n";

struct Scene : Pairing {
  explicit Scene(const std::string& secondary_ddl)
      : Pairing(On::sqlite, On::postgresql, kPerson, kLimits) {
    primary.run(
        "CREATE TABLE person (id varchar(40) PRIMARY KEY, name varchar(40));"
        "INSERT INTO person VALUES ('a', 'one'), ('b', 'two')");
    secondary.run(secondary_ddl);
  }

  std::string people() { return secondary.rows("SELECT id, name FROM person ORDER BY id"); }
};

}  // namespace

TEST_CASE("views with the names of our temporary tables forge no rows") {
  Scene scene("CREATE TABLE person (id varchar(40) PRIMARY KEY, name varchar(40))");
  REQUIRE(scene.sync()["exit"] == 0);
  for (const std::string what : {"stage", "plan", "gone", "base", "data", "rekey"}) {
    scene.secondary.run("CREATE VIEW public.abgleich_tmp_" + what +
                        "_1 AS SELECT CAST(1 AS bigint) AS n, 'i' AS action, '11' AS mask, "
                        "CAST('x' AS varchar(40)) AS c0, CAST('FORGED' AS varchar(40)) AS c1, "
                        "CAST('x' AS varchar(40)) AS k0, CAST('' AS bytea) AS cells, '' AS fate, "
                        "'{}' AS key_text, 1 AS in_data, CAST('' AS bytea) AS mark");
  }
  scene.primary.run(
      "UPDATE person SET name = 'new' WHERE id = 'a'; DELETE FROM person WHERE id = 'b';"
      "INSERT INTO person VALUES ('c', 'three')");
  const auto line = scene.sync();
  CHECK_MESSAGE(line["exit"] == 0, line.dump());
  CHECK(scene.people() == "a|new\nc|three");
}

}  // namespace abgleich::test
