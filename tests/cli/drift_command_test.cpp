// `abgleich drift`, `drift accept`, `--catalog`, `--sql`, and the pipelines that call them.
#include "cli/drifting.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>

#include <array>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace abgleich::test {

namespace {

using Json = nlohmann::json;

}  // namespace

TEST_CASE("drift accept: not where the key of an exported table would be gone") {
  Pairing pairing(On::postgresql, On::sqlite, person("tag = \"plain\"\n"), kLimits);
  pairing.primary.run("CREATE TABLE person (id integer PRIMARY KEY, tag text)");
  accept(pairing);
  auto accepted = read_file(pairing.directory.path() / "catalog.json");
  for (const std::string ddl :
       {"ALTER TABLE person DROP COLUMN id", "ALTER TABLE person RENAME id TO nr",
        "ALTER TABLE person DROP CONSTRAINT person_pkey", "DROP TABLE person",
        "ALTER TABLE person RENAME TO people",
        "ALTER TABLE person RENAME id TO t; ALTER TABLE person ADD id integer PRIMARY KEY"}) {
    CAPTURE(ddl);
    if (ddl.find("ADD id") != std::string::npos) {
      pairing.primary.run("ALTER TABLE person DROP CONSTRAINT person_pkey");
    }
    pairing.primary.run(ddl);
    const auto ran = pairing.run({"drift", "accept"});
    CHECK(ran.exit == 23);
    CHECK_MESSAGE(ran.err.find("not accepted: ") != std::string::npos, ran.err);
    CHECK_MESSAGE(ran.err.find("key") != std::string::npos, ran.err);
    CHECK(ran.err.find("hint: ") != std::string::npos);
    CHECK(read_file(pairing.directory.path() / "catalog.json") == accepted);
    pairing.primary.run(
        "DROP TABLE IF EXISTS person; DROP TABLE IF EXISTS people;"
        "CREATE TABLE person (id integer PRIMARY KEY, tag text)");
    accept(pairing);
    accepted = read_file(pairing.directory.path() / "catalog.json");
  }
}

TEST_CASE("drift accept and contract add say what they did in JSON too") {
  Pairing pairing(On::sqlite, On::sqlite, person("tag = \"plain\"\n"), kLimits);
  pairing.primary.run("CREATE TABLE person (id integer PRIMARY KEY, tag text, note text)");
  const auto accepted = Json::parse(pairing.run({"drift", "accept", "--json"}).out);
  CHECK(accepted["schema"] == "abgleich.accept/1");
  CHECK(accepted["catalog"].get<std::string>().ends_with("catalog.json"));
  CHECK(accepted["tables"] == Json::array());
  const auto added = Json::parse(
      pairing.run({"contract", "add", "person.note", "--class", "plain", "--json"}).out);
  CHECK(added["schema"] == "abgleich.contract-add/1");
  CHECK(added["table"] == "person");
  CHECK(added["column"] == "note");
  CHECK(added["class"] == "plain");
  CHECK(
      Json::parse(pairing.run({"drift", "accept", "--table", "person", "--json"}).out)["tables"] ==
      Json::array({"person"}));
}

TEST_CASE("drift accept --table: the rest stays as it was accepted") {
  Pairing pairing(On::postgresql, On::sqlite,
                  person("tag = \"plain\"\n") +
                      "[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\nid = \"plain\"\n"
                      "at = \"plain\"\n",
                  kLimits);
  pairing.primary.run(
      "CREATE TABLE person (id integer PRIMARY KEY, tag varchar(5));"
      "CREATE TABLE visit (id integer PRIMARY KEY, at text)");
  accept(pairing);
  pairing.primary.run(
      "ALTER TABLE person ALTER tag TYPE varchar(9); ALTER TABLE visit ADD note text");
  CHECK(events(pairing).size() == 2);
  CHECK(pairing.run({"drift", "accept", "--table", "person"}).exit == 0);
  CHECK(events(pairing) == std::set<std::string>{"info new_column visit.note"});
  const auto unknown = pairing.run({"drift", "accept", "--table", "persn"});
  CHECK(unknown.exit == 64);
  CHECK(unknown.err.find("'persn'") != std::string::npos);
  CHECK(pairing.run({"drift", "accept", "--table", "visit", "--table", "person"}).exit == 0);
  CHECK(events(pairing).empty());
}

