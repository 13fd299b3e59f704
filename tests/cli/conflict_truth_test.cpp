// What a conflict says is true, and what it offers ends it: the constraint, the
// row in the way, what would settle it; and nothing hangs on a stranger
// meanwhile.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <sstream>

namespace abgleich::test {

namespace {

using Json = nlohmann::json;

const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = "
    "\"plain\"\ncode = \"plain\"\n"
    "name = \"plain\"\n"
    "[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\nid = "
    "\"plain\"\nperson = \"plain\"\n"
    "note = \"plain\"\n";

struct Scene : Pairing {
  explicit Scene(On secondary_on, const std::string& secondary_ddl = "", On primary_on = On::sqlite)
      : Pairing(primary_on, secondary_on, kContract,
                "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n") {
    primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, code text, name text);"
        "CREATE TABLE visit (id integer PRIMARY KEY, person integer REFERENCES "
        "person (id), note "
        "text); INSERT INTO person VALUES (1, 'a', 'A'), (2, 'b', 'B');"
        "INSERT INTO visit VALUES (1, 1, 'x')");
    if (!secondary_ddl.empty()) {
      secondary.run(secondary_ddl);
    }
    CHECK(sync()["exit"] == 0);
  }

  [[nodiscard]] std::vector<Json> conflicts() const {
    std::vector<Json> all;
    std::istringstream lines(run({"conflicts", "--json"}).out);
    for (std::string line; std::getline(lines, line);) {
      all.push_back(Json::parse(line));
    }
    return all;
  }

  [[nodiscard]] Json only_conflict() const {
    const auto all = conflicts();
    REQUIRE(all.size() == 1);
    CHECK(all[0]["since"].is_string());
    CHECK(all[0]["age_seconds"].is_number_integer());
    return all[0];
  }

  /// Nobody is offered what does not work: the text has no --take primary, and
  /// asking for it all the same says why not.
  void expect_no_primary(const Json& conflict, const std::string& why) const {
    CHECK(run({"conflicts"}).out.find("--take primary") == std::string::npos);
    const auto taken = run({"resolve", conflict["id"], "--take", "primary"});
    CHECK(taken.exit == 10);
    CHECK_MESSAGE(taken.err.find(why) != std::string::npos, taken.err);
  }
};

template <class Test>
void on_both(const Test& test) {
  for (const auto secondary : kEngines) {
    CAPTURE(name_of(secondary));
    test(secondary);
  }
}

}  // namespace

TEST_CASE(
    "conflicts' truth: a unique value that another row has taken, on an "
    "update") {
  on_both([](On secondary) {
    Scene scene(secondary);
    scene.secondary.run(
        "CREATE UNIQUE INDEX one_code ON person (code); INSERT "
        "INTO person VALUES (50, 'c', 'ours')");
    scene.primary.run("UPDATE person SET code = 'c' WHERE id = 2");
    CHECK(scene.sync()["exit"] == 10);
    const auto conflict = scene.only_conflict();
    CHECK(conflict["kind"] == "constraint");
    CHECK(conflict["columns"]["code"]["primary"] == "c");
    CHECK(conflict["columns"]["code"]["secondary"] == "b");
    CHECK(conflict["constraint"]["kind"] == "unique");
    CHECK(conflict["constraint"]["name"] ==
          (secondary == On::postgresql ? "one_code" : "person.code"));
    CHECK(conflict["blocked_by"]["table"] == "person");
    CHECK(conflict["blocked_by"]["key"]["id"] == "50");
    CHECK(!conflict["settled_by"].get<std::string>().empty());
    const auto text = scene.run({"conflicts"}).out;
    CHECK_MESSAGE(text.find("secondary \"b\"") != std::string::npos, text);
    CHECK_MESSAGE(text.find("in the way: person id=50") != std::string::npos, text);
    scene.expect_no_primary(conflict, "--set COLUMN=VALUE");
    CHECK(scene.run({"resolve", conflict["id"], "--set", "code=d"}).exit == 0);
    CHECK(scene.sync()["exit"] == 0);
    CHECK(scene.secondary.rows("SELECT code FROM person WHERE id = 2") == "d");
  });
}

TEST_CASE(
    "conflicts' truth: an insert that CHECK, NOT NULL or a missing row "
    "refuses") {
  on_both([](On secondary) {
    Scene scene(secondary,
                "CREATE TABLE person (id integer PRIMARY KEY, code "
                "text CONSTRAINT short CHECK "
                "(length(code) < 3), name text NOT NULL);"
                "CREATE TABLE visit (id integer PRIMARY KEY, person "
                "integer REFERENCES person (id), "
                "note text)");
    scene.primary.run(
        "INSERT INTO person VALUES (3, 'long', 'C'), (4, 'd', NULL);"
        "INSERT INTO visit VALUES (3, 3, 'waits')");
    CHECK(scene.sync()["exit"] == 10);
    const auto all = scene.conflicts();
    REQUIRE(all.size() == 3);
    CHECK(all[0]["constraint"]["kind"] == "check");
    CHECK(all[0]["constraint"]["name"] == "short");
    CHECK(all[0]["blocked_by"].is_null());
    CHECK(all[0]["columns"]["code"]["secondary"].is_null());
    CHECK(all[1]["constraint"]["kind"] == "not_null");
    CHECK(all[1]["constraint"]["name"] == (secondary == On::postgresql ? "name" : "person.name"));
    CHECK(all[2]["table"] == "visit");
    CHECK(all[2]["constraint"]["kind"] == "foreign_key");
    CHECK(all[2]["blocked_by"]["table"] == "person");
    CHECK(all[2]["blocked_by"]["key"]["id"] == 3);
    scene.expect_no_primary(all[0], "'short'");
  });
}

