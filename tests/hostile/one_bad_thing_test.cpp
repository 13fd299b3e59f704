// One bad value, key or name stops only itself: rows are held back, names are refused by name.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>

namespace abgleich::test {

namespace {

const char* const kPerson =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
    "id = \"plain\"\nname = \"plain\"\n[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\n"
    "id = \"plain\"\n";
const char* const kPersonWithMore =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
    "id = \"plain\"\nname = \"plain\"\ncode = \"plain\"\nnote = \"plain\"\ntags = \"plain\"\npair "
    "= \"plain\"\n";
const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

/// A pairing whose primary's database is in another encoding.
struct Encoded {
  explicit Encoded(const std::string& encoding, On secondary_on = On::postgresql)
      : pairing(On::sqlite, secondary_on, kPerson, kLimits),
        primary(On::postgresql, {}, "ABGLEICH_TEST_PG",
                " ENCODING '" + encoding + "' LC_COLLATE 'C' LC_CTYPE 'C'") {
    write_file(pairing.directory.path() / "abgleich.toml",
               std::string(kLimits) + "[primary]\nurl = \"" + primary.url() +
                   "\"\n[secondary]\nurl = \"" + pairing.secondary.url() + "\"\n");
    primary.run("SET client_encoding = '" + encoding +
                "';"
                "CREATE TABLE person (id varchar(40) PRIMARY KEY, name text);"
                "CREATE TABLE visit (id int PRIMARY KEY); INSERT INTO visit VALUES (1)");
  }

  Pairing pairing;
  Database primary;
};

}  // namespace

TEST_CASE("an invalid byte in a SQL_ASCII primary holds its row back, and nothing else") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Encoded scene("SQL_ASCII", engine);
    scene.primary.run(
        "INSERT INTO person VALUES ('a', 'M\xc3\xbcller'), ('b', 'M\xfcller'), "
        "('c\xff', 'x'), ('d', 'plain')");
    for (int turn = 0; turn < 2; ++turn) {
      const auto line = scene.pairing.sync(turn == 0 ? std::vector<std::string>{}
                                                     : std::vector<std::string>{"--full"});
      CHECK_MESSAGE(line["exit"] == 11, line.dump());
      CHECK(line["open"]["quarantined"] == 2);
      CHECK(scene.pairing.secondary.rows("SELECT id, name FROM person ORDER BY id") ==
            "a|M\xc3\xbcller\nd|plain");
      CHECK(scene.pairing.secondary.rows("SELECT count(*) FROM visit") == "1");
    }
    CHECK(scene.pairing.run({"verify"}).exit == 0);
    scene.primary.run("UPDATE person SET name = 'mended' WHERE id = 'b'");
    scene.primary.run("INSERT INTO visit VALUES (2)");
    CHECK(scene.pairing.sync()["open"]["quarantined"] == 1);
    CHECK(scene.pairing.secondary.rows("SELECT name FROM person WHERE id = 'b'") == "mended");
    // names that are no UTF-8 cannot be written into a contract, and are no one's trouble
    scene.primary.run(
        "CREATE TABLE \"t\xff\" (a int); ALTER TABLE visit ADD COLUMN \"c\xff\" text");
    CHECK(scene.pairing.run({"drift"}).exit == 0);
    CHECK(scene.pairing.run({"drift", "accept"}).exit == 0);
    CHECK(scene.pairing.sync()["open"]["quarantined"] == 1);
  }
}

