// Rows that belong to one of which the secondary has another wait for the decision, and what
// belongs to them waits with them: whether a constraint of the secondary says so or only the
// primary's.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <sstream>

namespace abgleich::test {

namespace {

using Json = nlohmann::json;

const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";
const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = \"plain\"\ncode = \"plain\"\n"
    "name = \"plain\"\n"
    "[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\nid = \"plain\"\nperson = \"plain\"\n"
    "[tables.finding]\nkey = [\"id\"]\n[tables.finding.columns]\nid = \"plain\"\nvisit = "
    "\"plain\"\n"
    "[tables.card]\nkey = [\"id\"]\n[tables.card.columns]\nid = \"plain\"\ncode = \"plain\"\n";

/// Whether the secondary's tables were made by people, without the primary's foreign keys.
enum class Made : std::uint8_t { by_the_program, by_people };

struct Scene : Pairing {
  Scene(On primary_on, On secondary_on, Made made)
      : Pairing(primary_on, secondary_on, kContract, kLimits) {
    primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, code varchar(9) UNIQUE, name text);"
        "CREATE TABLE visit (id integer PRIMARY KEY, person integer REFERENCES person (id));"
        "CREATE TABLE finding (id integer PRIMARY KEY, visit integer REFERENCES visit (id));"
        "CREATE TABLE card (id integer PRIMARY KEY, code varchar(9) REFERENCES person (code));"
        "INSERT INTO person VALUES (1, 'a', 'A'), (2, 'b', 'B');"
        "INSERT INTO visit VALUES (1, 1); INSERT INTO finding VALUES (1, 1);"
        "INSERT INTO card VALUES (1, 'a')");
    if (made == Made::by_people) {
      secondary.run(
          "CREATE TABLE person (id integer PRIMARY KEY, code varchar(9), name text);"
          "CREATE TABLE visit (id integer PRIMARY KEY, person integer);"
          "CREATE TABLE finding (id integer PRIMARY KEY, visit integer);"
          "CREATE TABLE card (id integer PRIMARY KEY, code varchar(9))");
    }
    CHECK(sync()["exit"] == 0);
  }

  std::string all() {
    return secondary.rows("SELECT id, person FROM visit ORDER BY id") + "/" +
           secondary.rows("SELECT id, visit FROM finding ORDER BY id") + "/" +
           secondary.rows("SELECT id, code FROM card ORDER BY id");
  }

  [[nodiscard]] std::string id_of(const std::string& kind) const {
    std::istringstream lines(run({"conflicts", "--json"}).out);
    for (std::string line; std::getline(lines, line);) {
      const auto conflict = Json::parse(line);
      if (conflict["kind"] == kind) {
        return conflict["id"];
      }
    }
    FAIL("no conflict is ", kind);
    return {};
  }

  void settled() {
    CHECK(sync()["outcome"] == "unchanged");
    const auto verified = run({"verify", "--exit-code"});
    CHECK_MESSAGE(verified.exit == 0, verified.out, verified.err);
  }
};

template <class Test>
void on_every_scene(const Test& test) {
  on_every_pairing([&](On primary, On secondary) {
    for (const auto made : {Made::by_the_program, Made::by_people}) {
      CAPTURE(made == Made::by_people);
      Scene scene(primary, secondary, made);
      test(scene);
    }
  });
}

}  // namespace

TEST_CASE("what refers to a row that each side inserted waits, and so does what refers to that") {
  on_every_scene([](Scene& scene) {
    scene.secondary.run("INSERT INTO person VALUES (7, 's', 'stranger')");
    scene.primary.run(
        "INSERT INTO person VALUES (7, 'p', 'theirs');"
        "INSERT INTO visit VALUES (70, 7), (71, 1);"
        "INSERT INTO finding VALUES (700, 70), (710, 71)");
    CHECK(scene.sync()["exit"] == 10);
    CHECK(scene.all() == "1|1\n71|1/1|1\n710|71/1|a");
    CHECK(scene.sync()["outcome"] == "unchanged");
    // and those that come when the conflict is an old one
    scene.primary.run(
        "INSERT INTO visit VALUES (72, 7); INSERT INTO finding VALUES (720, 72), (701, 70)");
    CHECK(scene.sync()["exit"] == 10);
    CHECK(scene.all() == "1|1\n71|1/1|1\n710|71/1|a");
    CHECK(scene.sync({"--full"})["exit"] == 10);
    CHECK(scene.all() == "1|1\n71|1/1|1\n710|71/1|a");
    CHECK(scene.run({"resolve", scene.id_of("both_inserted"), "--take", "primary"}).exit == 0);
    CHECK(scene.sync()["exit"] == 0);
    CHECK(scene.all() == "1|1\n70|7\n71|1\n72|7/1|1\n700|70\n701|70\n710|71\n720|72/1|a");
    scene.settled();
  });
}

