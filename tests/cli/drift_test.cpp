// Schema drift through the command line: what the secondary's tables, values and bookkeeping become
// when the vendor changes the primary, or people the contract.
#include "support/pairing.hpp"
#include "support/server.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>
#include <sstream>

namespace abgleich::test {

namespace {

using Json = nlohmann::json;

const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

std::string person(const std::string& columns, const std::string& table = "key = [\"id\"]\n") {
  return "[tables.person]\n" + table + "[tables.person.columns]\nid = \"plain\"\n" + columns;
}

/// Every drift event that `drift` reports, as "verdict kind table.column".
std::set<std::string> events(const Pairing& pairing,
                             const std::vector<std::string>& words = {"drift", "--json"}) {
  const auto ran = pairing.run(words);
  REQUIRE_MESSAGE(ran.exit == 0, ran.err);
  std::set<std::string> found;
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);) {
    const auto event = Json::parse(line);
    const auto word = [&](const char* name) {
      return event[name].is_null() ? std::string() : event[name].get<std::string>();
    };
    if (word("kind") != "not_in_contract") {
      found.insert(word("verdict") + " " + word("kind") + " " + word("table") + "." +
                   word("column"));
    }
  }
  return found;
}

void accept(const Pairing& pairing) {
  const auto ran = pairing.run({"drift", "accept"});
  REQUIRE_MESSAGE(ran.exit == 0, ran.err);
}

/// What a column of the secondary is: type and nullability (PostgreSQL).
std::string shape(Database& database, const std::string& table, const std::string& column) {
  return database.rows(
      "SELECT format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE attrelid = '" +
      table + "'::regclass AND attname = '" + column + "'");
}

/// Nothing is left to do, and verify agrees.
void settled(const Pairing& pairing) {
  const auto line = pairing.sync();
  CHECK(line["outcome"] == "unchanged");
  const auto verified = pairing.run({"verify", "--exit-code"});
  CHECK_MESSAGE(verified.exit == 0, verified.out, verified.err);
}

void on_both_secondaries(const std::function<void(On)>& test) {
  for (const auto secondary : {On::sqlite, On::postgresql}) {
    CAPTURE(name_of(secondary));
    test(secondary);
  }
}

}  // namespace

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
    const std::string program = ABGLEICH_BINARY;
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

TEST_CASE("drift accept: not where the key of an exported table would be gone") {
  Pairing pairing(On::postgresql, On::sqlite, person("tag = \"plain\"\n"), kLimits);
  pairing.primary.run("CREATE TABLE person (id integer PRIMARY KEY, tag text)");
  accept(pairing);
  auto accepted = read_file(pairing.directory.path() / "catalog.json");
  for (const std::string ddl :
       {"ALTER TABLE person DROP COLUMN id", "ALTER TABLE person RENAME id TO nr",
        "ALTER TABLE person DROP CONSTRAINT person_pkey", "DROP TABLE person",
        "ALTER TABLE person RENAME TO people",
        "ALTER TABLE person RENAME id TO t; ALTER TABLE person ADD id integer PRIMARY KEY"}) {
    CAPTURE(ddl);
    if (ddl.find("ADD id") != std::string::npos) {
      pairing.primary.run("ALTER TABLE person DROP CONSTRAINT person_pkey");
    }
    pairing.primary.run(ddl);
    const auto ran = pairing.run({"drift", "accept"});
    CHECK(ran.exit == 23);
    CHECK_MESSAGE(ran.err.find("not accepted: ") != std::string::npos, ran.err);
    CHECK_MESSAGE(ran.err.find("key") != std::string::npos, ran.err);
    CHECK(ran.err.find("hint: ") != std::string::npos);
    CHECK(read_file(pairing.directory.path() / "catalog.json") == accepted);
    pairing.primary.run(
        "DROP TABLE IF EXISTS person; DROP TABLE IF EXISTS people;"
        "CREATE TABLE person (id integer PRIMARY KEY, tag text)");
    accept(pairing);
    accepted = read_file(pairing.directory.path() / "catalog.json");
  }
}