TEST_CASE("a byte that is no character of the primary's encoding holds its row back") {
  const std::map<std::string, std::string> none_of{{"WIN1252", "\x81"}, {"ISO_8859_7", "\xae"}};
  for (const auto& [encoding, none] : none_of) {
    for (const auto engine : kEngines) {
      CAPTURE(encoding);
      CAPTURE(name_of(engine));
      Encoded scene(encoding, engine);
      scene.primary.run(
          "ALTER TABLE person ADD COLUMN code char(4), ADD COLUMN note json, ADD COLUMN tags "
          "text[];"
          "INSERT INTO person VALUES ('a', 'plain \xa3', 'x', '{\"k\": \"\xa3\"}', '{\"\xa3 "
          "1\",NULL}'), "
          "('b', '" +
          none +
          "', NULL, NULL, NULL), "
          "('c" +
          none +
          "', 'x', NULL, NULL, NULL), ('d', NULL, NULL, NULL, NULL), "
          "('e', '', '" +
          none + "', NULL, NULL), ('f', '', '', '{\"k\": \"" + none +
          "\"}', NULL), "
          "('g', '', '', NULL, '{" +
          none +
          "}');"
          // of these only the last one IS NOT NULL, and none of them is NULL
          "CREATE TYPE pair AS (a text, b int); ALTER TABLE person ADD COLUMN pair pair;"
          "UPDATE person SET pair = ROW('\xa3', NULL) WHERE id = 'a';"
          "UPDATE person SET pair = ROW(NULL, NULL) WHERE id = 'd';"
          "UPDATE person SET pair = ROW('x', 1) WHERE id = 'b'");
      scene.pairing.set_contract(kPersonWithMore);
      for (int turn = 0; turn < 2; ++turn) {
        const auto line = scene.pairing.sync(turn == 0 ? std::vector<std::string>{}
                                                       : std::vector<std::string>{"--full"});
        CHECK_MESSAGE(line["exit"] == 11, line.dump());
        CHECK(line["open"]["quarantined"] == 5);
        CHECK(scene.pairing.secondary.rows(
                  "SELECT id, name, code, note, tags, pair FROM person ORDER BY id") ==
              "a|plain \xc2\xa3|x   |{\"k\": \"\xc2\xa3\"}|{\"\xc2\xa3 "
              "1\",NULL}|(\xc2\xa3,)\nd|NULL|NULL|NULL|NULL|(,)");
      }
      CHECK(scene.pairing.run({"verify"}).exit == 0);
      scene.primary.run("UPDATE person SET name = 'mended' WHERE id = 'b'");
      CHECK(scene.pairing.sync()["open"]["quarantined"] == 4);
    }
  }
}

TEST_CASE("a LATIN1 primary is read as the text that it holds") {
  Encoded scene("LATIN1");
  scene.primary.run("INSERT INTO person VALUES ('a', 'M\xfcller \x80 \xff')");
  const auto line = scene.pairing.sync();
  CHECK_MESSAGE(line["exit"] == 0, line.dump());
  CHECK(scene.pairing.secondary.rows("SELECT name FROM person") ==
        "M\xc3\xbcller \xc2\x80 \xc3\xbf");
}

TEST_CASE("a key of 12 kB is held back, and the other rows arrive") {
  on_every_pairing([](On from, On to) {
    Pairing pairing(from, to, kPerson, kLimits);
    // nothing that a server could compress
    std::string random;
    for (unsigned i = 0, state = 12345; i < 12'000; ++i) {
      state = state * 1'103'515'245U + 12'345U;
      random += static_cast<char>('!' + (state >> 16U) % 6 + (state >> 20U) % 80);
    }
    std::erase_if(random, [](char c) { return c == '\'' || c == '\\'; });
    pairing.primary.run(std::string("CREATE TABLE person (id ") +
                        (from == On::sqlite ? "TEXT PRIMARY KEY NOT NULL" : "text NOT NULL") +
                        ", name text); CREATE TABLE visit (id integer PRIMARY KEY);"
                        "INSERT INTO visit VALUES (1);"
                        "INSERT INTO person VALUES ('a', 'one')");
    if (from == On::postgresql) {
      pairing.primary.run("CREATE UNIQUE INDEX ON person (md5(id))");
    }
    for (int turn = 0; turn < 2; ++turn) {
      pairing.primary.run("INSERT INTO person VALUES ('" + std::to_string(turn) + random +
                          "', 'two')");
      const auto line = pairing.sync();
      CHECK_MESSAGE(line["exit"] == (to == On::postgresql ? 11 : 0), line.dump());
      CHECK(pairing.secondary.rows("SELECT name FROM person WHERE id = 'a'") == "one");
      CHECK(pairing.secondary.rows("SELECT count(*) FROM visit") == "1");
      if (to == On::postgresql) {
        CHECK(line["open"]["quarantined"] == turn + 1);
        CHECK(pairing.run({"quarantine"}).out.find("too long for a key of the secondary") !=
              std::string::npos);
      }
    }
  });
}

