// A primary that has lost its rows: truncated, half restored, replaced by an empty one. Nothing of
// it reaches the secondary, which stays as it is, byte by byte.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <sstream>

namespace abgleich::test {

namespace {

const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
    "id = { class = \"pseudonym\", identity = \"person\" }\nstatus = \"plain\"\n"
    "[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\nid = \"plain\"\n"
    "person = { class = \"pseudonym\", identity = \"person\" }\n";

const char* const kTables =
    "CREATE TABLE person (id integer PRIMARY KEY, status text);"
    "CREATE TABLE visit (id integer PRIMARY KEY, person integer REFERENCES person (id));";

const char* const kRows =
    "INSERT INTO person SELECT i, 'open' FROM (WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT "
    "i + 1 FROM s WHERE i < 40) SELECT i FROM s) AS numbers;"
    "INSERT INTO visit SELECT id, id FROM person";

/// All that a database holds: the bytes of its file, or every row with its system columns.
std::string bytes_of(Pairing& pairing) {
  auto& database = pairing.secondary;
  if (database.engine() == On::sqlite) {
    return read_file(pairing.directory / "secondary.db");
  }
  std::string all;
  std::istringstream tables(database.rows(
      "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables "
      "WHERE schemaname IN ('public', 'abgleich') ORDER BY 1"));
  for (std::string table; std::getline(tables, table);) {
    all += table + "\n" +
           database.rows("SELECT x.ctid, x.xmin, x.* FROM " + table + " x ORDER BY 1") + "\n";
  }
  return all;
}

void check_untouched(Pairing& pairing, const std::string& before, int exit) {
  for (const auto& words :
       {std::vector<std::string>{"sync", "--json"}, {"sync"}, {"sync", "--full"}}) {
    const auto ran = pairing.run(words);
    CHECK_MESSAGE(ran.exit == exit, ran.err);
    CHECK(ran.err.find("othing was changed") != std::string::npos);
    CHECK(bytes_of(pairing) == before);
  }
}

}  // namespace

TEST_CASE("exit 20: a primary that is truncated or half restored leaves the secondary as it is") {
  on_every_pairing([](On primary, On secondary) {
    Pairing pairing(primary, secondary, kContract);
    pairing.primary.run(std::string(kTables) + kRows);
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.secondary.run("UPDATE person SET status = 'ours' WHERE status = 'open'");
    const auto before = bytes_of(pairing);
    struct Case {
      const char* what;
      const char* sql;
    };
    for (const auto& [what, sql] :
         {Case{"truncated", "DELETE FROM visit; DELETE FROM person"},
          {"one table is there already, the other not yet", "DELETE FROM visit"},
          {"half of the rows are there", "DELETE FROM visit WHERE id > 20"},
          {"a tenth is missing", "DELETE FROM visit WHERE id > 36"}}) {
      CAPTURE(what);
      pairing.primary.run(sql);
      check_untouched(pairing, before, 20);
      pairing.primary.run("DELETE FROM visit; DELETE FROM person");
      pairing.primary.run(kRows);
    }
    CHECK(pairing.sync()["outcome"] == "unchanged");  // restored whole
    CHECK(bytes_of(pairing) == before);
  });
}

TEST_CASE("exit 20, 21 or 23: a primary that another, empty one replaces") {
  for (const auto secondary : kEngines) {
    CAPTURE(name_of(secondary));
    {
      Pairing pairing(On::sqlite, secondary, kContract);
      pairing.primary.run(std::string(kTables) + kRows);
      REQUIRE(pairing.sync()["exit"] == 0);
      const auto before = bytes_of(pairing);
      // SQLite's files have no identity: what speaks is that nothing is in it
      pairing.primary.run("DROP TABLE visit; DROP TABLE person;" + std::string(kTables));
      check_untouched(pairing, before, 20);
      pairing.primary.run("DROP TABLE visit; DROP TABLE person");
      CHECK(pairing.run({"sync", "-q"}).exit == 23);
      CHECK(bytes_of(pairing) == before);
    }
    Pairing pairing(On::postgresql, secondary, kContract);
    Database other(On::postgresql, {});
    pairing.primary.run(std::string(kTables) + kRows);
    REQUIRE(pairing.sync()["exit"] == 0);
    const auto before = bytes_of(pairing);
    auto text = read_file(pairing.directory / "abgleich.toml");
    const auto url = pairing.primary.url();
    text.replace(text.find(url), url.size(), other.url());
    write_file(pairing.directory / "abgleich.toml", text);
    check_untouched(pairing, before, 21);  // no tables
    other.run(kTables);
    check_untouched(pairing, before, 21);
    other.run(kRows);
    check_untouched(pairing, before, 21);
  }
}

}  // namespace abgleich::test
