// Drift of tables: they get another name, or wait for a decision while others go on.
#include "cli/drifting.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

namespace abgleich::test {

TEST_CASE("drift: where there is no identity, a renamed table is borne out by its rows") {
  on_both_secondaries([](On secondary) {
    Pairing pairing(On::sqlite, secondary, person("tag = \"plain\"\n"), kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, tag text);"
        "INSERT INTO person VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'), (5, 'e')");
    accept(pairing);
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.secondary.run("UPDATE person SET tag = 'edited' WHERE id = 2");
    pairing.primary.run(
        "ALTER TABLE person RENAME TO people; CREATE TABLE other (id integer PRIMARY KEY, tag "
        "text); INSERT INTO other VALUES (1, 'x'), (7, 'y')");
    const auto contract = [](const std::string& table) {
      return "[tables." + table + "]\nkey = [\"id\"]\nwas = \"person\"\n[tables." + table +
             ".columns]\nid = \"plain\"\ntag = \"plain\"\n";
    };
    pairing.set_contract(contract("other"));
    const auto refuted = pairing.run({"drift"});
    CHECK_MESSAGE(
        refuted.out.find("block renamed_table other: person -> other\n    hint: of 5 rows "
                         "of 'person' 5 (100.0 %) are not in 'other' as they were") !=
            std::string::npos,
        refuted.out);
    CHECK(pairing.sync()["exit"] == 23);
    CHECK(pairing.secondary.rows("SELECT tag FROM person ORDER BY id") == "a\nedited\nc\nd\ne");

    pairing.set_contract(contract("people"));
    const auto shown = pairing.run({"drift"});
    CHECK_MESSAGE(
        shown.out.find("adapt renamed_table people: person -> people\n    hint: of 5 rows "
                       "of 'person' 5 (100.0 %) are in 'people' as they were") != std::string::npos,
        shown.out);
    const auto line = pairing.sync();
    CHECK(line["exit"] == 11);
    CHECK(line["tables"]["people"]["updated"] == 0);
    CHECK(pairing.secondary.rows("SELECT tag FROM people ORDER BY id") == "a\nedited\nc\nd\ne");
    accept(pairing);
    CHECK(pairing.sync()["outcome"] == "unchanged");
  });
}

TEST_CASE("drift: a blocked table does not stop the others, and foreign keys into it hold") {
  on_both_secondaries([](On secondary) {
    Pairing pairing(On::postgresql, secondary,
                    person("sex = \"plain\"\n") +
                        "[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\nid = "
                        "\"plain\"\nperson_id = \"plain\"\n",
                    kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, sex text);"
        "CREATE TABLE visit (id integer PRIMARY KEY, person_id integer REFERENCES person);"
        "INSERT INTO person VALUES (1, 'm'), (2, 'f'); INSERT INTO visit VALUES (1, 1)");
    accept(pairing);
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.primary.run(
        "ALTER TABLE person RENAME sex TO gender; INSERT INTO person VALUES (3, 'm');"
        "INSERT INTO visit VALUES (2, 2), (3, 3)");
    auto line = pairing.sync();
    CHECK(line["exit"] == 23);
    CHECK(line["tables"]["visit"]["inserted"] == 1);  // the other's person is not there yet
    CHECK(line["open"]["conflicts"] == 1);
    CHECK(pairing.secondary.rows("SELECT id, person_id FROM visit ORDER BY id") == "1|1\n2|2");
    pairing.set_contract(person("gender = { class = \"plain\", was = \"sex\" }\n") +
                         "[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\nid = "
                         "\"plain\"\nperson_id = \"plain\"\n");
    line = pairing.sync();
    CHECK(line["open"]["conflicts"] == 0);
    CHECK(pairing.secondary.rows("SELECT id, person_id FROM visit ORDER BY id") == "1|1\n2|2\n3|3");
  });
}

