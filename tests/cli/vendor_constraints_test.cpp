// Constraints that the program made in the secondary follow the primary's; what people made stays.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <sstream>

namespace abgleich::test {

namespace {

using Json = nlohmann::json;

const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = \"plain\"\nname = \"plain\"\n"
    "[tables.place]\nkey = [\"id\"]\n[tables.place.columns]\nid = \"plain\"\n"
    "[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\nid = \"plain\"\nperson = \"plain\"\n"
    "note = \"plain\"\n";

std::string visit_table(const std::string& keys) {
  return "CREATE TABLE visit (id integer PRIMARY KEY, person integer, note text" + keys + ");";
}

const std::string kToPerson = ", FOREIGN KEY (person) REFERENCES person (id)";
const std::string kToPlace = ", FOREIGN KEY (person) REFERENCES place (id)";

struct Scene : Pairing {
  Scene(On primary_on, On secondary_on, const std::string& keys,
        const std::string& secondary_more = "")
      : Pairing(primary_on, secondary_on, kContract) {
    configure("[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n", secondary_more);
    primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, name text);"
        "CREATE TABLE place (id integer PRIMARY KEY);" +
        visit_table(keys) +
        "INSERT INTO person VALUES (1, 'a'), (2, 'b'); INSERT INTO place VALUES (1), (2);"
        "INSERT INTO visit VALUES (1, 1, 'x'), (2, 2, 'y')");
    accept();
  }

  void accept() const {
    const auto ran = run({"drift", "accept"});
    REQUIRE_MESSAGE(ran.exit == 0, ran.err);
  }

  /// As a vendor's upgrade does it, in place.
  void rekey_primary(const std::string& keys) {
    if (primary.engine() == On::postgresql) {
      primary.run("ALTER TABLE visit DROP CONSTRAINT IF EXISTS visit_person_fkey");
      if (!keys.empty()) {
        primary.run("ALTER TABLE visit ADD " + keys.substr(2));
      }
      return;
    }
    primary.run("ALTER TABLE visit RENAME TO old_visit;" + visit_table(keys) +
                "INSERT INTO visit SELECT * FROM old_visit; DROP TABLE old_visit");
  }

  /// "parent" of every foreign key of the secondary's visits.
  std::string keys() {
    return secondary.rows(
        secondary.engine() == On::sqlite
            ? "SELECT \"table\" FROM pragma_foreign_key_list('visit') ORDER BY 1"
            : "SELECT confrelid::regclass FROM pg_constraint WHERE contype = 'f' AND conrelid = "
              "'visit'::regclass ORDER BY 1");
  }

  [[nodiscard]] std::string drift() const {
    std::string kinds;
    std::istringstream lines(run({"drift", "--json"}).out);
    for (std::string line; std::getline(lines, line);) {
      const auto event = Json::parse(line);
      kinds += event["verdict"].get<std::string>() + " " + event["kind"].get<std::string>() + " " +
               event["table"].get<std::string>() + ";";
    }
    return kinds;
  }

  Json expect(int exit) const {
    auto line = sync();
    CHECK_MESSAGE(line["exit"] == exit, line.dump());
    return line;
  }

  void settled() const {
    accept();
    CHECK(sync()["outcome"] == "unchanged");
    const auto verified = run({"verify", "--exit-code"});
    CHECK_MESSAGE(verified.exit == 0, verified.out, verified.err);
  }
};

}  // namespace

