// Row versions of a PostgreSQL primary: used where every condition holds, and wherever one is
// broken the outcome is that of a comparison of every row.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace abgleich::test {

namespace {

const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
    "id = { class = \"pseudonym\", identity = \"person\" }\n"
    "status = \"plain\"\nnote = \"plain\"\nkind = \"plain\"\n";
const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

enum class Table { plain, partitioned };

struct Versioned : Pairing {
  explicit Versioned(Table table = Table::plain, const std::string& more = "")
      : Pairing(On::postgresql, On::sqlite, kContract, kLimits + more) {
    primary.run(
        "CREATE TYPE kind AS ENUM ('a', 'b');"
        "CREATE TABLE person (id integer PRIMARY KEY, status text, note text, kind kind)" +
        std::string(table == Table::plain ? "" : " PARTITION BY RANGE (id)"));
    if (table == Table::partitioned) {
      primary.run(
          "CREATE TABLE low PARTITION OF person FOR VALUES FROM (0) TO (100);"
          "CREATE TABLE high PARTITION OF person FOR VALUES FROM (100) TO (1000)");
    }
    primary.run(
        "INSERT INTO person SELECT i, 'open', 'note ' || i, 'a' FROM generate_series(1, 200) i");
    REQUIRE(sync()["tables"]["person"]["inserted"] == 200);
    CHECK(by_versions());
  }

  /// What the cache says of how the last run read the table.
  bool said_by_versions() const {
    std::istringstream index(read_file(directory.path() / "state" / "cache" / "index"));
    std::string line;
    std::getline(index, line);
    const auto json = nlohmann::json::parse(line);
    return json["tables"].size() == 1 && json["tables"][0]["by_versions"] == true;
  }

  /// Runs, and tells whether only new versions were read; the sides agree afterwards.
  bool by_versions() const {
    const auto ran = run({"sync", "-v"});
    CHECK_MESSAGE(ran.exit <= 11, ran.out, ran.err);
    const auto verified = run({"verify", "--exit-code"});
    CHECK_MESSAGE(verified.exit == 0, verified.out);
    return said_by_versions();
  }
  std::string count(const std::string& where) {
    return secondary.rows("SELECT count(*) FROM person WHERE " + where);
  }
};

}  // namespace

TEST_CASE("row versions find what was inserted, updated and deleted, and nothing else is read") {
  Versioned pairing;
  pairing.primary.run("UPDATE person SET status = 'case' WHERE id < 4");
  CHECK(pairing.by_versions());
  CHECK(pairing.count("status = 'case'") == "3");
  pairing.primary.run("INSERT INTO person VALUES (500, 'new', 'x', 'b')");
  CHECK(pairing.by_versions());
  pairing.primary.run("DELETE FROM person WHERE id IN (7, 500)");
  CHECK(pairing.by_versions());
  CHECK(pairing.count("note IN ('note 7', 'x')") == "0");
  // one comes and one goes: the number of rows alone tells nothing
  pairing.primary.run(
      "DELETE FROM person WHERE id = 8; INSERT INTO person VALUES (8, 'back', '', 'a')");
  CHECK(pairing.by_versions());
  pairing.primary.run(
      "DELETE FROM person WHERE id = 9; INSERT INTO person VALUES (600, '', '', 'a')");
  CHECK(pairing.by_versions());
  CHECK(pairing.count("note = 'note 9'") == "0");
  // the key itself: delete and insert
  pairing.primary.run("UPDATE person SET id = 700 WHERE id = 10");
  CHECK(pairing.by_versions());
  CHECK(pairing.count("1 = 1") == "199");
}

