// The accepted catalogue: what it guards must not come out because the file is lost, and a name
// that means another column now must not be read where columns have no identity either.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <string>

namespace abgleich::test {

namespace {

namespace fs = std::filesystem;

const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";
const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = \"plain\"\n"
    "name = \"withhold\"\nstatus = \"plain\"\n";
const char* const kSwap =
    "ALTER TABLE person RENAME COLUMN name TO tmp; ALTER TABLE person RENAME COLUMN status TO name;"
    "ALTER TABLE person RENAME COLUMN tmp TO status";

/// Two dozen people, whose names are withheld.
struct People : Pairing {
  People(On primary_on, On secondary_on) : Pairing(primary_on, secondary_on, kContract, kLimits) {
    primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, name text, note text, status text);"
        "INSERT INTO person WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE "
        "i < 24) SELECT i, 'Canary' || i, 'n' || i, 's' || i FROM n");
  }

  std::string names_out() {
    return secondary.rows("SELECT count(*) FROM person WHERE status LIKE 'Canary%'");
  }
  /// `sync` is refused, and says so much; no name is out.
  std::string refused(const std::string& why) {
    const auto ran = run({"sync"});
    CHECK_MESSAGE(ran.exit == 23, ran.err);
    CHECK_MESSAGE((ran.err + run({"drift"}).out).find(why) != std::string::npos, ran.err);
    CHECK(names_out() == "0");
    return ran.err;
  }
  [[nodiscard]] fs::path catalogue() const { return directory.path() / "catalog.json"; }
};

}  // namespace

TEST_CASE("catalogue: once it is gone nothing is read, until it is put back or accepted") {
  on_every_pairing([](On primary, On secondary) {
    People pairing(primary, secondary);
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    REQUIRE(pairing.sync()["exit"] == 0);
    const auto accepted = read_file(pairing.catalogue());
    fs::remove(pairing.catalogue());
    pairing.primary.run(kSwap);
    const auto said = pairing.refused("is gone");
    for (const auto* command : {"drift", "diff", "verify", "check"}) {
      const auto ran = pairing.run({command});
      CHECK_MESSAGE(ran.exit == 23, command, ran.out, ran.err);
      CHECK((ran.out + ran.err).find("is gone") != std::string::npos);
    }

    SUBCASE("the hint's command puts it back, and then the swap is seen") {
      const auto from = said.find("cp ");
      REQUIRE(from != std::string::npos);
      const auto command = said.substr(from, said.find(", then run") - from);
      REQUIRE(run_program({"/bin/sh", "-c", command}, pairing.directory.path().string()).exit == 0);
      CHECK(read_file(pairing.catalogue()) == accepted);
      pairing.refused("block replaced_column person.status");
    }
    SUBCASE("without the copy in the state directory it comes from elsewhere") {
      fs::remove_all(pairing.directory.path() / "state");
      CHECK(pairing.refused("is gone").find("from version control or from a backup") !=
            std::string::npos);
      write_file(pairing.catalogue(), accepted);
      pairing.refused("block replaced_column person.status");
    }
  });
}

TEST_CASE("catalogue: a pairing that never had one has the schema of its first run accepted") {
  on_every_pairing([](On primary, On secondary) {
    People pairing(primary, secondary);
    CHECK(pairing.sync({"--dry-run"})["exit"] == 0);
    CHECK(!fs::exists(pairing.catalogue()));
    REQUIRE(pairing.sync()["exit"] == 0);
    CHECK(fs::exists(pairing.catalogue()));
    CHECK(pairing.sync()["outcome"] == "unchanged");
    pairing.primary.run(kSwap);
    pairing.refused("block replaced_column person.status");
    fs::remove(pairing.catalogue());
    pairing.refused("is gone");
  });
}