TEST_CASE("constraints follow: a dropped foreign key goes, and all that people made stays") {
  on_every_pairing([](On primary, On secondary) {
    Scene scene(primary, secondary, kToPerson);
    scene.expect(0);
    CHECK(scene.keys() == "person");
    scene.secondary.run(
        "ALTER TABLE visit ADD COLUMN own text DEFAULT 'a, (b)'; CREATE INDEX by_note ON visit "
        "(note); CREATE VIEW noted AS SELECT id, note FROM visit; CREATE TABLE seen (id integer);");
    scene.secondary.run(secondary == On::sqlite
                            ? "CREATE TRIGGER see AFTER INSERT ON visit BEGIN INSERT INTO seen "
                              "VALUES (new.id); END"
                            : "CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN "
                              "INSERT INTO seen VALUES (NEW.id); RETURN NEW; END'; CREATE TRIGGER "
                              "see AFTER INSERT ON visit FOR EACH ROW EXECUTE FUNCTION see()");
    scene.secondary.run("UPDATE visit SET own = 'ours' WHERE id = 1");
    scene.rekey_primary("");
    scene.primary.run("INSERT INTO visit VALUES (3, 77, 'nobody')");
    CHECK(scene.drift() == "adapt dropped_foreign_key visit;");
    const auto told = scene.run({"diff"});
    CHECK_MESSAGE(told.out.find("+ visit id=3") != std::string::npos, told.out);
    CHECK(told.out.find("conflict") == std::string::npos);
    CHECK(scene.keys() == "person");  // diff has changed nothing
    const auto line = scene.expect(11);
    CHECK(line["tables"]["visit"]["inserted"] == 1);
    CHECK(scene.keys().empty());
    CHECK(scene.secondary.rows("SELECT id, person, note, own FROM visit ORDER BY id") ==
          "1|1|x|ours\n2|2|y|a, (b)\n3|77|nobody|a, (b)");
    CHECK(scene.secondary.rows("SELECT count(*) FROM noted") == "3");
    CHECK(scene.secondary.rows("SELECT id FROM seen") == "3");
    CHECK(scene.secondary.rows(secondary == On::sqlite
                                   ? "SELECT count(*) FROM pragma_index_list('visit') WHERE name = "
                                     "'by_note'"
                                   : "SELECT count(*) FROM pg_indexes WHERE indexname = "
                                     "'by_note'") == "1");
    if (secondary == On::sqlite) {
      CHECK(scene.secondary.rows("PRAGMA integrity_check") == "ok");
    }
    scene.settled();
  });
}

TEST_CASE("constraints follow: a new foreign key comes once every row keeps it") {
  on_every_pairing([](On primary, On secondary) {
    Scene scene(primary, secondary, "");
    scene.expect(0);
    CHECK(scene.keys().empty());
    scene.secondary.run("INSERT INTO visit VALUES (100, 99, 'ours')");
    scene.rekey_primary(kToPerson);
    scene.primary.run("INSERT INTO person VALUES (3, 'c'); INSERT INTO visit VALUES (3, 3, 'z')");
    CHECK(scene.drift().empty());
    const auto line = scene.expect(0);
    CHECK(line["tables"]["visit"]["inserted"] == 1);
    CHECK(scene.keys().empty());
    scene.accept();
    CHECK(scene.expect(0)["outcome"] == "unchanged");
    scene.secondary.run("UPDATE visit SET person = 3 WHERE id = 100");
    scene.expect(0);
    CHECK(scene.keys() == "person");
    scene.settled();
    // what it made, it takes away again
    scene.rekey_primary("");
    scene.expect(11);
    CHECK(scene.keys().empty());
    scene.settled();
  });
}

TEST_CASE("constraints follow: a replaced foreign key is replaced, with its table renamed") {
  on_every_pairing([](On primary, On secondary) {
    Scene scene(primary, secondary, kToPerson);
    scene.expect(0);
    std::string contract = kContract;
    const std::string from = "[tables.visit]\n";
    contract.replace(contract.find(from), from.size(), from + "target = \"stay\"\n");
    const std::string column = "person = \"plain\"";
    contract.replace(contract.find(column), column.size(),
                     "person = { class = \"plain\", as = \"whom\" }");
    scene.set_contract(contract);
    scene.rekey_primary(kToPlace);
    CHECK(scene.drift() == "adapt dropped_foreign_key visit;");
    scene.expect(11);
    CHECK(scene.secondary.rows(
              secondary == On::sqlite
                  ? "SELECT \"table\", \"from\", \"to\" FROM pragma_foreign_key_list('stay')"
                  : "SELECT confrelid::regclass, 'whom', 'id' FROM pg_constraint WHERE contype = "
                    "'f' AND conrelid = 'stay'::regclass") == "place|whom|id");
    scene.settled();
  });
}

TEST_CASE("constraints follow: a foreign key that people made, or dropped, stays so") {
  for (const auto secondary : kEngines) {
    CAPTURE(name_of(secondary));
    Scene scene(On::sqlite, secondary, kToPerson);
    scene.secondary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, name text);"
        "CREATE TABLE visit (id integer PRIMARY KEY, person integer REFERENCES person (id) "
        "DEFERRABLE INITIALLY IMMEDIATE, note text)");
    scene.expect(0);
    scene.rekey_primary("");
    scene.primary.run("INSERT INTO visit VALUES (3, 77, 'nobody')");
    scene.expect(10);
    CHECK(scene.keys() == "person");
  }
  Scene scene(On::sqlite, On::postgresql, kToPerson);
  scene.expect(0);
  scene.secondary.run("ALTER TABLE visit DROP CONSTRAINT visit_person_fkey");
  scene.primary.run("INSERT INTO visit VALUES (3, 1, 'z')");
  scene.expect(0);
  CHECK(scene.keys().empty());
}

