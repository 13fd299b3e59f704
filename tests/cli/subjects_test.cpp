// Another person under the same number: what `fixed` says never changes, has changed, so the row is
// another subject's, a delete and an insert.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <string>

namespace abgleich::test {

namespace {

const char* const kAnyChange = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

std::string contract_with(const std::string& more) {
  return "[tables.person]\nkey = [\"id\"]\nfixed = [\"born_on\"]\n" + more +
         "[tables.person.columns]\nid = { class = \"pseudonym\", identity = \"person\" }\n"
         "born_on = \"plain\"\nstatus = \"plain\"\n"
         "note = { class = \"plain\", owner = \"secondary\" }\n";
}

void make_persons(Database& primary) {
  primary.run("CREATE TABLE person (id integer PRIMARY KEY, born_on date, status text, note text)");
  primary.run(
      "INSERT INTO person VALUES (1, '1980-01-01', 'well', 'first'), "
      "(2, '1990-01-01', 'ill', 'second')");
}

const char* const kOther =
    "UPDATE person SET born_on = '2001-02-03', status = 'new', note = 'n' "
    "WHERE id = 2";

std::string secondary_of(Pairing& pairing) {
  return pairing.secondary.rows("SELECT born_on, status, note FROM person ORDER BY 1");
}

}  // namespace

TEST_CASE(
    "another subject under a number is a delete and an insert, and nothing of the old stays") {
  on_every_pairing([](On primary, On secondary) {
    Pairing pairing(primary, secondary, contract_with(""), kAnyChange);
    make_persons(pairing.primary);
    REQUIRE(pairing.sync()["exit"] == 0);
    // a column of people's own
    pairing.secondary.run("ALTER TABLE person ADD COLUMN remark text");
    pairing.secondary.run("UPDATE person SET remark = 'of the old one'");
    pairing.primary.run(kOther);

    const auto diff = pairing.run({"diff", "--json"});
    CHECK(diff.out.find("\"fate\":\"delete\"") != std::string::npos);
    CHECK(diff.out.find("\"fate\":\"insert\"") != std::string::npos);
    CHECK(pairing.run({"verify", "--exit-code"}).exit == 1);
    const auto run = pairing.sync();
    CHECK(run["exit"] == 0);
    CHECK(run["tables"]["person"]["deleted"] == 1);
    CHECK(run["tables"]["person"]["inserted"] == 1);
    CHECK(run["tables"]["person"]["updated"] == 0);
    CHECK(secondary_of(pairing) == "1980-01-01|well|first\n2001-02-03|new|n");
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE remark IS NOT NULL") == "1");
    CHECK(pairing.sync()["outcome"] == "unchanged");
    CHECK(pairing.run({"verify", "--exit-code"}).exit == 0);
    const auto shown = pairing.run({"show", run["run"].get<std::string>(), "--json"});
    CHECK(shown.out.find("\"fate\":\"delete\"") != std::string::npos);
    CHECK(shown.out.find("\"fate\":\"insert\"") != std::string::npos);

    REQUIRE(pairing.run({"revert", run["run"].get<std::string>(), "--reason", "a test"}).exit == 0);
    CHECK(secondary_of(pairing) == "1980-01-01|well|first\n1990-01-01|ill|second");
    REQUIRE(pairing.run({"resume", "--reason", "a test"}).exit == 0);
    CHECK(pairing.sync()["exit"] == 0);
    CHECK(secondary_of(pairing) == "1980-01-01|well|first\n2001-02-03|new|n");
    CHECK(pairing.run({"verify", "--exit-code"}).exit == 0);
  });
}

TEST_CASE("a person's note on the old subject is a conflict and never stands on the new one") {
  on_every_pairing([](On primary, On secondary) {
    Pairing pairing(primary, secondary, contract_with(""), kAnyChange);
    make_persons(pairing.primary);
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.secondary.run("UPDATE person SET note = 'call back' WHERE status = 'ill'");
    pairing.primary.run(kOther);
    CHECK(pairing.sync()["exit"] == 10);
    CHECK(secondary_of(pairing) == "1980-01-01|well|first\n1990-01-01|ill|call back");
    CHECK(pairing.run({"verify", "--exit-code"}).exit == 0);
    CHECK(pairing.sync({"--full"})["exit"] == 10);
    const auto conflict = nlohmann::json::parse(pairing.run({"conflicts", "--json"}).out);
    CHECK(conflict["kind"] == "deleted_and_updated");
    SUBCASE("the old one goes") {
      CHECK(pairing.run({"resolve", "--all", "--take", "primary"}).exit == 0);
      CHECK(pairing.sync()["exit"] == 0);
      CHECK(secondary_of(pairing) == "1980-01-01|well|first\n2001-02-03|new|n");
      CHECK(pairing.run({"verify", "--exit-code"}).exit == 0);
    }
    SUBCASE("the old one stays, and the new one meets it") {
      CHECK(pairing.run({"resolve", "--all", "--take", "secondary"}).exit == 0);
      CHECK(pairing.sync()["exit"] == 10);
      CHECK(secondary_of(pairing) == "1980-01-01|well|first\n1990-01-01|ill|call back");
      const auto met = nlohmann::json::parse(pairing.run({"conflicts", "--json"}).out);
      CHECK(met["kind"] == "both_inserted");
    }
  });
}

TEST_CASE("with erase the old subject goes though it was edited, and with keep it stays") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Pairing erasing(engine, engine, contract_with("on_delete = \"erase\"\n"), kAnyChange);
    make_persons(erasing.primary);
    REQUIRE(erasing.sync()["exit"] == 0);
    erasing.secondary.run("UPDATE person SET note = 'call back'");
    erasing.primary.run(kOther);
    CHECK(erasing.sync()["exit"] == 0);
    CHECK(secondary_of(erasing) == "1980-01-01|well|call back\n2001-02-03|new|n");
    CHECK(erasing.secondary.rows(engine == On::sqlite
                                     ? "SELECT count(*) FROM abgleich_journal WHERE before LIKE "
                                       "'%1990%' OR after LIKE '%1990%'"
                                     : "SELECT count(*) FROM abgleich.journal WHERE before LIKE "
                                       "'%1990%' OR after LIKE '%1990%'") == "0");

