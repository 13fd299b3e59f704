// Whoever may write to the secondary's bookkeeping puts words into our mouth: nothing of it is
// done, it is told what is forged, and there is a way on.
#include "support/pairing.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <functional>

namespace abgleich::test {

namespace {

using Json = nlohmann::json;
using Words = std::vector<std::string>;

const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";
const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
    "id = { class = \"pseudonym\", identity = \"person\" }\ntag = \"plain\"\n"
    "status = { class = \"plain\", codes = [\"open\", \"case\", \"mine\", \"new\"] }\n"
    "note = \"plain\"\n";

/// Six rows; run 2 has changed two of them, one row is in conflict and one held back.
struct Scene : Pairing {
  explicit Scene(On engine) : Pairing(engine, engine, kContract, kLimits) {
    primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, tag text, status text, note text);"
        "INSERT INTO person VALUES (1, 'a', 'open', 'n'), (2, 'b', 'open', 'n'), (3, 'c', 'open', "
        "'n'), (4, 'd', 'open', 'n'), (5, 'e', 'open', 'n')");
    REQUIRE(sync()["exit"] == 0);
    secondary.run("UPDATE person SET status = 'mine' WHERE tag IN ('c', 'e')");
    primary.run(
        "UPDATE person SET status = 'case' WHERE id IN (1, 2, 3, 5);"
        "INSERT INTO person VALUES (6, 'f', 'odd', 'n')");
    const auto line = sync();
    REQUIRE(line["open"]["conflicts"] == 2);
    REQUIRE(line["open"]["quarantined"] == 1);
  }

  [[nodiscard]] std::string own(const std::string& name) const {
    return (secondary.engine() == On::sqlite ? "abgleich_" : "abgleich.") + name;
  }
  /// `@name` is a table of the bookkeeping.
  void forge(std::string sql) {
    for (auto at = sql.find('@'); at != std::string::npos; at = sql.find('@')) {
      const auto end = sql.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789", at + 1);
      const auto name = sql.substr(at + 1, end - at - 1);
      sql.replace(at, name.size() + 1, own(name));
    }
    secondary.run(sql);
  }
  std::string people() {
    return secondary.rows("SELECT tag, status, note FROM person ORDER BY tag");
  }
  /// What the bookkeeping says; also tells whether a run was made.
  std::string books() {
    return secondary.rows("SELECT epoch, hash, run, key_check, primary_id, paused FROM " +
                          own("head")) +
           secondary.rows("SELECT id, detail, epoch FROM " + own("conflict") + " ORDER BY id") +
           secondary.rows("SELECT epoch, tracked, n, before, after FROM " + own("journal") +
                          " ORDER BY 1, 2, 3");
  }
  void forget_cache() const { std::filesystem::remove_all(directory.path() / "state" / "cache"); }

  /// The command is refused, says why, and nothing has changed.
  void expect_refused(const Words& words) {
    CAPTURE(words.front());
    const auto data = people();
    const auto said = books();
    const auto ran = run(words);
    CHECK_MESSAGE(ran.exit == 41, ran.out, ran.err);
    CHECK_MESSAGE(ran.err.find("somebody else has changed it") != std::string::npos, ran.err);
    CHECK(ran.err.find("abgleich verify") != std::string::npos);
    CHECK((ran.out + ran.err).find("FORGED") == std::string::npos);
    CHECK(people() == data);
    CHECK(books() == said);
  }
  /// `verify` names it, nothing is written while it stands, and what the hint says leads on.
  void expect_told_and_mended(const std::string& what) {
    const auto data = people();
    const auto ran = run({"verify", "--json"});
    CHECK_MESSAGE(ran.exit == 41, ran.out, ran.err);
    CHECK_MESSAGE(ran.out.find(what) != std::string::npos, ran.out);
    CHECK(ran.out.find("verify --repair-base --reason") != std::string::npos);
    CHECK(run({"sync"}).exit == 41);
    const auto mended = run({"verify", "--repair-base", "--reason", "seen"});
    REQUIRE_MESSAGE(mended.exit == 0, mended.out, mended.err);
    CHECK(people() == data);
    const auto again = run({"verify"});
    CHECK_MESSAGE(again.exit == 0, again.out, again.err);
    CHECK(run({"resume", "--reason", "seen"}).exit != 41);
    const auto synced = run({"sync"});
    CHECK_MESSAGE((synced.exit == 0 || synced.exit == 10 || synced.exit == 11), synced.out,
                  synced.err);
    CHECK(people() == data);
    CHECK(people().find("FORGED") == std::string::npos);
    CHECK(run({"verify"}).exit == 0);
  }
};