TEST_CASE("constraints follow: while its other table is blocked, a foreign key stays") {
  for (const auto secondary : kEngines) {
    CAPTURE(name_of(secondary));
    Scene scene(On::postgresql, secondary, kToPerson);
    scene.expect(0);
    scene.primary.run(
        "ALTER TABLE person RENAME COLUMN name TO called; INSERT INTO visit VALUES (3, 1, 'z')");
    scene.expect(23);
    CHECK(scene.keys() == "person");
    CHECK(scene.secondary.rows("SELECT count(*) FROM visit") == "3");
  }
}

TEST_CASE("constraints follow: without manage_schema the statements are printed, and they work") {
  on_every_pairing([](On primary, On secondary) {
    Scene scene(primary, secondary, kToPerson, "manage_schema = false\n");
    const auto as_told = [&](int exit) {
      const auto line = scene.expect(exit);
      REQUIRE(line.contains("ddl"));
      for (const auto& statement : line["ddl"]) {
        scene.secondary.run(statement.get<std::string>());
      }
    };
    as_told(23);
    scene.expect(0);
    CHECK(scene.keys() == "person");
    scene.rekey_primary("");
    scene.primary.run("INSERT INTO visit VALUES (3, 1, 'z')");
    as_told(23);
    CHECK(scene.keys().empty());
    scene.expect(11);
    scene.settled();
    scene.rekey_primary(kToPlace);
    scene.primary.run("INSERT INTO place VALUES (4); INSERT INTO visit VALUES (4, 4, 'w')");
    as_told(23);
    CHECK(scene.keys() == "place");
    scene.expect(0);
    scene.settled();
  });
}

TEST_CASE("constraints follow: NOT NULL comes where every row keeps it, and goes") {
  Scene scene(On::postgresql, On::postgresql, "");
  scene.expect(0);
  const auto not_null = [&] {
    return scene.secondary.rows(
        "SELECT attnotnull FROM pg_attribute WHERE attrelid = 'visit'::regclass AND attname = "
        "'note'");
  };
  scene.primary.run("ALTER TABLE visit ALTER COLUMN note SET NOT NULL");
  scene.expect(11);
  CHECK(not_null() == "t");
  scene.settled();
  scene.primary.run(
      "ALTER TABLE visit ALTER COLUMN note DROP NOT NULL; INSERT INTO visit VALUES (3, 1, NULL)");
  scene.expect(11);
  CHECK(not_null() == "f");
  scene.settled();
}

TEST_CASE("constraints follow: without manage_schema NOT NULL is printed once every row keeps it") {
  Scene scene(On::postgresql, On::postgresql, "", "manage_schema = false\n");
  const auto as_told = [&](int exit) {
    const auto line = scene.expect(exit);
    REQUIRE_MESSAGE(line.contains("ddl"), line.dump());
    for (const auto& statement : line["ddl"]) {
      scene.secondary.run(statement.get<std::string>());
    }
  };
  const auto not_null = [&] {
    return scene.secondary.rows(
        "SELECT attnotnull FROM pg_attribute WHERE attrelid = 'visit'::regclass AND attname = "
        "'note'");
  };
  as_told(23);
  scene.expect(0);
  scene.secondary.run("INSERT INTO visit VALUES (100, 1, NULL)");
  scene.primary.run("ALTER TABLE visit ALTER COLUMN note SET NOT NULL");
  scene.expect(11);
  CHECK(not_null() == "f");
  scene.settled();
  scene.secondary.run("UPDATE visit SET note = 'ours' WHERE id = 100");
  scene.primary.run("INSERT INTO visit VALUES (3, 1, 'z')");
  as_told(23);
  CHECK(not_null() == "t");
  scene.expect(0);
  scene.settled();
  scene.primary.run(
      "ALTER TABLE visit ALTER COLUMN note DROP NOT NULL; INSERT INTO visit VALUES (4, 1, NULL)");
  as_told(23);
  CHECK(not_null() == "f");
  scene.expect(11);
  scene.settled();
}

TEST_CASE(
    "constraints follow: NOT NULL comes once every row keeps it, and not what people took off") {
  Scene scene(On::postgresql, On::postgresql, "");
  scene.expect(0);
  const auto not_null = [&] {
    return scene.secondary.rows(
        "SELECT attnotnull FROM pg_attribute WHERE attrelid = 'visit'::regclass AND attname = "
        "'note'");
  };
  scene.secondary.run("INSERT INTO visit VALUES (100, 1, NULL)");
  scene.primary.run("ALTER TABLE visit ALTER COLUMN note SET NOT NULL");
  scene.expect(11);
  CHECK(not_null() == "f");
  scene.settled();
  scene.secondary.run("UPDATE visit SET note = 'ours' WHERE id = 100");
  scene.expect(0);
  CHECK(not_null() == "t");
  scene.settled();
  scene.secondary.run("ALTER TABLE visit ALTER COLUMN note DROP NOT NULL");
  scene.expect(0);
  CHECK(not_null() == "f");
  scene.settled();
}

