// Pairings as earlier versions have left them (made by tests/upgrade/make, a directory for each
// version): this version goes on with them, and their history, conflicts and undo are what they
// were. Restored from dumps, both databases are others than they were, as after a real loss.
#include "support/pairing.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace abgleich::test {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const fs::path kFixtures = fs::path(kSourceTree) / "tests/upgrade";
const char* const kSettings =
    "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n[journal]\nkeep = \"forever\"\n";

std::vector<std::string> versions() {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(kFixtures)) {
    if (entry.is_directory()) {
      found.push_back(entry.path().filename().string());
    }
  }
  std::ranges::sort(found);
  return found;
}

/// A pairing that the version has left, on this engine.
struct Left : Pairing {
  Left(const std::string& version, On engine) : Pairing(engine, engine, "", kSettings) {
    const auto from = kFixtures / version / (engine == On::sqlite ? "sqlite" : "postgresql");
    primary.run(read_file(from / "primary.sql"));
    secondary.run(read_file(from / "secondary.sql"));
    if (engine == On::postgresql) {
      for (auto* const database : {&primary, &secondary}) {
        database->run("RESET ALL");  // what pg_dump sets for its own sake
      }
    }
    const auto directory_of_test = directory.path();
    fs::copy(from, directory_of_test,
             fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    for (const auto* const file : {"abgleich.key", "state/anchor.json", "state/attempts"}) {
      fs::permissions(directory_of_test / file, fs::perms::owner_read | fs::perms::owner_write);
    }
    fs::permissions(directory_of_test / "state", fs::perms::owner_all);
  }

  [[nodiscard]] std::vector<Json> lines(const std::vector<std::string>& words) const {
    const auto ran = run(words);
    REQUIRE_MESSAGE(ran.exit == 0, ran.out, ran.err);
    std::vector<Json> all;
    std::istringstream text(ran.out);
    for (std::string line; std::getline(text, line);) {
      all.push_back(Json::parse(line));
    }
    return all;
  }
  void expect(const std::vector<std::string>& words, int exit = 0) const {
    const auto ran = run(words);
    CHECK_MESSAGE(ran.exit == exit, words.front(), ": ", ran.out, ran.err);
  }
  std::string cell(const std::string& column, const std::string& where) {
    return secondary.rows("SELECT " + column + " FROM person WHERE " + where);
  }
};

template <class Test>
void on_every_fixture(const Test& test) {
  REQUIRE_FALSE(versions().empty());
  for (const auto& version : versions()) {
    for (const auto engine : kEngines) {
      CAPTURE(version);
      CAPTURE(name_of(engine));
      Left pairing(version, engine);
      test(pairing);
    }
  }
}

}  // namespace

TEST_CASE("what an earlier version has left is read as it was") {
  on_every_fixture([](Left& pairing) {
    const auto runs = pairing.lines({"log", "--json"});
    REQUIRE(runs.size() == 4);
    CHECK(runs[0]["kind"] == "sync");
    CHECK(runs[1]["kind"] == "rotate");
    for (const auto& run : runs) {
      pairing.expect({"show", run["run"].get<std::string>()});
    }
    CHECK(pairing.run({"status"}).out.find("open conflicts: 1") != std::string::npos);
    const auto conflicts = pairing.lines({"conflicts", "--json"});
    REQUIRE(conflicts.size() == 1);
    CHECK(conflicts[0]["kind"] == "both_updated");
    CHECK(conflicts[0]["columns"]["note"]["secondary"] == "ours");
    CHECK(pairing.lines({"quarantine", "--json"}).size() == 1);
    pairing.expect({"keys", "check"});
    pairing.expect({"drift", "--exit-code"});
  });
}

TEST_CASE("this version goes on where an earlier one stopped") {
  on_every_fixture([](Left& pairing) {
    pairing.expect({"sync", "-q"}, 21);  // restored: another primary than it was
    pairing.expect({"adopt", "--reason", "restored from a dump", "-q"});
    CHECK(pairing.sync()["exit"] == 10);
    pairing.primary.run("UPDATE person SET note = 'new' WHERE id = 5");
    const auto line = pairing.sync();
    CHECK(line["exit"] == 10);
    CHECK(line["tables"]["person"]["updated"] == 0);  // people have edited that row's note
    pairing.primary.run("INSERT INTO person VALUES (8, 'Hal', 'case', 'later', NULL)");
    CHECK(pairing.sync()["tables"]["person"]["inserted"] == 1);
    CHECK(pairing.cell("count(*)", "id = 'of people'") == "1");
    pairing.expect({"resolve", "--all", "--take", "primary", "-q"});
    CHECK(pairing.cell("count(*)", "note = 'theirs'") == "1");
    pairing.primary.run("UPDATE person SET status = 'open' WHERE id = 2");
    CHECK(pairing.sync()["exit"] == 0);
    pairing.expect({"verify", "-q"});
  });
}

TEST_CASE("runs of an earlier version are taken back") {
  on_every_fixture([](Left& pairing) {
    const auto runs = pairing.lines({"log", "--json"});
    pairing.expect({"adopt", "--reason", "restored from a dump", "-q"});
    CHECK(pairing.cell("count(*)", "status = 'done'") == "1");
    const auto last = runs[0]["run"].get<std::string>();
    CHECK(pairing.run({"revert", last, "--reason", "a test", "-q"}).exit <= 10);
    CHECK(pairing.cell("count(*)", "status = 'done'") == "0");
    pairing.expect({"resume", "--reason", "a test", "-q"});
    CHECK(pairing.sync()["exit"].get<int>() <= 11);
    CHECK(pairing.cell("count(*)", "status = 'done'") == "1");
    const auto second = runs[2]["run"].get<std::string>();  // before the key was rotated
    CHECK(pairing.run({"revert", second, "--reason", "a test", "-q"}).exit <= 10);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM visit WHERE result = 'negative'") == "2");
    pairing.expect({"resume", "--reason", "a test", "-q"});
    CHECK(pairing.sync()["exit"].get<int>() <= 11);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM visit WHERE result = 'negative'") == "1");
  });
}

}  // namespace abgleich::test
