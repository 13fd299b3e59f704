// Drift of a type or a name: what the values themselves say of it.
#include "cli/drifting.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace abgleich::test {

namespace {

/// A primary with fifty rows, and the secondary after its first run.
struct Retyped : Pairing {
  explicit Retyped(On engine)
      : Pairing(On::postgresql, engine, person("tag = \"plain\"\nn = \"plain\"\n"), kLimits) {
    primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, tag varchar(20), n bigint);"
        "INSERT INTO person SELECT i, 'tag' || i, i FROM generate_series(1, 50) i");
    accept(*this);
    REQUIRE(sync()["exit"] == 0);
  }
};

/// A primary that cannot say which column is which, after its vendor has renamed `sex`.
struct Renamed : Pairing {
  explicit Renamed(On engine) : Pairing(On::sqlite, engine, person("sex = \"plain\"\n"), kLimits) {
    std::string sql = "CREATE TABLE person (id integer PRIMARY KEY, sex text, other text);";
    for (int i = 1; i <= 40; ++i) {
      const auto n = std::to_string(i);
      sql += "INSERT INTO person VALUES (" + n + ", 's" + n + "', 'o" + n + "');";
    }
    primary.run(sql);
    accept(*this);
    REQUIRE(sync()["exit"] == 0);
    secondary.run("UPDATE person SET sex = 'edited' WHERE id = 3");
    primary.run("ALTER TABLE person RENAME COLUMN sex TO geschlecht");
  }
};

}  // namespace

TEST_CASE("drift: another type is adapted if every value reads as before") {
  on_both_secondaries([](On secondary) {
    Retyped pairing(secondary);
    auto& primary = pairing.primary;
    primary.run(
        "ALTER TABLE person ALTER tag TYPE varchar(8), ALTER n TYPE integer;"
        "INSERT INTO person VALUES (51, 'tag51', 51)");
    CHECK(pairing.run({"diff"}).exit == 0);
    auto line = pairing.sync();
    CHECK(line["exit"] == 11);
    CHECK(line["drift"].size() == 2);
    CHECK(line["drift"][0]["verdict"] == "adapt");
    CHECK(line["tables"]["person"]["inserted"] == 1);
    CHECK(line["tables"]["person"]["updated"] == 0);
    // it was proven: a change of a value is one, from now on
    primary.run("UPDATE person SET tag = 'else' WHERE id = 1");
    line = pairing.sync();
    CHECK(line["exit"] == 11);
    CHECK(line["tables"]["person"]["updated"] == 1);
    const auto verified = pairing.run({"verify", "--exit-code"});
    CHECK_MESSAGE((verified.exit == 0 || verified.exit == 11), verified.out, verified.err);
    CHECK(verified.out.find("51 rows agree") != std::string::npos);
    accept(pairing);
    settled(pairing);
  });
}

TEST_CASE("drift: another type blocks while one value reads otherwise, and says how many") {
  on_both_secondaries([](On secondary) {
    Retyped pairing(secondary);
    pairing.primary.run(
        "ALTER TABLE person ALTER tag TYPE varchar(8) USING"
        " CASE WHEN id = 7 THEN upper(tag) ELSE tag END; UPDATE person SET n = 0 WHERE id = 1");
    for (int i = 0; i < 2; ++i) {
      const auto line = pairing.sync();
      CHECK(line["exit"] == 23);
      CHECK(line["drift"][0]["verdict"] == "block");
      CHECK(line["drift"][0]["hint"].get<std::string>().find("1 of 50 values") == 0);
      CHECK(!line["tables"].contains("person"));
    }
    CHECK(pairing.secondary.rows("SELECT tag, n FROM person WHERE id IN (1, 7) ORDER BY id") ==
          "tag1|1\ntag7|7");
    accept(pairing);
    CHECK(pairing.sync()["tables"]["person"]["updated"] == 2);
    CHECK(pairing.secondary.rows("SELECT tag FROM person WHERE id = 7") == "TAG7");
    // values of another kind have a column of their own, once accepted
    pairing.primary.run("ALTER TABLE person ALTER n TYPE text");
    CHECK(pairing.sync()["exit"] == 23);
    pairing.primary.run("UPDATE person SET n = 'many' WHERE id = 2");
    accept(pairing);
    CHECK(pairing.sync()["exit"] == 0);
    CHECK(pairing.secondary.rows("SELECT n, n_gone FROM person WHERE id < 4 ORDER BY id") ==
          "0|0\nmany|2\n3|3");
    settled(pairing);
  });
}

