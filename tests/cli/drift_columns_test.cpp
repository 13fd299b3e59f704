// Drift of columns: they come, go and change places in the primary or in the contract.
#include "cli/drifting.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace abgleich::test {

TEST_CASE("drift: what holds more in the primary holds more in the secondary, base included") {
  Pairing pairing(On::postgresql, On::postgresql,
                  "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = \"plain\"\n"
                  "tag = \"plain\"\nsize = \"plain\"\n"
                  "[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\nid = \"plain\"\n"
                  "person_id = \"plain\"\n",
                  kLimits);
  pairing.primary.run(
      "CREATE TABLE person (id integer PRIMARY KEY, tag varchar(3) NOT NULL, size numeric(4,1));"
      "CREATE TABLE visit (id integer PRIMARY KEY, person_id integer REFERENCES person);"
      "INSERT INTO person VALUES (1, 'abc', 1.5), (2, 'def', 2.5);"
      "INSERT INTO visit VALUES (1, 1)");
  accept(pairing);
  REQUIRE(pairing.sync()["exit"] == 0);
  CHECK(shape(pairing.secondary, "person", "tag") == "character varying(3)|t");

  pairing.primary.run(
      "ALTER TABLE person ALTER tag TYPE varchar(20), ALTER tag DROP NOT NULL,"
      " ALTER size TYPE numeric(8,1);"
      "ALTER TABLE person ALTER id TYPE bigint; ALTER TABLE visit ALTER person_id TYPE bigint;"
      "INSERT INTO person VALUES (9999999999, NULL, 12345.5), (3, 'a longer one', NULL);"
      "INSERT INTO visit VALUES (2, 9999999999)");
  CHECK(events(pairing) == std::set<std::string>{"adapt type_widened person.id",
                                                 "adapt type_widened person.size",
                                                 "adapt type_widened person.tag",
                                                 "adapt nullability_loosened person.tag",
                                                 "adapt type_widened visit.person_id"});
  SUBCASE("in the run's own transaction") {
    CHECK(pairing.run({"diff"}).exit == 0);
    CHECK(shape(pairing.secondary, "person", "tag") == "character varying(3)|t");
    const auto line = pairing.sync();
    CHECK(line["exit"] == 11);
    CHECK(line["tables"]["person"]["inserted"] == 2);
    CHECK(line["tables"]["visit"]["inserted"] == 1);
  }
  SUBCASE("or by its owner, where abgleich must not") {
    pairing.configure(kLimits, "manage_schema = false\n");
    const auto refused = pairing.run({"sync"});
    CHECK(refused.exit == 23);
    CHECK(shape(pairing.secondary, "person", "tag") == "character varying(3)|t");
    pairing.secondary.run(refused.out.substr(0, refused.out.rfind(';') + 1));
    const auto line = pairing.sync();
    CHECK(line["exit"] == 11);
    CHECK(line["tables"]["person"]["inserted"] == 2);
  }
  CHECK(shape(pairing.secondary, "person", "tag") == "character varying(20)|f");
  CHECK(shape(pairing.secondary, "person", "id") == "bigint|t");
  CHECK(shape(pairing.secondary, "visit", "person_id") == "bigint|f");
  CHECK(pairing.secondary.rows("SELECT id, tag, size FROM person ORDER BY id") ==
        "1|abc|1.5\n2|def|2.5\n3|a longer one|NULL\n9999999999|NULL|12345.5");
  accept(pairing);
  settled(pairing);
}

TEST_CASE("drift: a swap of two names blocks; accepted, no row changes and no edit is lost") {
  on_both_secondaries([](On secondary) {
    Pairing pairing(On::postgresql, secondary, person("a = \"plain\"\nb = \"plain\"\n"), kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, a text, b text);"
        "INSERT INTO person SELECT n, 'a' || n, 'b' || n FROM generate_series(1, 20) n");
    accept(pairing);
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.secondary.run("UPDATE person SET a = 'edited' WHERE id = 3");
    pairing.primary.run(
        "ALTER TABLE person RENAME a TO t; ALTER TABLE person RENAME b TO a;"
        "ALTER TABLE person RENAME t TO b; UPDATE person SET a = 'new b' WHERE id = 1");
    CHECK(pairing.sync()["exit"] == 23);
    CHECK(pairing.secondary.rows("SELECT a, b FROM person WHERE id = 1") == "a1|b1");

    pairing.set_contract(
        person("a = { class = \"plain\", was = \"b\" }\n"
               "b = { class = \"plain\", was = \"a\" }\n"));
    const auto dry = pairing.sync({"--dry-run"});
    CHECK(dry["tables"]["person"]["updated"] == 1);
    const auto line = pairing.sync();
    CHECK(line["tables"]["person"]["updated"] == 1);
    CHECK(line["tables"]["person"]["inserted"] == 0);
    CHECK(line["open"]["conflicts"] == 0);
    CHECK(pairing.secondary.rows("SELECT a, b FROM person WHERE id IN (1, 2, 3) ORDER BY id") ==
          "new b|a1\nb2|a2\nb3|edited");
    accept(pairing);
    CHECK(pairing.sync()["outcome"] == "unchanged");
    pairing.primary.run("UPDATE person SET b = 'new a' WHERE id = 2");
    CHECK(pairing.sync()["tables"]["person"]["updated"] == 1);
    CHECK(pairing.secondary.rows("SELECT a, b FROM person WHERE id = 2") == "b2|new a");
  });
}

