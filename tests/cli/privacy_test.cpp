// What the privacy report says of a secondary, and what min_k and check hold back.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

namespace abgleich::test {

namespace {

const char* const kContract = R"(
[tables.person]
key = ["id"]
quasi_identifiers = ["born", "sex"]
sensitive = ["state"]
[tables.person.columns]
id = { class = "pseudonym", identity = "person" }
born = { class = "generalise", to = "year" }
sex = "plain"
state = { class = "plain", as = "status" }
name = "withhold"
[tables.visit]
key = ["id"]
subject = "person_id"
quasi_identifiers = ["place"]
[tables.visit.columns]
id = "plain"
person_id = { class = "pseudonym", identity = "person" }
place = "plain"
[tables.word]
key = ["id"]
[tables.word.columns]
id = "plain"
)";

void fill(Database& primary) {
  primary.run(
      "CREATE TABLE person (id integer PRIMARY KEY, born date, sex text, state text, name text, "
      "extra text);"
      "CREATE TABLE visit (id integer PRIMARY KEY, person_id integer, place text);"
      "CREATE TABLE word (id integer PRIMARY KEY);"
      "INSERT INTO person (id, born, sex, state) VALUES (1, '1980-01-01', 'f', 'ill'), (2, "
      "'1980-05-05', 'f', 'well'), (3, '1980-12-31', 'f', NULL), (4, '1990-01-01', NULL, 'ill'), "
      "(5, '1990-02-02', NULL, 'ill'), (6, '1970-01-01', 'm', 'ill');"
      // the same subject twice is one subject; a visit without one is one of its own
      "INSERT INTO visit VALUES (1, 1, 'school'), (2, 1, 'school'), (3, 2, 'school'), (4, 3, "
      "'market'), (5, NULL, 'market'), (6, NULL, 'market'), (7, 1, 'station'), (8, 1, 'station')");
}

nlohmann::json report(const Pairing& pairing) {
  const auto ran = pairing.run({"privacy", "--json"});
  CHECK_MESSAGE(ran.exit == 0, ran.err);
  return nlohmann::json::parse(ran.out);
}

}  // namespace

TEST_CASE("the privacy report counts subjects, and values, and takes NULL for a value") {
  on_every_pairing([](On primary_on, On secondary_on) {
    Pairing pairing(primary_on, secondary_on, kContract);
    fill(pairing.primary);
    CHECK(pairing.run({"drift", "accept", "-q"}).exit == 0);
    CHECK(report(pairing)["tables"]["person"]["anonymity"].is_null());  // not there yet
    (void)pairing.sync();
    const auto json = report(pairing);
    CHECK(json["schema"] == "abgleich.privacy/1");
    CHECK(json["epoch"] == 1);
    const auto& person = json["tables"]["person"];
    CHECK(person["subject"] == "id");
    CHECK(person["sensitive"] == nlohmann::json({"status"}));
    CHECK(person["unnamed"] == 1);
    CHECK(person["columns"]["name"]["as"].is_null());
    CHECK(person["columns"]["id"]["how"] == "identity person, text");
    // {1980 f: 3, l 3}, {1990 NULL: 2, l 1}, {1970 m: 1, l 1}
    CHECK(person["anonymity"] == nlohmann::json({{"rows", 6},
                                                 {"groups", 3},
                                                 {"k", 1},
                                                 {"l", {{"status", 1}}},
                                                 {"groups_below", 0},
                                                 {"rows_below", 0}}));
    // {school: 2 of 3 rows}, {market: 1 and two without}, {station: 1}
    CHECK(json["tables"]["visit"]["anonymity"]["k"] == 1);
    CHECK(json["tables"]["visit"]["anonymity"]["groups"] == 3);
    CHECK(json["tables"]["word"]["anonymity"].is_null());

    pairing.configure("[privacy]\nmin_k = 3");
    const auto stricter = report(pairing);
    CHECK(stricter["tables"]["person"]["anonymity"]["groups_below"] == 2);
    CHECK(stricter["tables"]["person"]["anonymity"]["rows_below"] == 3);
    CHECK(stricter["tables"]["visit"]["anonymity"]["groups_below"] == 2);
    CHECK(stricter["tables"]["visit"]["anonymity"]["rows_below"] == 5);
  });
}