TEST_CASE("a value that an index of people's cannot hold is a conflict or held back, by its row") {
  Pairing pairing(On::sqlite, On::postgresql, kPerson, kLimits);
  std::string random;
  for (unsigned i = 0, state = 4711; i < 12'000; ++i) {
    state = state * 1'103'515'245U + 12'345U;
    random += static_cast<char>('A' + (state >> 16U) % 26);
  }
  pairing.primary.run(
      "CREATE TABLE person (id TEXT PRIMARY KEY NOT NULL, name TEXT);"
      "CREATE TABLE visit (id INTEGER PRIMARY KEY);"
      "INSERT INTO person VALUES ('a', 'one'), ('b', 'two')");
  REQUIRE(pairing.sync()["exit"] == 0);
  pairing.secondary.run("CREATE UNIQUE INDEX ON person (name)");
  pairing.primary.run("UPDATE person SET name = '" + random +
                      "' WHERE id = 'a'; UPDATE person SET name = 'three' WHERE id = 'b';"
                      "INSERT INTO visit VALUES (1)");
  const auto line = pairing.sync();
  CHECK_MESSAGE(line["exit"] == 10, line.dump());
  CHECK(pairing.secondary.rows("SELECT name FROM person ORDER BY id") == "one\nthree");
  CHECK(pairing.secondary.rows("SELECT count(*) FROM visit") == "1");
}

TEST_CASE("names that PostgreSQL would cut are refused by name, with what to write") {
  const std::string at_most(63, 'n');
  const std::string front(62, 'n');
  const auto refused = [](const Pairing& pairing, const std::string& name,
                          const std::string& hint) {
    for (const auto* const command : {"check", "drift", "sync", "diff"}) {
      CAPTURE(command);
      const auto ran = pairing.run({command});
      CHECK_MESSAGE(ran.exit == 78, ran.exit, ran.err);
      const auto said = ran.out + ran.err;
      CHECK_MESSAGE(said.find("'" + name + "' has ") != std::string::npos, said);
      CHECK_MESSAGE(said.find(hint) != std::string::npos, said);
    }
  };
  const auto contract = [](const std::string& table, const std::string& table_more,
                           const std::string& column, const std::string& line) {
    return "[tables." + table + "]\nkey = [\"id\"]\n" + table_more + "[tables." + table +
           ".columns]\nid = \"plain\"\n" + column + " = " + line + "\n";
  };
  // a table and a column of SQLite's with longer names
  Pairing pairing(On::sqlite, On::postgresql, "");
  pairing.primary.run("CREATE TABLE " + at_most + "1 (id TEXT PRIMARY KEY NOT NULL, " + at_most +
                      "1 TEXT, " + at_most + "2 TEXT); INSERT INTO " + at_most +
                      "1 VALUES ('a', 'b', 'c')");
  pairing.set_contract(contract(at_most + "1", "", at_most + "1", "\"plain\""));
  refused(pairing, at_most + "1", "target = \"NAME\"");
  pairing.set_contract(contract(at_most + "1", "target = \"t\"\n", at_most + "1", "\"plain\""));
  refused(pairing, at_most + "1", "as = \"NAME\"");
  pairing.set_contract(contract(at_most + "1", "target = \"" + at_most + "\"\n", at_most + "1",
                                "{ class = \"plain\", as = \"" + front + "\xc3\xa4\" }"));
  refused(pairing, front + "\xc3\xa4", "as = \"NAME\"");
  pairing.set_contract(contract(at_most + "1", "target = \"" + at_most + "\"\n", at_most + "1",
                                "{ class = \"plain\", as = \"" + at_most + "\" }") +
                       at_most + "2 = \"withhold\"\n");
  auto line = pairing.sync();
  CHECK_MESSAGE(line["exit"] == 0, line.dump());
  CHECK(pairing.secondary.rows("SELECT " + at_most + " FROM " + at_most) == "b");

  // what the primary, PostgreSQL, has cut
  Pairing other(On::postgresql, On::sqlite, "");
  other.primary.run("CREATE TABLE " + at_most + "xyz (id varchar(9) PRIMARY KEY, " + at_most +
                    "uvw text)");
  other.set_contract(contract(at_most + "xyz", "", at_most + "uvw", "\"plain\""));
  refused(other, at_most + "xyz", "'" + at_most + "'");
  other.set_contract(contract(at_most, "", at_most + "uvw", "\"plain\""));
  refused(other, at_most + "uvw", "'" + at_most + "'");
  other.set_contract(contract(at_most, "", at_most, "\"plain\""));
  CHECK(other.sync()["exit"] == 0);
}

TEST_CASE("a replaced column's old values keep a name of their own, however long it was") {
  for (const auto from : kEngines) {
    const std::string name(62, 'n');
    Pairing pairing(from, On::postgresql,
                    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = \"plain\"\n" +
                        name + " = \"plain\"\n",
                    kLimits);
    pairing.primary.run("CREATE TABLE person (id varchar(9) PRIMARY KEY NOT NULL, " + name +
                        " varchar(9)); INSERT INTO person VALUES ('a', 'old')");
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.primary.run("ALTER TABLE person DROP COLUMN " + name);
    pairing.primary.run("ALTER TABLE person ADD COLUMN " + name + " integer");
    pairing.primary.run("UPDATE person SET " + name + " = 7");
    (void)pairing.run({"drift", "accept"});
    const auto line = pairing.sync();
    CHECK_MESSAGE(line["exit"] == 0, line.dump());
    CHECK(pairing.secondary.rows("SELECT " + name + " FROM person") == "7");
  }
}

