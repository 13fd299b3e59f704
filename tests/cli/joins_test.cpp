// Who joins in the primary joins in the secondary, whatever the types of the two columns are; and a
// vendor's change of type changes no pseudonym.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace abgleich::test {

namespace {

const char* const kLimits = "[limits]\nmax_deleted = \"0%\"\nmax_updated = \"0%\"\n";

/// A key and what refers to it, each with a value as SQL writes it.
struct Link {
  std::string parent, parent_value;
  std::string child, child_value;
};

std::string contract_of(const std::vector<Link>& links) {
  std::string text;
  for (std::size_t i = 0; i < links.size(); ++i) {
    const auto n = std::to_string(i);
    text += "[tables.p" + n + "]\nkey = [\"id\"]\n[tables.p" + n +
            ".columns]\nid = { class = \"pseudonym\", identity = \"i" + n + "\" }\n";
    text += "[tables.c" + n + "]\nkey = [\"n\"]\n[tables.c" + n +
            ".columns]\nn = \"plain\"\nref = { class = \"pseudonym\", identity = \"i" + n +
            "\" }\n";
  }
  return text;
}

void expect_joins(On primary, On secondary, const std::vector<Link>& links) {
  Pairing pairing(primary, secondary, contract_of(links));
  pairing.primary.run(primary == On::sqlite ? "PRAGMA foreign_keys = ON"
                                            : "CREATE EXTENSION IF NOT EXISTS citext");
  for (std::size_t i = 0; i < links.size(); ++i) {
    const auto n = std::to_string(i);
    const auto& link = links[i];
    pairing.primary.run("CREATE TABLE p" + n + " (id " + link.parent +
                        " NOT NULL, PRIMARY KEY (id))");
    pairing.primary.run("CREATE TABLE c" + n + " (n integer PRIMARY KEY, ref " + link.child +
                        " REFERENCES p" + n + " (id))");
    pairing.primary.run("INSERT INTO p" + n + " VALUES (" + link.parent_value + ")");
    pairing.primary.run("INSERT INTO c" + n + " VALUES (1, " + link.child_value + ")");
  }
  CHECK(pairing.sync()["exit"] == 0);
  for (std::size_t i = 0; i < links.size(); ++i) {
    const auto n = std::to_string(i);
    CAPTURE(links[i].parent);
    CAPTURE(links[i].child);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM c" + n + " c JOIN p" + n +
                                 " p ON p.id = c.ref") == "1");
  }
  CHECK(pairing.sync()["outcome"] == "unchanged");
  CHECK(pairing.run({"verify", "--exit-code"}).exit == 0);
}

const std::vector<Link> kPostgresql{
    {"numeric(10,2)", "1.00", "integer", "1"},
    {"numeric", "1.0", "numeric", "1.00"},
    {"numeric", "100", "numeric", "100.000"},
    {"numeric(10,2)", "1.5", "numeric(12,4)", "1.5"},
    {"numeric", "7.0", "bigint", "7"},
    {"double precision", "CAST(CAST(0.1 AS real) AS double precision)", "real", "0.1"},
    {"double precision", "10000000", "integer", "10000000"},
    {"double precision", "1.5", "numeric", "1.50"},
    {"real", "0.5", "double precision", "0.5"},
    {"timestamp", "'2020-01-01'", "date", "'2020-01-01'"},
    {"date", "'2020-02-29'", "timestamp", "'2020-02-29 00:00'"},
    {"timestamp", "'0044-03-15 BC'", "date", "'0044-03-15 BC'"},
    {"timestamp(0)", "'2020-01-01 10:00'", "timestamp(6)", "'2020-01-01 10:00'"},
    {"citext", "'Bob'", "citext", "'bOB'"},
    {"citext", "'ÄNNE'", "citext", "'änne'"},
    {"text", "'Bob'", "citext", "'Bob'"},
    {"varchar(9)", "'ab'", "char(5)", "'ab'"},
    {"char(5)", "'ab'", "varchar(9)", "'ab  '"},
    {"char(5)", "'ab'", "char(9)", "'ab'"},
    {"bigint", "42", "smallint", "42"},
    {"uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "uuid",
     "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"},
};