TEST_CASE("the report is a page for people, and one for the record of processing activities") {
  Pairing pairing(On::sqlite, On::sqlite, kContract, "[privacy]\nmin_k = 2");
  fill(pairing.primary);
  CHECK(pairing.run({"drift", "accept", "-q"}).exit == 0);
  CHECK(pairing.sync()["open"]["quarantined"] == 3);  // 1 person, and both visits to the station
  const auto text = pairing.run({"privacy"}).out;
  CHECK(text == R"(contract.toml, key of epoch 1

person: 4 columns leave, 2 withheld
    id     pseudonym: identity person, text
    born   generalise: year
    sex    plain
    state  plain, as status
  k = 2: each of 2 combinations of born, sex is shared by 2 subjects or more
  l = 1: each combination has 1 value of status or more
  0 rows are in 0 combinations below min_k = 2
  3 of 5 subjects are unique in born, sex, status

visit: 3 columns leave, 0 withheld
    id         plain
    person_id  pseudonym: identity person, text
    place      plain
  k = 2: each of 2 combinations of place is shared by 2 subjects or more
  0 rows are in 0 combinations below min_k = 2
  3 of 3 subjects are unique in place, person.born, person.sex, person.status

word: 1 column leaves, 0 withheld
    id  plain
  no quasi-identifiers are declared, so nothing is said of k-anonymity

NULL is a value like another; each subject counts once, a row without one by itself.
3 rows are held back by min_k = 2: 3 never left or left again, 0 are still there
)");
  const auto page = pairing.run({"privacy", "--markdown"}).out;
  CHECK(page.find("# What leaves the primary, and how\n") == 0);
  CHECK(page.find("| name | never leaves | withhold |\n") != std::string::npos);
  CHECK(page.find("| person\\_id | person\\_id | pseudonym: identity person, text |\n") !=
        std::string::npos);
  CHECK(page.find("1 more column is never read: the contract does not name it.\n") !=
        std::string::npos);
  CHECK(page.find("- k = 2: each of 2 combinations") != std::string::npos);
}

TEST_CASE("min_k holds back rows that too few share, says how many, and lets them in later") {
  on_every_pairing([](On primary_on, On secondary_on) {
    Pairing pairing(primary_on, secondary_on, kContract, "[privacy]\nmin_k = 3");
    fill(pairing.primary);
    auto json = pairing.sync();
    CHECK(json["exit"] == 11);
    CHECK(json["tables"]["person"]["inserted"] == 3);
    CHECK(json["tables"]["person"]["quarantined"] == 3);
    CHECK(json["tables"]["visit"]["quarantined"] == 5);
    CHECK(pairing.secondary.rows("SELECT DISTINCT born, sex FROM person") == "1980|f");
    CHECK(pairing.secondary.rows("SELECT DISTINCT place FROM visit") == "market");
    const auto again = pairing.run({"sync"});
    CHECK(again.err.find("note: 3 rows of 'person' are held back by min_k: too few subjects share "
                         "the quasi-identifiers\n") != std::string::npos);
    CHECK(again.err.find("note: 5 rows of 'visit' are held back") != std::string::npos);
    const auto held = pairing.run({"quarantine"}).out;
    CHECK(held.find("fewer than 3 subjects share its quasi-identifiers") != std::string::npos);
    CHECK(held.find("8 rows held back") != std::string::npos);
    CHECK(report(pairing)["held_back"] == 8);
    CHECK(report(pairing)["never_left"] == 8);
    CHECK(report(pairing)["tables"]["person"]["anonymity"]["k"] == 3);
    CHECK(pairing.sync()["outcome"] == "unchanged");

    // a third of that kind: all three may go
    pairing.primary.run("INSERT INTO person (id, born, state) VALUES (7, '1990-03-03', 'ill')");
    json = pairing.sync();
    CHECK(json["tables"]["person"]["inserted"] == 3);
    CHECK(json["tables"]["person"]["quarantined"] == 1);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE born = 1990") == "3");
    // a row that moves into a rare combination goes, and those that are rare without it; no limit
    // of deletes is in the way, since they come back
    pairing.primary.run("UPDATE person SET sex = 'x' WHERE id = 7");
    CHECK(pairing.run({"verify"}).exit == 0);
    json = pairing.sync();
    CHECK(json["exit"] == 11);
    CHECK(json["tables"]["person"]["quarantined"] == 4);
    CHECK(json["tables"]["person"]["deleted"] == 3);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE born = 1990") == "0");
    CHECK(pairing.run({"verify"}).exit == 0);
    CHECK(pairing.sync()["outcome"] == "unchanged");
    pairing.primary.run("UPDATE person SET sex = NULL WHERE id = 7");
    CHECK(pairing.sync()["tables"]["person"]["inserted"] == 3);
    pairing.configure();
    pairing.accept_more();
    CHECK(pairing.sync()["open"]["quarantined"] == 0);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM visit") == "8");
  });
}

