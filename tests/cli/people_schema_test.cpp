// The secondary's schema is people's, too: what they do to the columns and tables that a run writes
// to is noticed before anything is written, told, and decided by a person.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <sstream>

namespace abgleich::test {

namespace {

using Json = nlohmann::json;

const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = \"plain\"\n"
    "name = \"plain\"  # as it is\nphone = { class = \"plain\", owner = \"both\" }\n"
    "[tables.place]\nkey = [\"id\"]\n[tables.place.columns]\nid = \"plain\"\nname = \"plain\"\n";

struct Scene : Pairing {
  explicit Scene(On secondary_on, On primary_on = On::sqlite)
      : Pairing(primary_on, secondary_on, kContract) {
    primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, name text, phone varchar(20));"
        "CREATE TABLE place (id integer PRIMARY KEY, name text);"
        "INSERT INTO person VALUES (1, 'a', '10'), (2, 'b', '20'), (3, 'c', NULL), (4, 'd', '40');"
        "INSERT INTO place VALUES (1, 'x')");
    CHECK(sync()["exit"] == 0);
    secondary.run("UPDATE person SET name = 'ours' WHERE id = 1");
  }

  /// What has happened is told by `check`, `diff` and `sync` and not by `verify` as edits; the
  /// other table goes on. Gives sync's line.
  Json noticed(const std::string& kind, const std::string& column) {
    primary.run("UPDATE place SET name = name || '!'");
    const auto before = secondary.rows("SELECT * FROM person ORDER BY 1");
    const auto checked = run({"check"});
    CHECK(checked.exit == 23);
    CHECK_MESSAGE((checked.out + checked.err).find("'person." + column + "'") != std::string::npos,
                  checked.out, checked.err);
    const auto told = run({"diff"});
    CHECK_MESSAGE((told.out + told.err).find(kind) != std::string::npos, told.out, told.err);
    const auto verified = run({"verify"});
    CHECK_MESSAGE(verified.exit == 23, verified.out, verified.err);
    CHECK_MESSAGE(verified.out.find("person:") == std::string::npos, verified.out);
    const auto line = sync();
    CHECK_MESSAGE(line["exit"] == 23, line.dump());
    CHECK(line["tables"]["place"]["updated"] == 1);
    CHECK(secondary.rows("SELECT * FROM person ORDER BY 1") == before);
    const auto events = line["drift"];
    REQUIRE_MESSAGE(events.size() == 1, line.dump());
    CHECK(events[0]["kind"] == kind);
    CHECK(events[0]["table"] == "person");
    CHECK(events[0]["column"] == column);
    return line;
  }

  /// The command of a hint that begins so, with its words.
  static std::vector<std::string> command_of(const Json& line, const std::string& begin) {
    const auto hint = line["drift"][0]["hint"].get<std::string>();
    const auto at = hint.find("abgleich " + begin);
    REQUIRE_MESSAGE(at != std::string::npos, hint);
    std::istringstream words(hint.substr(at, hint.find(';', at) - at));
    std::vector<std::string> command;
    std::string word;
    words >> word;  // the program
    while (words >> word) {
      command.push_back(word == "TEXT" ? "because" : word);
    }
    return command;
  }

  void follow(const Json& line, const std::string& begin) {
    const auto ran = run(command_of(line, begin));
    CHECK_MESSAGE(ran.exit == 0, ran.out, ran.err);
  }