TEST_CASE(
    "drift: a renamed table blocks; accepted, the secondary's gets the name, and no row changes") {
  bool by_hand = false;
  SUBCASE("by the run") {}
  SUBCASE("by the secondary's owner, where abgleich must not") {
    by_hand = true;
  }
  on_both_secondaries([&](On secondary) {
    const std::string visit =
        "[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\nid = \"plain\"\n"
        "person_id = \"plain\"\n";
    const std::string columns = ".columns]\nid = \"plain\"\ntag = \"plain\"\n";
    Pairing pairing(On::postgresql, secondary, person("tag = \"plain\"\n") + visit, kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, tag text);"
        "CREATE TABLE visit (id integer PRIMARY KEY, person_id integer REFERENCES person);"
        "INSERT INTO person VALUES (1, 'a'), (2, 'b'), (3, 'c'); INSERT INTO visit VALUES (1, 1), "
        "(2, 2)");
    accept(pairing);
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.secondary.run("UPDATE person SET tag = 'edited' WHERE id = 2");
    pairing.primary.run(
        "ALTER TABLE person RENAME TO people; UPDATE people SET tag = 'new' WHERE id = 1");
    auto line = pairing.sync();
    CHECK(line["exit"] == 23);
    CHECK(line["drift"][0]["hint"] ==
          "in the contract call [tables.person] [tables.people] and add to it: was = \"person\"");
    CHECK(pairing.secondary.rows("SELECT tag FROM person ORDER BY id") == "a\nedited\nc");

    pairing.set_contract("[tables.people]\nkey = [\"id\"]\nwas = \"person\"\n[tables.people" +
                         columns + visit);
    const std::string quoted = secondary == On::sqlite ? "" : "\"public\".";
    const auto script = pairing.run({"drift", "--sql"});
    CHECK(script.out == "-- the secondary follows the primary\nALTER TABLE " + quoted +
                            "\"person\" RENAME TO \"people\";\n-- and back again\nALTER TABLE " +
                            quoted + "\"people\" RENAME TO \"person\";\n");
    CHECK(pairing.sync({"--dry-run"})["tables"]["people"]["updated"] == 1);
    if (by_hand) {
      pairing.configure(kLimits, "manage_schema = false\n");
      const auto refused = pairing.run({"sync"});
      CHECK(refused.exit == 23);
      pairing.secondary.run(refused.out.substr(0, refused.out.rfind(';') + 1));
    }
    line = pairing.sync();
    CHECK(line["tables"]["people"]["updated"] == 1);
    CHECK(line["tables"]["people"]["inserted"] == 0);
    CHECK(line["open"]["conflicts"] == 0);
    CHECK(pairing.secondary.rows("SELECT tag FROM people ORDER BY id") == "new\nedited\nc");
    accept(pairing);
    CHECK(pairing.sync()["outcome"] == "unchanged");
    pairing.primary.run("DELETE FROM visit WHERE id = 1; DELETE FROM people WHERE id = 1");
    CHECK(pairing.sync()["tables"]["people"]["deleted"] == 1);

    // two tables change names
    pairing.primary.run(
        "ALTER TABLE people RENAME TO t; ALTER TABLE visit RENAME TO people;"
        "ALTER TABLE t RENAME TO visit");
    CHECK(pairing.sync()["exit"] == 23);
    pairing.set_contract(
        "[tables.visit]\nkey = [\"id\"]\nwas = \"people\"\n[tables.visit" + columns +
        "[tables.people]\nkey = [\"id\"]\nwas = \"visit\"\n[tables.people.columns]\n"
        "id = \"plain\"\nperson_id = \"plain\"\n");
    pairing.configure(kLimits);
    CHECK(pairing.sync({"--dry-run"})["tables"]["visit"]["unchanged"] == 2);
    line = pairing.sync();
    CHECK(line["tables"]["visit"]["unchanged"] == 2);
    CHECK(line["open"]["conflicts"] == 0);
    CHECK(pairing.secondary.rows("SELECT tag FROM visit ORDER BY id") == "edited\nc");
    pairing.primary.run("UPDATE visit SET tag = 'last' WHERE id = 3");
    accept(pairing);
    CHECK(pairing.sync()["tables"]["visit"]["updated"] == 1);
    CHECK(pairing.secondary.rows("SELECT tag FROM visit ORDER BY id") == "edited\nlast");
  });
}

TEST_CASE("drift: a table gets another name and a new one takes its: two tables in the secondary") {
  on_both_secondaries([](On secondary) {
    Pairing pairing(On::postgresql, secondary, person("tag = \"plain\"\n"), kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, tag text);"
        "INSERT INTO person VALUES (1, 'a'), (2, 'b')");
    accept(pairing);
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.secondary.run("UPDATE person SET tag = 'edited' WHERE id = 2");
    pairing.primary.run(
        "ALTER TABLE person RENAME TO person_old; CREATE TABLE person (id integer PRIMARY KEY, tag"
        " text); INSERT INTO person VALUES (1, 'other'), (2, 'b'), (3, 'c')");
    CHECK(events(pairing) == std::set<std::string>{"block replaced_table person."});
    CHECK(pairing.sync()["exit"] == 23);
    CHECK(pairing.run({"drift", "accept"}).exit == 23);
    pairing.set_contract(person("tag = \"plain\"\n") +
                         "[tables.person_old]\nkey = [\"id\"]\nwas = \"person\"\n"
                         "[tables.person_old.columns]\nid = \"plain\"\ntag = \"plain\"\n");
    for (const auto& options : {std::vector<std::string>{"--dry-run"}, {}}) {
      const auto line = pairing.sync(options);
      CHECK(line["exit"] == 11);  // the new table is not accepted yet
      CHECK(line["tables"]["person"]["inserted"] == 3);
      CHECK(line["tables"]["person_old"]["updated"] == 0);
      CHECK(line["tables"]["person_old"]["deleted"] == 0);
    }
    CHECK(pairing.secondary.rows("SELECT tag FROM person ORDER BY id") == "other\nb\nc");
    CHECK(pairing.secondary.rows("SELECT tag FROM person_old ORDER BY id") == "a\nedited");
    accept(pairing);
    pairing.primary.run("UPDATE person_old SET tag = 'last' WHERE id = 1");
    CHECK(pairing.sync()["tables"]["person_old"]["updated"] == 1);
    CHECK(pairing.secondary.rows("SELECT tag FROM person_old ORDER BY id") == "last\nedited");
    CHECK(pairing.secondary.rows("SELECT tag FROM person ORDER BY id") == "other\nb\nc");
  });
}

}  // namespace abgleich::test