TEST_CASE("a row that falls below k is withdrawn; where people edited it, they decide") {
  on_every_pairing([](On primary_on, On secondary_on) {
    // whatever the contract says of rows that the primary deletes
    for (const std::string on_delete : {"delete", "keep", "erase"}) {
      CAPTURE(on_delete);
      Pairing pairing(primary_on, secondary_on,
                      R"([tables.person]
key = ["id"]
quasi_identifiers = ["born", "sex"]
on_delete = ")" + on_delete +
                          R"("
[tables.person.columns]
id = { class = "pseudonym", identity = "person" }
born = { class = "generalise", to = "year" }
sex = "plain"
state = "plain"
)",
                      "[privacy]\nmin_k = 3");
      auto& secondary = pairing.secondary;
      const auto own = [&](const std::string& table) {
        return (secondary_on == On::sqlite ? "abgleich_" : "abgleich.") + table;
      };
      pairing.primary.run(
          "CREATE TABLE person (id integer PRIMARY KEY, born date, sex text, state text);"
          "INSERT INTO person VALUES (1, '1980-01-01', 'f', 'a'), (2, '1980-01-01', 'f', 'b'), (3, "
          "'1980-01-01', 'f', 'c'), (4, '1990-01-01', 'm', 'd'), (5, '1990-01-01', 'm', 'e'), (6, "
          "'1990-01-01', 'm', 'f'), (7, '1970-01-01', 'm', 'g')");
      CHECK(pairing.sync()["tables"]["person"]["inserted"] == 6);
      secondary.run("UPDATE person SET state = 'ours' WHERE state = 'd'");
      pairing.primary.run("UPDATE person SET born = '1980-01-01', sex = 'f' WHERE id = 6");

      const auto ran = pairing.run({"sync"});
      CHECK(ran.err.find("withdrawn from the secondary") != std::string::npos);
      const bool erased = on_delete == "erase";
      CHECK(ran.exit == (erased ? 11 : 10));
      CHECK(secondary.rows("SELECT state FROM person WHERE born = 1990") == (erased ? "" : "ours"));
      const auto conflicts = pairing.run({"conflicts", "--json"}).out;
      if (erased) {
        CHECK(conflicts.empty());
      } else {
        const auto conflict = nlohmann::json::parse(conflicts);
        CHECK(conflict["kind"] == "deleted_and_updated");
        CHECK(conflict["reason"] == "fewer than 3 subjects share its quasi-identifiers");
        CHECK(pairing.run({"conflicts"}).out.find("fewer than 3 subjects") != std::string::npos);
      }
      const auto status = nlohmann::json::parse(pairing.run({"status", "--json"}).out);
      CHECK(status["rare"]["never_left"] == (erased ? 3 : 2));
      CHECK(status["rare"]["still_there"] == (erased ? 0 : 1));
      const auto privacy = report(pairing);
      CHECK(privacy["held_back"] == 3);
      CHECK(privacy["still_there"] == (erased ? 0 : 1));
      CHECK(pairing.run({"verify"}).exit == 0);
      CHECK(pairing.sync()["outcome"] == "unchanged");

      // the secondary knows numbers; who it is, the state directory
      CHECK(secondary.rows("SELECT DISTINCT key_text FROM " + own("quarantine")) == "null");
      const auto held = pairing.run({"quarantine", "--json"}).out;
      CHECK(std::ranges::count(held, '\n') == 3);
      CHECK(held.find("p1_") != std::string::npos);
      const auto file = pairing.directory / "state" / "rare_keys";
      REQUIRE(std::filesystem::exists(file));
      CHECK((std::filesystem::status(file).permissions() & std::filesystem::perms::all) ==
            (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
      CHECK(read_file(file).find("p1_") == std::string::npos);
      std::filesystem::remove(file);
      CHECK(pairing.run({"quarantine"}).out.find("3 rows held back") != std::string::npos);
      CHECK(pairing.run({"quarantine"}).out.find("p1_") == std::string::npos);

      if (!erased) {
        CHECK(pairing.run({"resolve", "--all", "--take", "primary"}).exit == 0);
        CHECK(secondary.rows("SELECT count(*) FROM person WHERE born = 1990") == "0");
        CHECK(pairing.sync()["open"]["conflicts"] == 0);
        CHECK(report(pairing)["still_there"] == 0);
      }
      pairing.configure();
      pairing.accept_more();  // a smaller min_k lets more leave
      CHECK(pairing.sync()["open"]["quarantined"] == 0);
      CHECK(secondary.rows("SELECT count(*) FROM person") == "7");
      CHECK_FALSE(std::filesystem::exists(file));
    }
  });
}

TEST_CASE("what belongs to a row that is held back is held back with it") {
  on_every_pairing([](On primary_on, On secondary_on) {
    Pairing pairing(primary_on, secondary_on, R"(
[tables.person]
key = ["id"]
quasi_identifiers = ["sex"]
[tables.person.columns]
id = { class = "pseudonym", identity = "person" }
sex = "plain"
[tables.visit]
key = ["id"]
[tables.visit.columns]
id = "plain"
person_id = { class = "pseudonym", identity = "person" }
[tables.result]
key = ["visit_id"]
[tables.result.columns]
visit_id = "plain"
what = "plain"
)",
                    "[privacy]\nmin_k = 2");
    auto& secondary = pairing.secondary;
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, sex text);"
        "CREATE TABLE visit (id integer PRIMARY KEY, person_id integer REFERENCES person (id));"
        "CREATE TABLE result (visit_id integer PRIMARY KEY REFERENCES visit (id), what text);"
        "INSERT INTO person VALUES (1, 'f'), (2, 'f'), (3, 'm'), (4, 'm'), (5, 'd');"
        "INSERT INTO visit VALUES (10, 1), (20, 2), (30, 3), (40, 4), (50, 5), (60, NULL);"
        "INSERT INTO result VALUES (10, 'x'), (30, 'x'), (40, 'x'), (50, 'x'), (60, 'x')");
    auto json = pairing.sync();
    CHECK(json["exit"] == 11);
    CHECK(json["tables"]["visit"]["quarantined"] == 1);
    CHECK(secondary.rows("SELECT id FROM visit ORDER BY id") == "10\n20\n30\n40\n60");
    CHECK(secondary.rows("SELECT visit_id FROM result ORDER BY 1") == "10\n30\n40\n60");
    CHECK(pairing.run({"verify"}).exit == 0);
    CHECK(pairing.sync()["outcome"] == "unchanged");

    pairing.primary.run("UPDATE person SET sex = 'f' WHERE id = 4");
    json = pairing.sync();
    CHECK(json["exit"] == 11);
    CHECK(json["open"]["conflicts"] == 0);
    CHECK(secondary.rows("SELECT count(*) FROM person") == "3");
    CHECK(secondary.rows("SELECT id FROM visit ORDER BY id") == "10\n20\n40\n60");
    CHECK(secondary.rows("SELECT visit_id FROM result ORDER BY 1") == "10\n40\n60");
    CHECK(report(pairing)["still_there"] == 0);
    CHECK(pairing.run({"quarantine"}).out.find("it belongs to a row that min_k holds back") !=
          std::string::npos);
    CHECK(pairing.run({"verify"}).exit == 0);

    pairing.primary.run("UPDATE person SET sex = 'd' WHERE id = 3");
    json = pairing.sync();
    CHECK(json["open"]["quarantined"] == 0);
    CHECK(secondary.rows("SELECT count(*) FROM result") == "5");
    CHECK(pairing.run({"verify"}).exit == 0);
  });
}

