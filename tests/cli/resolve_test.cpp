// Deciding conflicts by value, conflicts that changed since they were shown, and very many of them.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

namespace abgleich::test {

namespace {

using Json = nlohmann::json;

const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
    "id = \"plain\"\nstatus = \"plain\"\nage = \"plain\"\n";

struct Scene : Pairing {
  explicit Scene(On engine, int rows = 3)
      : Pairing(engine, engine, kContract,
                "[limits]\nmax_deleted = 1000000\nmax_updated = 1000000\n") {
    primary.run("CREATE TABLE person (id integer PRIMARY KEY, status text, age integer)");
    primary.run("WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < " +
                std::to_string(rows) + ") INSERT INTO person SELECT i, 'open', 30 FROM g");
    CHECK(sync()["exit"] == 0);
  }

  void disagree(const std::string& where = "TRUE") {
    primary.run("UPDATE person SET status = 'case', age = 31 WHERE " + where);
    secondary.run("UPDATE person SET status = 'ours', age = 29 WHERE " + where);
    CHECK(sync()["exit"] == 10);
  }
  Json conflict() const {
    const auto ran = run({"conflicts", "--json"});
    return Json::parse(ran.out.substr(0, ran.out.find('\n')));
  }
  std::string row(int id) {
    return secondary.rows("SELECT status, age FROM person WHERE id = " + std::to_string(id));
  }
  std::string said(const std::vector<std::string>& words, int exit) const {
    const auto ran = run(words);
    CHECK_MESSAGE(ran.exit == exit, ran.out, ran.err);
    return ran.err;
  }
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

template <class Test>
void on_both(const Test& test) {
  SUBCASE("SQLite") {
    test(On::sqlite);
  }
  SUBCASE("PostgreSQL") {
    test(On::postgresql);
  }
}

}  // namespace

TEST_CASE(
    "resolve --set writes a value of the operator's, which stands until the primary changes") {
  on_both([](On engine) {
    Scene scene(engine);
    scene.disagree("id = 1");
    const std::string id = scene.conflict()["id"];

    SUBCASE("of the right type") {
      CHECK(
          scene
              .said({"resolve", id, "--set", "status=a=b", "--set", "age=40", "--reason", "asked"},
                    0)
              .empty());
      CHECK(scene.row(1) == "a=b|40");
      CHECK(scene.sync()["outcome"] == "unchanged");
      const auto shown = scene.run({"show", "latest", "--json"});
      CHECK(has(shown.out, R"("before":29,"after":40)"));
      const auto log = scene.run({"log", "-n", "1", "--json"});
      CHECK(has(log.out, R"("reason":"asked")"));
      scene.primary.run("UPDATE person SET age = 32 WHERE id = 1");
      CHECK(scene.sync()["open"]["conflicts"] == 1);
    }
    SUBCASE("NULL, and the other cell keeps the secondary's value") {
      scene.said({"resolve", id, "--set-null", "age"}, 0);
      CHECK(scene.row(1) == "ours|NULL");
      CHECK(scene.sync()["outcome"] == "unchanged");
    }
    SUBCASE("refused: what is not a value of the column's type, or no column of the row") {
      CHECK(has(scene.said({"resolve", id, "--set", "age=old"}, 64), "'age' does not fit"));
      CHECK(has(scene.said({"resolve", id, "--set", "statu=x"}, 64), "did you mean 'status'"));
      CHECK(has(scene.said({"resolve", id, "--set", "id=7"}, 64), "no column 'id'"));
      CHECK(has(scene.said({"resolve", id, "--set", "status"}, 64), "COLUMN=VALUE"));
      CHECK(has(scene.said({"resolve", id}, 64), "--take primary"));
      CHECK(has(scene.said({"resolve", id, "--take", "primary", "--set", "age=1"}, 64), "--set"));
      CHECK(scene.row(1) == "ours|29");
      CHECK(scene.conflict()["id"] == id);
    }
  });
}

TEST_CASE("resolve --set keeps a row that the primary has deleted, as the secondary's own") {
  on_both([](On engine) {
    Scene scene(engine);
    scene.secondary.run("UPDATE person SET status = 'ours' WHERE id = 1");
    scene.primary.run("DELETE FROM person WHERE id = 1");
    CHECK(scene.sync()["exit"] == 10);
    scene.said({"resolve", "--all", "--set", "age=40"}, 0);
    CHECK(scene.row(1) == "ours|40");
    CHECK(scene.sync()["outcome"] == "unchanged");
    CHECK(scene.row(1) == "ours|40");
  });
}

TEST_CASE("resolve --set makes a row that the secondary refused fit") {
  on_both([](On engine) {
    Scene scene(engine);
    scene.secondary.run("CREATE UNIQUE INDEX one_status ON person (status) WHERE status <> 'open'");
    scene.secondary.run("INSERT INTO person (id, status) VALUES (100, 'theirs')");
    scene.primary.run("INSERT INTO person VALUES (4, 'theirs', 50)");
    CHECK(scene.sync()["exit"] == 10);
    const std::string id = scene.conflict()["id"];
    scene.said({"resolve", id, "--take", "primary"}, 10);
    scene.said({"resolve", id, "--set", "status=other"}, 0);
    CHECK(scene.row(4) == "other|50");
    CHECK(scene.sync()["outcome"] == "unchanged");
  });
}

TEST_CASE("a conflict that changed or closed since it was shown is refused, with the new state") {
  on_both([](On engine) {
    Scene scene(engine);
    scene.disagree("id = 1");
    const std::string id = scene.conflict()["id"];
    scene.secondary.run("UPDATE person SET status = 'newer' WHERE id = 1");

    const auto left = scene.said({"resolve", id, "--take", "primary"}, 10);
    CHECK(has(left, "has changed since"));
    CHECK(has(left, "newer"));
    CHECK(scene.row(1) == "newer|29");

    CHECK(scene.sync()["exit"] == 10);
    const std::string now = scene.conflict()["id"];
    CHECK(now != id);
    const auto changed = scene.said({"resolve", id, "--take", "primary"}, 64);
    CHECK(has(changed, "has changed since it was shown; it is now '" + now + "'"));
    CHECK(has(changed, "newer"));
    CHECK(scene.row(1) == "newer|29");

    scene.said({"resolve", now, "--take", "primary"}, 0);
    CHECK(has(scene.said({"resolve", now, "--take", "primary"}, 64), "no open conflict"));
    const auto table =
        scene.said({"resolve", "--all", "--table", "persno", "--take", "primary"}, 64);
    CHECK(has(table, "'persno'"));
    CHECK(has(table, "did you mean 'person'?"));
  });
}

TEST_CASE("ten thousand conflicts: listed, synced and decided in bounded memory") {
  on_both([](On engine) {
    constexpr int kRows = 10'000;
    constexpr long kMost = 64 * 1024;
    Scene scene(engine, kRows);
    scene.disagree();
    for (const auto& words : {std::vector<std::string>{"conflicts", "--json"},
                              {"sync", "--json"},
                              {"resolve", "--all", "--take", "primary", "--json"},
                              {"revert", "latest", "--reason", "undo", "--json"}}) {
      CAPTURE(words[0]);
      const auto ran = scene.run(words);
      CHECK_MESSAGE((ran.exit == 0 || ran.exit == 10), ran.err);
      CHECK(ran.peak_kib < kMost);
      if (words[0] == "conflicts") {
        CHECK(std::ranges::count(ran.out, '\n') == kRows);
      }
      if (words[0] == "resolve") {
        CHECK(scene.secondary.rows("SELECT count(*) FROM person WHERE status = 'case'") ==
              std::to_string(kRows));
      }
    }
    CHECK(scene.secondary.rows("SELECT count(*) FROM person WHERE status = 'ours'") ==
          std::to_string(kRows));
  });
}

TEST_CASE("a refused row that both sides have inserted is decided whole, and stays decided") {
  on_both([](On engine) {
    // seen in a random history: the base got digests of nothing in the cells that are not written
    Pairing pairing(On::sqlite, engine,
                    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = \"plain\"\n"
                    "boss = { class = \"plain\", owner = \"primary\" }\n"
                    "note = { class = \"plain\", owner = \"secondary\" }\n");
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, boss integer, note text);"
        "INSERT INTO person VALUES (1, NULL, 'x')");
    pairing.secondary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, boss integer REFERENCES person (id), "
        "note text)");
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.primary.run("INSERT INTO person VALUES (2, 99, 'theirs')");
    pairing.secondary.run("INSERT INTO person VALUES (2, NULL, 'ours')");
    CHECK(pairing.sync()["exit"] == 10);
    CHECK(pairing.run({"resolve", "--all", "--take", "secondary"}).exit == 0);
    const auto line = pairing.sync();
    CHECK(line["outcome"] == "unchanged");
    CHECK(line["exit"] == 0);
    CHECK(pairing.secondary.rows("SELECT * FROM person WHERE id = 2") == "2|NULL|ours");
    CHECK(pairing.run({"verify"}).exit == 0);
  });
}

}  // namespace abgleich::test
