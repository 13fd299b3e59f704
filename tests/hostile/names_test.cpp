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

/// What an operator or function of somebody else's does as soon as it is run: it notes for whom.
const char* const kTrap =
    "CREATE TABLE caught (who text, what text); GRANT ALL ON caught TO PUBLIC;"
    "CREATE FUNCTION trap(what text) RETURNS void LANGUAGE plpgsql SECURITY INVOKER AS "
    "$$ BEGIN INSERT INTO public.caught VALUES (current_user, what); END $$;";

std::string operator_on(const std::string& left, const std::string& right,
                        const std::string& symbol, const std::string& really) {
  const auto name = "trap_" + left + "_" + right + "_" + (symbol == "=" ? "eq" : "ne");
  return "CREATE FUNCTION \"" + name + "\"(\"" + left + "\", \"" + right +
         "\") RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM public.trap('" + name +
         "'); RETURN $1::text OPERATOR(pg_catalog." + really + ") $2::text; END $$;" +
         "CREATE OPERATOR public." + symbol + " (LEFTARG = \"" + left + "\", RIGHTARG = \"" +
         right + "\", FUNCTION = \"" + name + "\");";
}

TEST_CASE("operators and functions that somebody made in the data's schema are never run") {
  Scene scene("CREATE TABLE person (id varchar(40) PRIMARY KEY, name varchar(40) UNIQUE)");
  REQUIRE(scene.sync()["exit"] == 0);
  scene.secondary.run(
      std::string(kTrap) + operator_on("varchar", "varchar", "=", "=") +
      operator_on("varchar", "text", "=", "=") + operator_on("text", "varchar", "=", "=") +
      operator_on("varchar", "varchar", "<>", "<>") + operator_on("int8", "int4", "=", "=") +
      "CREATE FUNCTION public.substr(text, bigint, bigint) RETURNS text LANGUAGE "
      "sql AS $$ SELECT pg_catalog.substr($1, $2::int, $3::int) $$;"
      "CREATE FUNCTION public.min(varchar) RETURNS text LANGUAGE sql AS "
      "$$ SELECT 'x' $$");
  SUBCASE("the trap works") {
    // the control: a statement as it was written before, under the path that it had
    scene.secondary.run(
        "SET search_path = pg_catalog, public, pg_temp; "
        "DELETE FROM person t WHERE t.id = CAST('a' AS varchar(40)); "
        "RESET search_path");
    CHECK(scene.secondary.rows("SELECT count(*) > 0 FROM caught") == "t");
  }
  SUBCASE("whatever a run does") {
    scene.primary.run(
        "UPDATE person SET name = 'x' WHERE id = 'a'; DELETE FROM person WHERE id = 'b';"
        "INSERT INTO person VALUES ('c', 'three'), ('d', 'four')");
    REQUIRE(scene.sync()["exit"] == 0);
    // in halves, round in circles, and undone
    scene.secondary.run("INSERT INTO person VALUES ('mine', 'five')");
    scene.primary.run(
        "UPDATE person SET name = CASE id WHEN 'c' THEN 'four' ELSE 'three' END "
        "WHERE id IN ('c', 'd'); INSERT INTO person VALUES ('e', 'five')");
    CHECK(scene.sync()["exit"] == 10);
    scene.primary.run("DELETE FROM person WHERE id = 'e'");
    const auto last = scene.sync();
    CHECK(last["exit"] == 0);
    CHECK(scene.run({"verify"}).exit == 0);
    scene.primary.run("UPDATE person SET name = 'z' WHERE id = 'a'");
    const auto changed = scene.sync();
    CHECK(scene.run({"revert", changed["run"], "--reason", "a test"}).exit == 0);
    CHECK(scene.people() == "a|x\nc|four\nd|three\nmine|five");
    CHECK(scene.secondary.rows("SELECT DISTINCT who, what FROM caught").empty());
  }
}