TEST_CASE("joined tables make subjects unique, and quasi-identifiers are proposed") {
  on_every_pairing([](On primary_on, On secondary_on) {
    Pairing pairing(primary_on, secondary_on, R"(
[tables.district]
key = ["id"]
[tables.district.columns]
id = { class = "pseudonym", identity = "district" }
town = "plain"
[tables.person]
key = ["id"]
sensitive = ["state"]
[tables.person.columns]
id = { class = "pseudonym", identity = "person" }
sex = "plain"
state = "plain"
same = "plain"
note = { class = "plain", owner = "secondary" }
district_id = { class = "pseudonym", identity = "district" }
)");
    pairing.primary.run(
        "CREATE TABLE district (id integer PRIMARY KEY, town text);"
        "CREATE TABLE person (id integer PRIMARY KEY, sex text, state text, same text, note text, "
        "district_id integer REFERENCES district (id));"
        "INSERT INTO district VALUES (1, 'A'), (2, 'B');"
        "INSERT INTO person VALUES (1, 'f', 'x', 's', 'n', 1), (2, 'f', 'x', 's', 'n', 1), (3, "
        "'f', "
        "'x', 's', 'n', 2), (4, 'm', 'x', 's', 'n', NULL)");
    CHECK(pairing.run({"drift", "accept", "-q"}).exit == 0);
    CHECK(pairing.sync()["outcome"] == "applied");
    const auto person = report(pairing)["tables"]["person"];
    CHECK(person["uniqueness"]["columns"] ==
          nlohmann::json({"sex", "state", "same", "note", "district.town"}));
    CHECK(person["uniqueness"]["subjects"] == 4);
    CHECK(person["uniqueness"]["unique"] == 2);
    CHECK(person["proposed"] == nlohmann::json({"sex"}));
    CHECK(pairing.run({"privacy"})
              .out.find("  2 of 4 subjects are unique in sex, state, same, note, "
                        "district.town\n  proposed: quasi_identifiers = "
                        "[\"sex\"]\n") != std::string::npos);
  });
}

