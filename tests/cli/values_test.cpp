// Values as people have them: what cannot be used, what only looks odd, and days that depend on
// where one lives.
#include "support/pairing.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>

#include <string>

namespace abgleich::test {

namespace {

std::string person_with(const std::string& column) {
  return "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = \"plain\"\n" + column +
         "\n";
}

}  // namespace

TEST_CASE("with on_unusable a person goes without an unusable phone, and without it is held back") {
  on_every_pairing([](On primary, On secondary) {
    const std::string phone =
        "phone = { class = \"pseudonym\", identity = \"phone\", normalise = \"phone\"";
    Pairing pairing(primary, secondary, person_with(phone + " }"));
    pairing.primary.run("CREATE TABLE person (id integer PRIMARY KEY, phone text NOT NULL)");
    pairing.primary.run(
        "INSERT INTO person VALUES (1, '0531 123456'), (2, 'none'), (3, ''), "
        "(4, 'tel:+49-531-123456'), (5, '\u200e0531\u2013123456\u200f')");
    CHECK(pairing.sync()["exit"] == 11);
    CHECK(pairing.secondary.rows("SELECT count(*), count(DISTINCT phone) FROM person") == "3|1");
    pairing.set_contract(person_with(phone + ", on_unusable = \"null\" }"));
    CHECK(pairing.sync()["exit"] == 23);  // a row more leaves
    REQUIRE(pairing.run({"contract", "accept", "--reason", "a phone is not needed"}).exit == 0);
    CHECK(pairing.sync()["exit"] == 0);
    CHECK(pairing.secondary.rows("SELECT id FROM person WHERE phone IS NULL ORDER BY 1") == "2\n3");
    CHECK(pairing.secondary.rows("SELECT count(*), count(DISTINCT phone) FROM person") == "5|1");
    CHECK(pairing.sync()["outcome"] == "unchanged");
    CHECK(pairing.run({"verify", "--exit-code"}).exit == 0);
  });
}

TEST_CASE("on_unusable is for codes, dates and maps as well, and not for keys") {
  Pairing pairing(On::sqlite, On::postgresql,
                  "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = \"plain\"\n"
                  "sex = { class = \"plain\", codes = [\"f\", \"m\"], on_unusable = \"null\" }\n"
                  "born = { class = \"generalise\", to = \"year\", on_unusable = \"null\" }\n"
                  "kind = { class = \"generalise\", to = \"map\", map = { \"a\" = \"b\" }, "
                  "on_unusable = \"null\" }\n");
  pairing.primary.run(
      "CREATE TABLE person (id INTEGER PRIMARY KEY, sex TEXT, born TEXT, kind TEXT)");
  pairing.primary.run(
      "INSERT INTO person VALUES (1, 'f', '1980-01-02', 'a'), (2, 'x', 'long ago', 'z')");
  CHECK(pairing.sync()["exit"] == 0);
  CHECK(pairing.secondary.rows("SELECT * FROM person ORDER BY id") ==
        "1|f|1980|b\n2|NULL|NULL|NULL");
  pairing.set_contract(
      "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
      "id = { class = \"plain\", on_unusable = \"null\" }\n");
  const auto refused = pairing.run({"sync"});
  CHECK(refused.exit == 78);
  CHECK(refused.err.find("on_unusable") != std::string::npos);
}

TEST_CASE("a zone says of which day a moment is, on either engine") {
  for (const auto primary : kEngines) {
    CAPTURE(name_of(primary));
    const auto seen = [&](const std::string& zone) {
      const auto to = [&](const std::string& name, const std::string& word) {
        return name + " = { class = \"generalise\", to = \"" + word + "\"" + zone + " }\n";
      };
      Pairing pairing(primary, On::sqlite,
                      person_with(to("year", "year") + to("month", "month") + to("week", "week")));
      const std::string type = primary == On::sqlite ? "TEXT" : "timestamptz";
      pairing.primary.run("CREATE TABLE person (id integer PRIMARY KEY, year " + type + ", month " +
                          type + ", week " + type + ")");
      pairing.primary.run(
          "INSERT INTO person VALUES (1, '2019-12-31T23:30:00Z', '2019-12-31T23:30:00Z', "
          "'2019-12-31T23:30:00Z'), (2, '2020-07-01T00:30:00+02:00', "
          "'2020-07-01T00:30:00+02:00', '2020-07-01T00:30:00+02:00')");
      CHECK(pairing.sync()["exit"] == 0);
      return pairing.secondary.rows("SELECT year, month, week FROM person ORDER BY id");
    };
    CHECK(seen(", zone = \"Europe/Berlin\"") == "2020|2020-01|2020-W01\n2020|2020-07|2020-W27");
    CHECK(seen(", zone = \"America/New_York\"") == "2019|2019-12|2020-W01\n2020|2020-06|2020-W27");
  }
}

TEST_CASE("check warns of moments whose day is read in UTC, and refuses zones that nobody knows") {
  Pairing pairing(On::postgresql, On::sqlite,
                  person_with("seen = { class = \"generalise\", to = \"year\" }"));
  pairing.primary.run("CREATE TABLE person (id integer PRIMARY KEY, seen timestamptz)");
  const auto warned = pairing.run({"check"});
  CHECK(warned.out.find("zone = ") != std::string::npos);
  CHECK(warned.out.find("person.seen") != std::string::npos);
  pairing.set_contract(
      person_with("seen = { class = \"generalise\", to = \"year\", zone = \"Europe/Berlin\" }"));
  CHECK(pairing.run({"check"}).out.find("UTC") == std::string::npos);
  pairing.set_contract(
      person_with("seen = { class = \"generalise\", to = \"year\", zone = \"Europe/Berlim\" }"));
  const auto unknown = pairing.run({"sync"});
  CHECK(unknown.exit == 78);
  CHECK(unknown.err.find("Europe/Berlim") != std::string::npos);
}

TEST_CASE("a shifted date that says when something was done is refused by check") {
  const auto checked = [](const std::string& column, const std::string& more,
                          const std::string& by_default) {
    Pairing pairing(On::postgresql, On::sqlite,
                    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
                    "id = { class = \"pseudonym\", identity = \"person\" }\n" +
                        column + " = { class = \"generalise\", to = \"shift:14\"" + more + " }\n");
    pairing.primary.run("CREATE TABLE person (id integer PRIMARY KEY, " + column + " timestamptz " +
                        by_default + ")");
    return pairing.run({"check"}).exit;
  };
  CHECK(checked("created_at", "", "") == 78);
  CHECK(checked("meldedatum", "", "") == 78);
  CHECK(checked("seen", "", "DEFAULT now()") == 78);
  CHECK(checked("created_at", ", accept_record_date = \"nobody sees the runs\"", "") == 0);
  CHECK(checked("onset", "", "") == 0);
}

TEST_CASE("shifts of an epoch end with it where the contract says so") {
  const auto contract = [](const std::string& more) {
    return "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
           "id = { class = \"pseudonym\", identity = \"person\" }\n"
           "onset = { class = \"generalise\", to = \"shift:3000\"" +
           more + " }\n";
  };
  Pairing pairing(On::postgresql, On::postgresql, contract(""),
                  "[limits]\nmax_updated = \"100%\"\n");
  pairing.primary.run("CREATE TABLE person (id integer PRIMARY KEY, onset date)");
  pairing.primary.run("INSERT INTO person SELECT i, '2020-01-01' FROM generate_series(1, 20) i");
  REQUIRE(pairing.sync()["exit"] == 0);
  const auto dates = [&] { return pairing.secondary.rows("SELECT onset FROM person ORDER BY 1"); };
  const auto before = dates();
  REQUIRE(pairing.run({"keys", "rotate"}).exit == 0);
  REQUIRE(pairing.sync()["exit"] == 0);
  CHECK(dates() == before);
  pairing.set_contract(contract(", shift_epoch = 2"));
  CHECK(pairing.sync()["exit"] == 23);  // two shifts of a date tell more of it than one
  REQUIRE(pairing.run({"contract", "accept", "--reason", "the old key was lost"}).exit == 0);
  REQUIRE(pairing.sync()["exit"] == 0);
  CHECK(dates() != before);
  CHECK(pairing.run({"verify", "--exit-code"}).exit == 0);
}

TEST_CASE("a date that would be moved beyond the year 9999 is held back") {
  Pairing pairing(On::postgresql, On::postgresql,
                  "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
                  "id = { class = \"pseudonym\", identity = \"person\" }\n"
                  "until = { class = \"generalise\", to = \"shift:3000\" }\n");
  pairing.primary.run("CREATE TABLE person (id integer PRIMARY KEY, until date)");
  pairing.primary.run("INSERT INTO person SELECT i, '9999-12-31' FROM generate_series(1, 20) i");
  CHECK(pairing.sync()["exit"] == 11);
  CHECK(pairing.secondary.rows("SELECT max(until) < '9999-12-31' FROM person") == "t");
  CHECK(pairing.run({"quarantine"}).out.find("beyond the year 9999") != std::string::npos);
}

TEST_CASE("a SQLite column whose type's name only holds the letters INT is not one of integers") {
  Pairing pairing(On::sqlite, On::postgresql,
                  person_with("place = \"plain\"\nlasts = \"plain\"\nn = \"plain\""));
  pairing.primary.run(
      "CREATE TABLE person (id INTEGER PRIMARY KEY, place POINT, lasts INTERVAL, n BIGINT)");
  pairing.primary.run("INSERT INTO person VALUES (1, 'POINT(1 2)', '3 days', 4), (2, 7, 8, 9)");
  CHECK(pairing.sync()["exit"] == 0);
  CHECK(pairing.secondary.rows("SELECT place, lasts, n FROM person ORDER BY id") ==
        "POINT(1 2)|3 days|4\n7|8|9");
  CHECK(pairing.run({"verify", "--exit-code"}).exit == 0);
}

TEST_CASE("init proposes nothing that its own check refuses: parts of a key") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Pairing pairing(engine, On::sqlite, "");
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, name text);"
        "CREATE TABLE test (person integer REFERENCES person (id), taken date, n smallint, "
        "PRIMARY KEY (person, taken, n))");
    const auto made = (pairing.directory.path() / "made").string();
    REQUIRE(pairing
                .run({"init", "--primary", pairing.primary.url(), "--secondary",
                      pairing.secondary.url(), "--directory", made})
                .exit == 0);
    const auto checked = pairing.run({"--config", made + "/abgleich.toml", "check"});
    CHECK_MESSAGE(checked.exit == 0, checked.out, checked.err);
  }
}