TEST_CASE("conflicts' truth: a delete that a row of the secondary's own forbids") {
  on_both([](On secondary) {
    Scene scene(secondary);
    scene.secondary.run("INSERT INTO visit VALUES (100, 2, 'ours')");
    scene.primary.run("DELETE FROM person WHERE id = 2");
    CHECK(scene.sync()["exit"] == 10);
    const auto conflict = scene.only_conflict();
    CHECK(conflict["columns"]["name"]["secondary"] == "B");
    CHECK(conflict["columns"]["name"]["primary"].is_null());
    CHECK(conflict["constraint"]["kind"] == "foreign_key");
    CHECK(conflict["blocked_by"]["table"] == "visit");
    CHECK(conflict["blocked_by"]["key"]["id"] == "100");
    scene.expect_no_primary(conflict, "refers to");
    CHECK(scene.run({"resolve", conflict["id"], "--take", "secondary"}).exit == 0);
    CHECK(scene.sync()["exit"] == 0);
    CHECK(scene.secondary.rows("SELECT name FROM person WHERE id = 2") == "B");
  });
}

TEST_CASE(
    "conflicts' truth: what refers to a row that each side inserted "
    "waits for the decision") {
  on_every_pairing([](On primary, On secondary) {
    for (const std::string side : {"primary", "secondary"}) {
      CAPTURE(side);
      Scene scene(secondary, "", primary);
      scene.secondary.run("INSERT INTO person VALUES (7, 's', 'stranger')");
      scene.primary.run(
          "INSERT INTO person VALUES (7, 'p', 'of the primary');"
          "INSERT INTO visit VALUES (70, 7, 'theirs'), (71, 1, 'other');"
          "UPDATE visit SET person = 7 WHERE id = 1");
      const auto told = scene.run({"diff"}).out;
      CHECK_MESSAGE(told.find("+ visit id=70") == std::string::npos, told);
      const auto line = scene.sync();
      CHECK(line["exit"] == 10);
      CHECK(line["tables"]["visit"]["inserted"] == 1);
      CHECK(line["tables"]["visit"]["conflicts"] == 2);
      CHECK(scene.secondary.rows("SELECT id, person FROM visit ORDER BY id") == "1|1\n71|1");
      const auto all = scene.conflicts();
      REQUIRE(all.size() == 3);
      CHECK(all[0]["kind"] == "both_inserted");
      for (const std::size_t i : {1U, 2U}) {
        CHECK(all[i]["kind"] == "constraint");
        CHECK(all[i]["constraint"]["kind"] == "waits");
      }
      CHECK(scene.sync()["outcome"] == "unchanged");
      CHECK(scene.run({"resolve", all[0]["id"], "--take", side}).exit == 0);
      CHECK(scene.sync()["exit"] == 0);
      CHECK(scene.secondary.rows("SELECT id, person FROM visit ORDER BY id") == "1|7\n70|7\n71|1");
      CHECK(scene.sync()["outcome"] == "unchanged");
    }
  });
}

TEST_CASE(
    "conflicts' truth: --set on two inserted rows asks which side the "
    "other cells take") {
  on_both([](On secondary) {
    for (const std::string side : {"primary", "secondary"}) {
      CAPTURE(side);
      Scene scene(secondary);
      scene.secondary.run("INSERT INTO person VALUES (7, 's', 'stranger')");
      scene.primary.run("INSERT INTO person VALUES (7, 'p', 'of the primary')");
      CHECK(scene.sync()["exit"] == 10);
      const auto id = scene.only_conflict()["id"].get<std::string>();
      const auto asked = scene.run({"resolve", id, "--set", "code=x"});
      CHECK(asked.exit == 10);
      CHECK_MESSAGE(asked.err.find("name") != std::string::npos, asked.err);
      CHECK(asked.err.find("--take primary or --take secondary") != std::string::npos);
      CHECK(scene.secondary.rows("SELECT code, name FROM person WHERE id = 7") == "s|stranger");
      CHECK(scene.run({"resolve", id, "--set", "code=x", "--take", side}).exit == 0);
      CHECK(scene.secondary.rows("SELECT code, name FROM person WHERE id = 7") ==
            (side == "primary" ? "x|of the primary" : "x|stranger"));
      CHECK(scene.sync()["exit"] == 0);
      CHECK(scene.secondary.rows("SELECT code, name FROM person WHERE id = 7") ==
            (side == "primary" ? "x|of the primary" : "x|stranger"));
    }
    // where every cell that differs is set, there is nothing to ask
    Scene scene(secondary);
    scene.secondary.run("INSERT INTO person VALUES (7, 's', 'stranger')");
    scene.primary.run("INSERT INTO person VALUES (7, 'p', 'of the primary')");
    CHECK(scene.sync()["exit"] == 10);
    const auto id = scene.only_conflict()["id"].get<std::string>();
    CHECK(scene.run({"resolve", id, "--set", "code=x", "--set", "name=y"}).exit == 0);
    CHECK(scene.sync()["exit"] == 0);
  });
}

}  // namespace abgleich::test