struct Attack {
  std::string sql;
  std::vector<Words> refused;  // commands that act on it
  std::string told;
};

void expect_all(
    const std::vector<Attack>& attacks, const std::function<void(Scene&)>& before = [](Scene&) {}) {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    for (const auto& attack : attacks) {
      CAPTURE(attack.sql);
      Scene scene(engine);
      before(scene);
      scene.forge(attack.sql);
      for (const auto& words : attack.refused) {
        scene.expect_refused(words);
      }
      scene.expect_told_and_mended(attack.told);
    }
  }
}

const Words kRevert{"revert", "r2", "--reason", "x"};
const Words kShow{"show", "r2"};
const Words kTakePrimary{"resolve", "--all", "--take", "primary"};

}  // namespace

TEST_CASE("a journal that somebody else has written to is neither shown nor taken back") {
  expect_all(
      {{"UPDATE @journal SET before = replace(before, 'open', 'FORGED') WHERE epoch = 2",
        {kRevert, kShow},
        "in the journal of run 2"},
       {"UPDATE @journal SET epoch = 1 WHERE epoch = 2 AND n = (SELECT min(n) FROM @journal WHERE "
        "epoch = 2)",
        {kRevert},
        "the journal of run 2"},
       {"UPDATE @journal SET mac = (SELECT mac FROM @journal WHERE epoch = 2 ORDER BY mac LIMIT 1) "
        "WHERE epoch = 2",
        {kRevert, kShow},
        "in the journal of run 2"},
       {"DELETE FROM @journal WHERE epoch = 2 AND n = (SELECT min(n) FROM @journal WHERE epoch = "
        "2)",
        {kRevert},
        "the journal of run 2"},
       {"INSERT INTO @journal SELECT epoch, tracked, 99, key_text, fate, before, after, moved, "
        "base_before, base_after, mac FROM @journal WHERE epoch = 2 AND n = (SELECT min(n) FROM "
        "@journal WHERE epoch = 2)",
        {kRevert},
        "the journal of run 2"}});
}

TEST_CASE("a conflict that somebody else has written to is not decided") {
  expect_all(
      {{"UPDATE @conflict SET detail = replace(detail, 'text:case', 'text:FORGED')",
        {kTakePrimary, {"conflicts"}, {"sync"}},
        "conflict"},
       {"UPDATE @conflict SET mac = (SELECT mac FROM @conflict ORDER BY mac LIMIT 1)",
        {kTakePrimary, {"conflicts"}, {"sync"}},
        "conflict"},
       {"UPDATE @conflict SET epoch = 1", {kTakePrimary, {"sync"}}, "conflict"},
       {"DELETE FROM @conflict WHERE id = (SELECT min(id) FROM @conflict)",
        {kTakePrimary, {"sync"}},
        "there are 1 conflicts, but the runs have left 2"},
       {"UPDATE @quarantine SET reason = 'FORGED'", {{"quarantine"}, {"sync"}}, "quarantined"},
       {"DELETE FROM @quarantine", {{"quarantine"}, {"sync"}}, "quarantined"}});
}

TEST_CASE("a remembered table, a run or a seal that somebody else has written is not believed") {
  expect_all(
      {{"UPDATE @tracked SET columns = replace(columns, 'note', 'FORGED')",
        {{"sync"}, kRevert, kTakePrimary, {"status"}},
        "remembered table"},
       {"UPDATE @tracked SET since = 7", {{"sync"}}, "remembered table"},
       {"UPDATE @run SET kind = 'adopt' WHERE epoch = 2", {{"sync"}, {"log"}, kShow}, "run r2-"},
       {"UPDATE @run SET mac = (SELECT mac FROM @run WHERE epoch = 1) WHERE epoch = 2",
        {{"sync"}, {"log"}, kShow},
        "run r2-"},
       {"UPDATE @run SET entries = 0 WHERE epoch = 2", {{"sync"}, kRevert}, "run r2-"},
       {"UPDATE @seal SET rows = rows + 1 WHERE what = 'base'",
        {{"sync"}, kRevert, {"status"}},
        "the seals are not those"},
       {"DELETE FROM @seal", {{"sync"}, kTakePrimary}, "the seals are not those"},
       {"INSERT INTO @fact SELECT 'leaves', 'nobody', 'FORGED', epoch, mac FROM @run WHERE "
        "epoch = 1",
        {},
        "fact"}});
}