TEST_CASE("what is open is looked at by every run, whatever its version") {
  Versioned pairing;
  pairing.primary.run("UPDATE person SET note = 'primary' WHERE id = 1");
  pairing.secondary.run("UPDATE person SET note = 'secondary' WHERE note = 'note 1'");
  for (int i = 0; i < 2; ++i) {
    const auto line = pairing.sync();
    CHECK(line["tables"]["person"]["conflicts"] == 1);
    CHECK(line["tables"]["person"]["unchanged"] == 199);
  }
  pairing.secondary.run("UPDATE person SET note = 'primary' WHERE note = 'secondary'");
  CHECK(pairing.sync()["exit"] == 0);
  // a row that is gone but still in the base
  pairing.secondary.run("UPDATE person SET note = 'mine' WHERE note = 'note 2'");
  pairing.primary.run("DELETE FROM person WHERE id = 2");
  for (int i = 0; i < 2; ++i) {
    CHECK(pairing.sync()["tables"]["person"]["conflicts"] == 1);
  }
  pairing.primary.run("INSERT INTO person VALUES (2, 'open', 'mine', 'a')");
  CHECK(pairing.sync()["exit"] == 0);
  CHECK(pairing.by_versions());
}

TEST_CASE("transactions that were not over at the last reading are not missed") {
  Versioned pairing;
  PlainConnection other(pairing.primary.url());
  SUBCASE("a long one, with a subtransaction in progress") {
    other.run(
        "BEGIN; UPDATE person SET status = 'one' WHERE id = 1; SAVEPOINT s;"
        "UPDATE person SET status = 'two' WHERE id = 2");
    pairing.primary.run("UPDATE person SET status = 'seen' WHERE id = 3");
    CHECK(pairing.by_versions());
    other.run("RELEASE s; UPDATE person SET status = 'four' WHERE id = 4; COMMIT");
    CHECK(pairing.by_versions());
    CHECK(pairing.count("status IN ('one', 'two', 'four')") == "3");
  }
  SUBCASE("a prepared one") {
    other.run(
        "BEGIN; UPDATE person SET status = 'prepared' WHERE id = 1;"
        "DELETE FROM person WHERE id = 2; PREPARE TRANSACTION 'abgleich_test'");
    pairing.primary.run("UPDATE person SET status = 'seen' WHERE id = 3");
    CHECK(pairing.by_versions());
    CHECK(pairing.count("status = 'prepared'") == "0");
    other.run("COMMIT PREPARED 'abgleich_test'");
    CHECK(pairing.by_versions());
    CHECK(pairing.count("status = 'prepared'") == "1");
    CHECK(pairing.count("note = 'note 2'") == "0");
  }
}

TEST_CASE("VACUUM and COPY FREEZE hide nothing") {
  Versioned pairing;
  pairing.primary.run("UPDATE person SET status = 'frozen' WHERE id = 1");
  pairing.primary.run("VACUUM FREEZE person");
  CHECK(pairing.by_versions());
  CHECK(pairing.count("status = 'frozen'") == "1");
  pairing.primary.run(
      "BEGIN; TRUNCATE person;"
      "COPY person FROM PROGRAM 'printf \"1,case,copied,a\\n2,open,copied,b\\n\"' "
      "WITH (FORMAT csv, FREEZE); COMMIT");
  CHECK_FALSE(pairing.by_versions());
  CHECK(pairing.count("note = 'copied'") == "2");
  CHECK(pairing.by_versions());
}

TEST_CASE("what changes rows without writing them is seen, and every row is read") {
  const std::vector<std::pair<const char*, const char*>> breaks = {
      {"ADD COLUMN with a default", "ALTER TABLE person ADD COLUMN more text DEFAULT 'x'"},
      {"DROP COLUMN and another of its name",
       "ALTER TABLE person DROP COLUMN note; ALTER TABLE person ADD COLUMN note text DEFAULT 'n'"},
      {"an enumeration's value renamed", "ALTER TYPE kind RENAME VALUE 'a' TO 'renamed'"},
      {"TRUNCATE and reload",
       "CREATE TABLE saved AS SELECT * FROM person WHERE id <> 5;"
       "TRUNCATE person; INSERT INTO person SELECT * FROM saved"},
      {"VACUUM FULL", "VACUUM FULL person"},
      {"dropped and made anew",
       "CREATE TABLE saved AS SELECT * FROM person WHERE id <> 5; DROP TABLE person;"
       "CREATE TABLE person (id integer PRIMARY KEY, status text, note text, kind kind);"
       "INSERT INTO person SELECT * FROM saved"},
      {"a type that rewrites", "ALTER TABLE person ALTER COLUMN note TYPE varchar(50)"},
      {"another that rewrites", "ALTER TABLE person ALTER COLUMN note TYPE text USING note || '!'"},
  };
  for (const auto& [name, sql] : breaks) {
    CAPTURE(name);
    Versioned pairing;
    std::istringstream statements(sql);
    for (std::string one; std::getline(statements, one, ';');) {
      pairing.primary.run(one);
    }
    (void)pairing.run({"drift", "accept"});
    CHECK_FALSE(pairing.by_versions());
    CHECK(pairing.by_versions());
  }
}

