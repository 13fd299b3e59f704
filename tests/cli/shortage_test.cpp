// A machine that is short of something: the code says which (31, 30), the hint what to do about it,
// and nobody is told to look at owners and rights. What was there before is there afterwards.
#include "support/pairing.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace abgleich::test {

namespace {

const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
    "id = { class = \"pseudonym\", identity = \"person\" }\nstatus = \"plain\"\n";

struct Short : Pairing {
  Short() : Pairing(On::sqlite, On::sqlite, kContract) {
    primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, status text, more text);"
        "INSERT INTO person VALUES (1, 'open', ''), (2, 'open', '')");
  }
  /// Runs a command in a shell that has set a limit before.
  [[nodiscard]] Ran limited(const std::string& limit, const std::string& words) const {
    return run_program({"/bin/sh", "-c", limit + "; exec \"$1\" " + words, "sh", kProgram},
                       directory.path().string());
  }
  /// Names of what is in the pairing's directory.
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
      names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
  }
};

void check_short(const Ran& ran, int code, const std::string& hint) {
  CHECK_MESSAGE(ran.exit == code, ran.err);
  CHECK_MESSAGE(ran.err.find(hint) != std::string::npos, ran.err);
  CHECK(ran.err.find("Success") == std::string::npos);
  CHECK_MESSAGE(ran.err.find("owner") == std::string::npos, ran.err);
  CHECK_MESSAGE(ran.err.find("rights") == std::string::npos, ran.err);
}

}  // namespace

TEST_CASE("exit 31: a limit of file sizes is told as that, wherever a file is written") {
  Short pairing;
  REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
  REQUIRE(pairing.run({"sync"}).exit == 0);
  const auto before = pairing.files();
  const auto contract = read_file(pairing.directory / "contract.toml");
  const auto key = read_file(pairing.directory / "abgleich.key");
  const auto catalog = read_file(pairing.directory / "catalog.json");
  for (const std::string words : {"contract add person.more --class withhold", "keys rotate",
                                  "drift accept", "drift snapshot new.json"}) {
    CAPTURE(words);
    check_short(pairing.limited("ulimit -f 0", words), 31, "ulimit -f");
    CHECK(pairing.files() == before);
    CHECK(read_file(pairing.directory / "contract.toml") == contract);
    CHECK(read_file(pairing.directory / "abgleich.key") == key);
    CHECK(read_file(pairing.directory / "catalog.json") == catalog);
  }
  pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
  const auto ran = pairing.limited("ulimit -f 0", "sync");
  CHECK_MESSAGE((ran.exit == 31 || ran.exit == 30), ran.err);
  CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE status = 'case'") == "0");
  CHECK(pairing.run({"sync"}).exit == 0);
  CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE status = 'case'") == "1");
}

TEST_CASE("exit 31: a card that finds no room is told as that") {
  Short pairing;
  const auto none = pairing.files();
  check_short(pairing.limited("ulimit -f 0", "peer init --name ga-north"), 31, "ulimit -f");
  CHECK(pairing.files() == none);
  REQUIRE(pairing.run({"peer", "init", "--name", "ga-north"}).exit == 0);
  const auto before = pairing.files();
  check_short(pairing.limited("ulimit -f 0", "peer card other.card"), 31, "ulimit -f");
  CHECK(pairing.files() == before);
}

TEST_CASE("a first load that finds no room here goes the ordinary way, says so and loses nothing") {
  const Pairing pairing(On::postgresql, On::postgresql, kContract);
  PlainConnection(pairing.primary.url())
      .run(
          "CREATE TABLE person (id integer PRIMARY KEY, status text);"
          "INSERT INTO person SELECT i, repeat('x', 200) || i FROM generate_series(1, 50000) i");
  const auto ran =
      run_program({"/bin/sh", "-c", "ulimit -f 2000; exec \"$1\" sync", "sh", kProgram},
                  pairing.directory.path().string());
  CHECK_MESSAGE(ran.exit == 0, ran.err);
  CHECK_MESSAGE(ran.err.find("could not wait here to be sorted") != std::string::npos, ran.err);
  PlainConnection secondary(pairing.secondary.url());
  CHECK(secondary.run("SELECT count(DISTINCT status) FROM person") == "50000");
  const auto again = pairing.run({"verify", "--exit-code"});
  CHECK_MESSAGE(again.exit == 0, again.out, again.err);
}

TEST_CASE("exit 31: a process that may open no more files says so") {
  Short pairing;
  REQUIRE(pairing.run({"sync"}).exit == 0);
  bool told = false;
  for (int files = 3; files < 12; ++files) {
    CAPTURE(files);
    const auto ran = pairing.limited("ulimit -n " + std::to_string(files), "sync");
    // so few that the program itself cannot be loaded, or that SQLite has no file: not ours to say
    if (ran.exit == 0 || ran.exit == 127 || ran.exit == 30) {
      continue;
    }
    check_short(ran, 31, "ulimit -n");
    told = true;
  }
  CHECK(told);
}

TEST_CASE("what a killed drift accept has left beside the catalogue goes with the next one") {
  Short pairing;
  REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
  const auto before = pairing.files();
  auto child = Program({"/bin/true"}, {});
  const auto process = std::to_string(child.pid());
  (void)child.wait();  // a process that is no more
  write_file(pairing.directory / ("catalog.json." + process + "-0.tmp"), "{");
  // of one that is at it, and somebody's own
  const auto alive = "catalog.json." + std::to_string(::getpid()) + "-0.tmp";
  write_file(pairing.directory / alive, "{");
  write_file(pairing.directory / "catalog.json.old.tmp", "{");
  REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
  auto expected = before;
  expected.push_back(alive);
  expected.emplace_back("catalog.json.old.tmp");
  std::ranges::sort(expected);
  CHECK(pairing.files() == expected);
}

}  // namespace abgleich::test
