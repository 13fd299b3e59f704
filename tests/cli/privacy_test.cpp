// What the privacy report says of a secondary, and what min_k and check hold back.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

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

visit: 3 columns leave, 0 withheld
    id         plain
    person_id  pseudonym: identity person, text
    place      plain
  k = 2: each of 2 combinations of place is shared by 2 subjects or more
  0 rows are in 0 combinations below min_k = 2

word: 1 column leaves, 0 withheld
    id  plain
  no quasi-identifiers are declared, so nothing is said of k-anonymity

NULL is a value like another; each subject counts once, a row without one by itself.
3 rows are held back by min_k = 2
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
    CHECK(report(pairing)["tables"]["person"]["anonymity"]["k"] == 3);
    CHECK(pairing.sync()["outcome"] == "unchanged");

    // a third of that kind: all three may go
    pairing.primary.run("INSERT INTO person (id, born, state) VALUES (7, '1990-03-03', 'ill')");
    json = pairing.sync();
    CHECK(json["tables"]["person"]["inserted"] == 3);
    CHECK(json["tables"]["person"]["quarantined"] == 1);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE born = 1990") == "3");
    // a row that moves into a rare combination keeps its old state
    pairing.primary.run("UPDATE person SET sex = 'x' WHERE id = 7");
    json = pairing.sync();
    CHECK(json["tables"]["person"]["quarantined"] == 4);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE born = 1990") == "3");
    CHECK(pairing.run({"verify"}).exit == 0);
    // what goes in the primary goes here
    pairing.primary.run("DELETE FROM person WHERE id IN (4, 5, 7)");
    CHECK(pairing.sync({"--accept-mass-change", "person", "--reason",
                        "x"})["tables"]["person"]["deleted"] == 3);
    pairing.configure();
    CHECK(pairing.sync()["open"]["quarantined"] == 0);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM visit") == "8");
  });
}

TEST_CASE("check refuses a pseudonym of few values, at its line, unless there is a reason") {
  for (const auto engine : {On::sqlite, On::postgresql}) {
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
    CHECK(both.out.find("; nor does one of 'person.grade': it has 7 values in 300 rows") !=
          std::string::npos);
  }
}

}  // namespace abgleich::test