TEST_CASE("drift accept and contract add say what they did in JSON too") {
  Pairing pairing(On::sqlite, On::sqlite, person("tag = \"plain\"\n"), kLimits);
  pairing.primary.run("CREATE TABLE person (id integer PRIMARY KEY, tag text, note text)");
  const auto accepted = Json::parse(pairing.run({"drift", "accept", "--json"}).out);
  CHECK(accepted["schema"] == "abgleich.accept/1");
  CHECK(accepted["catalog"].get<std::string>().ends_with("catalog.json"));
  CHECK(accepted["tables"] == Json::array());
  const auto added = Json::parse(
      pairing.run({"contract", "add", "person.note", "--class", "plain", "--json"}).out);
  CHECK(added["schema"] == "abgleich.contract-add/1");
  CHECK(added["table"] == "person");
  CHECK(added["column"] == "note");
  CHECK(added["class"] == "plain");
  CHECK(
      Json::parse(pairing.run({"drift", "accept", "--table", "person", "--json"}).out)["tables"] ==
      Json::array({"person"}));
}

TEST_CASE("drift accept --table: the rest stays as it was accepted") {
  Pairing pairing(On::postgresql, On::sqlite,
                  person("tag = \"plain\"\n") +
                      "[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\nid = \"plain\"\n"
                      "at = \"plain\"\n",
                  kLimits);
  pairing.primary.run(
      "CREATE TABLE person (id integer PRIMARY KEY, tag varchar(5));"
      "CREATE TABLE visit (id integer PRIMARY KEY, at text)");
  accept(pairing);
  pairing.primary.run(
      "ALTER TABLE person ALTER tag TYPE varchar(9); ALTER TABLE visit ADD note text");
  CHECK(events(pairing).size() == 2);
  CHECK(pairing.run({"drift", "accept", "--table", "person"}).exit == 0);
  CHECK(events(pairing) == std::set<std::string>{"info new_column visit.note"});
  const auto unknown = pairing.run({"drift", "accept", "--table", "persn"});
  CHECK(unknown.exit == 64);
  CHECK(unknown.err.find("'persn'") != std::string::npos);
  CHECK(pairing.run({"drift", "accept", "--table", "visit", "--table", "person"}).exit == 0);
  CHECK(events(pairing).empty());
}