TEST_CASE("drift --catalog: CI needs no database, and takes no other database's file") {
  Pairing pairing(On::postgresql, On::sqlite, person("tag = \"plain\"\nsex = \"plain\"\n"),
                  kLimits);
  pairing.primary.run("CREATE TABLE person (id integer PRIMARY KEY, tag varchar(5), sex text)");
  accept(pairing);
  pairing.primary.run(
      "ALTER TABLE person ALTER tag TYPE varchar(9); ALTER TABLE person RENAME sex TO gender;"
      "ALTER TABLE person ADD phone text; CREATE TABLE other (id integer)");
  CHECK(pairing.run({"drift", "snapshot", "live.json"}).exit == 0);
  const auto online = pairing.run({"drift", "--json"}).out;
  // no database from here on
  write_file(pairing.directory.path() / "abgleich.toml",
             "[primary]\nurl = \"postgresql://nobody@nowhere.invalid/none\"\n"
             "[secondary]\nurl = \"sqlite:nowhere.db\"\n");
  const auto offline = pairing.run({"drift", "--catalog", "live.json", "--exit-code", "--json"});
  CHECK(offline.exit == 1);
  CHECK(offline.out == online);
  CHECK(offline.err.empty());

  SUBCASE("annotations of GitHub") {
    const auto ran =
        pairing.run({"drift", "--catalog", "live.json", "--format", "github", "--exit-code"});
    CHECK(ran.exit == 1);
    CHECK(ran.out.find("::error file=contract.toml,line=7,title=drift%3A person.sex::block "
                       "renamed_column person.sex: sex -> gender%0Ahint: gender = { class = ") !=
          std::string::npos);
    CHECK(ran.out.find("::warning file=contract.toml,line=6,title=drift%3A person.tag::adapt "
                       "type_widened") != std::string::npos);
    CHECK(ran.out.find("::notice file=contract.toml,line=1,title=drift%3A other::info "
                       "new_table other%0A") != std::string::npos);
  }
  SUBCASE("GitLab's code quality report") {
    const auto ran = pairing.run({"drift", "--catalog", "live.json", "--format", "gitlab"});
    CHECK(ran.exit == 0);
    const auto report = Json::parse(ran.out);
    REQUIRE(report.size() == 4);
    std::set<std::string> fingerprints;
    for (const auto& finding : report) {
      fingerprints.insert(finding["fingerprint"].get<std::string>());
      CHECK(finding["location"]["path"] == "contract.toml");
      CHECK(finding["location"]["lines"]["begin"].is_number_unsigned());
      CHECK(std::set<std::string>{"info", "minor", "critical"}.count(finding["severity"]) == 1);
    }
    CHECK(fingerprints.size() == 4);
    CHECK(pairing.run({"drift", "--catalog", "live.json", "--format", "gitlab"}).out == ran.out);
  }
  SUBCASE("JUnit") {
    const auto ran = pairing.run({"drift", "--catalog", "live.json", "--format", "junit"});
    CHECK(ran.out.find("<testsuite name=\"drift\" tests=\"4\" failures=\"1\">") !=
          std::string::npos);
    CHECK(ran.out.find("<failure type=\"renamed_column\" message=\"block renamed_column "
                       "person.sex: sex -&gt; gender\">") != std::string::npos);
    const auto none =
        pairing.run({"drift", "--catalog", "catalog.json", "--format", "junit", "--exit-code"});
    CHECK(none.exit == 0);
    CHECK(none.out.find("tests=\"1\" failures=\"0\"") != std::string::npos);
  }
  SUBCASE("another database, another format, a damaged file: 78") {
    const auto text = read_file(pairing.directory.path() / "live.json");
    const auto edited = [&](const std::string& from, const std::string& to) {
      auto copy = text;
      const auto at = copy.find(from);
      REQUIRE(at != std::string::npos);
      write_file(pairing.directory.path() / "edited.json", copy.replace(at, from.size(), to));
      return pairing.run({"drift", "--catalog", "edited.json"});
    };
    for (const auto& [from, to, said] : std::vector<std::array<std::string, 3>>{
             {"\"system\": \"", "\"system\": \"1", "is the catalogue of another database"},
             {"\"database\": \"", "\"database\": \"9", "is the catalogue of another database"},
             {"\"engine\": \"postgresql\"", "\"engine\": \"sqlite\"",
              "is the catalogue of another database"},
             {"\"schema\": \"public\"", "\"schema\": \"test\"",
              "is the catalogue of another database"},
             {"abgleich.catalog/1", "abgleich.catalog/2", "this version reads"},
             {"\"tables\": [", "\"tables\": ", "is not JSON"}}) {
      CAPTURE(to);
      const auto ran = edited(from, to);
      CHECK(ran.exit == 78);
      CHECK_MESSAGE(ran.err.find(said) != std::string::npos, ran.err);
      CHECK(ran.err.find("hint: ") != std::string::npos);
      CHECK(ran.out.empty());
    }
    CHECK(pairing.run({"drift", "--catalog", "absent.json"}).exit == 78);
  }
}