    Pairing keeping(engine, engine, contract_with("on_delete = \"keep\"\n"), kAnyChange);
    make_persons(keeping.primary);
    REQUIRE(keeping.sync()["exit"] == 0);
    keeping.primary.run(kOther);
    CHECK(keeping.sync()["exit"] == 10);
    CHECK(secondary_of(keeping) == "1980-01-01|well|first\n1990-01-01|ill|second");
    CHECK(keeping.sync()["exit"] == 10);
  }
}

TEST_CASE("a row that people deleted comes again for another subject") {
  Pairing pairing(On::sqlite, On::postgresql, contract_with(""), kAnyChange);
  make_persons(pairing.primary);
  REQUIRE(pairing.sync()["exit"] == 0);
  pairing.secondary.run("DELETE FROM person WHERE status = 'ill'");
  pairing.primary.run("UPDATE person SET status = 'worse' WHERE id = 2");
  CHECK(pairing.sync()["exit"] == 10);
  pairing.primary.run(kOther);
  CHECK(pairing.sync()["exit"] == 0);
  CHECK(secondary_of(pairing) == "1980-01-01|well|first\n2001-02-03|new|n");
  CHECK(pairing.run({"verify", "--exit-code"}).exit == 0);
}

TEST_CASE("what refers to a number stays when another subject has it") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Pairing pairing(engine, engine,
                    contract_with("") +
                        "[tables.visit]\nkey = [\"n\"]\n[tables.visit.columns]\nn = \"plain\"\n"
                        "person = { class = \"pseudonym\", identity = \"person\" }\n",
                    kAnyChange);
    make_persons(pairing.primary);
    pairing.primary.run(
        "CREATE TABLE visit (n integer PRIMARY KEY, person integer REFERENCES person (id))");
    pairing.primary.run("INSERT INTO visit VALUES (1, 1), (2, 2)");
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.primary.run(kOther);
    CHECK(pairing.sync()["exit"] == 0);
    CHECK(secondary_of(pairing) == "1980-01-01|well|first\n2001-02-03|new|n");
    CHECK(pairing.secondary.rows("SELECT count(*) FROM visit JOIN person ON id = person") == "2");
  }
}