TEST_CASE("what refers to another column of a row that each side inserted waits, too") {
  on_every_scene([](Scene& scene) {
    scene.secondary.run("INSERT INTO person VALUES (7, 'p', 'stranger')");
    scene.primary.run(
        "INSERT INTO person VALUES (7, 'p', 'theirs'); INSERT INTO card VALUES (70, 'p'), (71, "
        "'b')");
    CHECK(scene.sync()["exit"] == 10);
    CHECK(scene.all() == "1|1/1|1/1|a\n71|b");
    CHECK(scene.run({"resolve", scene.id_of("both_inserted"), "--take", "primary"}).exit == 0);
    CHECK(scene.sync()["exit"] == 0);
    CHECK(scene.all() == "1|1/1|1/1|a\n70|p\n71|b");
    scene.settled();
  });
}

TEST_CASE("what refers to another subject under the same number waits while the old one stands") {
  on_every_scene([](Scene& scene) {
    std::string contract = kContract;
    const std::string from = "[tables.person]\n";
    contract.insert(contract.find(from) + from.size(), "fixed = [\"code\"]\n");
    scene.set_contract(contract);
    CHECK(scene.sync()["exit"] == 0);
    scene.secondary.run("UPDATE person SET name = 'our note' WHERE id = 2");
    scene.primary.run(
        "DELETE FROM person WHERE id = 2; INSERT INTO person VALUES (2, 'z', 'another');"
        "INSERT INTO visit VALUES (70, 2), (71, 1); INSERT INTO finding VALUES (700, 70)");
    CHECK(scene.sync()["exit"] == 10);
    CHECK(scene.secondary.rows("SELECT name FROM person WHERE id = 2") == "our note");
    CHECK(scene.all() == "1|1\n71|1/1|1/1|a");
    CHECK(scene.sync()["outcome"] == "unchanged");
    CHECK(scene.run({"resolve", scene.id_of("deleted_and_updated"), "--take", "primary"}).exit ==
          0);
    CHECK(scene.sync()["exit"] == 0);
    CHECK(scene.secondary.rows("SELECT name FROM person WHERE id = 2") == "another");
    CHECK(scene.all() == "1|1\n70|2\n71|1/1|1\n700|70/1|a");
    scene.settled();
  });
}

TEST_CASE("what refers to a stranger waits in the first run, which fills the other tables") {
  on_every_pairing([](On primary, On secondary) {
    Pairing pairing(primary, secondary, kContract, kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, code varchar(9) UNIQUE, name text);"
        "CREATE TABLE visit (id integer PRIMARY KEY, person integer REFERENCES person (id));"
        "CREATE TABLE finding (id integer PRIMARY KEY, visit integer REFERENCES visit (id));"
        "CREATE TABLE card (id integer PRIMARY KEY, code varchar(9) REFERENCES person (code));"
        "INSERT INTO person VALUES (1, 'a', 'A'), (7, 'p', 'theirs');"
        "INSERT INTO visit VALUES (1, 1), (70, 7); INSERT INTO finding VALUES (1, 1), (700, 70);"
        "INSERT INTO card VALUES (1, 'a')");
    pairing.secondary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, code varchar(9), name text);"
        "CREATE TABLE visit (id integer PRIMARY KEY, person integer);"
        "CREATE TABLE finding (id integer PRIMARY KEY, visit integer);"
        "INSERT INTO person VALUES (7, 's', 'stranger')");
    const auto all = [&] {
      return pairing.secondary.rows("SELECT id, person FROM visit ORDER BY id") + "/" +
             pairing.secondary.rows("SELECT id, visit FROM finding ORDER BY id") + "/" +
             pairing.secondary.rows("SELECT id, code FROM card ORDER BY id");
    };
    const auto line = pairing.sync();
    CHECK_MESSAGE(line["exit"] == 10, line.dump());
    CHECK(all() == "1|1/1|1/1|a");
    CHECK(line["open"]["conflicts"] == 3);
    pairing.secondary.run("DELETE FROM person WHERE id = 7");
    CHECK(pairing.sync()["exit"] == 0);
    CHECK(all() == "1|1\n70|7/1|1\n700|70/1|a");
    CHECK(pairing.sync()["outcome"] == "unchanged");
    CHECK(pairing.run({"verify", "--exit-code"}).exit == 0);
  });
}

}  // namespace abgleich::test
