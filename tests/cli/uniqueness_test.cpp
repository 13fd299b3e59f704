// A key is believed to be unique only where the primary enforces it for all that is read: otherwise
// rows that repeat one are held back, in every run alike.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

namespace abgleich::test {

namespace {

using Json = nlohmann::json;

const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";
const char* const kPerson =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = \"plain\"\nname = \"plain\"\n";

struct Scene : Pairing {
  Scene(On primary_on, On secondary_on) : Pairing(primary_on, secondary_on, kPerson, kLimits) {}

  /// And whatever way the next runs go, they find nothing new.
  Json run_sync(int exit) {
    auto line = sync();
    CHECK_MESSAGE(line["exit"] == exit, line.dump());
    const auto there = people();
    for (const std::vector<std::string>& how :
         {std::vector<std::string>{}, {"--full"}, std::vector<std::string>{}}) {
      const auto again = sync(how);
      CHECK_MESSAGE(again["outcome"] == "unchanged", again.dump());
      CHECK(again["exit"] == exit);
      CHECK(people() == there);
    }
    return line;
  }

  std::string people() { return secondary.rows("SELECT id, name FROM person ORDER BY id, name"); }
};

template <class Test>
void on_both(const Test& test) {
  for (const auto secondary : kEngines) {
    CAPTURE(name_of(secondary));
    test(secondary);
  }
}

}  // namespace

TEST_CASE("a key that a table repeats which inherits is held back, and never goes to and fro") {
  on_both([](On secondary) {
    Scene scene(On::postgresql, secondary);
    scene.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, name text);"
        "CREATE TABLE patient () INHERITS (person);"
        "INSERT INTO person VALUES (1, 'one'), (2, 'two'); INSERT INTO patient VALUES (3, "
        "'three')");
    scene.run_sync(0);
    CHECK(scene.people() == "1|one\n2|two\n3|three");
    scene.primary.run("INSERT INTO patient VALUES (1, 'another')");
    auto line = scene.run_sync(11);
    CHECK(line["tables"]["person"]["quarantined"] == 1);
    CHECK(scene.people() == "1|one\n2|two\n3|three");
    // whichever of them changes
    scene.primary.run("UPDATE ONLY person SET name = 'one a' WHERE id = 1");
    scene.run_sync(11);
    scene.primary.run("UPDATE patient SET name = 'another a' WHERE id = 1");
    scene.run_sync(11);
    scene.primary.run("UPDATE person SET name = 'two a' WHERE id = 2");
    scene.run_sync(11);
    CHECK(scene.people() == "1|one\n2|two a\n3|three");
    // one of them goes
    scene.primary.run("DELETE FROM ONLY person WHERE id = 1");
    scene.run_sync(0);
    CHECK(scene.people() == "1|another a\n2|two a\n3|three");
  });
}

TEST_CASE("a table that comes to inherit later repeats a key") {
  on_both([](On secondary) {
    Scene scene(On::postgresql, secondary);
    scene.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, name text);"
        "INSERT INTO person VALUES (1, 'one'), (2, 'two')");
    scene.run_sync(0);
    scene.primary.run(
        "CREATE TABLE patient () INHERITS (person); INSERT INTO patient VALUES (2, 'another')");
    const auto line = scene.run_sync(11);
    CHECK(line["tables"]["person"]["quarantined"] == 1);
    CHECK(scene.people() == "1|one\n2|two");
    scene.primary.run("DROP TABLE patient");
    scene.run_sync(0);
    CHECK(scene.people() == "1|one\n2|two");
  });
}

TEST_CASE("check names tables whose key reaches over what inherits, and what nobody enforces") {
  Scene scene(On::postgresql, On::sqlite);
  scene.primary.run(
      "CREATE TABLE person (id integer PRIMARY KEY, name text);"
      "CREATE TABLE patient () INHERITS (person)");
  CHECK(scene.run({"check"}).out.find("makes the key unique of: person") != std::string::npos);
}

TEST_CASE("a unique index that is not valid or not ready keeps nothing unique") {
  for (const std::string flag : {"indisvalid", "indisready"}) {
    on_both([&](On secondary) {
      CAPTURE(flag);
      Scene scene(On::postgresql, secondary);
      scene.primary.run(
          "CREATE TABLE person (id integer NOT NULL, name text);"
          "CREATE UNIQUE INDEX person_id ON person (id);"
          "INSERT INTO person VALUES (1, 'one'), (2, 'two');"
          "UPDATE pg_index SET " +
          flag + " = false WHERE indexrelid = 'person_id'::regclass");
      scene.run_sync(0);
      // as a CREATE UNIQUE INDEX CONCURRENTLY that failed leaves it
      scene.primary.run("DROP INDEX person_id; INSERT INTO person VALUES (1, 'another')");
      scene.run_sync(11);
      CHECK(scene.people() == "1|one\n2|two");
    });
  }
}