TEST_CASE("quarantine names the command that tells whose the row is") {
  Pairing pairing(On::sqlite, On::sqlite,
                  "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
                  "id = { class = \"pseudonym\", identity = \"person\" }\n"
                  "sex = { class = \"plain\", codes = [\"f\"] }\n");
  pairing.primary.run("CREATE TABLE person (id INTEGER PRIMARY KEY, sex TEXT)");
  pairing.primary.run("INSERT INTO person VALUES (4711, 'x')");
  CHECK(pairing.sync()["exit"] == 11);
  const auto told = pairing.run({"quarantine"}).out;
  const auto at = told.find("abgleich reveal person p1_");
  REQUIRE(at != std::string::npos);
  const auto pseudonym = told.substr(at + 23, 29);
  const auto revealed = pairing.run({"reveal", "person", pseudonym, "--reason", "mend it"});
  CHECK(revealed.out.find("id=4711") != std::string::npos);
}

TEST_CASE("a moment that SQLite holds as text arrives in PostgreSQL, with a Z or an offset") {
  Pairing pairing(On::sqlite, On::postgresql,
                  person_with("seen = \"plain\"\nmade = \"plain\"\nday = \"plain\""));
  pairing.primary.run(
      "CREATE TABLE person (id INTEGER PRIMARY KEY, seen DATETIME, made TIMESTAMP, day DATE)");
  pairing.primary.run(
      "INSERT INTO person VALUES (1, '2020-01-01 10:00:00', '2020-01-01 10:00:00', '2020-01-01'), "
      "(2, '2020-01-01T10:00:00Z', '2020-01-01 10:00:00Z', '2020-01-01'), "
      "(3, '2020-01-01 12:00:00+02:00', '2020-01-01T12:00:00.5+02:00', '2020-01-01')");
  const auto line = pairing.sync();
  CHECK_MESSAGE(line["exit"] == 0, line.dump(), pairing.run({"quarantine"}).out);
  CHECK(pairing.secondary.rows("SELECT * FROM person ORDER BY id") ==
        "1|2020-01-01 10:00:00|2020-01-01 10:00:00|2020-01-01\n"
        "2|2020-01-01 10:00:00|2020-01-01 10:00:00|2020-01-01\n"
        "3|2020-01-01 10:00:00|2020-01-01 10:00:00.5|2020-01-01");
  CHECK(pairing.sync()["outcome"] == "unchanged");
  CHECK(pairing.run({"verify", "--exit-code"}).exit == 0);
}