TEST_CASE("drift: a renamed label of an enumeration is another value, wherever a row has it") {
  on_both_secondaries([](On secondary) {
    Pairing pairing(On::postgresql, secondary, person("mood = \"plain\"\n"), kLimits);
    pairing.primary.run(
        "CREATE TYPE mood AS ENUM ('sad', 'glad', 'other');"
        "CREATE TABLE person (id integer PRIMARY KEY, mood mood);"
        "INSERT INTO person VALUES (1, 'sad'), (2, 'glad'), (3, 'glad')");
    accept(pairing);
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.primary.run("ALTER TYPE mood RENAME VALUE 'other' TO 'none'");
    CHECK(pairing.sync()["exit"] == 11);  // no row has it
    accept(pairing);
    CHECK(pairing.sync()["outcome"] == "unchanged");
    pairing.primary.run("ALTER TYPE mood RENAME VALUE 'sad' TO 'unhappy'");
    const auto line = pairing.sync();
    CHECK(line["exit"] == 23);
    CHECK(line["drift"][0]["hint"].get<std::string>().find("1 of 3 values read otherwise") == 0);
    CHECK(pairing.secondary.rows("SELECT mood FROM person ORDER BY id") == "sad\nglad\nglad");
    accept(pairing);
    CHECK(pairing.sync()["tables"]["person"]["updated"] == 1);
    CHECK(pairing.secondary.rows("SELECT mood FROM person ORDER BY id") == "unhappy\nglad\nglad");
    // new labels between the others change nothing
    pairing.primary.run("ALTER TYPE mood ADD VALUE 'new' BEFORE 'unhappy'");
    CHECK(events(pairing) == std::set<std::string>{"info new_enum_label person.mood"});
    CHECK(pairing.sync()["tables"]["person"]["updated"] == 0);
  });
}

TEST_CASE("drift: a name that changes its capitals only is another name") {
  on_both_secondaries([](On secondary) {
    Pairing pairing(On::postgresql, secondary, person("\"Sex\" = \"plain\"\n"), kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, \"Sex\" text);"
        "INSERT INTO person VALUES (1, 'x'), (2, 'y')");
    accept(pairing);
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.secondary.run("UPDATE person SET \"Sex\" = 'edited' WHERE id = 2");
    pairing.primary.run("ALTER TABLE person RENAME \"Sex\" TO sex");
    pairing.set_contract(person("sex = { class = \"plain\", was = \"Sex\" }\n"));
    CHECK(pairing.sync()["tables"]["person"]["updated"] == 0);
    accept(pairing);
    pairing.primary.run("ALTER TABLE person RENAME TO \"Person\"");
    pairing.set_contract(
        "[tables.Person]\nkey = [\"id\"]\nwas = \"person\"\n[tables.Person.columns]\n"
        "id = \"plain\"\nsex = \"plain\"\n");
    CHECK(pairing.sync({"--dry-run"})["tables"]["Person"]["updated"] == 0);
    CHECK(pairing.sync()["tables"]["Person"]["updated"] == 0);
    CHECK(pairing.secondary.rows("SELECT id, sex FROM \"Person\" ORDER BY id") == "1|x\n2|edited");
    accept(pairing);
    CHECK(pairing.sync()["outcome"] == "unchanged");
  });
}