TEST_CASE("catalogue: another one than the last run used counts once it is accepted here") {
  on_every_pairing([](On primary, On secondary) {
    People pairing(primary, secondary);
    REQUIRE(pairing.sync()["exit"] == 0);
    const auto accepted = read_file(pairing.catalogue());
    pairing.primary.run(kSwap);
    REQUIRE(pairing.run({"drift", "snapshot", "catalog.json"}).exit == 0);
    pairing.refused("is another one than the last run used");
    write_file(pairing.catalogue(), accepted);
    pairing.refused("block replaced_column person.status");

    // what a person has accepted counts, and the one before it too, as it is what the last run used
    pairing.set_contract(
        "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = \"plain\"\n"
        "name = { class = \"plain\", was = \"status\" }\nstatus = \"withhold\"\n");
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    pairing.accept_more();  // under a name that was withheld
    const auto line = pairing.sync();
    CHECK_MESSAGE(line["exit"] == 11, line.dump());
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE name LIKE 's%'") == "24");
    CHECK(pairing.run({"verify", "--exit-code"}).exit == 0);
    // the state directory is no more than a witness
    fs::remove_all(pairing.directory.path() / "state");
    CHECK(pairing.sync()["exit"] == 11);
    write_file(pairing.catalogue(), accepted);
    CHECK(pairing.run({"sync"}).exit == 23);
  });
}

TEST_CASE("catalogue: SQLite: a name that stands elsewhere in the table is another column's") {
  for (const auto secondary : kEngines) {
    CAPTURE(name_of(secondary));
    People pairing(On::sqlite, secondary);
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    REQUIRE(pairing.sync()["exit"] == 0);
    SUBCASE("swapped: the lines of the hints bring it right, and no row changes") {
      pairing.primary.run(kSwap);
      pairing.refused("block replaced_column person.status: name -> name");
      const auto hints = pairing.run({"drift"}).out;
      CHECK_MESSAGE(
          hints.find("name = { class = \"plain\", was = \"status\" }") != std::string::npos, hints);
      CHECK_MESSAGE(hints.find("status = \"withhold\"") != std::string::npos, hints);
      pairing.set_contract(
          "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = \"plain\"\n"
          "name = { class = \"plain\", was = \"status\" }\nstatus = \"withhold\"\n");
      pairing.accept_more();  // under a name that was withheld
      const auto line = pairing.sync();
      CHECK_MESSAGE(line["exit"] == 11, line.dump());
      CHECK(line["tables"]["person"]["updated"] == 0);
      CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE name LIKE 's%'") == "24");
    }
    SUBCASE("dropped, and another column has got its name") {
      pairing.primary.run(
          "ALTER TABLE person DROP COLUMN status; ALTER TABLE person RENAME COLUMN name TO status");
      pairing.refused("block replaced_column person.status");
    }
    SUBCASE("dropped and added anew") {
      pairing.primary.run(
          "ALTER TABLE person ADD COLUMN more text; ALTER TABLE person DROP COLUMN status;"
          "ALTER TABLE person ADD COLUMN status text; UPDATE person SET status = name");
      pairing.refused("block replaced_column person.status");
    }
    SUBCASE("the neighbour has got its name: only the values can tell") {
      pairing.primary.run(
          "ALTER TABLE person DROP COLUMN note; ALTER TABLE person DROP COLUMN status;"
          "ALTER TABLE person RENAME COLUMN name TO status");
      pairing.refused("of 24 rows 24 (100.0 %) have another value than before");
      CHECK(pairing.run({"verify", "--exit-code"}).out.find("Canary") == std::string::npos);
    }
    SUBCASE("its neighbours were dropped: the values say that it is what it was") {
      pairing.primary.run(
          "ALTER TABLE person DROP COLUMN name; ALTER TABLE person DROP COLUMN note;"
          "UPDATE person SET status = 'new' WHERE id = 1");
      const auto line = pairing.sync();
      CHECK_MESSAGE(line["exit"] == 11, line.dump());
      CHECK(line["tables"]["person"]["updated"] == 1);
      const auto shown = pairing.run({"drift"});
      CHECK_MESSAGE(shown.out.find("nothing of it blocks a table") != std::string::npos, shown.out);
    }
  }
}

}  // namespace abgleich::test
