// The same key is the same bytes: what a collation or a type of either side takes for equal beyond
// that is a collision that is told, and never the same row.
#include "support/pairing.hpp"
#include "support/thorough.hpp"

#include <doctest/doctest.h>

namespace abgleich::test {

namespace {

using Json = nlohmann::json;

const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";
const char* const kPerson =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = \"plain\"\nname = \"plain\"\n";

/// How a side takes different keys for the same, and two of them.
struct Fold {
  std::string name;
  On engine;
  std::string before;  // what the type needs
  std::string type;
  std::string one;
  std::string other;
  bool usual = true;  // false: only where `tests/run --all` is at work
};

std::string collation(const std::string& locale) {
  return "CREATE COLLATION folds (provider = icu, locale = '" + locale +
         "', deterministic = false);";
}

const std::vector<Fold>& folds() {
  static const std::vector<Fold> kFolds{
      {"ICU without case", On::postgresql, collation("und-u-ks-level2"), "text COLLATE folds",
       "Bob", "BOB", false},
      {"ICU without accents", On::postgresql, collation("und-u-ks-level1"),
       "varchar(40) COLLATE folds", "Jose", "José"},
      {"ICU without width", On::postgresql, collation("und-u-ks-level2"), "text COLLATE folds",
       "Anna", "Ａnna", false},
      {"citext", On::postgresql, "CREATE EXTENSION citext;", "citext", "Bob", "BOB"},
      {"NOCASE", On::sqlite, "", "TEXT COLLATE NOCASE", "Bob", "BOB"},
      {"RTRIM", On::sqlite, "", "TEXT COLLATE RTRIM", "Bob", "Bob  "},
  };
  return kFolds;
}

struct Scene : Pairing {
  /// The secondary folds; the primary is of the other engine or the same, and does not.
  Scene(On primary_on, const Fold& fold, const std::string& more = "")
      : Pairing(primary_on, fold.engine, kPerson, kLimits) {
    primary.run("CREATE TABLE person (id varchar(40) PRIMARY KEY, name varchar(40))");
    secondary.run(fold.before + "CREATE TABLE person (id " + fold.type +
                  " PRIMARY KEY, name varchar(40)" + more + ")");
  }

  Json run_sync(int exit) const {
    auto line = sync();
    CHECK_MESSAGE(line["exit"] == exit, line.dump());
    const auto again = sync();
    CHECK_MESSAGE(again["outcome"] == "unchanged", again.dump());
    if (thorough()) {
      const auto full = sync({"--full"});
      CHECK_MESSAGE(full["outcome"] == "unchanged", full.dump());
    }
    return line;
  }

  std::string people() { return secondary.rows("SELECT id, name FROM person ORDER BY name"); }