TEST_CASE("a contract that makes something else of a fixed column makes no other subjects") {
  Pairing pairing(On::sqlite, On::sqlite, contract_with(""), kAnyChange);
  make_persons(pairing.primary);
  REQUIRE(pairing.sync()["exit"] == 0);
  pairing.secondary.run("UPDATE person SET note = 'call back'");
  pairing.set_contract(
      "[tables.person]\nkey = [\"id\"]\nfixed = [\"born_on\"]\n"
      "[tables.person.columns]\nid = { class = \"pseudonym\", identity = \"person\" }\n"
      "born_on = { class = \"generalise\", to = \"month\" }\nstatus = \"plain\"\n"
      "note = { class = \"plain\", owner = \"secondary\" }\n");
  const auto run = pairing.sync();
  CHECK(run["exit"] == 0);
  CHECK(run["tables"]["person"]["deleted"] == 0);
  CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE note = 'call back'") == "2");
}

TEST_CASE("check proposes fixed where a table gives the number of a deleted row to the next one") {
  const std::string contract =
      "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
      "id = { class = \"pseudonym\", identity = \"person\" }\nborn_on = \"plain\"\n"
      "created_at = \"plain\"\nstatus = \"plain\"\n";
  const auto said = [&](On engine, const std::string& key) {
    Pairing pairing(engine, On::sqlite, contract);
    pairing.primary.run("CREATE TABLE person (id " + key +
                        ", born_on date, created_at timestamp, status text)");
    return pairing.run({"check"}).out;
  };
  const auto proposal = "fixed = [\"born_on\", \"created_at\"]";
  CHECK(said(On::sqlite, "INTEGER PRIMARY KEY").find(proposal) != std::string::npos);
  CHECK(said(On::sqlite, "INTEGER PRIMARY KEY AUTOINCREMENT").find("fixed") == std::string::npos);
  CHECK(said(On::sqlite, "TEXT PRIMARY KEY").find("fixed") == std::string::npos);
  CHECK(said(On::postgresql, "integer PRIMARY KEY").find("fixed") == std::string::npos);
}

TEST_CASE("a map that maps other values to the same words makes nobody another subject") {
  on_every_pairing([](On primary, On secondary) {
    const auto contract = [](const std::string& map) {
      return "[tables.person]\nkey = [\"id\"]\nfixed = [\"kind\"]\n[tables.person.columns]\n"
             "id = \"plain\"\nnote = \"plain\"\nkind = { class = \"generalise\", to = \"map\", map "
             "= { " +
             map + " }, otherwise = \"else\" }\n";
    };
    Pairing pairing(primary, secondary, contract("\"a\" = \"x\", \"b\" = \"y\""), kAnyChange);
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, note text, kind text);"
        "INSERT INTO person VALUES (1, 'n', 'a'), (2, 'n', 'b')");
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.secondary.run("UPDATE person SET note = 'ours' WHERE id = 2");
    pairing.set_contract(contract("\"b\" = \"x\", \"c\" = \"y\""));
    pairing.accept_more();
    const auto line = pairing.sync();
    CHECK_MESSAGE(line["exit"] == 0, line.dump());
    CHECK(pairing.secondary.rows("SELECT id, note, kind FROM person ORDER BY id") ==
          "1|n|else\n2|ours|x");
    // the key's new epoch is no other map
    REQUIRE(pairing.run({"keys", "rotate"}).exit == 0);
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.primary.run("UPDATE person SET kind = 'c' WHERE id = 2");
    CHECK(pairing.sync()["exit"] == 10);
    CHECK(pairing.secondary.rows("SELECT note, kind FROM person WHERE id = 2") == "ours|x");
  });
}

}  // namespace abgleich::test
