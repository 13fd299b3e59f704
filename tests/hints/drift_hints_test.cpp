// Every hint of a drift event, followed to the letter.
#include "hints/scene.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>

namespace abgleich::test {

namespace {

const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

/// Ten persons, of whom the secondary has edited one.
struct Persons : Scene {
  explicit Persons(On primary_on, On secondary_on = On::postgresql)
      : Scene(primary_on, secondary_on,
              "[tables.person]\nkey = [\"id\"]\n"
              "together = [[\"status\", \"status_date\"]]\n"
              "[tables.person.columns]\nid = { class = \"pseudonym\", identity = \"person\" }\n"
              "status = \"plain\"\nstatus_date = \"plain\"\nname = \"withhold\"\n",
              kLimits) {
    primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, name text, status text, status_date text);"
        "INSERT INTO person WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE "
        "i < 10) SELECT i, 'Canary' || i, 's' || i, 'd' || i FROM n");
    REQUIRE(run({"drift", "accept"}).exit == 0);
    REQUIRE(sync()["exit"] == 0);
    secondary.run("UPDATE person SET status = 'edited' WHERE status = 's3'");
  }
  /// Nothing of the withheld is out, and nobody's edit is lost.
  void nothing_is_lost(const std::string& status = "status") {
    CHECK(secondary.rows("SELECT count(*) FROM person") == "10");
    CHECK(secondary.rows("SELECT count(*) FROM person WHERE " + status + " = 'edited'") == "1");
    CHECK(secondary.rows("SELECT count(*) FROM person WHERE " + status + " LIKE 'Canary%'") == "0");
  }
};

void on_both_primaries(const std::function<void(On)>& test) {
  for (const auto primary : kEngines) {
    CAPTURE(name_of(primary));
    test(primary);
  }
}

}  // namespace

TEST_CASE("hints: a new column is withheld by the command") {
  on_both_primaries([](On primary) {
    Persons pairing(primary);
    pairing.primary.run("ALTER TABLE person ADD COLUMN email text");
    CHECK(pairing.sync()["exit"] == 11);
    pairing.obey(pairing.drift_hint("new_column", "info"), "contract", "add");
    pairing.all_is_well();
    pairing.nothing_is_lost();
  });
}

TEST_CASE("hints: a dropped column is accepted once its line is gone, and not before") {
  on_both_primaries([](On primary) {
    Persons pairing(primary);
    pairing.primary.run("ALTER TABLE person DROP COLUMN status_date");
    const auto hint = pairing.drift_hint("dropped_column", "adapt");
    const auto early = pairing.follow(hint, "drift", "accept");
    CHECK(early.exit == 23);
    CHECK_MESSAGE(early.err.find("its line in the contract would block table 'person' from then "
                                 "on") != std::string::npos,
                  early.err);
    CHECK(pairing.sync()["exit"] == 11);  // as before: nothing was accepted
    pairing.edit_contract("status_date = \"plain\"\n", "");
    pairing.edit_contract("together = [[\"status\", \"status_date\"]]\n", "");
    pairing.obey(hint, "drift", "accept");
    pairing.all_is_well();
    pairing.nothing_is_lost();
  });
}

TEST_CASE("hints: a renamed column's line knows what else of the table names it") {
  Persons pairing(On::postgresql);
  SUBCASE("in a group that merges together") {
    pairing.primary.run("ALTER TABLE person RENAME status TO state");
    const auto hint = pairing.drift_hint("renamed_column");
    CHECK(
        hint.ends_with(", and in together of [tables.person] write \"state\" in place of "
                       "\"status\""));
    pairing.edit_contract("status = \"plain\"", hint.substr(0, hint.find(", and in")));
    pairing.edit_contract("[[\"status\",", "[[\"state\",");
    CHECK(pairing.sync()["error"].is_null());
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    pairing.all_is_well();
    pairing.nothing_is_lost("state");
  }
  SUBCASE("in the key") {
    pairing.primary.run("ALTER TABLE person RENAME id TO number");
    const auto hint = pairing.drift_hint("renamed_column");
    CHECK(hint.ends_with(", and in key of [tables.person] write \"number\" in place of \"id\""));
    pairing.edit_contract("id = { class = \"pseudonym\", identity = \"person\" }",
                          hint.substr(0, hint.find(", and in")));
    pairing.edit_contract("key = [\"id\"]", "key = [\"number\"]");
    CHECK(pairing.sync()["error"].is_null());
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    pairing.all_is_well();
    pairing.nothing_is_lost();
  }
}