TEST_CASE("constraints follow: a table of SQLite's with AUTOINCREMENT stays one, and counts on") {
  for (const auto primary : kEngines) {
    CAPTURE(name_of(primary));
    Scene scene(primary, On::sqlite, kToPerson);
    scene.secondary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, name text);"
        "CREATE TABLE place (id integer PRIMARY KEY);"
        "CREATE TABLE visit (id INTEGER PRIMARY KEY AUTOINCREMENT, person integer, note text)");
    scene.rekey_primary("");
    scene.accept();
    scene.expect(0);
    scene.secondary.run(
        "INSERT INTO visit VALUES (500, 1, 'ours'); DELETE FROM visit WHERE id = 500");
    scene.rekey_primary(kToPerson);
    scene.accept();
    scene.expect(0);
    CHECK(scene.keys() == "person");
    CHECK(scene.secondary.rows("SELECT sql LIKE '%AUTOINCREMENT%' FROM sqlite_schema WHERE name = "
                               "'visit'") == "1");
    scene.secondary.run("INSERT INTO visit (person, note) VALUES (1, 'next')");
    CHECK(scene.secondary.rows("SELECT id FROM visit WHERE note = 'next'") == "501");
    scene.rekey_primary("");
    scene.expect(11);
    CHECK(scene.keys().empty());
    scene.secondary.run("DELETE FROM visit WHERE id = 501");
    scene.secondary.run("INSERT INTO visit (person, note) VALUES (1, 'next')");
    CHECK(scene.secondary.rows("SELECT id FROM visit WHERE note = 'next'") == "502");
    CHECK(scene.secondary.rows("SELECT count(*) FROM sqlite_sequence WHERE name = 'visit'") == "1");
    CHECK(scene.secondary.rows("PRAGMA integrity_check") == "ok");
    scene.settled();
  }
}

TEST_CASE("constraints follow: UNIQUE and CHECK that people made stay, whatever the vendor drops") {
  on_every_pairing([](On primary, On secondary) {
    Scene scene(primary, secondary, kToPerson);
    scene.secondary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, name text CHECK (length(name) < 9));"
        "CREATE TABLE visit (id integer PRIMARY KEY, person integer, note text UNIQUE, CHECK (note "
        "<> 'bad'))");
    scene.expect(0);
    scene.secondary.run("CREATE UNIQUE INDEX one_a_day ON visit (person, note)");
    // the same in the primary, and gone again
    scene.primary.run(
        "CREATE UNIQUE INDEX u ON visit (note); CREATE UNIQUE INDEX v ON person (name)");
    scene.accept();
    scene.expect(0);
    scene.primary.run("DROP INDEX u; DROP INDEX v");
    scene.rekey_primary("");
    scene.primary.run(
        "INSERT INTO visit VALUES (3, 1, 'x'), (4, 1, 'bad'), (5, 1, 'fine');"
        "INSERT INTO person VALUES (3, 'much too long')");
    const auto line = scene.sync();
    CHECK_MESSAGE(line["open"]["conflicts"] == 3, line.dump());
    CHECK(scene.secondary.rows("SELECT id FROM visit ORDER BY id") == "1\n2\n5");
    const auto refuses = [&](const std::string& sql) {
      if (secondary == On::sqlite) {
        scene.secondary.run("INSERT OR IGNORE" + sql.substr(6));
      } else {
        scene.secondary.run("DO $$ BEGIN " + sql +
                            "; EXCEPTION WHEN integrity_constraint_violation THEN NULL; END $$");
      }
    };
    refuses("INSERT INTO visit VALUES (90, 2, 'x')");
    refuses("INSERT INTO visit VALUES (91, 2, 'bad')");
    refuses("INSERT INTO person VALUES (92, 'much too long')");
    CHECK(scene.secondary.rows("SELECT count(*) FROM visit WHERE id > 89") == "0");
    CHECK(scene.secondary.rows("SELECT count(*) FROM person WHERE id > 89") == "0");
    CHECK(scene.secondary.rows(secondary == On::sqlite
                                   ? "SELECT count(*) FROM pragma_index_list('visit') WHERE name = "
                                     "'one_a_day'"
                                   : "SELECT count(*) FROM pg_indexes WHERE indexname = "
                                     "'one_a_day'") == "1");
  });
}

}  // namespace abgleich::test
