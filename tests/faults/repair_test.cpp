// A repair of the base that is killed: what is said after it is true, whatever it had done.
#include "support/pairing.hpp"
#include "support/server.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

namespace abgleich::test {

namespace {

using Clock = std::chrono::steady_clock;

const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
    "id = { class = \"pseudonym\", identity = \"person\" }\nstatus = \"plain\"\n";

/// Persons in both, of whom the secondary has edited one; and the base damaged and latched.
struct Damaged : Pairing {
  explicit Damaged(On engine, int rows) : Pairing(engine, engine, kContract) {
    primary.run("CREATE TABLE person (id integer PRIMARY KEY, status text)");
    primary.run(
        "INSERT INTO person WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
        "WHERE i < " +
        std::to_string(rows) + ") SELECT i, 's' || i FROM n");
    REQUIRE(sync()["exit"] == 0);
    secondary.run("UPDATE person SET status = 'edited' WHERE status = 's3'");
    damage();
  }
  /// Damages the base of a row that is the same on both sides: nobody can tell any more which side
  /// has changed the one that was edited, so repairing it would end in a conflict.
  void damage() {
    const bool sqlite = secondary.engine() == On::sqlite;
    const std::string base = sqlite ? "abgleich_base_1" : "abgleich.base_1";
    secondary.run(
        "UPDATE " + base + " SET cells = " +
        (sqlite ? "zeroblob(length(cells))" : "decode(repeat('00', length(cells)), 'hex')") +
        " WHERE k0 = (SELECT min(k0) FROM " + base +
        " WHERE k0 NOT IN (SELECT id FROM person WHERE status = 'edited'))");
    REQUIRE(run({"verify", "-q"}).exit == 41);
    REQUIRE(run({"sync", "-q"}).exit == 41);
  }
  [[nodiscard]] std::vector<std::string> repair() const {
    return {"verify", "--repair-base", "--reason", "test", "-q"};
  }
  [[nodiscard]] std::filesystem::path latch() const {
    return directory.path() / "state" / "damaged";
  }
  void nothing_is_lost() {
    CHECK(secondary.rows("SELECT count(*) FROM person WHERE status = 'edited'") == "1");
  }
};

}  // namespace

TEST_CASE(
    "a repair that is killed before its latch is off stands, and the next run says no other") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Damaged pairing(engine, 20);
    // the file as it is when the repair has committed: what is left of it by another name
    const auto kept = pairing.directory.path() / "kept";
    std::filesystem::create_hard_link(pairing.latch(), kept);
    REQUIRE(pairing.run(pairing.repair()).exit == 0);
    REQUIRE_FALSE(std::filesystem::exists(pairing.latch()));
    std::filesystem::copy_file(kept, pairing.latch());
    // what it says of the attempts before may name the damage
    const auto status = nlohmann::json::parse(pairing.run({"status", "--json"}).out);
    CHECK_MESSAGE(status["damaged"] == false, status.dump());
    const auto line = pairing.sync();
    CHECK_MESSAGE(line["error"].is_null(), line.dump());
    CHECK_FALSE(std::filesystem::exists(pairing.latch()));
    pairing.nothing_is_lost();
    // one from before another run is no excuse
    pairing.primary.run("UPDATE person SET status = 'new' WHERE id = 5");
    REQUIRE(pairing.sync()["exit"] == 0);
    std::filesystem::copy_file(kept, pairing.latch());
    CHECK(pairing.run({"sync", "-q"}).exit == 41);
    CHECK(pairing.run({"verify", "-q"}).exit == 0);  // it looks at everything, and takes it off
    CHECK(pairing.sync()["exit"] == 0);
  }
}

TEST_CASE("a repair that is killed anywhere is done, or still to be done, and sync says which") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Damaged pairing(engine, 3000);
    auto began = Clock::now();
    REQUIRE(pairing.run(pairing.repair()).exit == 0);
    auto whole = Clock::now() - began;
    constexpr int kKills = 8;
    int killed = 0;
    for (int i = 0; killed < kKills && i < 20 * kKills; ++i) {
      pairing.damage();
      began = Clock::now();
      Program program(pairing.command(pairing.repair()), pairing.directory.path().string());
      std::this_thread::sleep_for(whole * (i % kKills + 1) / (kKills + 1));
      program.kill(SIGKILL);
      if (program.wait().exit == 128 + SIGKILL) {
        ++killed;
      } else {
        whole = std::min(whole, Clock::now() - began);  // the machine is faster now
      }
      if (engine == On::postgresql) {
        wait_for(pairing.secondary.url(),
                 "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'abgleich' AND "
                 "datname = current_database()",
                 "0");
      }
      const auto next = pairing.run({"sync", "-q"});
      if (next.exit == 41) {
        // what it says is true, and what it says to do is enough
        CHECK(pairing.run({"verify", "-q"}).exit == 41);
        CHECK(pairing.run(pairing.repair()).exit == 0);
      } else {
        CHECK_MESSAGE(next.exit == 0, next.err);
      }
      CHECK(pairing.sync()["exit"] == 0);
      pairing.nothing_is_lost();
    }
    CHECK(killed == kKills);
  }
}

}  // namespace abgleich::test