TEST_CASE("drift: a swap of two names of different types, and rows that come with it") {
  on_both_secondaries([](On secondary) {
    Pairing pairing(On::postgresql, secondary, person("a = \"plain\"\nb = \"plain\"\n"), kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, a text, b integer);"
        "INSERT INTO person VALUES (1, 'one', 10), (2, 'two', 20), (3, 'three', 30)");
    accept(pairing);
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.secondary.run("UPDATE person SET a = 'edited' WHERE id = 2");
    pairing.primary.run(
        "ALTER TABLE person RENAME a TO t; ALTER TABLE person RENAME b TO a;"
        "ALTER TABLE person RENAME t TO b; UPDATE person SET a = 11, b = 'eins' WHERE id = 1;"
        "INSERT INTO person VALUES (4, 'four', 40)");
    pairing.set_contract(
        person("a = { class = \"plain\", was = \"b\" }\n"
               "b = { class = \"plain\", was = \"a\" }\n"));
    pairing.configure(kLimits, "manage_schema = false\n");
    const auto refused = pairing.run({"sync"});
    CHECK(refused.exit == 23);
    CHECK(refused.err.find("hint: names are swapped") != std::string::npos);
    pairing.configure(kLimits);
    const auto line = pairing.sync();
    CHECK(line["tables"]["person"]["updated"] == 1);
    CHECK(line["tables"]["person"]["inserted"] == 1);
    CHECK(line["open"]["conflicts"] == 0);
    CHECK(line["open"]["quarantined"] == 0);
    CHECK(pairing.secondary.rows("SELECT a, b FROM person ORDER BY id") ==
          "11|eins\n20|edited\n30|three\n40|four");
    accept(pairing);
    CHECK(pairing.sync()["outcome"] == "unchanged");
  });
}