TEST_CASE("keys over expressions, over some of the rows, or of another order of columns") {
  on_both([](On secondary) {
    Scene scene(On::postgresql, secondary);
    scene.primary.run(
        "CREATE TABLE person (id text NOT NULL, name text);"
        "CREATE UNIQUE INDEX ON person (lower(id)) WHERE name <> 'another';"
        "CREATE UNIQUE INDEX ON person (id) WHERE name <> 'another';"
        "CREATE UNIQUE INDEX ON person (id, name);"
        "INSERT INTO person VALUES ('a', 'one'), ('b', 'two')");
    scene.run_sync(0);
    scene.primary.run("INSERT INTO person VALUES ('a', 'another')");
    scene.run_sync(11);
    CHECK(scene.people() == "a|one\nb|two");
  });
}

TEST_CASE("a view repeats a key that its table does not") {
  for (const auto primary : kEngines) {
    on_both([&](On secondary) {
      CAPTURE(name_of(primary));
      Scene scene(primary, secondary);
      scene.primary.run(
          "CREATE TABLE t (id integer PRIMARY KEY, name text);"
          "CREATE TABLE u (id integer PRIMARY KEY, name text);"
          "CREATE VIEW person AS SELECT * FROM t UNION ALL SELECT * FROM u;"
          "INSERT INTO t VALUES (1, 'one'), (2, 'two')");
      scene.run_sync(0);
      scene.primary.run("INSERT INTO u VALUES (1, 'another')");
      scene.run_sync(11);
      scene.primary.run("UPDATE u SET name = 'yet another'");
      scene.run_sync(11);
      CHECK(scene.people() == "1|one\n2|two");
      scene.primary.run("DELETE FROM u");
      scene.run_sync(0);
    });
  }
}

TEST_CASE("SQLite tells 1 from '1' in a column without a type, the secondary's text does not") {
  Scene scene(On::sqlite, On::postgresql);
  scene.primary.run(
      "CREATE TABLE person (id PRIMARY KEY NOT NULL, name text);"
      "INSERT INTO person VALUES (1, 'one'), (2, 'two')");
  scene.run_sync(0);
  scene.primary.run("INSERT INTO person VALUES ('1', 'another')");
  scene.run_sync(11);
  CHECK(scene.people() == "1|one\n2|two");
  scene.primary.run("DELETE FROM person WHERE name = 'another'");
  scene.run_sync(0);
}

TEST_CASE("NULLs in a unique key of SQLite name no row, and the others go on") {
  on_both([](On secondary) {
    Scene scene(On::sqlite, secondary);
    scene.primary.run(
        "CREATE TABLE person (id text UNIQUE, name text);"
        "INSERT INTO person VALUES ('a', 'one'), (NULL, 'two'), (NULL, 'three')");
    const auto line = scene.run_sync(11);
    CHECK(line["tables"]["person"]["quarantined"] == 2);
    CHECK(scene.people() == "a|one");
  });
}

TEST_CASE("a NOT NULL that a table which inherits does not have is not believed") {
  on_both([](On secondary) {
    Scene scene(On::postgresql, secondary);
    scene.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, name text NOT NULL);"
        "CREATE TABLE patient () INHERITS (person);"
        "ALTER TABLE patient ALTER COLUMN name DROP NOT NULL;"
        "INSERT INTO person VALUES (1, 'one'); INSERT INTO patient VALUES (2, NULL)");
    scene.run_sync(0);
    CHECK(scene.people() == "1|one\n2|NULL");
  });
}

TEST_CASE("a first load of which all is held back is followed by runs that find nothing new") {
  on_both([](On secondary) {
    Scene scene(On::postgresql, secondary);
    scene.primary.run(
        "CREATE TABLE person (id integer, name text);"
        "INSERT INTO person VALUES (1, 'one'), (1, 'another')");
    scene.run_sync(11);
    CHECK(scene.people().empty());
    scene.primary.run("DELETE FROM person WHERE name = 'another'");
    scene.run_sync(0);
    CHECK(scene.people() == "1|one");
  });
}

