// Another key for a table: its rows are known by the new one, and nothing else changes.
#include "hints/scene.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace abgleich::test {

namespace {

const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

const char* const kById =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
    "id = { class = \"pseudonym\", identity = \"person\" }\n"
    "status = \"plain\"\nplace = \"plain\"\n";

const char* const kPlain =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = \"plain\"\n"
    "code = \"plain\"\n";

/// Four persons of whom the vendor has a second key beside the first one.
struct People : Scene {
  People(On primary_on, On secondary_on, const std::string& more = kLimits)
      : Scene(primary_on, secondary_on, kById, more) {
    primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, code text NOT NULL UNIQUE, status text, "
        "place text);"
        "INSERT INTO person VALUES (1, 'a', 'ill', 'north'), (2, 'b', 'ill', 'north'),"
        " (3, 'c', 'ill', 'north'), (4, 'd', 'ill', 'north')");
    REQUIRE(sync()["exit"] == 0);
  }

  /// The contract names the other key; the line of the old one stays.
  void name_code() {
    edit_contract("key = [\"id\"]", "key = [\"code\"]");
    edit_contract(
        "[tables.person.columns]\n",
        "[tables.person.columns]\ncode = { class = \"pseudonym\", identity = \"code\" }\n");
    accept_more();
  }
  [[nodiscard]] std::string token(const std::string& identity, const std::string& value) const {
    const auto ran = run_program(command({"token", "--identity", identity}),
                                 directory.path().string(), {}, value);
    REQUIRE_MESSAGE(ran.exit == 0, ran.err);
    return ran.out.substr(0, ran.out.find('\n'));
  }
};

}  // namespace

TEST_CASE("rekey: edits and conflicts stay, and every row is known by the new key") {
  on_every_pairing([](On primary, On secondary) {
    People people(primary, secondary);
    const auto id = [&](int n) { return people.token("person", std::to_string(n)); };
    // an edit that stands, a conflict, a row that people have deleted, one that they have inserted
    people.secondary.run("UPDATE person SET status = 'edited' WHERE id = '" + id(1) + "'");
    people.secondary.run("UPDATE person SET place = 'theirs' WHERE id = '" + id(2) + "'");
    people.primary.run("UPDATE person SET place = 'ours' WHERE id = 2");
    people.secondary.run("DELETE FROM person WHERE id = '" + id(3) + "'");
    people.secondary.run("INSERT INTO person (id, status, place) VALUES ('mine', 'x', 'y')");
    REQUIRE(people.sync()["exit"] == 10);

    people.name_code();
    const auto blocked = people.sync();
    REQUIRE_MESSAGE(blocked["exit"] == 23, blocked.dump());
    const auto checked = people.run({"check"});
    CHECK_MESSAGE(checked.exit == 23, checked.out);
    CHECK(checked.out.find("look at it: abgleich drift") != std::string::npos);
    people.obey(people.drift_hint("key_changed"), "rekey");
    CHECK(people.secondary.rows("SELECT count(*) FROM person") == "4");
    const auto after = people.sync();
    CHECK_MESSAGE(after["exit"] == 10, after.dump());
    CHECK(after["tables"]["person"]["inserted"] == 0);
    CHECK(after["tables"]["person"]["updated"] == 0);
    CHECK(after["tables"]["person"]["deleted"] == 0);
    CHECK(after["tables"]["person"]["conflicts"] == 1);

    const auto of = [&](const std::string& code) {
      return people.secondary.rows("SELECT status, place FROM person WHERE code = '" +
                                   people.token("code", code) + "'");
    };
    CHECK(of("a") == "edited|north");
    CHECK(of("b") == "ill|theirs");
    CHECK(of("c").empty());
    CHECK(of("d") == "ill|north");
    CHECK(people.secondary.rows("SELECT status FROM person WHERE code = 'mine'") == "x");
    // a new row, a delete and an update come by the new key
    people.primary.run("INSERT INTO person VALUES (5, 'e', 'well', 'south')");
    people.primary.run("UPDATE person SET status = 'well' WHERE id = 4");
    CHECK(people.sync()["tables"]["person"]["inserted"] == 1);
    CHECK(of("d") == "well|north");
    CHECK(of("e") == "well|south");
    people.primary.run("DELETE FROM person WHERE id = 4");
    CHECK(people.sync()["tables"]["person"]["deleted"] == 1);
    CHECK(of("d").empty());
    REQUIRE(people.run({"resolve", "--all", "--take", "primary"}).exit == 0);
    CHECK(of("b") == "ill|ours");
    people.all_is_well();
  });
}