TEST_CASE("drift: names that no vendor should choose are followed like any others") {
  on_both_secondaries([](On secondary) {
    const std::string table = "Straße \"x\"; DROP TABLE y --";
    const std::string renamed = "order";
    const std::string longest = std::string(61, 'n') + "ö";  // 63 bytes
    const auto quoted = [](const std::string& name) {
      std::string text;
      for (const char c : name) {
        text += c == '"' ? "\"\"" : std::string(1, c);
      }
      return "\"" + text + "\"";
    };
    const auto toml = [](const std::string& name) {
      std::string text;
      for (const char c : name) {
        text += c == '"' ? "\\\"" : std::string(1, c);
      }
      return "\"" + text + "\"";
    };
    const auto contract = [&](const std::string& name, const std::string& was,
                              const std::string& column) {
      return "[tables." + toml(name) + "]\nkey = [\"select\"]\n" + was + "[tables." + toml(name) +
             ".columns]\n\"select\" = \"plain\"\n" + column;
    };
    Pairing pairing(On::postgresql, secondary,
                    contract(table, "", toml("a'b.c") + " = \"plain\"\n"), kLimits);
    pairing.primary.run("CREATE TABLE " + quoted(table) + " (\"select\" integer PRIMARY KEY, " +
                        quoted("a'b.c") + " text); INSERT INTO " + quoted(table) +
                        " VALUES (1, 'x'), (2, 'y')");
    accept(pairing);
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.secondary.run("UPDATE " + quoted(table) + " SET " + quoted("a'b.c") +
                          " = 'edited' WHERE \"select\" = 2");
    // the hint is the line, whatever the name
    pairing.primary.run("ALTER TABLE " + quoted(table) + " RENAME " + quoted("a'b.c") + " TO " +
                        quoted(longest) + "; ALTER TABLE " + quoted(table) + " ADD \"Ü;'\" text");
    const auto line = pairing.sync();
    CHECK(line["exit"] == 23);
    std::string hint;
    std::string added;
    for (const auto& event : line["drift"]) {
      (event["kind"] == "renamed_column" ? hint : added) = event["hint"].get<std::string>();
    }
    CHECK(hint == toml(longest) + " = { class = \"plain\", was = \"a'b.c\" }");
    pairing.set_contract(contract(table, "", hint + "\n"));
    // and so is the command, for a shell
    const std::string program = kProgram;
    const auto ran = run_program({"/bin/sh", "-c", program + added.substr(added.find(' '))},
                                 pairing.directory.path().string());
    CHECK_MESSAGE(ran.exit == 0, added, ran.err);
    CHECK(read_file(pairing.directory.path() / "contract.toml").find("\"Ü;'\" = \"withhold\"") !=
          std::string::npos);
    CHECK(pairing.sync()["tables"][table]["updated"] == 0);
    accept(pairing);
    pairing.primary.run("ALTER TABLE " + quoted(table) + " RENAME TO \"order\"");
    CHECK(pairing.sync()["exit"] == 23);
    pairing.set_contract(contract(renamed, "was = " + toml(table) + "\n", hint + "\n"));
    CHECK(pairing.sync()["tables"][renamed]["updated"] == 0);
    CHECK(pairing.secondary.rows("SELECT * FROM \"order\" ORDER BY 1") == "1|x\n2|edited");
    accept(pairing);
    CHECK(pairing.sync()["outcome"] == "unchanged");
  });
}

TEST_CASE("drift: a dropped column keeps its values, and new rows come without one") {
  on_both_secondaries([](On secondary) {
    Pairing pairing(On::postgresql, secondary, person("tag = \"plain\"\nsex = \"plain\"\n"),
                    kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, tag text, sex text NOT NULL);"
        "INSERT INTO person VALUES (1, 'x', 'm'), (2, 'y', 'f')");
    accept(pairing);
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.primary.run(
        "ALTER TABLE person DROP COLUMN sex; INSERT INTO person VALUES (3, 'z');"
        "UPDATE person SET tag = 'new' WHERE id = 1");
    CHECK(pairing.sync()["exit"] == 11);
    CHECK(pairing.secondary.rows("SELECT id, tag, sex FROM person ORDER BY id") ==
          "1|new|m\n2|y|f\n3|z|NULL");
    CHECK(pairing.secondary
              .rows("SELECT columns LIKE '%\"state\":\"gone\"%' FROM " +
                    std::string(secondary == On::sqlite ? "abgleich_tracked" : "abgleich.tracked"))
              .find_first_of("1t") == 0);
    pairing.set_contract(person("tag = \"plain\"\n"));
    accept(pairing);
    CHECK(pairing.sync()["exit"] == 0);  // that less leaves is remembered
    settled(pairing);

    // its name comes back for something else: the old values make way
    pairing.primary.run(
        "ALTER TABLE person ADD COLUMN sex integer; UPDATE person SET sex = 10 * id");
    pairing.set_contract(person("tag = \"plain\"\nsex = \"plain\"\n"));
    accept(pairing);
    pairing.accept_more();
    CHECK(pairing.sync()["exit"] == 0);
    CHECK(pairing.secondary.rows("SELECT id, sex, sex_gone FROM person ORDER BY id") ==
          "1|10|m\n2|20|f\n3|30|NULL");
    settled(pairing);
  });
}

TEST_CASE("drift: a replaced column blocks; accepted, the old values stay beside the new ones") {
  on_both_secondaries([](On secondary) {
    Pairing pairing(On::postgresql, secondary, person("sex = \"plain\"\n"), kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, sex text);"
        "INSERT INTO person VALUES (1, 'm'), (2, 'f')");
    accept(pairing);
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.primary.run(
        "ALTER TABLE person DROP COLUMN sex; ALTER TABLE person ADD COLUMN sex text;"
        "UPDATE person SET sex = 'other thing' WHERE id = 1");
    CHECK(events(pairing) == std::set<std::string>{"block replaced_column person.sex"});
    CHECK(pairing.sync()["exit"] == 23);
    CHECK(pairing.secondary.rows("SELECT sex FROM person ORDER BY id") == "m\nf");
    accept(pairing);
    CHECK(pairing.sync()["exit"] == 0);
    CHECK(pairing.secondary.rows("SELECT sex, sex_gone FROM person ORDER BY id") ==
          "other thing|m\nNULL|f");
    settled(pairing);
  });
}

