// Foreign keys of the primary that its rows need not keep, or keep only by a comparison that is not
// of bytes: rows arrive all the same, nothing is promised in the secondary, and check says so.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

namespace abgleich::test {

namespace {

const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

std::string contract_of(const std::string& id) {
  return "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = " + id +
         "\n[tables.visit]\nkey = [\"n\"]\n[tables.visit.columns]\nn = \"plain\"\nperson = " + id +
         "\n";
}
const char* const kPseudonym = "{ class = \"pseudonym\", identity = \"person\" }";
const char* const kPlain = "\"plain\"";

struct Scene : Pairing {
  Scene(On secondary_on, const std::string& id)
      : Pairing(On::postgresql, secondary_on, contract_of(id), kLimits) {}

  std::string foreign_keys() {
    return secondary.rows(secondary.engine() == On::sqlite
                              ? "SELECT count(*) FROM pragma_foreign_key_list('visit')"
                              : "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND "
                                "conrelid = 'visit'::regclass");
  }
  std::string joined() {
    return secondary.rows("SELECT count(*) FROM visit JOIN person ON person.id = visit.person");
  }
  void expect(int exit, const std::string& visits) {
    const auto line = sync();
    CHECK_MESSAGE(line["exit"] == exit, line.dump());
    CHECK(secondary.rows("SELECT count(*) FROM visit") == visits);
    CHECK(sync()["outcome"] == "unchanged");
    const auto verified = run({"verify", "--exit-code"});
    CHECK_MESSAGE(verified.exit == 0, verified.out, verified.err);
  }
  void expect_told(const std::string& why) const {
    const auto told = run({"check"}).out;
    CHECK_MESSAGE(told.find("'visit.person' refers to 'person.id' (" + why) != std::string::npos,
                  told);
  }
};

template <class Test>
void on_both(const Test& test) {
  for (const auto secondary : kEngines) {
    for (const auto* const id : {kPlain, kPseudonym}) {
      CAPTURE(name_of(secondary));
      CAPTURE(id);
      test(secondary, id);
    }
  }
}

}  // namespace

TEST_CASE("a foreign key that is NOT VALID is made in the secondary once it is valid") {
  on_both([](On secondary, const char* id) {
    Scene scene(secondary, id);
    scene.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY);"
        "CREATE TABLE visit (n integer PRIMARY KEY, person integer);"
        "INSERT INTO person VALUES (1), (2); INSERT INTO visit VALUES (1, 1), (2, 99);"
        "ALTER TABLE visit ADD CONSTRAINT whom FOREIGN KEY (person) REFERENCES person NOT VALID");
    REQUIRE(scene.run({"drift", "accept"}).exit == 0);
    scene.expect(0, "2");
    CHECK(scene.foreign_keys() == "0");
    CHECK(scene.joined() == "1");
    scene.expect_told("NOT VALID");
    scene.primary.run(
        "UPDATE visit SET person = 2 WHERE n = 2; ALTER TABLE visit VALIDATE CONSTRAINT whom");
    CHECK(scene.sync()["exit"] == 0);
    CHECK(scene.foreign_keys() == "1");
    CHECK(scene.joined() == "2");
    scene.expect(0, "2");
    // and goes again
    scene.primary.run(
        "ALTER TABLE visit DROP CONSTRAINT whom;"
        "INSERT INTO visit VALUES (3, 98);"
        "ALTER TABLE visit ADD CONSTRAINT whom FOREIGN KEY (person) REFERENCES person NOT VALID");
    (void)scene.run({"drift", "accept"});
    scene.expect(0, "3");
    CHECK(scene.foreign_keys() == "0");
  });
}

TEST_CASE(
    "a foreign key of a table that others inherit from is not promised, the others' rows come") {
  on_both([](On secondary, const char* id) {
    Scene scene(secondary, id);
    scene.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY);"
        "CREATE TABLE visit (n integer PRIMARY KEY, person integer REFERENCES person);"
        "CREATE TABLE old_visit () INHERITS (visit);"
        "INSERT INTO person VALUES (1), (2); INSERT INTO visit VALUES (1, 1);"
        "INSERT INTO old_visit VALUES (2, 99)");
    REQUIRE(scene.run({"drift", "accept"}).exit == 0);
    scene.expect(0, "2");
    CHECK(scene.foreign_keys() == "0");
    CHECK(scene.joined() == "1");
    scene.expect_told("NOT VALID, or of a table that others inherit from");
  });
}