TEST_CASE("a lookup table's identity is judged by all of its columns, and init's guess passes") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Pairing pairing(engine, engine, R"(
[tables.sex]
key = ["id"]
[tables.sex.columns]
id = { class = "pseudonym", identity = "sex" }
[tables.person]
key = ["id"]
[tables.person.columns]
id = { class = "pseudonym", identity = "person" }
sex_id = { class = "pseudonym", identity = "sex" }
)");
    pairing.primary.run(
        "CREATE TABLE sex (id integer PRIMARY KEY, label text);"
        "CREATE TABLE district (id integer PRIMARY KEY, label text);"
        "CREATE TABLE person (id integer PRIMARY KEY, first_name text, sex_id integer REFERENCES "
        "sex (id), district_id integer REFERENCES district (id), infected_by integer REFERENCES "
        "person (id));"
        "CREATE TABLE visit (person_id integer REFERENCES person (id), n smallint, day date, "
        "PRIMARY KEY (person_id, n));"
        "CREATE TABLE diary (person_id integer REFERENCES person (id), day date, PRIMARY KEY "
        "(person_id, day));"
        "INSERT INTO sex VALUES (1, 'f'), (2, 'm'), (3, 'd');"
        "INSERT INTO district VALUES (1, 'A'), (2, 'B'), (3, 'C'), (4, 'D')");
    const std::string series =
        " FROM (WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 300) "
        "SELECT i FROM s) AS series";
    pairing.primary.run("INSERT INTO person SELECT i, 'F', i % 3 + 1, i % 4 + 1, 1" + series);
    pairing.primary.run("INSERT INTO visit SELECT i, 1, '2026-01-01'" + series);
    const auto ran = pairing.run({"check"});
    CHECK(ran.exit == 78);
    CHECK_MESSAGE(
        ran.out.find("all columns of its identity have 3 values in 303 rows") != std::string::npos,
        ran.out);
    CHECK(ran.out.find("'person.sex_id'") != std::string::npos);
    CHECK(ran.out.find("'sex.id'") != std::string::npos);

    const auto directory = pairing.directory / "new";
    CHECK(pairing
              .run({"init", "--primary", pairing.primary.url(), "--secondary",
                    pairing.secondary.url(), "--directory", directory.string()})
              .exit == 0);
    const auto checked = pairing.run({"--config", (directory / "abgleich.toml").string(), "check"});
    CHECK_MESSAGE(checked.exit == 0, checked.out, checked.err);
    const auto contract = read_file(directory / "contract.toml");
    CHECK(contract.find("sex_id      = \"withhold\"") != std::string::npos);
    CHECK(contract.find("# [tables.diary]") != std::string::npos);
  }
}