TEST_CASE("drift --catalog: CI needs no database, and takes no other database's file") {
  Pairing pairing(On::postgresql, On::sqlite, person("tag = \"plain\"\nsex = \"plain\"\n"),
                  kLimits);
  pairing.primary.run("CREATE TABLE person (id integer PRIMARY KEY, tag varchar(5), sex text)");
  accept(pairing);
  pairing.primary.run(
      "ALTER TABLE person ALTER tag TYPE varchar(9); ALTER TABLE person RENAME sex TO gender;"
      "ALTER TABLE person ADD phone text; CREATE TABLE other (id integer)");
  CHECK(pairing.run({"drift", "snapshot", "live.json"}).exit == 0);
  const auto online = pairing.run({"drift", "--json"}).out;
  // no database from here on
  write_file(pairing.directory.path() / "abgleich.toml",
             "[primary]\nurl = \"postgresql://nobody@nowhere.invalid/none\"\n"
             "[secondary]\nurl = \"sqlite:nowhere.db\"\n");
  const auto offline = pairing.run({"drift", "--catalog", "live.json", "--exit-code", "--json"});
  CHECK(offline.exit == 1);
  CHECK(offline.out == online);
  CHECK(offline.err.empty());

  SUBCASE("annotations of GitHub") {
    const auto ran =
        pairing.run({"drift", "--catalog", "live.json", "--format", "github", "--exit-code"});
    CHECK(ran.exit == 1);
    CHECK(ran.out.find("::error file=contract.toml,line=7,title=drift%3A person.sex::block "
                       "renamed_column person.sex: sex -> gender%0Ahint: gender = { class = ") !=
          std::string::npos);
    CHECK(ran.out.find("::warning file=contract.toml,line=6,title=drift%3A person.tag::adapt "
                       "type_widened") != std::string::npos);
    CHECK(ran.out.find("::notice file=contract.toml,line=1,title=drift%3A other::info "
                       "new_table other%0A") != std::string::npos);
  }
  SUBCASE("GitLab's code quality report") {
    const auto ran = pairing.run({"drift", "--catalog", "live.json", "--format", "gitlab"});
    CHECK(ran.exit == 0);
    const auto report = Json::parse(ran.out);
    REQUIRE(report.size() == 4);
    std::set<std::string> fingerprints;
    for (const auto& finding : report) {
      fingerprints.insert(finding["fingerprint"].get<std::string>());
      CHECK(finding["location"]["path"] == "contract.toml");
      CHECK(finding["location"]["lines"]["begin"].is_number_unsigned());
      CHECK(std::set<std::string>{"info", "minor", "critical"}.count(finding["severity"]) == 1);
    }
    CHECK(fingerprints.size() == 4);
    CHECK(pairing.run({"drift", "--catalog", "live.json", "--format", "gitlab"}).out == ran.out);
  }
  SUBCASE("JUnit") {
    const auto ran = pairing.run({"drift", "--catalog", "live.json", "--format", "junit"});
    CHECK(ran.out.find("<testsuite name=\"drift\" tests=\"4\" failures=\"1\">") !=
          std::string::npos);
    CHECK(ran.out.find("<failure type=\"renamed_column\" message=\"block renamed_column "
                       "person.sex: sex -&gt; gender\">") != std::string::npos);
    const auto none =
        pairing.run({"drift", "--catalog", "catalog.json", "--format", "junit", "--exit-code"});
    CHECK(none.exit == 0);
    CHECK(none.out.find("tests=\"1\" failures=\"0\"") != std::string::npos);
  }
  SUBCASE("another database, another format, a damaged file: 78") {
    const auto text = read_file(pairing.directory.path() / "live.json");
    const auto edited = [&](const std::string& from, const std::string& to) {
      auto copy = text;
      const auto at = copy.find(from);
      REQUIRE(at != std::string::npos);
      write_file(pairing.directory.path() / "edited.json", copy.replace(at, from.size(), to));
      return pairing.run({"drift", "--catalog", "edited.json"});
    };
    for (const auto& [from, to, said] : std::vector<std::array<std::string, 3>>{
             {"\"system\": \"", "\"system\": \"1", "is the catalogue of another database"},
             {"\"database\": \"", "\"database\": \"9", "is the catalogue of another database"},
             {"\"engine\": \"postgresql\"", "\"engine\": \"sqlite\"",
              "is the catalogue of another database"},
             {"\"schema\": \"public\"", "\"schema\": \"test\"",
              "is the catalogue of another database"},
             {"abgleich.catalog/1", "abgleich.catalog/2", "this version reads"},
             {"\"tables\": [", "\"tables\": ", "is not JSON"}}) {
      CAPTURE(to);
      const auto ran = edited(from, to);
      CHECK(ran.exit == 78);
      CHECK_MESSAGE(ran.err.find(said) != std::string::npos, ran.err);
      CHECK(ran.err.find("hint: ") != std::string::npos);
      CHECK(ran.out.empty());
    }
    CHECK(pairing.run({"drift", "--catalog", "absent.json"}).exit == 78);
  }
}