TEST_CASE("a foreign key under a collation that folds holds nobody's row back") {
  on_both([](On secondary, const char* id) {
    Scene scene(secondary, id);
    scene.primary.run(
        "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
        "CREATE TABLE person (id text COLLATE ci PRIMARY KEY);"
        "CREATE TABLE visit (n integer PRIMARY KEY, person text COLLATE ci REFERENCES person);"
        "INSERT INTO person VALUES ('Anna'), ('Bob');"
        "INSERT INTO visit VALUES (1, 'Anna'), (2, 'BOB')");
    REQUIRE(scene.run({"drift", "accept"}).exit == 0);
    scene.expect(0, "2");
    CHECK(scene.foreign_keys() == "0");
    CHECK(scene.joined() == "1");
    scene.expect_told("its collation takes different texts for the same");
    scene.primary.run("UPDATE visit SET person = 'Bob' WHERE n = 2");
    scene.expect(0, "2");
    CHECK(scene.joined() == "2");
  });
}

TEST_CASE("a foreign key between times with and without a zone depends on whose zone is meant") {
  for (const auto secondary : kEngines) {
    CAPTURE(name_of(secondary));
    Scene scene(secondary, kPseudonym);
    scene.primary.run(
        "SET timezone = 'Europe/Berlin';"
        "CREATE TABLE person (id timestamp PRIMARY KEY);"
        "CREATE TABLE visit (n integer PRIMARY KEY, person timestamptz REFERENCES person);"
        "INSERT INTO person VALUES ('2020-01-01 00:00'), ('2020-07-01 12:00');"
        "INSERT INTO visit VALUES (1, '2020-01-01 00:00+01'), (2, '2020-07-01 12:00+02')");
    REQUIRE(scene.run({"drift", "accept"}).exit == 0);
    scene.expect(0, "2");
    CHECK(scene.foreign_keys() == "0");
    CHECK(scene.joined() == "0");
    scene.expect_told("one side is a time with and the other one without time zone");
  }
}

TEST_CASE(
    "a foreign key to a unique column that is not the key is made in the secondary, and goes") {
  on_every_pairing([](On primary, On secondary) {
    for (const auto* const id : {kPlain, kPseudonym}) {
      CAPTURE(id);
      const std::string code = std::string("code = ") + id + "\n";
      Pairing pairing(
          primary, secondary,
          "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = \"plain\"\n" + code +
              "[tables.visit]\nkey = [\"n\"]\n[tables.visit.columns]\nn = \"plain\"\n" + code,
          kLimits);
      const std::string visit = "CREATE TABLE visit (n integer PRIMARY KEY, code varchar(9)";
      pairing.primary.run("CREATE TABLE person (id integer PRIMARY KEY, code varchar(9) UNIQUE);" +
                          visit +
                          " REFERENCES person (code));"
                          "INSERT INTO person VALUES (1, 'a'), (2, 'b'), (3, NULL), (4, NULL);"
                          "INSERT INTO visit VALUES (1, 'a'), (2, 'b'), (3, NULL)");
      REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
      CHECK(pairing.sync()["exit"] == 0);
      const auto keys = [&] {
        return pairing.secondary.rows(
            secondary == On::sqlite
                ? "SELECT \"table\", \"from\", \"to\" FROM pragma_foreign_key_list('visit')"
                : "SELECT confrelid::regclass, 'code', 'code' FROM pg_constraint WHERE contype = "
                  "'f' AND conrelid = 'visit'::regclass");
      };
      CHECK(keys() == "person|code|code");
      CHECK(pairing.secondary.rows("SELECT count(*) FROM visit JOIN person USING (code)") == "2");
      // parents and children move together
      pairing.primary.run(
          "INSERT INTO person VALUES (5, 'e'); UPDATE visit SET code = 'e' WHERE n = 1;"
          "DELETE FROM person WHERE id = 1");
      CHECK(pairing.sync()["exit"] == 0);
      CHECK(pairing.secondary.rows("SELECT count(*) FROM visit JOIN person USING (code)") == "2");
      CHECK(pairing.run({"verify", "--exit-code"}).exit == 0);
      // the vendor drops it
      if (primary == On::postgresql) {
        pairing.primary.run("ALTER TABLE visit DROP CONSTRAINT visit_code_fkey");
      } else {
        pairing.primary.run("ALTER TABLE visit RENAME TO old_visit;" + visit +
                            "); INSERT INTO visit SELECT * FROM old_visit; DROP TABLE old_visit");
      }
      pairing.primary.run("INSERT INTO visit VALUES (9, 'nobody')");
      const auto told = pairing.run({"drift"}).out;
      CHECK_MESSAGE(told.find("dropped_foreign_key") != std::string::npos, told);
      CHECK(pairing.sync()["exit"] == 11);
      CHECK(keys().empty());
      CHECK(pairing.secondary.rows("SELECT count(*) FROM visit") == "4");
      REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
      CHECK(pairing.sync()["outcome"] == "unchanged");
    }
  });
}

}  // namespace abgleich::test