TEST_CASE("check refuses a pseudonym of few values, at its line, unless there is a reason") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Pairing pairing(engine, engine, kContract);
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, grade text, born date, plz text, flag "
        "boolean, phone text, boss integer)");
    pairing.primary.run(
        "INSERT INTO person SELECT i, 'g' || (i % 7), '1980-01-01', '38100', NULL, "
        "'0531 10000' || i, i % 3 FROM (WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
        "FROM s WHERE i < 300) SELECT i FROM s) AS series");
    const auto checked = [&](const std::string& columns) {
      pairing.set_contract(
          "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = { class = "
          "\"pseudonym\", identity = \"person\" }\n" +
          columns);
      return pairing.run({"check"});
    };
    const auto line = [](const std::string& column, const std::string& more = "") {
      return column + " = { class = \"pseudonym\", identity = \"" + column + "\"" + more + " }\n";
    };
    for (const auto& [column, why] :
         {std::pair<std::string, std::string>{"grade", "it has 7 values in 300 rows"},
          {"born", "it is a date"},
          {"plz", "by its name, few values fill it"},
          {"flag", "it is true or false"}}) {
      CAPTURE(column);
      const auto ran = checked(line(column));
      CHECK(ran.exit == 78);
      CHECK_MESSAGE(ran.out.find("contract.toml:6:1: a pseudonym of 'person." + column +
                                 "' hides too little: " + why) != std::string::npos,
                    ran.out);
      CHECK(ran.out.find("accept_low_entropy = \"why\"") != std::string::npos);
      CHECK(checked(line(column, ", accept_low_entropy = \"counted only\"")).exit != 78);
    }
    // a phone of everybody's own, and a foreign key that carries the identity of persons
    CHECK(checked(line("phone", ", normalise = \"phone\"")).exit != 78);
    CHECK(checked("boss = { class = \"pseudonym\", identity = \"person\" }\n").exit != 78);
    const auto both = checked(line("grade") + line("plz"));
    CHECK(both.exit == 78);
    CHECK(both.out.find("; one of 'person.grade' does, too: it has 7 values in 300 rows") !=
          std::string::npos);
  }
}

}  // namespace abgleich::test