TEST_CASE("drift: where there is no identity, a rename is borne out by the values per key") {
  on_both_secondaries([](On secondary) {
    Renamed pairing(secondary);
    // without the line nothing is taken for a rename, and nothing is lost
    CHECK(events(pairing) == std::set<std::string>{"adapt dropped_column person.sex",
                                                   "info new_column person.geschlecht"});
    CHECK(pairing.run({"drift"}).out.find("try in its place: geschlecht = { class = \"plain\", "
                                          "was = \"sex\" }, and see what the values say") !=
          std::string::npos);
    pairing.primary.run("UPDATE person SET geschlecht = 'new' WHERE id = 1");
    pairing.set_contract(person("geschlecht = { class = \"plain\", was = \"sex\" }\n"));
    CHECK(events(pairing) == std::set<std::string>{"adapt renamed_column person.geschlecht"});
    const auto shown = pairing.run({"drift"});
    CHECK_MESSAGE(shown.out.find("of 40 rows 39 (97.5 %) have in 'geschlecht' the value that 'sex' "
                                 "had") != std::string::npos,
                  shown.out);
    const auto line = pairing.sync();
    CHECK(line["exit"] == 11);
    CHECK(line["drift"][0]["verdict"] == "adapt");
    CHECK(line["tables"]["person"]["updated"] == 1);
    CHECK(line["open"]["conflicts"] == 0);
    CHECK(pairing.secondary.rows("SELECT geschlecht FROM person WHERE id < 4 ORDER BY id") ==
          "new\ns2\nedited");
    accept(pairing);
    CHECK(pairing.sync()["outcome"] == "unchanged");
    CHECK(events(pairing).empty());
  });
}

TEST_CASE("drift: a rename that is found out only after a run loses nothing") {
  on_both_secondaries([](On secondary) {
    Renamed pairing(secondary);
    CHECK(pairing.sync()["exit"] == 11);
    CHECK(pairing.secondary.rows("SELECT sex FROM person WHERE id < 4 ORDER BY id") ==
          "s1\ns2\nedited");
    pairing.primary.run("UPDATE person SET geschlecht = 'new' WHERE id = 1");
    pairing.set_contract(person("geschlecht = { class = \"plain\", was = \"sex\" }\n"));
    const auto shown = pairing.run({"drift"});
    CHECK_MESSAGE(shown.out.find("of 40 rows 38 (95.0 %) have in 'geschlecht' the value that 'sex' "
                                 "had") != std::string::npos,
                  shown.out);
    // The run in between has forgotten what was agreed on: where the sides differ, a person
    // decides.
    const auto line = pairing.sync();
    CHECK(line["tables"]["person"]["updated"] == 0);
    CHECK(line["open"]["conflicts"] == 2);
    CHECK(pairing.secondary.rows("SELECT geschlecht FROM person WHERE id < 4 ORDER BY id") ==
          "s1\ns2\nedited");
    accept(pairing);
    CHECK(pairing.run({"resolve", "--all", "--take", "secondary"}).exit == 0);
    settled(pairing);
  });
}

TEST_CASE("drift: a rename that the values speak against blocks, with how many, until accepted") {
  on_both_secondaries([](On secondary) {
    Renamed pairing(secondary);
    pairing.primary.run("ALTER TABLE person DROP COLUMN geschlecht");
    pairing.set_contract(person("other = { class = \"plain\", was = \"sex\" }\n"));
    pairing.accept_more();
    const auto line = pairing.sync();
    CHECK(line["exit"] == 23);
    const auto hint = line["drift"].back()["hint"].get<std::string>();
    CHECK_MESSAGE(hint.find("of 40 rows 40 (100.0 %) have another value") == 0, hint);
    CHECK(pairing.secondary.rows("SELECT sex FROM person WHERE id = 1") == "s1");
    accept(pairing);
    CHECK(pairing.sync()["tables"]["person"]["updated"] == 39);
    CHECK(pairing.secondary.rows("SELECT other FROM person WHERE id = 3") == "edited");
  });
}

}  // namespace abgleich::test