TEST_CASE("what people's own tables call finds the names that people's own sessions find") {
  Pairing pairing(On::sqlite, On::postgresql,
                  "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = { class = "
                  "\"pseudonym\", identity = \"person\" }\nname = \"plain\"\n",
                  kLimits);
  pairing.primary.run(
      "CREATE TABLE person (id varchar(40) PRIMARY KEY, name varchar(40));"
      "INSERT INTO person VALUES ('a', 'one'), ('b', 'two')");
  // helpers stand in a schema of their own, which the database's path names
  const auto database = pairing.secondary.rows("SELECT current_database()");
  pairing.secondary.run(
      "CREATE SCHEMA helpers; ALTER DATABASE \"" + database +
      "\" SET search_path = \"$user\", public, helpers;"
      "SET search_path = \"$user\", public, helpers;"
      "CREATE FUNCTION helpers.plausible(text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS "
      "$$ BEGIN RETURN deeper($1) <> 'never'; END $$;"
      "CREATE FUNCTION helpers.deeper(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS "
      "$$ BEGIN RETURN lower($1); END $$;"
      "CREATE FUNCTION helpers.initial(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS "
      "$$ BEGIN RETURN left(deeper($1), 1); END $$;"
      "CREATE TABLE person (id text PRIMARY KEY CHECK (plausible(id)), name varchar(40), "
      "short text GENERATED ALWAYS AS (initial(name)) STORED);"
      "CREATE INDEX ON person (initial(id))");
  auto line = pairing.sync();  // a first load
  REQUIRE_MESSAGE(line["exit"] == 0, line.dump());
  pairing.primary.run("UPDATE person SET name = 'Three' WHERE id = 'a'");
  line = pairing.sync();
  CHECK_MESSAGE(line["exit"] == 0, line.dump());
  CHECK(pairing.secondary.rows("SELECT name, short FROM person ORDER BY name") == "Three|t\ntwo|t");
  REQUIRE(pairing.run({"keys", "rotate"}).exit == 0);
  line = pairing.sync();
  CHECK_MESSAGE(line["exit"] == 0, line.dump());
  CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE id LIKE 'p2\\_%'") == "2");
}

TEST_CASE("check names who else may create, and owners and triggers that nobody expects") {
  Scene scene("CREATE TABLE person (id varchar(40) PRIMARY KEY, name varchar(40))");
  REQUIRE(scene.run({"drift", "accept"}).exit == 0);
  auto checked = scene.run({"check"});
  CHECK_MESSAGE(checked.exit == 0, checked.out, checked.err);
  CHECK(checked.out.find("may create in schema") == std::string::npos);
  CHECK(checked.out.find("belongs to") == std::string::npos);
  const auto role = "abgleich_stranger_" + scene.secondary.rows("SELECT pg_backend_pid()");
  scene.secondary.run("CREATE ROLE " + role +
                      "; GRANT CREATE ON SCHEMA public TO PUBLIC;"
                      "GRANT CREATE ON SCHEMA public TO " +
                      role + "; ALTER TABLE person OWNER TO " + role +
                      "; CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS "
                      "$$ BEGIN RETURN NEW; END $$;"
                      "CREATE TRIGGER \"made before\" BEFORE INSERT ON person FOR EACH ROW "
                      "EXECUTE FUNCTION noted()");
  checked = scene.run({"check"});
  CHECK_MESSAGE(checked.exit == 0, checked.out, checked.err);
  CHECK(checked.out.find("PUBLIC may create in schema 'public'") != std::string::npos);
  CHECK(checked.out.find(role + " may create in schema 'public'") != std::string::npos);
  CHECK(checked.out.find("table 'public.person' belongs to '" + role + "'") != std::string::npos);
  CHECK(checked.out.find("table 'public.person' has triggers or rules: made before") !=
        std::string::npos);
  scene.secondary.run("DROP OWNED BY " + role + " CASCADE; DROP ROLE " + role);
}

}  // namespace abgleich::test
