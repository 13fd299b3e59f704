// Row versions of a PostgreSQL primary: used where every condition holds, and wherever one is
// broken the outcome is that of a comparison of every row.
#include "support/pairing.hpp"
#include "support/server.hpp"

#include <doctest/doctest.h>

#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace abgleich::test {

namespace {

const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
    "id = { class = \"pseudonym\", identity = \"person\" }\n"
    "status = \"plain\"\nnote = \"plain\"\n"
    "kind = { class = \"plain\", codes = [\"a\", \"b\", \"renamed\"] }\n";
const char* const kSchema =
    "CREATE TYPE kind AS ENUM ('a', 'b', 'z');"
    "CREATE TABLE person (id integer PRIMARY KEY, status text, note text, kind kind)";
const char* const kRows =
    "INSERT INTO person SELECT i, 'open', 'note ' || i, 'a' FROM generate_series(1, 200) i";
const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

enum class Table { plain, partitioned };

/// A pairing whose every run is held against one that compares every row.
class Compared : public Pairing {
 public:
  explicit Compared(On primary_on, const std::string& contract = kContract)
      : Pairing(primary_on, On::sqlite, contract, kLimits) {}

  /// What the cache says of how the last run read the table.
  [[nodiscard]] bool said_by_versions() const {
    std::istringstream index(read_file(directory.path() / "state" / "cache" / "index"));
    std::string line;
    std::getline(index, line);
    const auto json = nlohmann::json::parse(line);
    return json["tables"].size() == 1 && json["tables"][0]["by_versions"] == true;
  }

  /// Runs, and tells whether only new versions were read. The secondary and its books are then as
  /// the same run without a cache leaves a copy of them.
  bool by_versions() const {
    const TemporaryDirectory twin;
    const auto database = twin / "secondary.db";
    for (const auto* file : {"secondary.db", "abgleich.key", "contract.toml", "catalog.json"}) {
      if (std::filesystem::exists(directory / file)) {
        std::filesystem::copy_file(directory / file, twin / file);
      }
    }
    std::filesystem::copy(directory / "state", twin / "state",
                          std::filesystem::copy_options::recursive);
    std::filesystem::remove_all(twin / "state" / "cache");
    auto config = read_file(directory / "abgleich.toml");
    const auto ours = (directory / "secondary.db").string();
    write_file(twin / "abgleich.toml", config.replace(config.find(ours), ours.size(), database));
    const auto whole = run_program(command({"sync", "-v"}), twin.path().string());
    CHECK_MESSAGE(whole.exit <= 11, whole.err);

    const auto ran = run({"sync", "-v"});
    CHECK_MESSAGE(ran.exit == whole.exit, ran.out, ran.err);
    said = ran.err;
    CHECK(picture(directory / "secondary.db") == picture(database));
    return said_by_versions();
  }
  std::string count(const std::string& where) {
    return secondary.rows("SELECT count(*) FROM person WHERE " + where);
  }

  mutable std::string said;  // by the last run, on stderr

 private:
  static std::string picture(const std::filesystem::path& file) {
    Database secondary(On::sqlite, file);
    std::string text;
    for (const auto* sql :
         {"SELECT * FROM person ORDER BY id",
          "SELECT k0, hex(cells) FROM abgleich_base_1 ORDER BY 1",
          "SELECT epoch, kind, counts FROM abgleich_run ORDER BY epoch",
          "SELECT epoch, key_text, fate, before, after FROM abgleich_journal ORDER BY 1, 2",
          "SELECT key_text, kind FROM abgleich_conflict ORDER BY 1",
          "SELECT key_text FROM abgleich_quarantine ORDER BY 1"}) {
      text += secondary.rows(sql) + "\n\n";
    }
    return text;
  }
};

struct Versioned : Compared {
  explicit Versioned(Table table = Table::plain) : Compared(On::postgresql) {
    primary.run(kSchema + std::string(table == Table::plain ? "" : " PARTITION BY RANGE (id)"));
    if (table == Table::partitioned) {
      primary.run(
          "CREATE TABLE low PARTITION OF person FOR VALUES FROM (0) TO (100);"
          "CREATE TABLE high PARTITION OF person FOR VALUES FROM (100) TO (1000)");
    }
    primary.run(kRows);
    REQUIRE(sync()["tables"]["person"]["inserted"] == 200);
    CHECK(by_versions());
  }
};

/// The same, with a primary on a server of its own.
struct Elsewhere : Compared {
  explicit Elsewhere(const Server& server) : Compared(On::sqlite), database("kpm") {
    server.sql("CREATE DATABASE kpm");
    server.sql(kSchema, database);
    server.sql(kRows, database);
    point_at(server);
    REQUIRE(sync()["tables"]["person"]["inserted"] == 200);
    CHECK(by_versions());
  }
  void point_at(const Server& server) const {
    auto text = read_file(directory / "abgleich.toml");
    const auto from = text.find("url = \"") + 7;
    text.replace(from, text.find('"', from) - from, server.url(database));
    write_file(directory / "abgleich.toml", text);
  }