TEST_CASE("rekey: a key column that is dropped gives way to one that was exported before") {
  on_every_pairing([](On primary, On secondary) {
    People people(primary, secondary);
    people.edit_contract(
        "status = \"plain\"\n",
        "status = \"plain\"\ncode = { class = \"pseudonym\", identity = \"code\" }\n");
    people.accept_more();
    REQUIRE(people.run({"drift", "accept"}).exit == 0);
    REQUIRE(people.sync()["error"].is_null());
    const auto code = [&](const std::string& value) { return people.token("code", value); };
    people.secondary.run("UPDATE person SET status = 'edited' WHERE code = '" + code("a") + "'");
    people.secondary.run("DELETE FROM person WHERE code = '" + code("c") + "'");
    // the vendor drops the key
    if (primary == On::postgresql) {
      people.primary.run("ALTER TABLE person DROP COLUMN id");
    } else {
      people.primary.run(
          "CREATE TABLE anew (code text NOT NULL PRIMARY KEY, status text, place text);"
          "INSERT INTO anew SELECT code, status, place FROM person; DROP TABLE person;"
          "ALTER TABLE anew RENAME TO person");
    }
    CHECK(people.sync()["exit"] == 23);
    const auto hint = people.drift_hint("dropped_column");
    people.edit_contract("key = [\"id\"]", Scene::between(hint, "otherwise write ",
                                                          " below [tables.person], delete"));
    people.edit_contract("id = { class = \"pseudonym\", identity = \"person\" }\n", "");
    people.obey(hint, "rekey");
    CHECK(people.secondary.rows("SELECT count(*) FROM person") == "3");
    const auto after = people.sync();
    CHECK_MESSAGE(after["error"].is_null(), after.dump());
    CHECK(people.secondary.rows("SELECT count(*) FROM person") == "3");  // c stays deleted
    CHECK(people.secondary.rows("SELECT status FROM person WHERE code = '" + code("a") + "'") ==
          "edited");
    // a new row brings no value for the old key any more
    people.primary.run("INSERT INTO person VALUES ('e', 'well', 'south')");
    const auto more = people.sync();
    CHECK_MESSAGE(more["tables"]["person"]["inserted"] == 1, more.dump());
    CHECK(people.secondary.rows("SELECT status FROM person WHERE code = '" + code("e") + "'") ==
          "well");
    REQUIRE(people.run({"drift", "accept"}).exit == 0);
    people.all_is_well();
  });
}

TEST_CASE("rekey: a key that may be NULL gives way to one that may not") {
  People people(On::postgresql, On::postgresql);
  people.edit_contract(
      "status = \"plain\"\n",
      "status = \"plain\"\ncode = { class = \"pseudonym\", identity = \"code\" }\n");
  people.accept_more();
  REQUIRE(people.sync()["error"].is_null());
  people.primary.run(
      "ALTER TABLE person DROP CONSTRAINT person_pkey; ALTER TABLE person ALTER id DROP NOT NULL;"
      "ALTER TABLE person ADD UNIQUE (id)");
  const auto hint = people.drift_hint("nullability_loosened");
  CHECK(people.sync()["exit"] == 23);
  SUBCASE("the vendor puts NOT NULL back") {
    people.primary.run(Scene::between(hint, "run: ", "; or write"));
  }
  SUBCASE("the other key") {
    people.edit_contract("key = [\"id\"]", Scene::between(hint, "or write ", " below"));
    people.obey(hint, "rekey");
    people.primary.run("INSERT INTO person VALUES (NULL, 'e', 'well', 'south')");
    CHECK(people.sync()["tables"]["person"]["inserted"] == 1);
    CHECK(people.secondary.rows("SELECT id, status FROM person WHERE code = '" +
                                people.token("code", "e") + "'") == "NULL|well");
    REQUIRE(people.run({"drift", "accept"}).exit == 0);
  }
  people.all_is_well();
}