TEST_CASE("drift --sql: the statements for both directions, and nothing is executed") {
  Pairing pairing(On::postgresql, On::postgresql, person("tag = \"plain\"\nsex = \"plain\"\n"),
                  kLimits);
  pairing.primary.run(
      "CREATE TABLE person (id integer PRIMARY KEY, tag varchar(5) NOT NULL, sex text);"
      "INSERT INTO person VALUES (1, 'x', 'm')");
  accept(pairing);
  REQUIRE(pairing.sync()["exit"] == 0);
  CHECK(pairing.run({"drift", "--sql"}).out ==
        "-- the secondary follows the primary: nothing\n-- and back again: nothing\n");
  pairing.primary.run(
      "ALTER TABLE person ALTER tag TYPE varchar(9), ALTER tag DROP NOT NULL;"
      "ALTER TABLE person RENAME sex TO gender; ALTER TABLE person ADD note text;"
      "CREATE TABLE visit (id integer PRIMARY KEY)");
  CHECK(pairing.run({"drift", "--sql"})
            .out.find("-- left out until its drift is decided: "
                      "person\n") == 0);
  pairing.set_contract(
      person("tag = \"plain\"\ngender = { class = \"plain\", was = \"sex\" }\nnote = \"plain\"\n") +
      "[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\nid = \"plain\"\n");
  const auto ran = pairing.run({"drift", "--sql"});
  CHECK(ran.exit == 0);
  CHECK(ran.out ==
        "-- the secondary follows the primary\n"
        "ALTER TABLE \"public\".\"person\" RENAME COLUMN \"sex\" TO \"gender\";\n"
        "ALTER TABLE \"public\".\"person\" ADD COLUMN \"note\" text;\n"
        "ALTER TABLE \"public\".\"person\" ALTER COLUMN \"tag\" TYPE character varying(9);\n"
        "ALTER TABLE \"public\".\"person\" ALTER COLUMN \"tag\" DROP NOT NULL;\n"
        "CREATE TABLE \"public\".\"visit\" (\"id\" integer NOT NULL, PRIMARY KEY (\"id\"));\n"
        "CREATE TABLE abgleich.\"base_2\" (k0 integer NOT NULL, cells bytea NOT NULL, PRIMARY KEY "
        "(k0));\n"
        "-- and back again\n"
        "DROP TABLE \"public\".\"visit\";\n"
        "ALTER TABLE \"public\".\"person\" ALTER COLUMN \"tag\" SET NOT NULL;\n"
        "ALTER TABLE \"public\".\"person\" ALTER COLUMN \"tag\" TYPE character varying(5);\n"
        "ALTER TABLE \"public\".\"person\" DROP COLUMN \"note\";\n"
        "ALTER TABLE \"public\".\"person\" RENAME COLUMN \"gender\" TO \"sex\";\n");
  CHECK(shape(pairing.secondary, "person", "tag") == "character varying(5)|t");

  // both ways by hand, and the secondary is what it was
  const auto middle = ran.out.find("-- and back again");
  const auto before = pairing.secondary.rows(
      "SELECT attname, atttypid, atttypmod, attnotnull FROM pg_attribute WHERE attrelid = "
      "'person'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum");
  pairing.secondary.run(ran.out.substr(0, middle));
  pairing.secondary.run(ran.out.substr(middle));
  CHECK(pairing.secondary.rows(
            "SELECT attname, atttypid, atttypmod, attnotnull FROM pg_attribute WHERE attrelid = "
            "'person'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum") == before);
  pairing.accept_more();
  CHECK(pairing.sync()["exit"] == 11);
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
              "\". Nothing was changed");
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

TEST_CASE("drift: the pipelines of examples/ci run, and the nightly job commits what has changed") {
  const std::string examples = std::string(ABGLEICH_SOURCE_DIR) + "/examples/ci/";
  Pairing pairing(On::sqlite, On::sqlite, person("tag = \"plain\"\n"), kLimits);
  pairing.primary.run("CREATE TABLE person (id integer PRIMARY KEY, tag text)");
  accept(pairing);
  const auto directory = pairing.directory.path().string();
  const std::string binary = ABGLEICH_BINARY;
  const auto shell = [&](const std::string& command) {
    return run_program({"/bin/sh", "-c", command}, directory,
                       {"PATH=" + binary.substr(0, binary.rfind('/')) + ":/usr/bin:/bin",
                        "HOME=" + directory, "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org",
                        "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org"});
  };
  const auto commits = [&] { return shell("git rev-list --count HEAD").out; };
  REQUIRE(shell("git init -q && git add contract.toml catalog.json abgleich.toml && "
                "git commit -q -m contract")
              .exit == 0);
  for (const std::string expected : {"2\n", "2\n"}) {
    const auto ran = shell(examples + "snapshot .");
    CHECK_MESSAGE(ran.exit == 0, ran.err);
    CHECK(ran.out.empty());
    CHECK(commits() == expected);
  }
  // what the pipelines run, word for word
  std::vector<std::string> commands;
  for (const auto* file : {"github.yml", "gitlab.yml"}) {
    std::istringstream lines(read_file(examples + file));
    for (std::string line; std::getline(lines, line);) {
      if (const auto at = line.find("abgleich drift --catalog"); at != std::string::npos) {
        commands.push_back(line.substr(at));
      }
    }
  }
  REQUIRE(commands.size() == 4);
  for (const auto& command : commands) {
    CAPTURE(command);
    CHECK(shell(command).exit == 0);
  }
  pairing.primary.run("ALTER TABLE person ADD phone text");
  CHECK(shell(examples + "snapshot .").exit == 0);
  CHECK(commits() == "3\n");
  for (const auto& command : commands) {
    CAPTURE(command);
    const auto ran = shell(command);
    const bool decides = command.find("--exit-code") != std::string::npos;
    CHECK_MESSAGE(ran.exit == (decides ? 1 : 0), ran.err);
  }
  CHECK(read_file(pairing.directory.path() / "drift.xml").find("person.phone") !=
        std::string::npos);
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