TEST_CASE("hints: a renamed table gets its new name") {
  Persons pairing(On::postgresql);
  pairing.primary.run("ALTER TABLE person RENAME TO people");
  const auto hint = pairing.drift_hint("renamed_table");
  CHECK(hint ==
        "in the contract call [tables.person] [tables.people] and add to it: was = "
        "\"person\"");
  pairing.edit_contract("[tables.person]\n", "[tables.people]\nwas = \"person\"\n");
  pairing.edit_contract("[tables.person.columns]", "[tables.people.columns]");
  CHECK(pairing.sync()["error"].is_null());
  REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
  CHECK(pairing.sync()["exit"] == 0);
  CHECK(pairing.secondary.rows("SELECT count(*) FROM people WHERE status = 'edited'") == "1");
}

TEST_CASE("hints: a key that moved to a larger column is carried over, and then accepted") {
  Persons pairing(On::postgresql);
  pairing.primary.run(
      "ALTER TABLE person ADD COLUMN id_big bigint; UPDATE person SET id_big = id;"
      "ALTER TABLE person DROP CONSTRAINT person_pkey; ALTER TABLE person RENAME id TO id_old;"
      "ALTER TABLE person RENAME id_big TO id; ALTER TABLE person ADD PRIMARY KEY (id)");
  SUBCASE("the old one is gone") {
    pairing.primary.run("ALTER TABLE person DROP COLUMN id_old");
  }
  SUBCASE("the old one is still there") {
    pairing.primary.run("ALTER TABLE person ALTER id_old DROP NOT NULL");
  }
  const auto hint = pairing.drift_hint("replaced_column", "adapt");
  const auto early = pairing.follow(hint, "drift", "accept");
  CHECK(early.exit == 23);
  CHECK_MESSAGE(early.err.find("a run has to carry 'person' over first") != std::string::npos,
                early.err);
  pairing.obey(hint, "sync");
  pairing.primary.run(
      "INSERT INTO person (name, status, status_date, id) VALUES ('Canary11', 's11', "
      "'d11', 5000000000)");
  const auto line = pairing.sync();
  CHECK_MESSAGE(line["exit"] == 11, line.dump());
  CHECK(line["tables"]["person"]["inserted"] == 1);
  CHECK(line["tables"]["person"]["deleted"] == 0);
  pairing.obey(hint, "drift", "accept");
  pairing.all_is_well();
  pairing.primary.run("DELETE FROM person WHERE id = 5000000000");
  CHECK(pairing.sync()["tables"]["person"]["deleted"] == 1);
  pairing.nothing_is_lost();
}

TEST_CASE(
    "hints: a key whose values are new blocks its table, and says what the vendor has to do") {
  Persons pairing(On::postgresql);
  pairing.primary.run(
      "ALTER TABLE person DROP COLUMN id; ALTER TABLE person ADD COLUMN id serial PRIMARY KEY;"
      "UPDATE person SET id = id + 100");
  const auto hint = pairing.drift_hint("replaced_column");
  CHECK(
      hint.find(
          "of 10 rows 10 (100.0 %) are no longer there with the same values under the same keys") ==
      0);
  CHECK(hint.find("the vendor has to keep the old ones in a column beside it") !=
        std::string::npos);
  CHECK(pairing.run({"drift", "accept"}).exit == 23);
  CHECK(pairing.sync()["exit"] == 23);
  pairing.nothing_is_lost();
}