TEST_CASE("token takes a line for what it says, ended as on any system") {
  Pairing pairing(On::sqlite, On::sqlite,
                  "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
                  "id = { class = \"pseudonym\", identity = \"person\" }\n");
  pairing.primary.run(
      "CREATE TABLE person (id TEXT PRIMARY KEY NOT NULL); INSERT INTO person VALUES ('4711')");
  REQUIRE(pairing.sync()["exit"] == 0);
  const auto pseudonym = pairing.secondary.rows("SELECT id FROM person") + "\n";
  for (const std::string typed : {"4711", "4711\n", "4711\r\n"}) {
    CAPTURE(typed);
    write_file(pairing.directory.path() / "typed", typed);
    const auto made = run_program(
        {"/bin/sh", "-c", std::string("exec ") + kProgram + " token --identity person < typed"},
        pairing.directory.path().string());
    CHECK_MESSAGE(made.exit == 0, made.err);
    CHECK(made.out == pseudonym);
  }
  // what ends no line is a part of the value, and two lines are no value
  for (const auto& [typed, exit] : {std::pair{"4711\r", 0}, std::pair{"4711\r\n4712\r\n", 64}}) {
    write_file(pairing.directory.path() / "typed", typed);
    const auto made = run_program(
        {"/bin/sh", "-c", std::string("exec ") + kProgram + " token --identity person < typed"},
        pairing.directory.path().string());
    CHECK_MESSAGE(made.exit == exit, made.err);
    CHECK(made.out != pseudonym);
  }
}

}  // namespace abgleich::test