const std::vector<Link> kSqlite{
    {"INTEGER", "1", "TEXT", "'1'"},
    {"INTEGER", "1", "TEXT", "'01'"},
    {"BIGINT", "42", "VARCHAR(9)", "' 42'"},
    {"BIGINT", "42", "INT", "42"},
    {"TEXT", "'1'", "INTEGER", "1"},
    {"TEXT", "'1.0'", "REAL", "1.0"},
    {"BIGINT", "1", "REAL", "1.0"},
    {"NUMERIC", "1.5", "TEXT", "'1.50'"},
    {"DECIMAL(10,2)", "1.00", "INTEGER", "1"},
    {"REAL", "1.0", "INTEGER", "1"},
    {"REAL", "1e20", "TEXT", "'100000000000000000000'"},
    {"TEXT COLLATE NOCASE", "'Bob'", "TEXT", "'bOB'"},
    {"TEXT COLLATE nocase", "'Bob'", "TEXT COLLATE NOCASE", "'BOB'"},
    {"TEXT COLLATE RTRIM", "'ab'", "TEXT", "'ab  '"},
    {"DATE", "'2020-01-01'", "TEXT", "'2020-01-01'"},
};

}  // namespace

TEST_CASE("a foreign key of the primary joins in the secondary whatever the two types are") {
  for (const auto secondary : kEngines) {
    CAPTURE(name_of(secondary));
    expect_joins(On::postgresql, secondary, kPostgresql);
    expect_joins(On::sqlite, secondary, kSqlite);
  }
}

TEST_CASE("a chain of foreign keys takes the form of the key that it ends in") {
  Pairing pairing(On::postgresql, On::postgresql,
                  "[tables.c]\nkey = [\"n\"]\n[tables.c.columns]\nn = \"plain\"\n"
                  "b = { class = \"pseudonym\", identity = \"a\" }\n"
                  "[tables.b]\nkey = [\"id\"]\n[tables.b.columns]\n"
                  "id = { class = \"pseudonym\", identity = \"a\" }\n"
                  "[tables.a]\nkey = [\"id\"]\n[tables.a.columns]\n"
                  "id = { class = \"pseudonym\", identity = \"a\" }\n");
  pairing.primary.run(
      "CREATE TABLE a (id numeric(10,2) PRIMARY KEY);"
      "CREATE TABLE b (id integer PRIMARY KEY REFERENCES a (id));"
      "CREATE TABLE c (n integer PRIMARY KEY, b smallint REFERENCES b (id));"
      "INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (1), (2); INSERT INTO c VALUES (5, 2)");
  CHECK(pairing.sync()["exit"] == 0);
  CHECK(pairing.secondary.rows("SELECT count(*) FROM a JOIN b USING (id)") == "2");
  CHECK(pairing.secondary.rows("SELECT count(*) FROM c JOIN b ON b.id = c.b") == "1");
  CHECK(pairing.secondary.rows("SELECT count(*) FROM pg_constraint WHERE contype = 'f' "
                               "AND connamespace = 'public'::regnamespace") == "2");
}

namespace {

struct Change {
  std::string type, value;     // as it was
  std::string now, now_value;  // the new type, and what the old value is there
};

const char* const kPersonAndVisit =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
    "id = { class = \"pseudonym\", identity = \"person\" }\nname = \"plain\"\n"
    "[tables.visit]\nkey = [\"n\"]\n[tables.visit.columns]\nn = \"plain\"\n"
    "person = { class = \"pseudonym\", identity = \"person\" }\n";

const char* const kPersons = "SELECT * FROM person ORDER BY 1";
const char* const kVisits = "SELECT * FROM visit ORDER BY 1";

}  // namespace