  std::vector<std::string> conflicts() const {
    std::vector<std::string> kinds;
    std::istringstream lines(run({"conflicts", "--json"}).out);
    for (std::string line; std::getline(lines, line);) {
      const auto json = Json::parse(line);
      kinds.push_back(json["kind"].get<std::string>() + " " + json["key"]["id"].get<std::string>());
    }
    return kinds;
  }
};

/// From both engines in turn; every fold from each of them where `tests/run --all` is at work.
template <class Test>
void on_every_fold(const Test& test) {
  auto primary = On::postgresql;
  for (const auto& fold : folds()) {
    if (!fold.usual && !thorough()) {
      continue;
    }
    for (int times = thorough() ? 2 : 1; times > 0; --times) {
      primary = primary == On::sqlite ? On::postgresql : On::sqlite;
      CAPTURE(fold.name);
      CAPTURE(name_of(primary));
      test(primary, fold);
    }
  }
}

std::string insert(const std::string& id, const std::string& name) {
  return "INSERT INTO person VALUES ('" + id + "', '" + name + "');";
}

}  // namespace

TEST_CASE("a key that changes only in what the secondary does not tell apart is another key") {
  on_every_fold([](On primary, const Fold& fold) {
    Scene scene(primary, fold);
    scene.primary.run(insert(fold.one, "a") + insert("else", "b"));
    scene.run_sync(0);
    scene.primary.run("UPDATE person SET id = '" + fold.other + "' WHERE name = 'a'");
    const auto line = scene.run_sync(0);
    CHECK(line["tables"]["person"]["inserted"] == 1);
    CHECK(line["tables"]["person"]["deleted"] == 1);
    CHECK(scene.people() == fold.other + "|a\nelse|b");
    CHECK(scene.run({"verify", "--exit-code"}).exit == 0);
    // and back
    scene.primary.run("UPDATE person SET id = '" + fold.one + "', name = 'c' WHERE name = 'a'");
    scene.run_sync(0);
    CHECK(scene.people() == "else|b\n" + fold.one + "|c");
  });
}

TEST_CASE("a row of the secondary's own is not adopted because its key is nearly the same") {
  on_every_fold([](On primary, const Fold& fold) {
    Scene scene(primary, fold);
    scene.primary.run(insert("else", "b"));
    scene.run_sync(0);
    scene.secondary.run(insert(fold.one, "ours"));
    scene.primary.run(insert(fold.other, "theirs"));
    scene.run_sync(10);
    CHECK(scene.people() == "else|b\n" + fold.one + "|ours");
    CHECK(scene.conflicts() == std::vector<std::string>{"constraint " + fold.other});
    // the primary's goes: nothing of the secondary's goes with it
    scene.primary.run("DELETE FROM person WHERE name = 'theirs'");
    scene.run_sync(0);
    CHECK(scene.people() == "else|b\n" + fold.one + "|ours");
    scene.primary.run(insert(fold.other, "theirs"));
    scene.run_sync(10);
    // ours makes room
    scene.secondary.run("DELETE FROM person WHERE name = 'ours'");
    CHECK(scene.sync()["exit"] == 0);
    CHECK(scene.people() == "else|b\n" + fold.other + "|theirs");
  });
}

TEST_CASE("two rows whose keys the secondary does not tell apart: one comes, one is a conflict") {
  on_every_fold([](On primary, const Fold& fold) {
    Scene scene(primary, fold);
    scene.primary.run(insert(fold.one, "a") + insert(fold.other, "a") + insert("else", "b"));
    scene.run_sync(10);  // a first load
    CHECK(scene.secondary.rows("SELECT count(*) FROM person") == "2");
    REQUIRE(scene.conflicts().size() == 1);
    const bool first_came = scene.conflicts()[0] == "constraint " + fold.other;
    const auto came = first_came ? fold.one : fold.other;
    const auto waits = first_came ? fold.other : fold.one;
    CHECK(scene.people() == came + "|a\nelse|b");
    // the one that came goes on as always
    scene.primary.run("UPDATE person SET name = 'a2' WHERE id = '" + came + "'");
    scene.run_sync(10);
    CHECK(scene.people() == came + "|a2\nelse|b");
    scene.primary.run("DELETE FROM person WHERE id = '" + came + "'");
    scene.run_sync(0);
    CHECK(scene.people() == waits + "|a\nelse|b");
  });
}

TEST_CASE("an edit outlives a key that changes only in what the secondary does not tell apart") {
  on_every_fold([](On primary, const Fold& fold) {
    Scene scene(primary, fold);
    scene.primary.run(insert(fold.one, "a") + insert("else", "b"));
    scene.run_sync(0);
    scene.secondary.run("UPDATE person SET name = 'edited' WHERE name = 'a'");
    scene.primary.run("UPDATE person SET id = '" + fold.other + "' WHERE name = 'a'");
    scene.run_sync(10);
    CHECK(scene.people() == "else|b\n" + fold.one + "|edited");
    CHECK(scene.conflicts().size() == 2);
    const auto resolved = scene.run({"resolve", "--all", "--take", "primary"});
    CHECK_MESSAGE((resolved.exit == 0 || resolved.exit == 10), resolved.err);
    (void)scene.sync();
    CHECK(scene.people() == fold.other + "|a\nelse|b");
    CHECK(scene.sync()["exit"] == 0);
  });
}

TEST_CASE("references follow a key that changes only in what the secondary does not tell apart") {
  on_every_fold([](On primary, const Fold& fold) {
    for (const std::string rule : {"", " ON DELETE CASCADE", " DEFERRABLE INITIALLY DEFERRED"}) {
      CAPTURE(rule);
      Scene scene(primary, fold);
      scene.set_contract(std::string(kPerson) +
                         "[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\nid = \"plain\"\n"
                         "person = \"plain\"\n");
      scene.primary.run("CREATE TABLE visit (id integer PRIMARY KEY, person varchar(40))");
      scene.secondary.run("CREATE TABLE visit (id integer PRIMARY KEY, person " + fold.type +
                          " REFERENCES person (id)" + rule + ")");
      scene.primary.run(insert(fold.one, "a") + "INSERT INTO visit VALUES (1, '" + fold.one + "')");
      scene.run_sync(0);
      scene.primary.run("UPDATE person SET id = '" + fold.other + "'; UPDATE visit SET person = '" +
                        fold.other + "'");
      (void)scene.sync();
      // whatever order it took: nothing is lost
      CHECK(scene.people() == fold.other + "|a");
      CHECK(scene.secondary.rows("SELECT id, person FROM visit") == "1|" + fold.other);
      CHECK(scene.sync()["outcome"] == "unchanged");
    }
  });
}

TEST_CASE("a row that a run deletes takes none along that refers to it in another case") {
  on_every_fold([](On primary, const Fold& fold) {
    Scene scene(primary, fold);
    scene.secondary.run("CREATE TABLE note (id integer PRIMARY KEY, person " + fold.type +
                        " REFERENCES person (id) ON DELETE CASCADE, text varchar(40))");
    scene.primary.run(insert(fold.one, "a") + insert("else", "b"));
    scene.run_sync(0);
    scene.secondary.run("INSERT INTO note VALUES (1, '" + fold.other + "', 'ours')");
    scene.primary.run("DELETE FROM person WHERE name = 'a'");
    scene.run_sync(10);
    CHECK(scene.secondary.rows("SELECT text FROM note") == "ours");
    CHECK(scene.people() == fold.one + "|a\nelse|b");
  });
}

TEST_CASE("undo and decisions reach the row that is meant") {
  on_every_fold([](On primary, const Fold& fold) {
    Scene scene(primary, fold);
    scene.primary.run(insert(fold.one, "a") + insert("else", "b"));
    scene.run_sync(0);
    scene.primary.run("UPDATE person SET id = '" + fold.other + "' WHERE name = 'a'");
    const auto changed = scene.sync();
    REQUIRE(changed["exit"] == 0);
    const auto undone = scene.run({"revert", changed["run"], "--reason", "a test"});
    CHECK_MESSAGE(undone.exit == 0, undone.err);
    CHECK(scene.people() == fold.one + "|a\nelse|b");
  });
}

TEST_CASE("check tells beforehand that the secondary does not tell some keys apart") {
  for (const auto& fold : folds()) {
    CAPTURE(fold.name);
    Scene scene(On::sqlite, fold);
    REQUIRE(scene.run({"drift", "accept"}).exit == 0);
    const auto checked = scene.run({"check"});
    CHECK_MESSAGE(checked.exit == 0, checked.out, checked.err);
    CHECK_MESSAGE(checked.out.find("'person.id'") != std::string::npos, checked.out);
    CHECK_MESSAGE(checked.out.find("takes different keys for the same") != std::string::npos,
                  checked.out);
  }
  for (const auto engine : kEngines) {
    Scene scene(engine, {"none", engine, "", "varchar(40)", "a", "b"});
    const auto checked = scene.run({"check"});
    CHECK(checked.out.find("takes different keys for the same") == std::string::npos);
  }
}

TEST_CASE("keys that only the padding of the secondary's char(n) makes equal are held back") {
  for (const auto primary : kEngines) {
    CAPTURE(name_of(primary));
    Scene scene(primary, {"char", On::postgresql, "", "char(10)", "Bob", "Bob "});
    scene.primary.run(insert("Bob", "a") + insert("else", "b"));
    scene.run_sync(0);
    scene.primary.run(insert("Bob ", "c"));
    const auto line = scene.run_sync(11);
    CHECK(line["tables"]["person"]["quarantined"] == 1);
    CHECK(scene.secondary.rows("SELECT trim(id), name FROM person ORDER BY name") ==
          "Bob|a\nelse|b");
    scene.primary.run("UPDATE person SET name = 'd' WHERE id = 'Bob'");
    scene.run_sync(11);
    scene.primary.run("DELETE FROM person WHERE name = 'c'");
    scene.run_sync(0);
    CHECK(scene.secondary.rows("SELECT trim(id), name FROM person ORDER BY name") ==
          "else|b\nBob|d");
  }
}

TEST_CASE("a primary that does not tell keys apart still names each by its bytes") {
  for (const auto& fold : folds()) {
    for (const auto secondary : kEngines) {
      CAPTURE(fold.name);
      CAPTURE(name_of(secondary));
      Pairing pairing(fold.engine, secondary, kPerson, kLimits);
      pairing.primary.run(fold.before + "CREATE TABLE person (id " + fold.type +
                          " PRIMARY KEY, name varchar(40));" + insert(fold.one, "a") +
                          insert("else", "b"));
      REQUIRE(pairing.sync()["exit"] == 0);
      pairing.primary.run("UPDATE person SET id = '" + fold.other + "' WHERE name = 'a'");
      const auto line = pairing.sync();
      CHECK_MESSAGE(line["exit"] == 0, line.dump());
      CHECK(pairing.secondary.rows("SELECT id, name FROM person ORDER BY name") ==
            fold.other + "|a\nelse|b");
      CHECK(pairing.sync()["outcome"] == "unchanged");
      CHECK(pairing.run({"verify", "--exit-code"}).exit == 0);
    }
  }
}

}  // namespace abgleich::test