TEST_CASE("a character that the secondary's encoding lacks holds its row back, and nothing else") {
  for (const auto engine : kEngines) {
    for (const std::string encoding : {"LATIN1", "WIN1252", "EUC_JP"}) {
      CAPTURE(name_of(engine));
      CAPTURE(encoding);
      Pairing pairing(engine, On::sqlite, kPerson, kLimits);
      Database secondary(On::postgresql, {}, "ABGLEICH_TEST_PG",
                         " ENCODING '" + encoding + "' LC_COLLATE 'C' LC_CTYPE 'C'");
      write_file(pairing.directory.path() / "abgleich.toml",
                 std::string(kLimits) + "[primary]\nurl = \"" + pairing.primary.url() +
                     "\"\n[secondary]\nurl = \"" + secondary.url() + "\"\n");
      pairing.primary.run(
          "CREATE TABLE person (id varchar(40) PRIMARY KEY NOT NULL, name text);"
          "CREATE TABLE visit (id integer PRIMARY KEY); INSERT INTO visit VALUES (1);"
          "INSERT INTO person VALUES ('a', 'M\xc3\xbcller'), ('b', '\xf0\x9f\x99\x82'), "
          "('\xf0\x9f\x99\x82', 'smile')");
      secondary.run("SET client_encoding = 'UTF8'");
      const auto names = [&] { return secondary.rows("SELECT name FROM person ORDER BY id"); };
      for (int turn = 0; turn < 2; ++turn) {
        const auto line = pairing.sync(turn == 0 ? std::vector<std::string>{}
                                                 : std::vector<std::string>{"--full"});
        CHECK_MESSAGE(line["exit"] == 11, line.dump());
        CHECK(line["open"]["quarantined"] == 2);
        CHECK(names() == "M\xc3\xbcller");
        CHECK(secondary.rows("SELECT count(*) FROM visit") == "1");
      }
      CHECK(pairing.run({"verify", "--exit-code"}).exit == 0);
      const auto told = pairing.run({"quarantine"}).out;
      CHECK_MESSAGE(told.find("22P05") != std::string::npos, told);
      // a row that is there keeps its old state
      pairing.primary.run(
          "UPDATE person SET name = '\xf0\x9f\x99\x82' WHERE id = 'a';"
          "UPDATE person SET name = 'Bob' WHERE id = 'b'; INSERT INTO visit VALUES (2)");
      CHECK(pairing.sync()["open"]["quarantined"] == 2);
      CHECK(names() == "M\xc3\xbcller\nBob");
      CHECK(secondary.rows("SELECT count(*) FROM visit") == "2");
      pairing.primary.run("UPDATE person SET name = 'Anna' WHERE id = 'a'");
      pairing.primary.run("DELETE FROM person WHERE name = 'smile'");
      CHECK(pairing.sync()["exit"] == 0);
      CHECK(names() == "Anna\nBob");
      CHECK(pairing.run({"verify", "--exit-code"}).exit == 0);
    }
  }
}

TEST_CASE("bytes that are no character of an encoding of several end in a refusal") {
  Encoded scene("EUC_JP");
  scene.primary.run("INSERT INTO person VALUES ('a', '\xc6\xfc')");
  CHECK(scene.pairing.sync()["exit"] == 0);
  scene.primary.run("INSERT INTO person VALUES ('b', 'x\xa9\xa1'); INSERT INTO visit VALUES (2)");
  const auto refused = scene.pairing.run({"sync"});
  CHECK_MESSAGE(refused.exit == 24, refused.exit, refused.err);
  CHECK_MESSAGE(refused.err.find("does not exist in the database's encoding") != std::string::npos,
                refused.err);
  CHECK(scene.pairing.secondary.rows("SELECT count(*) FROM visit") == "1");
  scene.primary.run("UPDATE person SET name = 'x' WHERE id = 'b'");
  CHECK(scene.pairing.sync()["exit"] == 0);
  CHECK(scene.pairing.secondary.rows("SELECT name FROM person ORDER BY id") == "\xe6\x97\xa5\nx");
}

}  // namespace abgleich::test