TEST_CASE("a head that somebody else has written is not believed") {
  expect_all({{"UPDATE @head SET primary_id = 'FORGED'", {{"sync"}, kRevert}, "the head"},
              {"UPDATE @head SET key_check = '0123456789abcdef'",
               {{"sync"}, kRevert, kTakePrimary, {"adopt", "--reason", "x"}, {"status"}},
               "the head"},
              {"UPDATE @head SET hash = 'FORGED'", {{"sync"}, kRevert}, "the head"},
              {"UPDATE @head SET epoch = epoch + 1", {{"sync"}, kRevert}, "the head"},
              {"UPDATE @head SET paused = 'FORGED'",
               {{"sync"}, {"resume", "--reason", "x"}, {"adopt", "--reason", "x"}},
               "the head"}});
}

TEST_CASE("a pause that somebody else has lifted is one still") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Scene scene(engine);
    REQUIRE(scene.run(kRevert).exit == 10);
    scene.forge("UPDATE @head SET paused = NULL");
    scene.expect_refused({"sync"});
    REQUIRE(scene.run({"verify"}).exit == 41);
    REQUIRE(scene.run({"verify", "--repair-base", "--reason", "seen"}).exit == 0);
    CHECK(scene.run({"sync"}).exit == 13);
  }
}

TEST_CASE("a key check of an epoch that is over makes no second rotation") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Scene scene(engine);
    const auto old = scene.secondary.rows("SELECT key_check FROM " + scene.own("head"));
    REQUIRE(scene.run({"keys", "rotate"}).exit == 0);
    REQUIRE(scene.run({"sync"}).exit == 10);
    REQUIRE(scene.run({"verify"}).exit == 0);
    scene.forge("UPDATE @head SET key_check = '" + old + "'");
    scene.expect_refused({"sync"});
    scene.expect_refused({"resolve", "--all", "--take", "primary"});
    scene.expect_told_and_mended("the head");
  }
}

TEST_CASE("what was true once and is put back is not believed: a conflict with its seal") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Scene scene(engine);
    scene.secondary.run("CREATE TABLE old_conflict AS SELECT * FROM " + scene.own("conflict"));
    scene.secondary.run("CREATE TABLE old_seal AS SELECT * FROM " + scene.own("seal"));
    REQUIRE(scene.run({"resolve", "--all", "--take", "secondary"}).exit == 0);
    scene.forge("INSERT INTO @conflict SELECT * FROM old_conflict");
    scene.expect_refused(kTakePrimary);
    scene.forge(
        "DELETE FROM @seal WHERE what = 'conflict';"
        "INSERT INTO @seal SELECT * FROM old_seal WHERE what = 'conflict'");
    scene.expect_refused(kTakePrimary);
    scene.expect_told_and_mended("the seals are not those");
  }
}

TEST_CASE("what was true once and is put back is not believed: what left, and the layout") {
  for (const auto engine : kEngines) {
    for (const std::string table : {"fact", "tracked"}) {
      CAPTURE(name_of(engine));
      CAPTURE(table);
      Scene scene(engine);
      scene.secondary.run("CREATE TABLE old_rows AS SELECT * FROM " + scene.own(table));
      auto narrow = std::string(kContract);
      narrow.replace(narrow.find("note = \"plain\""), 14, "note = \"withhold\"");
      scene.set_contract(narrow);
      REQUIRE(scene.run({"sync"}).exit != 41);
      REQUIRE(scene.run({"verify"}).exit == 0);
      // whole rows with their seals: what left then is wider than what leaves now
      scene.forge("DELETE FROM @" + table);
      scene.forge("INSERT INTO @" + table + " SELECT * FROM old_rows");
      scene.set_contract(kContract);
      scene.primary.run("UPDATE person SET note = 'must not leave'");
      scene.expect_refused({"sync"});
      CHECK(scene.people().find("must not leave") == std::string::npos);
    }
  }
}