TEST_CASE("hints: a copy that took the table's name is carried over, and then accepted") {
  Persons pairing(On::postgresql);
  pairing.primary.run(
      "CREATE TABLE person_new (LIKE person INCLUDING ALL);"
      "INSERT INTO person_new SELECT * FROM person; ALTER TABLE person RENAME TO person_old;"
      "ALTER TABLE person_new RENAME TO person");
  SUBCASE("a faithful one") {
    pairing.primary.run("UPDATE person SET status = 'new' WHERE id = 1");
    const auto hint = pairing.drift_hint("replaced_table", "adapt");
    CHECK(pairing.follow(hint, "drift", "accept").exit == 23);
    pairing.obey(hint, "sync");
    pairing.obey(hint, "drift", "accept");
    pairing.all_is_well();
    pairing.nothing_is_lost();
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE status = 'new'") == "1");
  }
  SUBCASE("another one: the table goes on under its new name") {
    pairing.primary.run("UPDATE person SET status = 'x' || status, id = id + 1000");
    const auto hint = pairing.drift_hint("replaced_table");
    CHECK(hint.find("in the contract call [tables.person] [tables.person_old] and add to it: was = "
                    "\"person\"") != std::string::npos);
    pairing.edit_contract("[tables.person]\n", "[tables.person_old]\nwas = \"person\"\n");
    pairing.edit_contract("[tables.person.columns]", "[tables.person_old.columns]");
    CHECK(pairing.sync()["error"].is_null());
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    CHECK(pairing.sync()["error"].is_null());
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person_old WHERE status = 'edited'") == "1");
  }
}

TEST_CASE("hints: a key that lost its constraint goes on once the statement was run") {
  Persons pairing(On::postgresql);
  pairing.primary.run("ALTER TABLE person DROP CONSTRAINT person_pkey");
  const auto hint = pairing.drift_hint("key_changed");
  CHECK(pairing.sync()["exit"] == 23);
  CHECK(pairing.run({"drift", "accept"}).exit == 23);
  pairing.primary.run(Scene::between(hint, "unique again: ", ""));
  pairing.all_is_well();
  pairing.nothing_is_lost();
}

TEST_CASE(
    "hints: a key that lost its constraint blocks its table only, whatever its type becomes") {
  for (const auto secondary : kEngines) {
    for (const std::string type : {"integer", "text", "numeric", "json", "xml", "point"}) {
      CAPTURE(name_of(secondary));
      CAPTURE(type);
      Scene pairing(On::postgresql, secondary,
                    "[tables.other]\nkey = [\"id\"]\n[tables.other.columns]\nid = \"plain\"\n"
                    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = \"plain\"\n",
                    kLimits);
      pairing.primary.run(
          "CREATE TABLE other (id integer PRIMARY KEY);"
          "CREATE TABLE person (id integer PRIMARY KEY); INSERT INTO person VALUES (1), (2)");
      REQUIRE(pairing.sync()["exit"] == 0);
      pairing.primary.run(
          "ALTER TABLE person DROP CONSTRAINT person_pkey; INSERT INTO other VALUES (1);"
          "ALTER TABLE person ALTER id TYPE " +
          type + " USING " +
          (type == "point" ? "point(id, id)"
           : type == "xml" ? "xmlparse(content id::text)"
                           : "id::text::" + type));
      for (const auto* how : {"--full", "--no-progress"}) {
        const auto line = pairing.sync({how});
        CHECK_MESSAGE(line["exit"] == 23, line.dump());  // and no SQLSTATE 42883
        CHECK(line["tables"]["other"]["quarantined"] == 0);
      }
      CHECK(pairing.secondary.rows("SELECT id FROM other") == "1");
      CHECK(pairing.secondary.rows("SELECT id FROM person ORDER BY id") == "1\n2");
      const auto hint = pairing.drift_hint("key_changed");
      pairing.primary.run("ALTER TABLE person ALTER id TYPE integer USING " +
                          std::string(type == "point" ? "(id[0])::integer" : "id::text::integer"));
      pairing.primary.run(Scene::between(hint, "unique again: ", ""));
      pairing.all_is_well();
    }
  }
}

TEST_CASE("hints: drift and sync say the same of a type that reads as before") {
  Persons pairing(On::postgresql);
  pairing.primary.run("ALTER TABLE person ALTER id TYPE text");
  pairing.obey(pairing.drift_hint("type_changed", "adapt"), "drift", "accept");
  CHECK(pairing.sync()["error"].is_null());
  pairing.all_is_well();
  pairing.nothing_is_lost();
}