TEST_CASE("drift: a newly exported column is filled by the next run, and edits stay") {
  on_every_pairing([](On primary, On secondary) {
    Pairing pairing(primary, secondary, person("tag = \"plain\"\nnote = \"withhold\"\n"));
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, tag text, note text);"
        "INSERT INTO person VALUES (1, 'x', 'n1'), (2, 'y', 'n2'), (3, 'z', NULL)");
    accept(pairing);
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.secondary.run("UPDATE person SET tag = 'edited' WHERE id = 2");
    pairing.set_contract(person("tag = \"plain\"\nnote = \"plain\"\n"));
    pairing.accept_more();
    const auto line = pairing.sync();
    CHECK(line["exit"] == 0);
    CHECK(line["tables"]["person"]["updated"] == 2);  // more than half: no mass change, though
    CHECK(pairing.secondary.rows("SELECT tag, note FROM person ORDER BY id") ==
          "x|n1\nedited|n2\nz|NULL");
    CHECK(pairing.sync()["outcome"] == "unchanged");
  });
}

TEST_CASE("drift: a withdrawn column is updated no longer; with erase it is emptied everywhere") {
  on_every_pairing([](On primary, On secondary) {
    const std::string journal = secondary == On::sqlite ? "abgleich_journal" : "abgleich.journal";
    Pairing pairing(primary, secondary, person("tag = \"plain\"\nname = \"plain\"\n"), kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, tag text, name text NOT NULL);"
        "INSERT INTO person VALUES (1, 'x', 'Canary one'), (2, 'y', 'Canary two')");
    accept(pairing);
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.primary.run(
        "UPDATE person SET name = 'Canary three', tag = 'xx' WHERE id = 1;"
        "INSERT INTO person VALUES (3, 'z', 'Canary four')");
    REQUIRE(pairing.sync()["exit"] == 0);
    const std::string canaries = "SELECT count(*) FROM " + journal +
                                 " WHERE before LIKE '%Canary%' OR after LIKE '%Canary%'";
    CHECK(pairing.secondary.rows(canaries) == "2");

    pairing.set_contract(person("tag = \"plain\"\nname = \"withhold\"\n"));
    pairing.primary.run(
        "UPDATE person SET name = 'Canary five', tag = 'yy' WHERE id = 2;"
        "INSERT INTO person VALUES (4, 'w', 'Canary six')");
    CHECK(pairing.sync()["exit"] == 0);
    CHECK(pairing.secondary.rows("SELECT tag, name FROM person ORDER BY id") ==
          "xx|Canary three\nyy|Canary two\nz|Canary four\nw|NULL");

    pairing.set_contract(
        person("tag = \"plain\"\nname = { class = \"withhold\", erase = true }\n"));
    CHECK(pairing.sync({"--dry-run"})["exit"] == 0);
    CHECK(pairing.secondary.rows(canaries) == "2");
    CHECK(pairing.sync()["outcome"] == "applied");
    CHECK(pairing.secondary.rows(canaries) == "0");
    CHECK(pairing.secondary.rows("SELECT tag, name FROM person ORDER BY id") ==
          "xx|NULL\nyy|NULL\nz|NULL\nw|NULL");
    CHECK(pairing.secondary.rows("SELECT count(*) FROM " + journal + " WHERE after LIKE '%xx%'") ==
          "1");
    settled(pairing);
  });
}

TEST_CASE("drift: a column that is withdrawn and erased at once goes in the same run") {
  Pairing pairing(On::sqlite, On::sqlite, person("name = \"plain\"\n"), kLimits);
  pairing.primary.run(
      "CREATE TABLE person (id integer PRIMARY KEY, name text);"
      "INSERT INTO person VALUES (1, 'Canary')");
  REQUIRE(pairing.sync()["exit"] == 0);
  pairing.set_contract(person("name = { class = \"withhold\", erase = true }\n"));
  CHECK(pairing.sync()["outcome"] == "applied");
  CHECK(pairing.secondary.rows("SELECT name FROM person") == "NULL");
  // people may use the column for themselves now
  pairing.secondary.run("UPDATE person SET name = 'ours'");
  settled(pairing);
  CHECK(pairing.secondary.rows("SELECT name FROM person") == "ours");
}

}  // namespace abgleich::test