  void settled() {
    CHECK(sync()["outcome"] == "unchanged");
    CHECK(sync()["exit"] == 0);
    const auto verified = run({"verify"});
    CHECK_MESSAGE(verified.exit == 0, verified.out, verified.err);
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

TEST_CASE("people's schema: a dropped column is noticed, and filled anew by the hint's command") {
  on_every_pairing([](On primary, On secondary) {
    Scene scene(secondary, primary);
    scene.secondary.run("ALTER TABLE person DROP COLUMN phone");
    const auto line = scene.noticed("secondary_column_dropped", "phone");
    scene.follow(line, "sync --refill");
    CHECK(scene.secondary.rows("SELECT id, name, phone FROM person ORDER BY id") ==
          "1|ours|10\n2|b|20\n3|c|NULL\n4|d|40");
    scene.settled();
    scene.primary.run("UPDATE person SET phone = '21' WHERE id = 2");
    CHECK(scene.sync()["exit"] == 0);
    CHECK(scene.secondary.rows("SELECT phone FROM person WHERE id = 2") == "21");
  });
}

TEST_CASE("people's schema: a dropped column is left out by the hint's other command") {
  on_both([](On secondary) {
    Scene scene(secondary);
    scene.secondary.run("ALTER TABLE person DROP COLUMN phone");
    const auto line = scene.noticed("secondary_column_dropped", "phone");
    scene.follow(line, "contract set");
    scene.primary.run(
        "UPDATE person SET name = 'B' WHERE id = 2; INSERT INTO person VALUES (5, 'e', '50')");
    CHECK(scene.sync()["exit"] == 0);
    CHECK(scene.secondary.rows("SELECT * FROM person ORDER BY 1") == "1|ours\n2|B\n3|c\n4|d\n5|e");
    scene.settled();
  });
}

TEST_CASE("people's schema: a renamed column is recognised, and followed by the hint's command") {
  on_both([](On secondary) {
    Scene scene(secondary);
    scene.secondary.run(
        "ALTER TABLE person RENAME COLUMN phone TO telephone;"
        "UPDATE person SET telephone = 'our own' WHERE id = 4");
    const auto line = scene.noticed("secondary_column_renamed", "phone");
    CHECK(line["drift"][0]["now"] == "telephone");
    scene.follow(line, "contract set");
    scene.primary.run("UPDATE person SET phone = '21' WHERE id = 2");
    CHECK(scene.sync()["exit"] == 0);
    CHECK(scene.secondary.rows("SELECT * FROM person ORDER BY 1") ==
          "1|ours|10\n2|b|21\n3|c|NULL\n4|d|our own");
    CHECK(scene.sync()["outcome"] == "unchanged");
  });
}

TEST_CASE("people's schema: a renamed key column is followed, too") {
  on_both([](On secondary) {
    Scene scene(secondary);
    scene.secondary.run("ALTER TABLE person RENAME COLUMN id TO number");
    const auto line = scene.noticed("secondary_column_renamed", "id");
    scene.follow(line, "contract set");
    scene.primary.run("UPDATE person SET name = 'B' WHERE id = 2");
    CHECK(scene.sync()["exit"] == 0);
    CHECK(scene.secondary.rows("SELECT number, name FROM person ORDER BY 1") ==
          "1|ours\n2|B\n3|c\n4|d");
    scene.settled();
  });
}

TEST_CASE("people's schema: a narrowed or retyped column is noticed, and has three ways out") {
  for (const std::string type : {"varchar(2)", "integer USING phone::integer"}) {
    CAPTURE(type);
    for (const std::string way : {"sync --refill", "contract set", "adopt"}) {
      CAPTURE(way);
      Scene scene(On::postgresql, On::postgresql);
      scene.secondary.run("ALTER TABLE person ALTER COLUMN phone TYPE " + type);
      const auto line = scene.noticed("secondary_column_retyped", "phone");
      scene.follow(line, way);
      if (way == "sync --refill") {
        // theirs stays beside the new one
        CHECK(scene.secondary.rows("SELECT phone, phone_people FROM person ORDER BY id") ==
              "10|10\n20|20\nNULL|NULL\n40|40");
      }
      CHECK(scene.sync()["exit"] == 0);
      scene.settled();
    }
  }
}

TEST_CASE("people's schema: what lets a column hold more is nobody's trouble") {
  Scene scene(On::postgresql, On::postgresql);
  scene.secondary.run("ALTER TABLE person ALTER COLUMN phone TYPE varchar(200)");
  scene.primary.run("UPDATE person SET phone = '21' WHERE id = 2");
  CHECK(scene.sync()["exit"] == 0);
  scene.settled();
}

TEST_CASE("people's schema: NOT NULL is told until it is decided, and holds back one row only") {
  for (const std::string way : {"sync --refill", "adopt"}) {
    CAPTURE(way);
    Scene scene(On::postgresql, On::postgresql);
    scene.secondary.run(
        "UPDATE person SET phone = 'none' WHERE id = 3; ALTER TABLE person ALTER COLUMN phone SET "
        "NOT NULL");
    const auto checked = scene.run({"check"});
    CHECK(checked.exit == 11);
    CHECK((checked.out + checked.err).find("not null") != std::string::npos);
    auto line = scene.sync();
    CHECK(line["exit"] == 11);
    CHECK(line["drift"][0]["kind"] == "secondary_column_not_null");
    scene.primary.run(
        "UPDATE person SET phone = NULL, name = 'B' WHERE id = 2; INSERT INTO person VALUES (5, "
        "'e', '50')");
    line = scene.sync();
    CHECK(line["tables"]["person"]["conflicts"] == 1);
    CHECK(line["tables"]["person"]["inserted"] == 1);
    scene.follow(line, way);
    line = scene.sync();
    CHECK(line["exit"] == (way == "adopt" ? 10 : 0));
    CHECK(line["drift"].empty());
  }
}

TEST_CASE("people's schema: a renamed table is recognised, and nothing is made in its place") {
  on_both([](On secondary) {
    Scene scene(secondary);
    scene.secondary.run("ALTER TABLE person RENAME TO people");
    for (const std::string command : {"check", "diff", "sync"}) {
      const auto ran = scene.run({command});
      CHECK(ran.exit == 22);
      CHECK_MESSAGE((ran.out + ran.err).find("'people'") != std::string::npos, ran.out, ran.err);
      CHECK((ran.out + ran.err).find("target = \"people\"") != std::string::npos);
    }
    std::string contract = kContract;
    contract.insert(std::string("[tables.person]\n").size(), "target = \"people\"\n");
    scene.set_contract(contract);
    scene.primary.run("UPDATE person SET phone = '21' WHERE id = 2");
    CHECK(scene.sync()["exit"] == 0);
    CHECK(scene.secondary.rows("SELECT * FROM people ORDER BY id") ==
          "1|ours|10\n2|b|21\n3|c|NULL\n4|d|40");
  });
}

TEST_CASE("people's schema: --refill of what cannot be filled is refused") {
  Scene scene(On::sqlite);
  CHECK(scene.run({"sync", "--refill", "person.nothing"}).exit == 64);
  CHECK(scene.run({"sync", "--refill", "person.id"}).exit == 64);
}

TEST_CASE("people's schema: drift tells of it, changes nothing, and says where it cannot look") {
  on_every_pairing([](On primary, On secondary) {
    Scene scene(secondary, primary);
    REQUIRE(scene.run({"drift", "accept"}).exit == 0);
    CHECK(scene.run({"drift"}).out == "no drift\n");
    scene.secondary.run("ALTER TABLE person DROP COLUMN phone");
    const auto before = scene.secondary.rows("SELECT * FROM person ORDER BY 1");
    const auto told = scene.run({"drift"});
    CHECK(told.exit == 0);
    CHECK(told.err.empty());
    CHECK_MESSAGE(told.out.find("block secondary_column_dropped person.phone") == 0, told.out);
    CHECK(told.out.find("abgleich sync --refill person.phone") != std::string::npos);
    CHECK(told.out.find("not synchronised until their drift is decided: person\n") !=
          std::string::npos);
    CHECK(scene.run({"drift", "--exit-code"}).exit == 1);
    CHECK(Json::parse(scene.run({"drift", "--json"}).out)["kind"] == "secondary_column_dropped");
    CHECK(scene.secondary.rows("SELECT * FROM person ORDER BY 1") == before);
    // another file than the primary: for a forge, which has no secondary
    const auto file = (scene.directory.path() / "live.json").string();
    REQUIRE(scene.run({"drift", "snapshot", file}).exit == 0);
    CHECK(scene.run({"drift", "--catalog", file}).out == "no drift\n");
    scene.secondary.run("ALTER TABLE place RENAME TO places");
    const auto renamed = scene.run({"drift"});
    CHECK(renamed.exit == 0);
    CHECK_MESSAGE(renamed.err.find("warning: of the secondary: table 'place' of the secondary is "
                                   "called 'places' now") == 0,
                  renamed.err);
    write_file(scene.directory.path() / "abgleich.toml",
               "[primary]\nurl = \"" + scene.primary.url() +
                   "\"\n[secondary]\nurl = \"postgresql://127.0.0.1:1/nobody?sslmode=disable\"\n");
    const auto unreachable = scene.run({"drift"});
    CHECK(unreachable.exit == 0);
    CHECK(unreachable.out == "no drift\n");
    CHECK_MESSAGE(unreachable.err.find("warning: of the secondary: ") == 0, unreachable.err);
  });
}

namespace {

/// What people do to a column, and how they take it back.
struct Deed {
  std::string done;
  std::string undone;
};

std::vector<Deed> deeds(On secondary) {
  std::vector<Deed> all{{"ALTER TABLE person RENAME COLUMN phone TO telephone",
                         "ALTER TABLE person RENAME COLUMN telephone TO phone"}};
  if (secondary == On::postgresql) {
    all.push_back({"ALTER TABLE person ALTER COLUMN phone TYPE integer USING phone::integer",
                   "ALTER TABLE person ALTER COLUMN phone TYPE varchar(20)"});
    all.push_back({"ALTER TABLE person ALTER COLUMN phone TYPE varchar(2)",
                   "ALTER TABLE person ALTER COLUMN phone TYPE varchar(20)"});
    all.push_back({"CREATE TABLE old () INHERITS (person); INSERT INTO old VALUES (1, 'o', '1')",
                   "DROP TABLE old"});
  }
  all.push_back({"ALTER TABLE person DROP COLUMN phone", ""});
  return all;
}

}  // namespace

TEST_CASE("people's schema: resolve and revert refuse until it is decided, and lose nothing") {
  on_both([](On secondary) {
    for (const auto& deed : deeds(secondary)) {
      CAPTURE(deed.done);
      Scene scene(secondary);
      scene.primary.run(
          "UPDATE person SET name = 'theirs' WHERE id = 1; UPDATE person SET phone = '21' WHERE id "
          "= 2");
      const auto line = scene.sync();
      REQUIRE(line["exit"] == 10);
      const auto conflict = Json::parse(scene.run({"conflicts", "--json"}).out)["id"];
      scene.secondary.run(deed.done);
      const auto before = scene.secondary.rows("SELECT * FROM person ORDER BY 1, 2");
      for (const auto& words :
           std::vector<std::vector<std::string>>{{"resolve", conflict, "--take", "primary"},
                                                 {"resolve", conflict, "--set", "name=x"},
                                                 {"resolve", "--all", "--take", "secondary"},
                                                 {"revert", line["run"], "--reason", "why not"}}) {
        const auto refused = scene.run(words);
        CHECK_MESSAGE(refused.exit == 23, words[0], refused.err);
        CHECK_MESSAGE(refused.err.find("people have changed the secondary") != std::string::npos,
                      refused.err);
        CHECK(refused.err.find("abgleich drift") != std::string::npos);
      }
      CHECK(scene.secondary.rows("SELECT * FROM person ORDER BY 1, 2") == before);
      // taken back, or decided
      if (deed.undone.empty()) {
        CHECK(scene.run({"sync", "--refill", "person.phone"}).exit == 10);
      } else {
        scene.secondary.run(deed.undone);
        CHECK(scene.run({"revert", line["run"], "--reason", "why not"}).exit == 10);
        CHECK(scene.secondary.rows("SELECT phone FROM person WHERE id = 2") == "20");
        CHECK(scene.run({"resume", "--reason", "done"}).exit == 0);
        CHECK(scene.sync()["exit"] == 10);
      }
      CHECK(scene.secondary.rows("SELECT id, name, phone FROM person ORDER BY id") ==
            "1|ours|10\n2|b|21\n3|c|NULL\n4|d|40");
      const auto now = Json::parse(scene.run({"conflicts", "--json"}).out)["id"];
      CHECK(scene.run({"resolve", now, "--take", "primary"}).exit == 0);
      CHECK(scene.sync()["exit"] == 0);
      CHECK(scene.secondary.rows("SELECT name FROM person WHERE id = 1") == "theirs");
      scene.settled();
    }
  });
}

TEST_CASE("people's schema: a rotation of the key waits until it is decided") {
  on_both([](On secondary) {
    for (const bool dropped : {true, false}) {
      CAPTURE(dropped);
      Pairing pairing(On::sqlite, secondary,
                      "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
                      "id = { class = \"pseudonym\", identity = \"person\" }\n"
                      "code = { class = \"pseudonym\", identity = \"code\" }\n");
      pairing.primary.run(
          "CREATE TABLE person (id integer PRIMARY KEY, code text);"
          "INSERT INTO person VALUES (1, 'a'), (2, 'b')");
      CHECK(pairing.sync()["exit"] == 0);
      pairing.secondary.run(dropped ? "ALTER TABLE person DROP COLUMN code"
                                    : "ALTER TABLE person RENAME COLUMN code TO ours");
      const auto before = pairing.secondary.rows("SELECT * FROM person ORDER BY 1");
      REQUIRE(pairing.run({"keys", "rotate"}).exit == 0);
      const auto refused = pairing.run({"sync"});
      CHECK_MESSAGE(refused.exit == 23, refused.exit, refused.err);
      CHECK(refused.err.find("'person.code'") != std::string::npos);
      CHECK(pairing.secondary.rows("SELECT * FROM person ORDER BY 1") == before);
      if (dropped) {
        CHECK(pairing.sync({"--refill", "person.code"})["exit"] == 0);
        CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE code LIKE 'p2%'") == "2");
      } else {
        CHECK(pairing.run({"contract", "set", "person.code", "--as", "ours"}).exit == 0);
        CHECK(pairing.sync()["exit"] == 0);
        CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE ours LIKE 'p2%'") == "2");
      }
      CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE id LIKE 'p2%'") == "2");
      CHECK(pairing.sync()["outcome"] == "unchanged");
      CHECK(pairing.run({"verify", "--exit-code"}).exit == 0);
    }
  });
}

TEST_CASE("people's schema: a rotation leaves alone what is exported no longer and was dropped") {
  on_both([](On secondary) {
    const auto contract = [](const std::string& code) {
      return "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
             "id = { class = \"pseudonym\", identity = \"person\" }\ncode = " +
             code + "\n";
    };
    Pairing pairing(On::sqlite, secondary,
                    contract("{ class = \"pseudonym\", identity = \"code\" }"));
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, code text);"
        "INSERT INTO person VALUES (1, 'a'), (2, 'b')");
    CHECK(pairing.sync()["exit"] == 0);
    pairing.set_contract(contract("\"withhold\""));
    CHECK(pairing.sync()["exit"] == 0);
    pairing.secondary.run("ALTER TABLE person DROP COLUMN code");
    REQUIRE(pairing.run({"keys", "rotate"}).exit == 0);
    CHECK(pairing.sync()["exit"] == 0);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE id LIKE 'p2%'") == "2");
    CHECK(pairing.run({"verify", "--exit-code"}).exit == 0);
  });
}

}  // namespace abgleich::test