TEST_CASE("hints: a type whose values read otherwise is accepted, or withheld by the line") {
  Persons pairing(On::postgresql);
  pairing.primary.run(
      "ALTER TABLE person ALTER status_date TYPE integer USING length(status_date)");
  const auto hint = pairing.drift_hint("type_changed");
  SUBCASE("accepted") {
    pairing.obey(hint, "drift", "accept");
    CHECK(pairing.sync()["exit"] == 10);  // the edited row, whose other column is of the group
    REQUIRE(pairing.run({"resolve", "--all", "--take", "secondary"}).exit == 0);
  }
  SUBCASE("withheld") {
    pairing.edit_contract("status_date = \"plain\"",
                          Scene::between(hint, "then write ", " or run"));
    pairing.edit_contract("together = [[\"status\", \"status_date\"]]\n", "");
    CHECK(pairing.sync()["error"].is_null());
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
  }
  CHECK(pairing.sync()["error"].is_null());
  pairing.all_is_well();
  pairing.nothing_is_lost();
}

TEST_CASE("hints: a column that was dropped and made anew is accepted, or withheld by the line") {
  Persons pairing(On::postgresql);
  pairing.primary.run(
      "ALTER TABLE person DROP COLUMN status_date; ALTER TABLE person ADD COLUMN status_date text");
  const auto hint = pairing.drift_hint("replaced_column");
  SUBCASE("accepted") {
    pairing.obey(hint, "drift", "accept");
  }
  SUBCASE("withheld") {
    pairing.edit_contract("status_date = \"plain\"", Scene::between(hint, "then write ", ", or"));
    pairing.edit_contract("together = [[\"status\", \"status_date\"]]\n", "");
    CHECK(pairing.sync()["error"].is_null());
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
  }
  CHECK(pairing.sync()["error"].is_null());
  pairing.all_is_well();
  pairing.nothing_is_lost();
}

TEST_CASE("hints: a dropped table leaves the contract, and its rows stay") {
  on_both_primaries([](On primary) {
    Persons pairing(primary);
    pairing.primary.run("CREATE TABLE other (id integer PRIMARY KEY)");
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    pairing.primary.run("DROP TABLE person");
    CHECK(pairing.drift_hint("dropped_table").find("otherwise delete it from the contract") !=
          std::string::npos);
    CHECK(pairing.sync()["exit"] == 23);
    pairing.set_contract(
        "[tables.other]\nkey = [\"id\"]\n[tables.other.columns]\nid = \"plain\"\n");
    pairing.accept_more();  // another table leaves
    CHECK(pairing.sync()["error"].is_null());
    pairing.nothing_is_lost();
  });
}

TEST_CASE("hints: SQLite: a table that was made anew in another order is accepted") {
  Persons pairing(On::sqlite);
  pairing.primary.run(
      "CREATE TABLE anew (status_date text, status text, name text, id integer PRIMARY KEY);"
      "INSERT INTO anew SELECT status_date, status, name, id FROM person; DROP TABLE person;"
      "ALTER TABLE anew RENAME TO person");
  pairing.obey(pairing.drift_hint("replaced_column", "adapt"), "drift", "accept");
  pairing.all_is_well();
  pairing.nothing_is_lost();
}

TEST_CASE("hints: another key in the contract blocks its table only, until the old one is back") {
  on_both_primaries([](On primary) {
    Scene pairing(primary, On::postgresql,
                  "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = \"plain\"\n"
                  "code = \"plain\"\n[tables.other]\nkey = [\"id\"]\n[tables.other.columns]\n"
                  "id = \"plain\"\n",
                  kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, code text NOT NULL UNIQUE);"
        "CREATE TABLE other (id integer PRIMARY KEY);"
        "INSERT INTO person VALUES (1, 'a'), (2, 'b'); INSERT INTO other VALUES (1)");
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.edit_contract("key = [\"id\"]", "key = [\"code\"]");
    pairing.primary.run("INSERT INTO other VALUES (2)");
    const auto line = pairing.sync();
    CHECK_MESSAGE(line["exit"] == 23, line.dump());
    CHECK(line["tables"]["other"]["inserted"] == 1);
    const std::string hint = line["drift"][0]["hint"];
    pairing.edit_contract("key = [\"code\"]", Scene::between(hint, "write ", " again"));
    pairing.all_is_well();
  });
}

}  // namespace abgleich::test