TEST_CASE("rekey: the way back is the same, and earlier runs can still be taken back") {
  on_every_pairing([](On primary, On secondary) {
    People people(primary, secondary);
    people.primary.run("UPDATE person SET status = 'well' WHERE id = 1");
    const std::string run = people.sync()["run"];
    people.name_code();
    REQUIRE(people.run({"rekey", "person", "--reason", "there"}).exit == 0);
    const auto reverted = people.run({"revert", "latest", "--reason", "no"});
    CHECK(reverted.exit == 64);
    CHECK_MESSAGE(reverted.err.find("abgleich rekey person") != std::string::npos, reverted.err);
    const auto back = people.run({"revert", run, "--reason", "the primary was wrong"});
    CHECK_MESSAGE(back.exit == 0, back.out, back.err);
    CHECK(people.secondary.rows("SELECT count(*) FROM person WHERE status = 'ill'") == "4");
    REQUIRE(people.run({"resume", "--reason", "on"}).exit == 0);
    people.edit_contract("key = [\"code\"]", "key = [\"id\"]");
    const auto again = people.run({"rekey", "person", "--reason", "and back"});
    REQUIRE_MESSAGE(again.exit == 0, again.out, again.err);
    CHECK(people.secondary.rows("SELECT count(*) FROM person WHERE id = '" +
                                people.token("person", "1") + "' AND status = 'ill'") == "1");
    CHECK(people.sync()["error"].is_null());
  });
}

TEST_CASE("rekey: an old key that rows refer to goes when the primary's foreign key has gone") {
  on_every_pairing([](On primary, On secondary) {
    Scene pairing(primary, secondary,
                  "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
                  "id = { class = \"pseudonym\", identity = \"person\" }\n"
                  "code = { class = \"pseudonym\", identity = \"code\" }\n"
                  "[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\nid = \"plain\"\n"
                  "person_id = { class = \"pseudonym\", identity = \"person\" }\n",
                  kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, code text NOT NULL UNIQUE);"
        "CREATE TABLE visit (id integer PRIMARY KEY, person_id integer REFERENCES person (id));"
        "INSERT INTO person VALUES (1, 'a'), (2, 'b'); INSERT INTO visit VALUES (1, 1), (2, 2)");
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.edit_contract("key = [\"id\"]", "key = [\"code\"]");
    pairing.obey(pairing.drift_hint("key_changed"), "rekey");
    pairing.all_is_well();  // the foreign key holds, by the old key
    // then the vendor lets go of both
    pairing.edit_contract("id = { class = \"pseudonym\", identity = \"person\" }\n", "");
    pairing.primary.run(
        "DROP TABLE visit; CREATE TABLE visit (id integer PRIMARY KEY, person_id integer);"
        "INSERT INTO visit VALUES (1, 1), (2, 2);"
        "CREATE TABLE anew (code text NOT NULL UNIQUE); INSERT INTO anew SELECT code FROM person;"
        "DROP TABLE person; ALTER TABLE anew RENAME TO person; INSERT INTO person VALUES ('c')");
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    const auto line = pairing.sync();
    CHECK_MESSAGE(line["error"].is_null(), line.dump());
    CHECK(line["tables"]["person"]["inserted"] == 1);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person") == "3");
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE id IS NULL") == "1");
    pairing.all_is_well();
  });
}