TEST_CASE("partitions that are attached, detached or swapped are seen") {
  const std::vector<std::pair<const char*, const char*>> breaks = {
      {"attached",
       "CREATE TABLE more (LIKE person INCLUDING ALL);"
       "INSERT INTO more SELECT i, 'open', 'more', 'b' FROM generate_series(1000, 1010) i;"
       "ALTER TABLE person ATTACH PARTITION more FOR VALUES FROM (1000) TO (2000)"},
      {"detached", "ALTER TABLE person DETACH PARTITION high"},
      {"swapped",
       "CREATE TABLE other (LIKE person INCLUDING ALL);"
       "INSERT INTO other SELECT id, 'swapped', note, kind FROM high;"
       "ALTER TABLE person DETACH PARTITION high;"
       "ALTER TABLE person ATTACH PARTITION other FOR VALUES FROM (100) TO (1000)"},
      {"truncated", "TRUNCATE low"},
  };
  for (const auto& [name, sql] : breaks) {
    CAPTURE(name);
    Versioned pairing(Table::partitioned);
    pairing.primary.run("UPDATE person SET status = 'seen' WHERE id = 150");
    CHECK(pairing.by_versions());
    pairing.primary.run(sql);
    CHECK_FALSE(pairing.by_versions());
    CHECK(pairing.by_versions());
  }
}

TEST_CASE("another configuration, another run between, --full and full_every read every row") {
  Versioned pairing;
  SUBCASE("a contract") {
    std::string other = kContract;
    other.replace(other.find("note = \"plain\""), 14,
                  "note = { class = \"pseudonym\", identity = \"note\" }");
    pairing.set_contract(other);
    CHECK_FALSE(pairing.by_versions());
  }
  SUBCASE("--full") {
    REQUIRE(pairing.run({"sync", "--full"}).exit == 0);
    CHECK_FALSE(pairing.said_by_versions());
  }
  SUBCASE("full_every") {
    pairing.configure(kLimits);
    auto text = read_file(pairing.directory.path() / "abgleich.toml");
    text.replace(text.find("[secondary]"), 0, "full_every = \"0\"\n");
    write_file(pairing.directory.path() / "abgleich.toml", text);
    CHECK_FALSE(pairing.by_versions());
  }
  SUBCASE("a key that the primary does not keep unique") {
    pairing.primary.run("ALTER TABLE person DROP CONSTRAINT person_pkey");
    pairing.primary.run("INSERT INTO person VALUES (1, 'twice', '', 'a')");
    CHECK(pairing.sync()["exit"] == 11);
    CHECK(pairing.count("status = 'twice'") == "0");
  }
  SUBCASE("a run of another kind") {
    REQUIRE(pairing.run({"sync", "-q"}).exit == 0);
    pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
    const auto line = pairing.sync();
    REQUIRE(pairing.run({"revert", line["run"], "--reason", "test"}).exit == 0);
    REQUIRE(pairing.run({"resume", "--reason", "test"}).exit == 0);
    CHECK_FALSE(pairing.by_versions());
    CHECK(pairing.count("status = 'case'") == "1");
  }
}

}  // namespace abgleich::test