TEST_CASE("a foreign table keeps nothing unique, whatever the table behind it does") {
  on_both([](On secondary) {
    Scene scene(On::postgresql, secondary);
    scene.primary.run(
        "CREATE TABLE behind (id integer, name text);"
        "INSERT INTO behind VALUES (1, 'one'), (2, 'two');"
        "CREATE EXTENSION postgres_fdw;"
        "DO $$ BEGIN EXECUTE format('CREATE SERVER here FOREIGN DATA WRAPPER postgres_fdw OPTIONS "
        "(host %L, port %L, dbname %L)', split_part(current_setting('unix_socket_directories'), "
        "',', 1), current_setting('port'), current_database()); END $$;"
        "CREATE USER MAPPING FOR CURRENT_USER SERVER here;"
        "CREATE FOREIGN TABLE person (id integer NOT NULL, name text) SERVER here OPTIONS "
        "(table_name 'behind')");
    scene.run_sync(0);
    CHECK(scene.people() == "1|one\n2|two");
    scene.primary.run("INSERT INTO behind VALUES (1, 'another')");
    scene.run_sync(11);
    scene.primary.run("UPDATE behind SET name = 'yet another' WHERE name = 'another'");
    scene.run_sync(11);
    CHECK(scene.people() == "1|one\n2|two");
    scene.primary.run("DELETE FROM behind WHERE name = 'one'");
    scene.run_sync(0);
    CHECK(scene.people() == "1|yet another\n2|two");
    CHECK(scene.run({"check"}).out.find("makes the key unique of: person") != std::string::npos);
  });
}

TEST_CASE("a partitioned table keeps unique what its key says, over partitions that come and go") {
  on_both([](On secondary) {
    Scene scene(On::postgresql, secondary);
    scene.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, name text) PARTITION BY RANGE (id);"
        "CREATE TABLE low PARTITION OF person FOR VALUES FROM (0) TO (10);"
        "CREATE TABLE high (id integer PRIMARY KEY, name text);"
        "INSERT INTO person VALUES (1, 'one'), (2, 'two'); INSERT INTO high VALUES (11, 'eleven')");
    scene.run_sync(0);
    scene.primary.run("ALTER TABLE person ATTACH PARTITION high FOR VALUES FROM (10) TO (20)");
    scene.run_sync(0);
    CHECK(scene.people() == "1|one\n2|two\n11|eleven");
    scene.primary.run("UPDATE person SET id = 12 WHERE id = 2");
    scene.run_sync(0);
    CHECK(scene.people() == "1|one\n11|eleven\n12|two");
    scene.primary.run("ALTER TABLE person DETACH PARTITION high");
    scene.run_sync(0);
    CHECK(scene.people() == "1|one");
  });
}

TEST_CASE("a partitioned table whose key is longer than the contract's repeats the contract's") {
  on_both([](On secondary) {
    Scene scene(On::postgresql, secondary);
    scene.primary.run(
        "CREATE TABLE person (id integer, name text, part integer, PRIMARY KEY (id, part)) "
        "PARTITION BY LIST (part);"
        "CREATE TABLE p1 PARTITION OF person (UNIQUE (id)) FOR VALUES IN (1);"
        "CREATE TABLE p2 PARTITION OF person (UNIQUE (id)) FOR VALUES IN (2);"
        "INSERT INTO person VALUES (1, 'one', 1), (2, 'two', 2)");
    scene.run_sync(0);
    scene.primary.run("INSERT INTO person VALUES (1, 'another', 2)");
    scene.run_sync(11);
    CHECK(scene.people() == "1|one\n2|two");
    scene.primary.run("UPDATE person SET name = 'one a' WHERE part = 1");
    scene.run_sync(11);
    CHECK(scene.people() == "1|one\n2|two");
    scene.primary.run("DELETE FROM person WHERE name = 'another'");
    scene.run_sync(0);
    CHECK(scene.people() == "1|one a\n2|two");
  });
}

TEST_CASE("a deferrable key is unique in every snapshot, also where rows swap it") {
  on_both([](On secondary) {
    Scene scene(On::postgresql, secondary);
    scene.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, name text);"
        "INSERT INTO person VALUES (1, 'one'), (2, 'two'), (3, 'three')");
    scene.run_sync(0);
    scene.primary.run("UPDATE person SET id = 3 - id WHERE id < 3");
    scene.run_sync(0);
    CHECK(scene.people() == "1|two\n2|one\n3|three");
    scene.primary.run(
        "BEGIN; INSERT INTO person VALUES (3, 'another'); DELETE FROM person WHERE name = 'three'; "
        "COMMIT");
    scene.run_sync(0);
    CHECK(scene.people() == "1|two\n2|one\n3|another");
  });
}