TEST_CASE("drift --sql: the statements for both directions, and nothing is executed") {
  Pairing pairing(On::postgresql, On::postgresql, person("tag = \"plain\"\nsex = \"plain\"\n"),
                  kLimits);
  pairing.primary.run(
      "CREATE TABLE person (id integer PRIMARY KEY, tag varchar(5) NOT NULL, sex text);"
      "INSERT INTO person VALUES (1, 'x', 'm')");
  accept(pairing);
  REQUIRE(pairing.sync()["exit"] == 0);
  CHECK(pairing.run({"drift", "--sql"}).out ==
        "-- the secondary follows the primary: nothing\n-- and back again: nothing\n");
  pairing.primary.run(
      "ALTER TABLE person ALTER tag TYPE varchar(9), ALTER tag DROP NOT NULL;"
      "ALTER TABLE person RENAME sex TO gender; ALTER TABLE person ADD note text;"
      "CREATE TABLE visit (id integer PRIMARY KEY)");
  CHECK(pairing.run({"drift", "--sql"})
            .out.find("-- left out until its drift is decided: "
                      "person\n") == 0);
  pairing.set_contract(
      person("tag = \"plain\"\ngender = { class = \"plain\", was = \"sex\" }\nnote = \"plain\"\n") +
      "[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\nid = \"plain\"\n");
  const auto ran = pairing.run({"drift", "--sql"});
  CHECK(ran.exit == 0);
  CHECK(ran.out ==
        "-- the secondary follows the primary\n"
        "ALTER TABLE \"public\".\"person\" RENAME COLUMN \"sex\" TO \"gender\";\n"
        "ALTER TABLE \"public\".\"person\" ADD COLUMN \"note\" text;\n"
        "ALTER TABLE \"public\".\"person\" ALTER COLUMN \"tag\" TYPE character varying(9);\n"
        "ALTER TABLE \"public\".\"person\" ALTER COLUMN \"tag\" DROP NOT NULL;\n"
        "CREATE TABLE \"public\".\"visit\" (\"id\" integer NOT NULL, PRIMARY KEY (\"id\"));\n"
        "CREATE TABLE abgleich.\"base_2\" (k0 integer NOT NULL, cells bytea NOT NULL, PRIMARY KEY "
        "(k0));\n"
        "-- and back again\n"
        "DROP TABLE \"public\".\"visit\";\n"
        "ALTER TABLE \"public\".\"person\" ALTER COLUMN \"tag\" SET NOT NULL;\n"
        "ALTER TABLE \"public\".\"person\" ALTER COLUMN \"tag\" TYPE character varying(5);\n"
        "ALTER TABLE \"public\".\"person\" DROP COLUMN \"note\";\n"
        "ALTER TABLE \"public\".\"person\" RENAME COLUMN \"gender\" TO \"sex\";\n");
  CHECK(shape(pairing.secondary, "person", "tag") == "character varying(5)|t");

  // both ways by hand, and the secondary is what it was
  const auto middle = ran.out.find("-- and back again");
  const auto before = pairing.secondary.rows(
      "SELECT attname, atttypid, atttypmod, attnotnull FROM pg_attribute WHERE attrelid = "
      "'person'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum");
  pairing.secondary.run(ran.out.substr(0, middle));
  pairing.secondary.run(ran.out.substr(middle));
  CHECK(pairing.secondary.rows(
            "SELECT attname, atttypid, atttypmod, attnotnull FROM pg_attribute WHERE attrelid = "
            "'person'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum") == before);
  pairing.accept_more();
  CHECK(pairing.sync()["exit"] == 11);
}

TEST_CASE("drift: the pipelines of examples/ci run, and the nightly job commits what has changed") {
  const std::string examples = std::string(kSourceTree) + "/examples/ci/";
  Pairing pairing(On::sqlite, On::sqlite, person("tag = \"plain\"\n"), kLimits);
  pairing.primary.run("CREATE TABLE person (id integer PRIMARY KEY, tag text)");
  accept(pairing);
  const auto directory = pairing.directory.path().string();
  const std::string binary = kProgram;
  const auto shell = [&](const std::string& command) {
    return run_program({"/bin/sh", "-c", command}, directory,
                       {"PATH=" + binary.substr(0, binary.rfind('/')) + ":/usr/bin:/bin",
                        "HOME=" + directory, "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org",
                        "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org"});
  };
  const auto commits = [&] { return shell("git rev-list --count HEAD").out; };
  REQUIRE(shell("git init -q && git add contract.toml catalog.json abgleich.toml && "
                "git commit -q -m contract")
              .exit == 0);
  for (const std::string expected : {"2\n", "2\n"}) {
    const auto ran = shell(examples + "snapshot .");
    CHECK_MESSAGE(ran.exit == 0, ran.err);
    CHECK(ran.out.empty());
    CHECK(commits() == expected);
  }
  // what the pipelines run, word for word
  std::vector<std::string> commands;
  for (const auto* file : {"github.yml", "gitlab.yml"}) {
    std::istringstream lines(read_file(examples + file));
    for (std::string line; std::getline(lines, line);) {
      if (const auto at = line.find("abgleich drift --catalog"); at != std::string::npos) {
        commands.push_back(line.substr(at));
      }
    }
  }
  REQUIRE(commands.size() == 4);
  for (const auto& command : commands) {
    CAPTURE(command);
    CHECK(shell(command).exit == 0);
  }
  pairing.primary.run("ALTER TABLE person ADD phone text");
  CHECK(shell(examples + "snapshot .").exit == 0);
  CHECK(commits() == "3\n");
  for (const auto& command : commands) {
    CAPTURE(command);
    const auto ran = shell(command);
    const bool decides = command.find("--exit-code") != std::string::npos;
    CHECK_MESSAGE(ran.exit == (decides ? 1 : 0), ran.err);
  }
  CHECK(read_file(pairing.directory.path() / "drift.xml").find("person.phone") !=
        std::string::npos);
}

}  // namespace abgleich::test