TEST_CASE("rekey: what cannot be a key is refused, and nothing changes") {
  on_every_pairing([](On primary, On secondary) {
    People people(primary, secondary);
    people.primary.run("ALTER TABLE person ADD COLUMN spare text");
    REQUIRE(people.run({"drift", "accept"}).exit == 0);
    people.edit_contract("key = [\"id\"]", "key = [\"spare\"]");
    people.edit_contract("status = \"plain\"\n", "status = \"plain\"\nspare = \"plain\"\n");
    people.accept_more();
    const auto before = people.secondary.rows("SELECT * FROM person ORDER BY id");
    const auto refused = [&](const std::string& why) {
      const auto ran = people.run({"rekey", "person", "--reason", "x"});
      CHECK(ran.exit == 23);
      CHECK_MESSAGE(ran.err.find(why) != std::string::npos, ran.err);
      CHECK(people.secondary.rows("SELECT * FROM person ORDER BY id") == before);
    };
    refused("without a usable spare");
    people.primary.run("UPDATE person SET spare = 'same'");
    refused("with the spare of another row");
    people.primary.run("UPDATE person SET spare = 's' || id");
    const auto ran = people.run({"rekey", "person", "--reason", "x"});
    CHECK_MESSAGE(ran.exit == 0, ran.err);
    people.all_is_well();
    // a table that is known by that key already
    CHECK(people.run({"rekey", "person", "--reason", "x"}).exit == 64);
  });
}

TEST_CASE("rekey: rows that share the old key by now are refused, and nothing changes") {
  on_every_pairing([](On primary, On secondary) {
    Scene pairing(primary, secondary, kPlain, kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id integer NOT NULL, code text NOT NULL UNIQUE);"
        "CREATE UNIQUE INDEX by_id ON person (id);"
        "INSERT INTO person VALUES (1, 'a'), (2, 'b'), (3, 'c')");
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.primary.run("DROP INDEX by_id; INSERT INTO person VALUES (1, 'd'), (2, 'e')");
    pairing.edit_contract("key = [\"id\"]", "key = [\"code\"]");
    const auto before = pairing.secondary.rows("SELECT id, code FROM person ORDER BY id");
    const auto ran = pairing.run({"rekey", "person", "--reason", "x"});
    CHECK(ran.exit == 23);
    CHECK_MESSAGE(ran.err.find("2 rows of 'person' in the primary with the id of another row") !=
                      std::string::npos,
                  ran.err);
    CHECK(pairing.secondary.rows("SELECT id, code FROM person ORDER BY id") == before);
    pairing.primary.run("DELETE FROM person WHERE code IN ('d', 'e')");
    const auto again = pairing.run({"rekey", "person", "--reason", "x"});
    CHECK_MESSAGE(again.exit == 0, again.err);
    pairing.primary.run("INSERT INTO person VALUES (4, 'd')");
    CHECK(pairing.sync()["tables"]["person"]["inserted"] == 1);
    pairing.all_is_well();
  });
}