  std::string database;
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
  // one comes that is held back, and one goes
  pairing.primary.run(
      "DELETE FROM person WHERE id = 11; INSERT INTO person VALUES (800, '', '', 'z')");
  CHECK(pairing.by_versions());
  CHECK(pairing.count("note = 'note 11'") == "0");
  // one that is held back is written again, and one goes
  pairing.primary.run(
      "DELETE FROM person WHERE id = 12; UPDATE person SET note = 'x' WHERE id = 800");
  CHECK(pairing.by_versions());
  CHECK(pairing.count("note = 'note 12'") == "0");
  pairing.primary.run(
      "DELETE FROM person WHERE id = 13; UPDATE person SET kind = 'a' WHERE id = 800");
  CHECK(pairing.by_versions());
  CHECK(pairing.count("note IN ('note 13', 'x')") == "1");
}

/// One office's rows, by a column that never leaves.
struct Office : Compared {
  Office()
      : Compared(On::postgresql,
                 "[tables.person]\nkey = [\"id\"]\nwhere = \"office = 'here' AND rank <> 'z'\"\n"
                 "[tables.person.columns]\nid = { class = \"pseudonym\", identity = \"person\" }\n"
                 "status = \"plain\"\nnote = \"plain\"\noffice = \"withhold\"\n"
                 "rank = \"withhold\"\nkind = \"withhold\"\n") {
    primary.run(kSchema);
    primary.run("ALTER TABLE person ADD office text, ADD rank kind DEFAULT 'a'");
    primary.run(kRows);
    primary.run("UPDATE person SET office = CASE WHEN id % 2 = 0 THEN 'here' ELSE 'there' END");
    REQUIRE(sync()["tables"]["person"]["inserted"] == 100);
    CHECK(by_versions());
  }
  void expect_rows() {
    const auto wanted =
        primary.rows("SELECT count(*) FROM person WHERE office = 'here' AND rank <> 'z'");
    CHECK(count("1 = 1") == wanted);
  }
};

TEST_CASE("of a table with a where, versions find what enters it and what leaves it") {
  Office pairing;
  for (const auto* sql : {
           "UPDATE person SET office = 'here' WHERE id = 1",
           "UPDATE person SET office = 'there' WHERE id = 2",
           // as many enter as leave
           "UPDATE person SET office = CASE office WHEN 'here' THEN 'there' ELSE 'here' END "
           "WHERE id IN (11, 12, 13, 14)",
           "UPDATE person SET office = NULL WHERE id = 4",
           "UPDATE person SET rank = 'z' WHERE id = 6",
           "DELETE FROM person WHERE id IN (7, 8)",
           "INSERT INTO person (id, office) VALUES (300, 'here'), (301, 'there')",
           "UPDATE person SET note = 'else' WHERE office = 'there'",
           // leaves and comes back as another row of the same key
           "UPDATE person SET office = 'there' WHERE id = 10;"
           "UPDATE person SET office = 'here', note = 'back' WHERE id = 10",
           "UPDATE person SET id = 400 WHERE id = 16; UPDATE person SET id = 16 WHERE id = 17",
       }) {
    CAPTURE(sql);
    pairing.primary.run(sql);
    CHECK(pairing.by_versions());
    pairing.expect_rows();
  }
  // what is open, and leaves
  pairing.primary.run("UPDATE person SET note = 'primary' WHERE id = 20");
  pairing.secondary.run("UPDATE person SET note = 'secondary' WHERE note = 'note 20'");
  CHECK(pairing.sync()["tables"]["person"]["conflicts"] == 1);
  CHECK(pairing.by_versions());
  pairing.primary.run("UPDATE person SET office = 'there' WHERE id = 20");
  CHECK(pairing.by_versions());
  CHECK(pairing.count("note = 'secondary'") == "1");
}

TEST_CASE("of a table with a where, what decides is a condition of its versions") {
  Office pairing;
  pairing.primary.run("ALTER TYPE kind RENAME VALUE 'a' TO 'y'");
  CHECK(pairing.run({"sync"}).exit == 23);  // the condition may mean something else now
  REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
  CHECK_FALSE(pairing.by_versions());
  CHECK(pairing.by_versions());
  pairing.primary.run(
      "ALTER TABLE person ALTER rank DROP DEFAULT, "
      "ALTER rank TYPE integer USING length(CAST(rank AS text))");
  CHECK(pairing.run({"sync"}).exit == 23);  // its values may read otherwise
}

TEST_CASE("of a table with a where, random moves leave what a comparison of every row leaves") {
  Office pairing;
  std::mt19937 random(5);
  int by_versions = 0;
  for (int round = 0; round < 12; ++round) {
    CAPTURE(round);
    for (unsigned i = 0; i < 1 + random() % 4; ++i) {
      const auto id = std::to_string(1 + random() % 40);
      switch (random() % 4) {
        case 0:
          pairing.primary.run("DELETE FROM person WHERE id = " + id);
          break;
        case 1:
          pairing.primary.run("INSERT INTO person (id, office, note) VALUES (" + id +
                              ", 'here', 'new') ON CONFLICT DO NOTHING");
          break;
        default:
          pairing.primary.run(
              "UPDATE person SET office = CASE office WHEN 'here' THEN 'there' "
              "ELSE 'here' END WHERE id = " +
              id);
          break;
      }
    }
    by_versions += pairing.by_versions() ? 1 : 0;
    pairing.expect_rows();
  }
  CHECK(by_versions == 12);
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
      {"a value of an enumeration that is not used yet", "ALTER TYPE kind ADD VALUE 'later'"},
      {"CLUSTER", "CLUSTER person USING person_pkey"},
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
      {"swapped with one of the same bounds and name",
       "CREATE TABLE other (LIKE high INCLUDING ALL);"
       "INSERT INTO other SELECT id, 'swapped', note, kind FROM high;"
       "ALTER TABLE person DETACH PARTITION high; DROP TABLE high;"
       "ALTER TABLE other RENAME TO high;"
       "ALTER TABLE person ATTACH PARTITION high FOR VALUES FROM (100) TO (1000)"},
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
    CHECK(pairing.sync()["exit"] == 23);  // the first run has accepted the table with its key
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

TEST_CASE("rows whose versions tell nothing are read whole by every run") {
  Versioned pairing;
  SUBCASE("of a table that another inherits from") {
    pairing.primary.run("CREATE TABLE child () INHERITS (person)");
    pairing.primary.run("INSERT INTO child VALUES (300, 'open', 'a child', 'a')");
    CHECK_FALSE(pairing.by_versions());
    CHECK(pairing.count("note = 'a child'") == "1");
    pairing.primary.run("UPDATE child SET note = 'grown'");
    CHECK_FALSE(pairing.by_versions());
    pairing.primary.run("DROP TABLE child");
    CHECK_FALSE(pairing.by_versions());
    CHECK(pairing.count("note = 'grown'") == "0");
  }
  SUBCASE("of a table that a crash would empty") {
    pairing.primary.run("ALTER TABLE person SET UNLOGGED");
    CHECK_FALSE(pairing.by_versions());
    CHECK_FALSE(pairing.by_versions());
  }
}

TEST_CASE("a view has no row versions: its rows are another table's, and change without one") {
  Compared pairing(On::postgresql);
  pairing.primary.run(kSchema);
  pairing.primary.run(kRows);
  pairing.primary.run(
      "ALTER TABLE person RENAME TO people; CREATE TABLE closed (id integer);"
      "CREATE VIEW person AS SELECT * FROM people p"
      " WHERE NOT EXISTS (SELECT FROM closed c WHERE c.id = p.id)");
  REQUIRE(pairing.sync()["tables"]["person"]["inserted"] == 200);
  CHECK_FALSE(pairing.by_versions());
  pairing.primary.run("INSERT INTO closed VALUES (7)");
  CHECK_FALSE(pairing.by_versions());
  CHECK(pairing.count("note = 'note 7'") == "0");
  pairing.primary.run("DELETE FROM closed");
  CHECK_FALSE(pairing.by_versions());
  CHECK(pairing.count("note = 'note 7'") == "1");
}

TEST_CASE("row security that comes later refuses, and what changed behind it is found afterwards") {
  Versioned pairing;
  pairing.primary.run(
      "CREATE ROLE row_versions_reader LOGIN; GRANT SELECT (id, status, note, kind, xmin, ctid) ON "
      "person TO row_versions_reader");
  auto text = read_file(pairing.directory / "abgleich.toml");
  text.replace(text.find("user=postgres"), 13, "user=row_versions_reader");
  write_file(pairing.directory / "abgleich.toml", text);
  CHECK(pairing.by_versions());
  // what the facts are made of may have been taken from everybody
  pairing.primary.run("REVOKE SELECT ON pg_stat_archiver FROM PUBLIC");
  pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 3");
  CHECK_FALSE(pairing.by_versions());
  pairing.primary.run("GRANT SELECT ON pg_stat_archiver TO PUBLIC");
  CHECK_FALSE(pairing.by_versions());
  CHECK(pairing.by_versions());
  pairing.primary.run("ALTER TABLE person ENABLE ROW LEVEL SECURITY");
  pairing.primary.run("CREATE POLICY few ON person USING (id > 100)");
  pairing.primary.run("UPDATE person SET status = 'hidden' WHERE id = 1");
  CHECK(pairing.sync()["exit"] == 24);
  pairing.primary.run("ALTER TABLE person DISABLE ROW LEVEL SECURITY");
  pairing.primary.run("DELETE FROM person WHERE id = 2");
  (void)pairing.by_versions();
  CHECK(pairing.count("status = 'hidden'") == "1");
  CHECK(pairing.count("note = 'note 2'") == "0");
  pairing.primary.run("DROP OWNED BY row_versions_reader; DROP ROLE row_versions_reader");
}

TEST_CASE("rows that no new version explains are read whole") {
  Versioned pairing;
  SUBCASE("a row that was raised from the dead") {
    pairing.primary.run("CREATE EXTENSION pg_surgery");
    PlainConnection other(pairing.primary.url());  // in its sight the row is alive, and stays
    other.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM person");
    pairing.primary.run("DELETE FROM person WHERE id = 5");
    CHECK(pairing.by_versions());
    CHECK(pairing.count("note = 'note 5'") == "0");
    pairing.primary.run("SELECT heap_force_freeze('person', ARRAY[CAST('(0,5)' AS tid)])");
    CHECK(pairing.primary.rows("SELECT note FROM person WHERE id = 5") == "note 5");
    CHECK_FALSE(pairing.by_versions());
    CHECK(pairing.said.find("no new version explains") != std::string::npos);
    CHECK(pairing.count("note = 'note 5'") == "1");
  }
  SUBCASE("a second row of a key, past a unique index that is broken") {
    const auto index = [&](const std::string& ready) {
      pairing.primary.run("UPDATE pg_index SET indisready = " + ready +
                          " WHERE indexrelid = CAST('person_pkey' AS regclass)");
    };
    index("false");
    pairing.primary.run("INSERT INTO person VALUES (5, 'twice', 'x', 'a')");
    index("true");
    CHECK_FALSE(pairing.by_versions());
    CHECK(pairing.said.find("no new version explains") != std::string::npos);
    CHECK(pairing.count("status = 'twice'") == "0");
  }
}

TEST_CASE("another key: every row is read") {
  Versioned pairing;
  REQUIRE(pairing.run({"keys", "rotate"}).exit == 0);
  pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
  CHECK_FALSE(pairing.by_versions());
  CHECK(pairing.count("status = 'case' AND id LIKE 'p2%'") == "1");
  CHECK(pairing.by_versions());
}

TEST_CASE("a partition that is a foreign table has no row versions") {
  const Server server;
  Elsewhere pairing(server);
  server.sql(
      "CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS "
      "(host '" +
          server.directory() +
          "', dbname 'kpm'); CREATE USER MAPPING FOR postgres SERVER "
          "far OPTIONS (user 'postgres');"
          "ALTER TABLE person RENAME TO far_rows;"
          "CREATE TABLE person (id integer, status text, note text, kind kind) PARTITION BY RANGE "
          "(id);"
          "CREATE TABLE near PARTITION OF person FOR VALUES FROM (1000) TO (2000);"
          "INSERT INTO person VALUES (1000, 'open', 'near', 'a');"
          "CREATE FOREIGN TABLE far PARTITION OF person FOR VALUES FROM (0) TO (1000) SERVER far "
          "OPTIONS (table_name 'far_rows')",
      "kpm");
  // its key is gone: such a schema is accepted only where nothing tells of another
  for (const auto* file : {"catalog.json", "state/catalog.json"}) {
    std::filesystem::remove(pairing.directory / file);
  }
  CHECK(pairing.run({"drift", "accept"}).exit <= 11);
  CHECK_FALSE(pairing.by_versions());
  server.sql("UPDATE far_rows SET status = 'case' WHERE id = 1", "kpm");
  CHECK_FALSE(pairing.by_versions());
  CHECK(pairing.count("status = 'case'") == "1");
  CHECK(pairing.count("note = 'near'") == "1");
}

TEST_CASE("a distributed table has no row versions: its rows and their xids are other servers'") {
  Versioned pairing;
  // as Citus has it: the shell looks as any table does, and only this list tells
  pairing.primary.run(
      "CREATE TABLE pg_dist_partition (logicalrel regclass NOT NULL, partmethod \"char\");"
      "CREATE TABLE other (id integer); INSERT INTO pg_dist_partition VALUES ('other', 'h')");
  CHECK(pairing.by_versions());
  CHECK(pairing.run({"check"}).out.find("rows elsewhere") == std::string::npos);
  pairing.primary.run("INSERT INTO pg_dist_partition VALUES ('person', 'h')");
  CHECK_FALSE(pairing.by_versions());
  pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
  CHECK_FALSE(pairing.by_versions());
  CHECK(pairing.count("status = 'case'") == "1");
  const auto checked = pairing.run({"check"});
  CHECK_MESSAGE(checked.out.find("note rows elsewhere: rows of person lie on other servers") !=
                    std::string::npos,
                checked.out);
  pairing.primary.run("DROP TABLE pg_dist_partition");
  CHECK_FALSE(pairing.by_versions());
  CHECK(pairing.by_versions());
}

TEST_CASE("xids that were given out again after a crash hide nothing") {
  const Server server("wal_writer_delay = 10s");
  Elsewhere pairing(server);
  const auto writer = server.wal_writer();
  server.run("kill -STOP " + writer);
  const auto lost = server.sql(
      "SET synchronous_commit = off; UPDATE person SET status = 'lost' WHERE id = 1;"
      "SELECT xmin FROM person WHERE id = 1",
      "kpm");
  CHECK(pairing.by_versions());
  CHECK(pairing.count("status = 'lost'") == "1");
  SUBCASE("of the whole server") {
    server.crash();
    server.start();
  }
  SUBCASE("of one process, under the same postmaster") {
    server.crash_one(writer);
  }
  REQUIRE(server.sql("SELECT status FROM person WHERE id = 1", "kpm") == "open");
  const auto again = server.sql(
      "UPDATE person SET status = 'kept' WHERE id = 2; SELECT xmin FROM person WHERE id = 2",
      "kpm");
  REQUIRE(again == lost);
  CHECK_FALSE(pairing.by_versions());
  CHECK(pairing.count("status = 'lost'") == "0");
  CHECK(pairing.count("status = 'kept'") == "1");
}

TEST_CASE("a primary that was put back is read whole, whatever its numbers say") {
  const Server server;
  Elsewhere pairing(server);
  const auto later = [&] {
    for (int i = 0; i < 4; ++i) {
      server.sql("UPDATE person SET note = 'later' WHERE id = 9", "kpm");
    }
  };
  SUBCASE("its files, from a cold copy") {
    server.stop();
    server.run("cp -a data saved");
    server.start();
    CHECK_FALSE(pairing.by_versions());
    server.sql("UPDATE person SET status = 'lost' WHERE id = 1", "kpm");
    CHECK(pairing.by_versions());
    server.stop();
    server.run("rm -rf data; mv saved data");
    server.start();
    later();
    CHECK_FALSE(pairing.by_versions());
    CHECK(pairing.count("status = 'lost'") == "0");
    CHECK(pairing.by_versions());
  }
  SUBCASE("its database, with the oid that it had") {
    const auto oid = server.sql("SELECT oid FROM pg_database WHERE datname = 'kpm'");
    server.sql("CREATE DATABASE saved TEMPLATE kpm");
    server.sql("UPDATE person SET status = 'lost' WHERE id = 1", "kpm");
    CHECK(pairing.by_versions());
    server.sql("DROP DATABASE kpm");
    if (server.sql("SELECT current_setting('server_version_num') >= '150000'") == "t") {
      server.sql("CREATE DATABASE kpm TEMPLATE saved OID " + oid);
      CHECK_FALSE(pairing.by_versions());
    } else {
      server.sql("CREATE DATABASE kpm TEMPLATE saved");
      CHECK(pairing.sync()["exit"] == 21);
      CHECK(pairing.run({"adopt", "--reason", "restored"}).exit == 0);
      CHECK_FALSE(pairing.by_versions());
    }
    CHECK(pairing.count("status = 'lost'") == "0");
    CHECK(pairing.by_versions());
  }
  SUBCASE("its database, from a dump under its name") {
    server.run("$as $bin/pg_dump -Fc -h $PWD -U postgres -f data/dump kpm");
    server.sql("UPDATE person SET status = 'lost' WHERE id = 1", "kpm");
    CHECK(pairing.by_versions());
    server.sql("DROP DATABASE kpm");
    server.sql("CREATE DATABASE kpm");
    server.run("$as $bin/pg_restore -h $PWD -U postgres -d kpm data/dump");
    later();
    CHECK(pairing.sync()["exit"] == 21);
    CHECK(pairing.count("status = 'lost'") == "1");
    CHECK(pairing.run({"adopt", "--reason", "restored"}).exit == 0);
    CHECK_FALSE(pairing.by_versions());
    CHECK(pairing.count("status = 'lost'") == "0");
    CHECK(pairing.by_versions());
  }
  SUBCASE("its tables, from a dump over them") {
    server.run("$as $bin/pg_dump -Fc -h $PWD -U postgres -f data/dump kpm");
    server.sql("UPDATE person SET status = 'lost' WHERE id = 1", "kpm");
    CHECK(pairing.by_versions());
    server.run("$as $bin/pg_restore --clean -h $PWD -U postgres -d kpm data/dump");
    CHECK(pairing.run({"drift", "accept"}).exit <= 11);
    CHECK_FALSE(pairing.by_versions());
    CHECK(pairing.count("status = 'lost'") == "0");
    CHECK(pairing.by_versions());
  }
}

TEST_CASE("a standby has no row versions, and one that is promoted begins anew") {
  const Server server;
  Elsewhere pairing(server);
  const Server standby(server);
  const auto follow = [&] {
    wait_for(standby.url(),
             "SELECT pg_last_wal_replay_lsn() >= CAST('" +
                 server.sql("SELECT pg_current_wal_lsn()") + "' AS pg_lsn)",
             "t");
  };
  pairing.point_at(standby);
  for (const std::string status : {"one", "two"}) {
    server.sql("UPDATE person SET status = '" + status + "' WHERE id = 1", "kpm");
    follow();
    CHECK_FALSE(pairing.by_versions());
    CHECK(pairing.count("status = '" + status + "'") == "1");
  }
  pairing.point_at(server);
  CHECK_FALSE(pairing.by_versions());
  CHECK(pairing.by_versions());
  // both go on from here, with the same xids
  follow();
  standby.promote();
  const auto here = server.sql(
      "UPDATE person SET status = 'old timeline' WHERE id = 2; SELECT xmin FROM person WHERE id = "
      "2",
      "kpm");
  CHECK(pairing.by_versions());
  const auto there = standby.sql(
      "UPDATE person SET status = 'new timeline' WHERE id = 3; SELECT xmin FROM person WHERE id = "
      "3",
      "kpm");
  REQUIRE(here == there);
  pairing.point_at(standby);
  CHECK_FALSE(pairing.by_versions());
  CHECK(pairing.count("status = 'old timeline'") == "0");
  CHECK(pairing.count("status = 'new timeline'") == "1");
  CHECK(pairing.by_versions());
}

TEST_CASE(
    "xids that begin again from the start are in order, and too far apart they are not used") {
  const Server server;
  Elsewhere pairing(server);
  const auto move_to = [&](const std::string& xid, const std::string& segment) {
    for (const auto* database : {"postgres", "template1", "kpm"}) {
      server.sql("VACUUM FREEZE", database);
    }
    server.stop();
    server.run("$as head -c 262144 /dev/zero >segment; $as cp segment data/pg_xact/" + segment +
               "; $as $bin/pg_resetwal -x " + xid + " data");
    server.start();
  };
  server.sql("CREATE TABLE burnt (n integer)", "kpm");
  const auto burn = [&] {
    server.sql(
        "DO $$ BEGIN FOR i IN 1 .. 300 LOOP BEGIN INSERT INTO burnt VALUES (i);"
        " EXCEPTION WHEN others THEN NULL; END; END LOOP; END $$",
        "kpm");
  };
  server.sql("UPDATE person SET status = 'before' WHERE id = 1", "kpm");
  move_to("4294967100", "0FFF");
  CHECK_FALSE(pairing.by_versions());
  CHECK(pairing.count("status = 'before'") == "1");
  for (const std::string status : {"one", "two", "three"}) {
    server.sql("UPDATE person SET status = '" + status + "' WHERE id < 4", "kpm");
    CHECK(pairing.by_versions());
    CHECK(pairing.count("status = '" + status + "'") == "3");
    burn();
  }
  REQUIRE(server.sql("SELECT txid_current() > 4294967296", "kpm") == "t");
  server.sql("DELETE FROM person WHERE id = 5", "kpm");
  CHECK(pairing.by_versions());
  CHECK(pairing.count("note = 'note 5'") == "0");
}

namespace {

/// A vendor, two of his transactions that stay open over runs, and people on the other side.
class Random {
 public:
  Random(unsigned seed, Table table)
      : table_(table), pairing_(table), random_(seed), long_(pairing_.primary.url()) {}
  ~Random() {
    if (prepared_) {
      pairing_.primary.run("ROLLBACK PREPARED '" + name_ + "'");
    }
  }
  Random(const Random&) = delete;
  Random& operator=(const Random&) = delete;

  /// Gives how many of the runs read new versions only.
  int run(int runs) {
    int by_versions = 0;
    for (int i = 0; i < runs; ++i) {
      did_ = "";
      for (auto steps = random_() % 4; steps > 0; --steps) {
        step();
      }
      CAPTURE(i);
      CAPTURE(did_);
      if (did_.find("ALTER") != std::string::npos) {
        (void)pairing_.run({"drift", "accept"});  // what blocks is not read at all
      }
      by_versions += pairing_.by_versions() ? 1 : 0;
    }
    return by_versions;
  }

 private:
  std::string any(int from, int to) {
    return std::to_string(from + static_cast<int>(random_() % static_cast<unsigned>(to - from)));
  }
  std::string any_of(const std::vector<std::string>& words) {
    return words[random_() % words.size()];
  }
  /// A statement on rows of a range of ids, which no open transaction shares with another.
  std::string write(int from, int to) {
    const auto id = any(from, to);
    return any_of(
        {"INSERT INTO person VALUES (" + id + ", 'new', 'n" + any(0, 99) + "', '" +
             any_of({"a", "a", "z"}) + "') ON CONFLICT DO NOTHING",
         "UPDATE person SET status = '" + any_of({"open", "case", "closed"}) + "' WHERE id = " + id,
         "UPDATE person SET note = 'n" + any(0, 99) + "' WHERE id BETWEEN " + id + " AND " + id +
             " + 2 AND id < " + std::to_string(to),
         "UPDATE person SET kind = '" + any_of({"a", "z"}) + "' WHERE id = " + id,
         "DELETE FROM person WHERE id = " + id,
         "DELETE FROM person WHERE id = " + id + "; INSERT INTO person VALUES (" + id +
             ", 'back', '', 'a')",
         "UPDATE person SET id = " + id + " WHERE id = " + any(from, to) +
             " AND NOT EXISTS (SELECT FROM person WHERE id = " + id + ")"});
  }
  void vendor(const std::string& sql) {
    did_ += sql + "\n";
    std::istringstream statements(sql);
    for (std::string one; std::getline(statements, one, ';');) {
      pairing_.primary.run(one);
    }
  }
  void long_one(const std::string& sql) {
    did_ += "long: " + sql + "\n";
    long_.run(sql);
  }
  void people(const std::string& sql) {
    did_ += "people: " + sql + "\n";
    pairing_.secondary.run(sql);
  }

  void move_partition() {
    if (!apart_) {
      vendor("ALTER TABLE person DETACH PARTITION high;" + write(1, 100));
    } else {
      vendor(
          any_of({"UPDATE high SET note = 'apart' WHERE id % 20 = 1;",
                  "CREATE TABLE other (LIKE high INCLUDING ALL); INSERT INTO other SELECT * FROM "
                  "high; DROP TABLE high; ALTER TABLE other RENAME TO high;",
                  ""}) +
          "ALTER TABLE person ATTACH PARTITION high FOR VALUES FROM (100) TO (1000)");
    }
    apart_ = !apart_;
  }

  void step() {
    const bool alone = !open_ && !prepared_;
    if (table_ == Table::partitioned && alone && (apart_ || random_() % 12 == 0)) {
      move_partition();
      return;
    }
    switch (random_() % 16) {
      case 0:
        long_one(open_ ? any_of({"COMMIT", "COMMIT", "ROLLBACK"}) : "BEGIN; " + write(200, 230));
        open_ = !open_;
        break;
      case 1:
        if (open_) {
          long_one("SAVEPOINT s; " + write(200, 230) + "; " +
                   any_of({"RELEASE s", "ROLLBACK TO s", "SAVEPOINT t"}) + "; " + write(200, 230));
        }
        break;
      case 2:
        if (prepared_) {
          vendor(any_of({"COMMIT", "COMMIT", "ROLLBACK"}) + " PREPARED '" + name_ + "'");
          prepared_ = false;
        } else if (!open_) {
          long_one("BEGIN; " + write(300, 330) + "; " + write(300, 330) +
                   "; PREPARE TRANSACTION '" + name_ + "'");
          prepared_ = true;
        }
        break;
      case 3:
        vendor(any_of({"VACUUM person", "VACUUM FREEZE person", "ANALYZE person"}));
        break;
      case 4:
        if (alone && table_ == Table::plain) {
          vendor(
              any_of({"VACUUM FULL person", "CLUSTER person USING person_pkey",
                      "ALTER TABLE person ADD COLUMN IF NOT EXISTS more text DEFAULT 'x'",
                      "ALTER TABLE person DROP COLUMN IF EXISTS more",
                      "CREATE TEMPORARY TABLE saved AS SELECT id, status, note, kind FROM person "
                      "WHERE id % 50 <> 7; TRUNCATE person; INSERT INTO person SELECT * FROM "
                      "saved; DROP TABLE saved"}));
        }
        break;
      case 5:
        vendor("ALTER TYPE kind RENAME VALUE '" + std::string(renamed_ ? "renamed" : "b") +
               "' TO '" + (renamed_ ? "b" : "renamed") + "'");
        renamed_ = !renamed_;
        break;
      case 6:
        people("UPDATE person SET note = 's" + any(0, 99) + "' WHERE abs(random()) % 40 = 0");
        break;
      case 7:
        people("DELETE FROM person WHERE abs(random()) % 90 = 0");
        break;
      default:
        vendor(write(1, 200));
    }
  }

  Table table_;
  Versioned pairing_;
  std::minstd_rand random_;
  PlainConnection long_;
  bool open_ = false;
  bool prepared_ = false;
  bool renamed_ = false;
  bool apart_ = false;  // a partition is
  std::string name_ = "abgleich_random_" + std::to_string(::getpid());
  std::string did_;
};

}  // namespace

TEST_CASE("random histories: each run leaves what a comparison of every row leaves") {
  for (unsigned seed = 1; seed <= (thorough() ? 4U : 1U); ++seed) {
    CAPTURE(seed);
    CHECK(Random(seed, Table::plain).run(25) > 8);
    CHECK(Random(seed, Table::partitioned).run(25) > 8);
  }
}

}  // namespace abgleich::test