TEST_CASE("a virtual table of SQLite keeps nothing unique") {
  on_both([](On secondary) {
    Scene scene(On::sqlite, secondary);
    scene.primary.run(
        "CREATE VIRTUAL TABLE person USING fts5(id, name);"
        "INSERT INTO person VALUES ('1', 'one'), ('2', 'two')");
    scene.run_sync(0);
    scene.primary.run("INSERT INTO person VALUES ('1', 'another')");
    scene.run_sync(11);
    CHECK(scene.people() == "1|one\n2|two");
    scene.primary.run("DELETE FROM person WHERE name = 'one'");
    scene.run_sync(0);
    CHECK(scene.people() == "1|another\n2|two");
  });
}

TEST_CASE("a table WITHOUT ROWID keeps its key, and nothing else, unique") {
  on_both([](On secondary) {
    Scene scene(On::sqlite, secondary);
    scene.primary.run(
        "CREATE TABLE person (code TEXT PRIMARY KEY, id INTEGER NOT NULL, name TEXT) WITHOUT "
        "ROWID; INSERT INTO person VALUES ('a', 1, 'one'), ('b', 2, 'two')");
    scene.run_sync(0);
    scene.primary.run("INSERT INTO person VALUES ('c', 1, 'another')");
    scene.run_sync(11);
    CHECK(scene.people() == "1|one\n2|two");
    scene.primary.run("DELETE FROM person WHERE code = 'c'; UPDATE person SET name = 'ein'");
    scene.run_sync(0);
    CHECK(scene.people() == "1|ein\n2|ein");
    Scene other(On::sqlite, secondary);
    other.primary.run(
        "CREATE TABLE person (id TEXT COLLATE NOCASE PRIMARY KEY, name TEXT) WITHOUT ROWID;"
        "INSERT INTO person VALUES ('a', 'one'), ('b', 'two')");
    other.run_sync(0);
    other.primary.run(
        "UPDATE person SET id = 'A' WHERE id = 'a'; DELETE FROM person WHERE id = 'b'");
    other.run_sync(0);
    CHECK(other.people() == "A|one");
  });
}

TEST_CASE(
    "tables that inherit from one of the secondary's block it, and nothing of them is changed") {
  for (const auto primary : kEngines) {
    CAPTURE(name_of(primary));
    Scene scene(primary, On::postgresql);
    scene.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, name text);"
        "INSERT INTO person VALUES (1, 'one'), (2, 'two'), (3, 'three')");
    scene.run_sync(0);
    scene.secondary.run(
        "CREATE TABLE old_person () INHERITS (person);"
        "CREATE TABLE \"Older; person\" () INHERITS (person);"
        "INSERT INTO old_person VALUES (1, 'ours'), (9, 'ours, too')");
    scene.primary.run(
        "UPDATE person SET name = 'one a' WHERE id = 1; DELETE FROM person WHERE id = 2;"
        "INSERT INTO person VALUES (9, 'nine')");
    const auto before = scene.people();
    const std::string detach =
        "ALTER TABLE public.\"Older; person\" NO INHERIT \"public\".\"person\"; "
        "ALTER TABLE public.old_person NO INHERIT \"public\".\"person\"";
    for (const auto* const command : {"check", "diff", "status", "sync"}) {
      const auto ran = scene.run({command});
      const bool looks = command == std::string("diff") || command == std::string("status");
      CHECK_MESSAGE(ran.exit == (looks ? 0 : 23), ran.out, ran.err);
      CHECK_MESSAGE((ran.out + ran.err)
                            .find(command == std::string("status")
                                      ? "until it is decided: person"
                                      : detach + "; then run:") != std::string::npos,
                    ran.out, ran.err);
    }
    CHECK(scene.people() == before);
    scene.secondary.run(detach);
    scene.run_sync(0);
    CHECK(scene.people() == "1|one a\n3|three\n9|nine");
    CHECK(scene.secondary.rows("SELECT * FROM old_person ORDER BY id") == "1|ours\n9|ours, too");
  }
}

}  // namespace abgleich::test