TEST_CASE("rekey: rows of people and edits of what becomes the key are theirs to settle first") {
  on_every_pairing([](On primary, On secondary) {
    Scene pairing(primary, secondary, kPlain, kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id integer NOT NULL PRIMARY KEY, code text UNIQUE);"
        "INSERT INTO person VALUES (1, 'a'), (2, 'b'), (3, 'c')");
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.secondary.run("INSERT INTO person (id) VALUES (7)");
    pairing.secondary.run("UPDATE person SET code = 'theirs' WHERE id = 1");
    pairing.edit_contract("key = [\"id\"]", "key = [\"code\"]");
    const auto refused = [&](const std::string& why) {
      const auto ran = pairing.run({"rekey", "person", "--reason", "x"});
      CHECK(ran.exit == 23);
      CHECK_MESSAGE(ran.err.find(why) != std::string::npos, ran.err);
    };
    refused("1 row of 'person' of which people have edited code");
    CHECK(pairing.secondary.rows("SELECT code FROM person WHERE id = 1") == "theirs");
    pairing.secondary.run("UPDATE person SET code = 'a' WHERE id = 1");
    refused("that the primary does not have, without a code");
    pairing.secondary.run("UPDATE person SET code = 'mine' WHERE id = 7");
    // a row that the primary has deleted meanwhile goes with the next run
    pairing.primary.run("DELETE FROM person WHERE id = 3");
    const auto ran = pairing.run({"rekey", "person", "--reason", "x"});
    REQUIRE_MESSAGE(ran.exit == 0, ran.err);
    CHECK(pairing.sync()["tables"]["person"]["deleted"] == 1);
    CHECK(pairing.secondary.rows("SELECT id, code FROM person ORDER BY id") == "1|a\n2|b\n7|mine");
    pairing.all_is_well();
  });
}

TEST_CASE(
    "rekey: rows that the primary does not have by the old key count as deleted to the limits") {
  People people(On::postgresql, On::postgresql, "");
  people.name_code();
  people.primary.run("DELETE FROM person WHERE id > 1");
  const auto ran = people.run({"rekey", "person", "--reason", "x"});
  CHECK(ran.exit == 20);
  CHECK_MESSAGE(ran.err.find("3 of 4 rows of 'person' are not in the primary") != std::string::npos,
                ran.err);
  CHECK(people.secondary.rows("SELECT count(*) FROM person") == "4");
}

TEST_CASE("rekey: a key of another type, of a table that is empty, blocks no other table") {
  on_every_pairing([](On primary, On secondary) {
    Scene pairing(primary, secondary,
                  std::string("[tables.other]\nkey = [\"id\"]\n[tables.other.columns]\n"
                              "id = \"plain\"\n") +
                      kPlain,
                  kLimits);
    pairing.primary.run(
        "CREATE TABLE other (id integer PRIMARY KEY);"
        "CREATE TABLE person (id integer NOT NULL PRIMARY KEY, code text NOT NULL UNIQUE)");
    REQUIRE(pairing.sync()["exit"] == 0);
    // so that nothing but the base's own keys, of the old type, is left to stumble over
    pairing.secondary.run("CREATE UNIQUE INDEX person_by_code ON person (code)");
    pairing.primary.run("INSERT INTO other VALUES (1)");
    pairing.edit_contract("key = [\"id\"]\n[tables.person.columns]",
                          "key = [\"code\"]\n[tables.person.columns]");
    const auto line = pairing.sync();
    CHECK_MESSAGE(line["exit"] == 23, line.dump());
    CHECK(line["tables"]["other"]["inserted"] == 1);
    pairing.obey(pairing.drift_hint("key_changed"), "rekey");
    pairing.primary.run("INSERT INTO person VALUES (1, 'a')");
    CHECK(pairing.sync()["tables"]["person"]["inserted"] == 1);
    pairing.all_is_well();
  });
}

TEST_CASE("rekey: where the owner makes the schema, what is missing is printed, and nothing done") {
  People people(On::postgresql, On::postgresql);
  people.name_code();
  people.configure(kLimits, "manage_schema = false\n");
  const auto refused = people.run({"rekey", "person", "--reason", "x"});
  CHECK(refused.exit == 23);
  const auto from = refused.err.find(": ALTER TABLE");
  REQUIRE_MESSAGE(from != std::string::npos, refused.err);
  auto ddl = refused.err.substr(from + 2);
  people.secondary.run(ddl.substr(0, ddl.find(". Nothing was changed")));
  const auto ran = people.run({"rekey", "person", "--reason", "x"});
  CHECK_MESSAGE(ran.exit == 0, ran.err);
  people.all_is_well();
}

}  // namespace abgleich::test
