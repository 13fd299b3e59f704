// What is no drift, and how a catalogue is read whatever else goes on.
#include "cli/drifting.hpp"
#include "support/server.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <cstdlib>
#include <map>
#include <set>
#include <string>

namespace abgleich::test {

TEST_CASE("drift: a vendor's other tricks block the table, or change nothing") {
  Pairing pairing(On::postgresql, On::postgresql, person("tag = \"plain\"\n"), kLimits);
  pairing.primary.run(
      "CREATE TABLE person (id integer PRIMARY KEY, tag text);"
      "INSERT INTO person VALUES (1, 'a'), (2, 'b')");
  accept(pairing);
  REQUIRE(pairing.sync()["exit"] == 0);
  const auto stands = [&] {
    CHECK(pairing.secondary.rows("SELECT id, tag FROM person ORDER BY id") == "1|a\n2|b");
  };
  // a view in the place of the table, over a table that is renamed; and back
  pairing.primary.run(
      "ALTER TABLE person RENAME TO person_t; CREATE VIEW person AS SELECT id, tag FROM person_t");
  CHECK(pairing.sync()["exit"] == 23);
  stands();
  pairing.primary.run("DROP VIEW person; ALTER TABLE person_t RENAME TO person");
  CHECK(pairing.sync()["outcome"] == "unchanged");
  // another schema
  pairing.primary.run("CREATE SCHEMA other; ALTER TABLE person SET SCHEMA other");
  CHECK(pairing.sync()["exit"] == 23);
  stands();
  pairing.primary.run("ALTER TABLE other.person SET SCHEMA public");
  CHECK(pairing.sync()["outcome"] == "unchanged");
  // a domain over the same type, and a generated column in the place of a written one
  pairing.primary.run("CREATE DOMAIN short AS text; ALTER TABLE person ALTER tag TYPE short");
  CHECK(pairing.sync()["open"]["conflicts"] == 0);
  stands();
  accept(pairing);
  pairing.primary.run(
      "ALTER TABLE person DROP tag; ALTER TABLE person ADD tag text GENERATED ALWAYS AS ('g' || id)"
      " STORED");
  CHECK(pairing.sync()["exit"] == 23);
  stands();
}

TEST_CASE("drift: a dump restored elsewhere has no drift and no false renames") {
  Pairing pairing(On::postgresql, On::sqlite, person("tag = \"plain\"\nsex = \"plain\"\n"),
                  kLimits);
  pairing.primary.run(
      "CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN short AS varchar(9) NOT NULL;"
      "CREATE TABLE person (gone integer, id integer PRIMARY KEY, tag text UNIQUE, sex text);"
      "ALTER TABLE person DROP COLUMN gone; INSERT INTO person VALUES (1, 'x', 'm');"
      "CREATE TABLE visit (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, m mood, s short,"
      " person_id integer REFERENCES person, twice integer GENERATED ALWAYS AS (person_id * 2)"
      " STORED, c text COLLATE \"C\" DEFAULT 'a');"
      "CREATE TABLE log (id integer, at date) PARTITION BY RANGE (at);"
      "CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');"
      "CREATE VIEW v AS SELECT id, tag FROM person");
  accept(pairing);
  REQUIRE(pairing.sync()["exit"] == 0);
  const TemporaryDatabase restored;
  const auto command = "pg_dump '" + pairing.primary.url() + "' | psql -q -v ON_ERROR_STOP=1 '" +
                       restored.url() + "' > /dev/null";
  const char* path = std::getenv("PATH");
  const auto servers = run_program(
      {"/bin/sh", "-c", "ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1 | tr -d '\\n'"});
  const auto dumped = run_program({"/bin/sh", "-c", command}, {},
                                  {"PATH=" + servers.out + ":" + (path == nullptr ? "" : path)});
  REQUIRE_MESSAGE(dumped.exit == 0, dumped.err);
  auto text = read_file(pairing.directory.path() / "abgleich.toml");
  const auto from = pairing.primary.url();
  text.replace(text.find(from), from.size(), restored.url());
  write_file(pairing.directory.path() / "abgleich.toml", text);
  const auto ran = pairing.run({"drift", "--exit-code"});
  CHECK_MESSAGE(ran.exit == 0, ran.out, ran.err);
  CHECK(ran.out == "no drift\n");
  CHECK(pairing.sync()["exit"] == 21);  // which is another question, for a person
  CHECK(pairing.run({"adopt", "--reason", "restored"}).exit == 0);
  CHECK(pairing.sync()["tables"]["person"]["updated"] == 0);
}

TEST_CASE("drift: owner, index, names of constraints, order, comment, statistics: exit 0") {
  Pairing pairing(On::postgresql, On::sqlite, person("tag = \"plain\"\nsex = \"plain\"\n"),
                  kLimits);
  const auto role = "owner_" + std::to_string(::getpid());
  pairing.primary.run(
      "CREATE TABLE person (id integer PRIMARY KEY, tag text, sex text);"
      "CREATE ROLE " +
      role);
  accept(pairing);
  REQUIRE(pairing.sync()["exit"] == 0);
  pairing.primary.run(
      "ALTER TABLE person OWNER TO " + role +
      ";"
      "CREATE INDEX some_index ON person (tag); CREATE INDEX ON person (lower(sex));"
      "ALTER TABLE person RENAME CONSTRAINT person_pkey TO another_name;"
      "COMMENT ON TABLE person IS 'x'; COMMENT ON COLUMN person.tag IS 'y';"
      "ALTER TABLE person ALTER tag SET DEFAULT 'z'; ALTER TABLE person ALTER tag SET STATISTICS 9;"
      "ALTER TABLE person ADD CONSTRAINT c CHECK (id > 0); ANALYZE person; CLUSTER person USING"
      " another_name; ALTER TABLE person SET (fillfactor = 50); GRANT SELECT ON person TO " +
      role);
  const auto ran = pairing.run({"drift", "--exit-code"});
  CHECK_MESSAGE(ran.exit == 0, ran.out, ran.err);
  CHECK(pairing.sync()["exit"] == 0);
  pairing.primary.run("ALTER TABLE person OWNER TO postgres; DROP OWNED BY " + role +
                      "; DROP ROLE " + role);
  // another order of the columns is another table, which a vendor's rebuild makes
  pairing.primary.run(
      "CREATE TABLE rebuilt (sex text, tag text, id integer PRIMARY KEY);"
      "INSERT INTO rebuilt SELECT sex, tag, id FROM person; DROP TABLE person;"
      "ALTER TABLE rebuilt RENAME TO person");
  const auto rebuilt = events(pairing);
  CHECK(rebuilt == std::set<std::string>{"info replaced_table person."});
  CHECK(pairing.sync()["exit"] == 11);
}

TEST_CASE("drift: REVOKE, DROP and RENAME of one column are told apart by a role of few rights") {
  Pairing pairing(On::postgresql, On::sqlite, person("tag = \"plain\"\nsex = \"plain\"\n"),
                  kLimits);
  const auto role = "reader_" + std::to_string(::getpid());
  pairing.primary.run(
      "CREATE TABLE person (id integer PRIMARY KEY, tag text, sex text, name text);"
      "INSERT INTO person VALUES (1, 'x', 'm', 'Canary'); CREATE ROLE " +
      role +
      " LOGIN;"
      "GRANT SELECT (id, tag, sex) ON person TO " +
      role);
  auto text = read_file(pairing.directory.path() / "abgleich.toml");
  text.replace(text.find("user=postgres"), 13, "user=" + role);
  write_file(pairing.directory.path() / "abgleich.toml", text);
  accept(pairing);
  REQUIRE(pairing.sync()["exit"] == 0);

  SUBCASE("REVOKE") {
    pairing.primary.run("REVOKE SELECT (sex) ON person FROM " + role);
    CHECK(events(pairing) == std::set<std::string>{"block rights_lost person.sex"});
    const auto line = pairing.sync();
    CHECK(line["exit"] == 24);
    CHECK(line["error"]["hint"] ==
          "have its owner run: GRANT SELECT (\"sex\") ON \"public\".\"person\" TO \"" + role +
              "\". All that is missing: abgleich grants --primary. Nothing was changed");
  }
  SUBCASE("DROP") {
    pairing.primary.run("ALTER TABLE person DROP COLUMN sex");
    CHECK(events(pairing) == std::set<std::string>{"adapt dropped_column person.sex"});
    CHECK(pairing.sync()["exit"] == 11);
  }
  SUBCASE("RENAME") {
    pairing.primary.run("ALTER TABLE person RENAME sex TO gender");
    CHECK(events(pairing) == std::set<std::string>{"block renamed_column person.sex"});
    CHECK(pairing.sync()["exit"] == 23);
  }
  CHECK(pairing.secondary.rows("SELECT sex FROM person") == "m");
  pairing.primary.run("DROP OWNED BY " + role + "; DROP ROLE " + role);
}

TEST_CASE("drift: a run in the middle of a vendor's DDL is of before or after it, or refused") {
  // The vendor swaps the names of two columns over and over, and rewrites and empties a table; each
  // of these is one transaction. Whatever a run sees: no value of `a` ever stands under `b`.
  Pairing pairing(On::postgresql, On::sqlite, person("a = \"plain\"\nb = \"plain\"\n"), kLimits);
  pairing.primary.run(
      "CREATE TABLE person (id integer PRIMARY KEY, a text, b text);"
      "INSERT INTO person SELECT n, 'a', 'b' FROM generate_series(1, 500) n");
  accept(pairing);
  REQUIRE(pairing.sync()["exit"] == 0);
  const auto script =
      "i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo \"BEGIN; ALTER TABLE person RENAME a TO t;"
      " ALTER TABLE person RENAME b TO a; ALTER TABLE person RENAME t TO b; COMMIT;"
      " SELECT pg_sleep(0.01);"
      " BEGIN; ALTER TABLE person RENAME a TO t; ALTER TABLE person RENAME b TO a;"
      " ALTER TABLE person RENAME t TO b; COMMIT;"
      " ALTER TABLE person ADD w text DEFAULT random()::text; ALTER TABLE person DROP w;"
      " BEGIN; CREATE TEMP TABLE held AS SELECT * FROM person; TRUNCATE person;"
      " INSERT INTO person SELECT * FROM held; DROP TABLE held; COMMIT;"
      " SELECT pg_sleep(0.02);\"; done";
  const auto servers = run_program(
      {"/bin/sh", "-c", "ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1 | tr -d '\\n'"});
  Program vendor({"/bin/sh", "-c",
                  "(" + std::string(script) + ") | " + servers.out + "/psql -q '" +
                      pairing.primary.url() + "' > /dev/null 2>&1"},
                 {});
  std::map<int, int> seen;
  for (int i = 0; i < 25; ++i) {
    const auto ran = pairing.run({"sync", "--json"});
    ++seen[ran.exit];
    const std::set<int> expected{0, 11, 23, 30};
    CHECK_MESSAGE(expected.count(ran.exit) == 1, ran.out, ran.err);
    REQUIRE(pairing.secondary.rows("SELECT a, b, count(*) FROM person GROUP BY 1, 2") == "a|b|500");
  }
  vendor.kill(SIGKILL);
  wait_for(pairing.primary.url(),
           "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'psql' AND datname = "
           "current_database()",
           "0");
  ++seen[pairing.run({"sync", "--json"}).exit];
  CHECK(seen[0] + seen[11] + seen[23] > 0);
}

TEST_CASE("drift: two hundred tables with 5,300 columns take as many statements as one") {
  const Server server("log_statement = all");
  Pairing pairing(On::postgresql, On::sqlite, person("tag = \"plain\"\n"), kLimits);
  const auto url = server.url();
  write_file(
      pairing.directory / "abgleich.toml",
      "[primary]\nurl = \"" + url + "\"\n[secondary]\nurl = \"" + pairing.secondary.url() + "\"\n");
  server.sql("CREATE TABLE person (id integer PRIMARY KEY, tag text)");
  accept(pairing);
  const auto statements = [&] {
    const auto before = read_file(server.directory() + "/data/log").size();
    CHECK(pairing.run({"drift", "--exit-code"}).exit == 0);  // the contract names one table
    const auto log = read_file(server.directory() + "/data/log").substr(before);
    int count = 0;
    for (auto at = log.find("LOG:  "); at != std::string::npos; at = log.find("LOG:  ", at + 1)) {
      ++count;
    }
    return count;
  };
  const auto for_one = statements();
  CHECK(for_one > 0);
  server.sql(
      "DO $$ BEGIN FOR t IN 1..199 LOOP EXECUTE 'CREATE TABLE t' || t || ' (id bigint PRIMARY KEY,"
      " uuid varchar(36) UNIQUE' || (SELECT string_agg(', c' || c || ' varchar(512)', '')"
      " FROM generate_series(1, CASE WHEN t <= 127 THEN 25 ELSE 24 END) c) || ')'; END LOOP;"
      " END $$");
  const auto columns = std::stoi(server.sql(
      "SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid WHERE relkind = 'r'"
      " AND relnamespace = 'public'::regnamespace AND attnum > 0"));
  CHECK(columns >= 5300);
  accept(pairing);
  server.sql("ALTER TABLE t7 ADD more text");
  CHECK(statements() == for_one);
}

}  // namespace abgleich::test
