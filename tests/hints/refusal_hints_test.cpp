// Every hint of a refusal, followed to the letter.
#include "hints/scene.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

namespace abgleich::test {

namespace {

namespace fs = std::filesystem;

const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
    "id = { class = \"pseudonym\", identity = \"person\" }\nstatus = \"plain\"\n";

/// Ten persons, of whom the secondary has edited one.
struct Persons : Scene {
  explicit Persons(On primary_on, On secondary_on, const std::string& more = "")
      : Scene(primary_on, secondary_on, kContract, more) {
    fill(primary);
    REQUIRE(sync()["exit"] == 0);
    secondary.run("UPDATE person SET status = 'edited' WHERE status = 's3'");
  }
  static void fill(Database& database) {
    database.run(
        "CREATE TABLE person (id integer PRIMARY KEY, status text);"
        "INSERT INTO person WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE "
        "i < 10) SELECT i, 's' || i FROM n");
  }
  std::string count(const std::string& where = "true") {
    return secondary.rows("SELECT count(*) FROM person WHERE " +
                          (where == "true" && secondary.engine() == On::sqlite ? "1" : where));
  }
  [[nodiscard]] std::string own(const std::string& table) const {
    return (secondary.engine() == On::sqlite ? "abgleich_" : "abgleich.") + table;
  }
};

}  // namespace

TEST_CASE("hints: a mass change is looked at, and let through once") {
  on_every_pairing([](On primary, On secondary) {
    Persons pairing(primary, secondary);
    pairing.primary.run("DELETE FROM person WHERE id > 5");
    const auto hint = pairing.refusal(20);
    pairing.obey(hint, "diff");
    pairing.obey(hint, "sync");
    CHECK(pairing.count() == "5");
    pairing.all_is_well();
  });
}

TEST_CASE("hints: an empty table is let through once that is said") {
  on_every_pairing([](On primary, On secondary) {
    Persons pairing(primary, secondary);
    pairing.secondary.run("UPDATE person SET status = 's3' WHERE status = 'edited'");
    pairing.primary.run("DELETE FROM person");
    pairing.obey(pairing.refusal(20), "sync");
    CHECK(pairing.count() == "0");
    pairing.all_is_well();
  });
}

TEST_CASE("hints: a lost catalogue is accepted as the primary is now") {
  on_every_pairing([](On primary, On secondary) {
    Persons pairing(primary, secondary);
    fs::remove(pairing.directory.path() / "catalog.json");
    const auto hint = pairing.refusal(23);
    SUBCASE("with the copy") {}
    SUBCASE("without it") {
      fs::remove(pairing.directory.path() / "state" / "catalog.json");
    }
    pairing.obey(hint, "drift", "accept");
    pairing.all_is_well();
  });
}

TEST_CASE("hints: a catalogue that nobody has accepted here is accepted") {
  Persons pairing(On::postgresql, On::sqlite);
  pairing.primary.run("ALTER TABLE person ADD COLUMN more text");
  REQUIRE(pairing.run({"drift", "snapshot", "catalog.json"}).exit == 0);
  pairing.obey(pairing.refusal(23), "drift", "accept");
  CHECK(pairing.sync()["error"].is_null());
}

TEST_CASE("hints: another primary, and a secondary that was put back, are adopted") {
  SUBCASE("another primary") {
    Persons pairing(On::postgresql, On::sqlite);
    Database other(On::postgresql, {});
    Persons::fill(other);
    auto toml = read_file(pairing.directory.path() / "abgleich.toml");
    const auto at = toml.find(pairing.primary.url());
    write_file(pairing.directory.path() / "abgleich.toml",
               toml.replace(at, pairing.primary.url().size(), other.url()));
    pairing.obey(pairing.refusal(21), "adopt");
    CHECK(pairing.sync()["error"].is_null());
    CHECK(pairing.count("status = 'edited'") == "1");
  }
  SUBCASE("another secondary") {
    Persons pairing(On::sqlite, On::sqlite);
    pairing.primary.run("UPDATE person SET status = 'new' WHERE id = 1");
    const auto file = pairing.directory / "secondary.db";
    const auto backup = pairing.directory / "backup.db";
    std::filesystem::copy_file(file, backup);
    REQUIRE(pairing.sync()["exit"] == 0);
    std::filesystem::copy_file(backup, file, std::filesystem::copy_options::overwrite_existing);
    const auto hint = pairing.refusal(22);
    CHECK(hint.find("abgleich adopt --reason TEXT") != std::string::npos);
  }
}

TEST_CASE("hints: a table that the secondary has lost is made and filled anew") {
  for (const auto secondary : kEngines) {
    Persons pairing(On::sqlite, secondary);
    pairing.secondary.run("DROP TABLE person");
    const auto hint = pairing.refusal(22);
    pairing.obey(hint, "adopt");
    pairing.obey(hint, "sync");
    CHECK(pairing.count() == "10");
    pairing.all_is_well();
  }
}

TEST_CASE("hints: what is paused is resumed") {
  for (const auto secondary : kEngines) {
    Persons pairing(On::sqlite, secondary);
    pairing.primary.run("UPDATE person SET status = 'new' WHERE id = 1");
    const std::string run = pairing.sync()["run"];
    const auto reverted = pairing.run({"revert", run, "--reason", "x"});
    REQUIRE(reverted.exit == 0);
    pairing.obey(pairing.refusal(13), "resume");
    CHECK(pairing.sync()["error"].is_null());
    CHECK(pairing.count("status = 'new'") == "1");
  }
}

TEST_CASE("hints: after a rotation of the key sync brings the pseudonyms to the new one") {
  Persons pairing(On::sqlite, On::sqlite);
  REQUIRE(pairing.run({"keys", "rotate"}).exit == 0);
  const auto ran = pairing.run({"verify"});
  CHECK(ran.exit == 25);
  pairing.obey(ran.err.substr(ran.err.find("hint: ")), "sync");
  pairing.all_is_well();
  CHECK(pairing.count("status = 'edited'") == "1");
}

TEST_CASE("hints: the right key file is put back, and checked") {
  Persons pairing(On::sqlite, On::sqlite);
  const auto file = pairing.directory.path() / "abgleich.key";
  const auto key = read_file(file);
  fs::remove(file);
  REQUIRE(pairing.run({"keys", "generate", "-q"}).exit == 0);
  const auto hint = pairing.refusal(25);
  write_file(file, key);
  pairing.obey(hint, "keys", "check");
  pairing.all_is_well();
}

TEST_CASE("hints: a damaged base is seen, repaired, and no run is refused any more") {
  for (const auto secondary : kEngines) {
    Persons pairing(On::sqlite, secondary);
    pairing.secondary.run("DELETE FROM " + pairing.own("base_1"));
    const auto seen = pairing.run({"verify"});
    CHECK(seen.exit == 41);
    const auto refused = pairing.run({"sync"});
    CHECK(refused.exit == 41);
    const auto hint = refused.err.substr(refused.err.find("hint: "));
    CHECK(pairing.follow(hint, "verify").exit == 41);
    bool repaired = false;
    for (const auto& command : commands_in(hint)) {
      if (command.front() == "verify" && command.size() > 1) {
        const auto ran = pairing.run(command);
        CHECK_MESSAGE(ran.exit <= 11, ran.out, ran.err);
        repaired = true;
      }
    }
    CHECK(repaired);
    CHECK(pairing.sync()["error"].is_null());
    CHECK(pairing.count("status = 'edited'") == "1");
  }
}

TEST_CASE("hints: an owner runs the statements that are printed, then sync goes on") {
  for (const auto secondary : kEngines) {
    Scene pairing(On::sqlite, secondary, kContract);
    pairing.configure("", "manage_schema = false\n");
    Persons::fill(pairing.primary);
    const auto refused = pairing.sync();
    REQUIRE(refused["exit"] == 23);
    for (const auto& statement : refused["ddl"]) {
      pairing.secondary.run(statement);
    }
    pairing.obey(refused["error"]["hint"], "sync");
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person") == "10");
    pairing.all_is_well();
  }
}

TEST_CASE("hints: rights that the reader has lost are given back by the statement") {
  Persons pairing(On::postgresql, On::sqlite);
  const auto role = "reader_" + std::to_string(::getpid());
  pairing.primary.run("CREATE ROLE " + role + " LOGIN; GRANT USAGE ON SCHEMA public TO " + role +
                      "; GRANT SELECT (id) ON person TO " + role);
  auto toml = read_file(pairing.directory.path() / "abgleich.toml");
  write_file(pairing.directory.path() / "abgleich.toml",
             toml.replace(toml.find("user=postgres"), 13, "user=" + role));
  const auto hint = pairing.refusal(24);
  pairing.primary.run(Scene::between(hint, "have its owner run: ", ". All that"));
  pairing.all_is_well();
  pairing.primary.run("DROP OWNED BY " + role + "; DROP ROLE " + role);
}

}  // namespace abgleich::test