TEST_CASE("what is older than the journal keeps goes by its age, and the rest stays sealed") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Pairing pairing(engine, engine, kContract, kLimits);  // keeps 90 days
    const auto sync_days_ago = [&](int days) {
      return run_program(pairing.command({"sync"}), pairing.directory.path().string(),
                         {std::string("LD_PRELOAD=") + kAnotherDay,
                          "ABGLEICH_TEST_DAYS_AGO=" + std::to_string(days),
                          "ASAN_OPTIONS=verify_asan_link_order=0"});
    };
    const std::string own = engine == On::sqlite ? "abgleich_" : "abgleich.";
    const auto kept = [&](int epoch) {
      return pairing.secondary.rows("SELECT count(*) FROM " + own +
                                    "journal WHERE epoch = " + std::to_string(epoch));
    };
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, tag text, status text, note text);"
        "INSERT INTO person VALUES (1, 'a', 'open', 'n'), (2, 'b', 'open', 'n')");
    CHECK(sync_days_ago(200).exit == 0);
    pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
    CHECK(sync_days_ago(100).exit == 0);
    pairing.primary.run("UPDATE person SET note = 'm'");
    CHECK(sync_days_ago(50).exit == 0);
    CHECK(kept(2) == "1");  // 50 days old when the third run was made
    CHECK(kept(3) == "2");
    pairing.primary.run("UPDATE person SET status = 'mine' WHERE id = 2");
    CHECK(pairing.run({"sync"}).exit == 0);
    CHECK(kept(2) == "0");
    CHECK(kept(3) == "2");
    CHECK(kept(4) == "1");
    const auto verified = pairing.run({"verify"});
    CHECK_MESSAGE(verified.exit == 0, verified.out, verified.err);
    CHECK(pairing.run({"show", "r2"}).err.find("purged") != std::string::npos);
    CHECK(pairing.run({"revert", "r2", "--reason", "x"}).exit != 0);
    CHECK(pairing.run({"show", "r3"}).exit == 0);
    // what age has taken is not what somebody else may take
    pairing.secondary.run("DELETE FROM " + own + "journal WHERE epoch = 3");
    CHECK(pairing.run({"verify"}).exit == 41);
  }
}

TEST_CASE("what is erased for good stays sealed, and so does what is purged") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Scene scene(engine);
    auto contract = std::string(kContract);
    contract.replace(contract.find("note = \"plain\""), 14,
                     "note = { class = \"withhold\", erase = true }");
    scene.set_contract(contract);
    const auto erased = scene.run({"sync"});
    CHECK_MESSAGE((erased.exit == 11 || erased.exit == 10), erased.out, erased.err);
    CHECK(scene.run({"verify"}).exit == 0);
    CHECK(scene.run(kShow).exit == 0);
    scene.configure(std::string(kLimits) + "[journal]\nkeep = \"1 runs\"\n");
    CHECK(scene.run({"sync"}).exit != 41);
    CHECK(scene.run({"verify"}).exit == 0);
    scene.set_contract("[tables.person]\non_delete = \"erase\"\n" +
                       contract.substr(contract.find('\n') + 1));
    scene.primary.run("DELETE FROM person WHERE id IN (1, 3)");
    CHECK(scene.run({"sync"}).exit != 41);
    const auto whole = scene.run({"verify"});
    CHECK_MESSAGE(whole.exit == 0, whole.out, whole.err);
  }
}

TEST_CASE("with another key nothing is written, whatever the command") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Scene scene(engine);
    REQUIRE(scene.run(kRevert).exit == 10);
    const auto key = scene.directory.path() / "abgleich.key";
    std::filesystem::remove(key);
    REQUIRE(scene.run({"keys", "generate", "-q"}).exit == 0);
    const auto data = scene.people();
    const auto books = scene.books();
    for (const Words& words :
         {Words{"sync"}, kRevert, kTakePrimary, Words{"resume", "--reason", "x"},
          Words{"adopt", "--reason", "x"}, Words{"verify", "--repair-base", "--reason", "x"},
          Words{"verify"}}) {
      CAPTURE(words.front());
      const auto ran = scene.run(words);
      CHECK_MESSAGE(ran.exit == 25, ran.out, ran.err);
      CHECK(ran.err.find("not the one that made this secondary's pseudonyms") != std::string::npos);
    }
    CHECK(scene.people() == data);
    CHECK(scene.books() == books);
  }
}

TEST_CASE("a pause ends although the key was rotated meanwhile") {
  Scene scene(On::sqlite);
  REQUIRE(scene.run(kRevert).exit == 10);
  REQUIRE(scene.run({"keys", "rotate"}).exit == 0);
  CHECK(scene.run({"sync"}).exit == 13);
  const auto resumed = scene.run({"resume", "--reason", "x"});
  CHECK_MESSAGE(resumed.exit == 0, resumed.err);
  const auto ran = scene.run({"sync"});
  CHECK_MESSAGE(ran.exit == 10, ran.out, ran.err);
  CHECK(scene.run({"verify"}).exit == 0);
}

}  // namespace abgleich::test