TEST_CASE("a vendor who gives key and foreign key another type changes no pseudonym") {
  const std::string uuid = "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'";
  const std::vector<Change> changes{
      {"text", uuid, "uuid", "CAST(id AS uuid)"},
      {"uuid", uuid, "text", "upper(CAST(id AS text))"},
      {"integer", "42", "bigint", "id"},
      {"integer", "42", "text", "CAST(id AS text)"},
      {"text", "'42'", "integer", "CAST(id AS integer)"},
      {"integer", "42", "numeric(10,2)", "id"},
      {"numeric(10,2)", "42", "integer", "CAST(id AS integer)"},
      {"numeric", "42.50", "numeric(10,4)", "id"},
      {"date", "'2020-01-01'", "timestamp", "id"},
      {"char(9)", "'ab'", "text", "CAST(id AS text)"},
      {"citext", "'Bob'", "text", "CAST(id AS text)"},
  };
  for (const auto& change : changes) {
    CAPTURE(change.type);
    CAPTURE(change.now);
    Pairing pairing(On::postgresql, On::postgresql, kPersonAndVisit, kLimits);
    auto& primary = pairing.primary;
    primary.run("CREATE EXTENSION IF NOT EXISTS citext");
    primary.run("CREATE TABLE person (id " + change.type +
                " PRIMARY KEY, name text);"
                "CREATE TABLE visit (n integer PRIMARY KEY, person " +
                change.type + " CONSTRAINT of_person REFERENCES person (id))");
    primary.run("INSERT INTO person VALUES (" + change.value +
                ", 'Anna'); INSERT INTO visit VALUES (1, " + change.value + ")");
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    CHECK(pairing.sync()["exit"] == 0);
    const auto persons = pairing.secondary.rows(kPersons);
    const auto visits = pairing.secondary.rows(kVisits);
    const auto token = pairing.run({"token", "--identity", "person"}).exit;
    CHECK(token != 70);

    auto visit_value = change.now_value;
    visit_value.replace(visit_value.find("id"), visit_value.find("id") == std::string::npos ? 0 : 2,
                        "person");
    primary.run(
        "ALTER TABLE visit DROP CONSTRAINT of_person;"
        "ALTER TABLE person ALTER id TYPE " +
        change.now + " USING " + change.now_value +
        ";"
        "ALTER TABLE visit ALTER person TYPE " +
        change.now + " USING " + visit_value +
        ";"
        "ALTER TABLE visit ADD CONSTRAINT of_person FOREIGN KEY (person) REFERENCES person");
    const auto drifted = pairing.sync();
    CHECK(drifted["error"].is_null());
    CHECK(pairing.secondary.rows(kPersons) == persons);
    CHECK(pairing.secondary.rows(kVisits) == visits);
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    CHECK(pairing.sync({"--full"})["exit"] == 0);
    CHECK(pairing.secondary.rows(kPersons) == persons);
    CHECK(pairing.run({"verify", "--exit-code"}).exit == 0);

    primary.run("UPDATE person SET name = 'Berta'");
    CHECK(pairing.run({"sync", "--accept-mass-change", "person", "--reason", "one row of one"})
              .exit == 0);
    CHECK(pairing.secondary.rows("SELECT name FROM person") == "Berta");
    CHECK(pairing.secondary.rows("SELECT count(*) FROM visit JOIN person ON id = person") == "1");
  }
}

TEST_CASE("an identity keeps its format in tables that the contract names later") {
  Pairing pairing(On::postgresql, On::postgresql, kPersonAndVisit);
  auto& primary = pairing.primary;
  primary.run(
      "CREATE TABLE person (id text PRIMARY KEY, name text);"
      "INSERT INTO person VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'Anna');"
      "CREATE TABLE visit (n integer PRIMARY KEY, person text REFERENCES person)");
  CHECK(pairing.sync()["exit"] == 0);
  primary.run(
      "DROP TABLE visit; ALTER TABLE person ALTER id TYPE uuid USING CAST(id AS uuid);"
      "CREATE TABLE visit (n integer PRIMARY KEY, person uuid REFERENCES person);"
      "CREATE TABLE test (n integer PRIMARY KEY, person uuid REFERENCES person);"
      "INSERT INTO visit SELECT 1, id FROM person; INSERT INTO test SELECT 2, id FROM person");
  pairing.set_contract(std::string(kPersonAndVisit) +
                       "[tables.test]\nkey = [\"n\"]\n[tables.test.columns]\nn = \"plain\"\n"
                       "person = { class = \"pseudonym\", identity = \"person\" }\n");
  REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
  pairing.accept_more();
  const auto ran = pairing.run({"sync"});
  CHECK_MESSAGE(ran.exit == 0, ran.out, ran.err);
  CHECK(pairing.secondary.rows("SELECT count(*) FROM test JOIN person ON id = person") == "1");
  const auto pseudonym = pairing.secondary.rows("SELECT id FROM person");
  const auto revealed = pairing.run({"reveal", "person", pseudonym, "--reason", "a test"});
  CHECK_MESSAGE(revealed.exit == 0, revealed.err);
}

TEST_CASE("a rotation of the key keeps joins whose two types differ") {
  Pairing pairing(On::postgresql, On::sqlite, kPersonAndVisit);
  pairing.primary.run(
      "CREATE TABLE person (id numeric PRIMARY KEY, name text);"
      "CREATE TABLE visit (n integer PRIMARY KEY, person integer REFERENCES person (id));"
      "INSERT INTO person VALUES (1.0, 'Anna'), (2.00, 'Berta');"
      "INSERT INTO visit VALUES (1, 1), (2, 2)");
  CHECK(pairing.sync()["exit"] == 0);
  REQUIRE(pairing.run({"keys", "rotate"}).exit == 0);
  CHECK(pairing.sync()["exit"] == 0);
  CHECK(pairing.secondary.rows("SELECT count(*) FROM visit JOIN person ON id = person") == "2");
  CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE id LIKE 'p2_%'") == "2");
  CHECK(pairing.run({"verify", "--exit-code"}).exit == 0);
}

}  // namespace abgleich::test
