// The fourteen fates and what goes with them, through the command line, on every pairing of
// engines.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

namespace abgleich::test {

namespace {

using Json = nlohmann::json;

const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

std::string contract(const std::string& more = "", const std::string& note = "\"plain\"",
                     const std::string& status = "\"plain\"") {
  return "[tables.person]\nkey = [\"id\"]\n" + more +
         "\n[tables.person.columns]\n"
         "id = { class = \"pseudonym\", identity = \"person\" }\n"
         "tag = \"plain\"\nname = \"withhold\"\nstatus = " +
         status + "\nnote = " + note + "\n";
}

void fill(Pairing& pairing) {
  pairing.primary.run(
      "CREATE TABLE person (id integer PRIMARY KEY, tag text, name text, status text, note text);"
      "INSERT INTO person VALUES (1, 'a', 'Secretname', 'open', NULL), "
      "(2, 'b', 'Secretname', 'open', ''), (3, 'c', 'Secretname', 'open', 'x'), "
      "(4, 'd', 'Secretname', 'open', 'x')");
}

/// A TOML basic string.
std::string toml(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += (c == '"' || c == '\\') ? "\\" + std::string(1, c) : std::string(1, c);
  }
  return quoted + "\"";
}

/// A pairing after its first run.
struct Synced : Pairing {
  Synced(On primary_on, On secondary_on, const std::string& text)
      : Pairing(primary_on, secondary_on, text, kLimits) {
    fill(*this);
    const auto line = sync();
    REQUIRE(line["outcome"] == "applied");
    REQUIRE(line["tables"]["person"]["inserted"] == 4);
  }
  std::string person(const std::string& tag) {
    return secondary.rows("SELECT status, note FROM person WHERE tag = '" + tag + "'");
  }
  std::vector<Json> lines(const std::vector<std::string>& words) const {
    const auto ran = run(words);
    REQUIRE_MESSAGE(ran.exit == 0, ran.err);
    std::vector<Json> all;
    std::istringstream text(ran.out);
    for (std::string line; std::getline(text, line);) {
      all.push_back(Json::parse(line));
    }
    return all;
  }
  /// What diff says, as "fate tag-or-pseudonym" counts by fate.
  std::map<std::string, int> diff() const {
    std::map<std::string, int> fates;
    for (const auto& line : lines({"diff", "--json"})) {
      ++fates[line["fate"].get<std::string>()];
    }
    return fates;
  }
  /// Syncs, and holds the counts against what diff has said before.
  Json agreed_sync() const {
    const auto told = diff();
    auto line = sync();
    const auto& counts = line["tables"]["person"];
    const auto count = [&](const char* fate) {
      const auto found = told.find(fate);
      return found == told.end() ? 0 : found->second;
    };
    CHECK(counts["inserted"] == count("insert"));
    CHECK(counts["updated"] == count("update"));
    CHECK(counts["deleted"] == count("delete"));
    CHECK(counts["conflicts"] == count("conflict"));
    CHECK(counts["quarantined"] == count("quarantine"));
    return line;
  }
};

}  // namespace

namespace {

void fates(On primary, On secondary) {
  Synced pairing(primary, secondary, contract());
  CHECK(pairing.agreed_sync()["outcome"] == "unchanged");  // unchanged

  SUBCASE("secondary updated: stands") {
    pairing.secondary.run("UPDATE person SET note = 'ours' WHERE tag = 'a'");
    CHECK(pairing.agreed_sync()["outcome"] == "unchanged");
    CHECK(pairing.person("a") == "open|ours");
  }
  SUBCASE("secondary deleted: stays deleted") {
    pairing.secondary.run("DELETE FROM person WHERE tag = 'a'");
    CHECK(pairing.agreed_sync()["outcome"] == "unchanged");
    CHECK(pairing.person("a").empty());
  }
  SUBCASE("secondary only: never touched") {
    pairing.secondary.run("INSERT INTO person (id, tag) VALUES ('ours', 'z')");
    CHECK(pairing.agreed_sync()["outcome"] == "unchanged");
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person") == "5");
  }
  SUBCASE("primary updated: changed cells only") {
    pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
    CHECK(pairing.agreed_sync()["tables"]["person"]["updated"] == 1);
    CHECK(pairing.person("a") == "case|NULL");
  }
  SUBCASE("updated alike: converges without a write to the data") {
    pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
    pairing.secondary.run("UPDATE person SET status = 'case' WHERE tag = 'a'");
    const auto line = pairing.agreed_sync();
    CHECK(line["exit"] == 0);
    CHECK(line["tables"]["person"]["updated"] == 0);
    CHECK(pairing.sync()["outcome"] == "unchanged");
  }
  SUBCASE("both updated: other cells merge, the same cell conflicts until it is decided") {
    pairing.primary.run("UPDATE person SET status = 'case', note = 'p' WHERE id IN (1, 2)");
    pairing.secondary.run("UPDATE person SET status = 'mine' WHERE tag IN ('a', 'b')");
    auto line = pairing.agreed_sync();
    CHECK(line["exit"] == 10);
    CHECK(line["open"]["conflicts"] == 2);
    CHECK(pairing.person("a") == "mine|p");
    CHECK(pairing.sync()["exit"] == 10);  // shown again until decided
    const auto open = pairing.lines({"conflicts", "--json"});
    REQUIRE(open.size() == 2);
    CHECK(open[0]["kind"] == "both_updated");
    CHECK(open[0]["columns"]["status"]["primary"] == "case");
    CHECK(open[0]["columns"]["status"]["secondary"] == "mine");
    const auto id = open[0]["id"].get<std::string>();
    CHECK(pairing.run({"resolve", id.substr(0, 6), "--take", "primary"}).exit == 0);
    CHECK(pairing.run({"resolve", id, "--take", "primary"}).exit == 64);  // closed
    CHECK(pairing.run({"resolve", "--all", "--take", "secondary"}).exit == 0);
    line = pairing.sync();
    CHECK(line["outcome"] == "unchanged");
    CHECK(line["exit"] == 0);
    CHECK(pairing.secondary.rows("SELECT status, note FROM person WHERE tag IN ('a', 'b') "
                                 "ORDER BY status") == "case|p\nmine|p");
  }
  SUBCASE("a conflict closes by itself when both sides agree, and changes its id when it changes") {
    pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
    pairing.secondary.run("UPDATE person SET status = 'mine' WHERE tag = 'a'");
    CHECK(pairing.sync()["exit"] == 10);
    const auto before = pairing.lines({"conflicts", "--json"})[0]["id"].get<std::string>();
    pairing.secondary.run("UPDATE person SET status = 'other' WHERE tag = 'a'");
    const auto changed = pairing.run({"resolve", before, "--take", "primary"});
    CHECK(pairing.person("a") == "other|NULL");  // not what was shown: left open
    CHECK(changed.exit == 10);
    CHECK(pairing.sync()["exit"] == 10);
    CHECK(pairing.lines({"conflicts", "--json"})[0]["id"] != before);
    pairing.secondary.run("UPDATE person SET status = 'case' WHERE tag = 'a'");
    CHECK(pairing.sync()["exit"] == 0);
    CHECK(pairing.lines({"conflicts", "--json"}).empty());
  }
  SUBCASE("updated and deleted: a conflict, decided either way") {
    pairing.primary.run("UPDATE person SET status = 'case' WHERE id IN (1, 2)");
    pairing.secondary.run("DELETE FROM person WHERE tag IN ('a', 'b')");
    CHECK(pairing.agreed_sync()["exit"] == 10);
    const auto open = pairing.lines({"conflicts", "--json"});
    REQUIRE(open.size() == 2);
    CHECK(open[0]["kind"] == "updated_and_deleted");
    CHECK(pairing.run({"resolve", open[0]["id"], "--take", "primary"}).exit == 0);
    CHECK(pairing.run({"resolve", open[1]["id"], "--take", "secondary"}).exit == 0);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE status = 'case'") == "1");
    CHECK(pairing.sync()["outcome"] == "unchanged");
  }
  SUBCASE("primary deleted: deleted") {
    pairing.primary.run("DELETE FROM person WHERE id = 1");
    CHECK(pairing.agreed_sync()["tables"]["person"]["deleted"] == 1);
    CHECK(pairing.person("a").empty());
  }
  SUBCASE("deleted and updated: a conflict, decided either way") {
    pairing.primary.run("DELETE FROM person WHERE id IN (1, 2)");
    pairing.secondary.run("UPDATE person SET note = 'ours' WHERE tag IN ('a', 'b')");
    CHECK(pairing.agreed_sync()["exit"] == 10);
    const auto open = pairing.lines({"conflicts", "--json"});
    REQUIRE(open.size() == 2);
    CHECK(open[0]["kind"] == "deleted_and_updated");
    CHECK(pairing.run({"resolve", open[0]["id"], "--take", "primary"}).exit == 0);
    CHECK(pairing.run({"resolve", open[1]["id"], "--take", "secondary"}).exit == 0);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE note = 'ours'") == "1");
    CHECK(pairing.sync()["outcome"] == "unchanged");
  }
  SUBCASE("both deleted: fine") {
    pairing.primary.run("DELETE FROM person WHERE id = 1");
    pairing.secondary.run("DELETE FROM person WHERE tag = 'a'");
    CHECK(pairing.agreed_sync()["exit"] == 0);
    CHECK(pairing.sync()["outcome"] == "unchanged");
  }
  SUBCASE("primary inserted: inserted") {
    pairing.primary.run("INSERT INTO person VALUES (9, 'i', 'Secretname', 'new', 'n')");
    CHECK(pairing.agreed_sync()["tables"]["person"]["inserted"] == 1);
    CHECK(pairing.person("i") == "new|n");
  }
  SUBCASE("inserted alike is adopted, inserted differently is a conflict") {
    // the pseudonyms of two new rows, learnt from a run that is then taken for the people's own
    pairing.primary.run(
        "INSERT INTO person VALUES (8, 'h', 'Secretname', 'new', 'n'), "
        "(9, 'i', 'Secretname', 'new', 'n')");
    std::map<std::string, std::string> keys;
    for (const auto& line : pairing.lines({"diff", "--json"})) {
      keys[line["columns"]["tag"]["primary"]] = line["key"]["id"];
    }
    pairing.secondary.run("INSERT INTO person (id, tag, status, note) VALUES ('" + keys["h"] +
                          "', 'h', 'new', 'n'), ('" + keys["i"] + "', 'i', 'ours', 'n')");
    const auto line = pairing.agreed_sync();
    CHECK(line["exit"] == 10);
    CHECK(line["tables"]["person"]["inserted"] == 0);
    const auto open = pairing.lines({"conflicts", "--json"});
    REQUIRE(open.size() == 1);
    CHECK(open[0]["kind"] == "both_inserted");
    CHECK(pairing.run({"resolve", "--all", "--table", "person", "--take", "primary"}).exit == 0);
    CHECK(pairing.person("i") == "new|n");
    CHECK(pairing.sync()["outcome"] == "unchanged");
  }
}

}  // namespace

TEST_CASE("all fourteen fates end as the merge table says: pairing SQLite to SQLite" *
          doctest::skip(!thorough())) {
  fates(On::sqlite, On::sqlite);
}

TEST_CASE("all fourteen fates end as the merge table says: pairing SQLite to PostgreSQL") {
  fates(On::sqlite, On::postgresql);
}

TEST_CASE("all fourteen fates end as the merge table says: pairing PostgreSQL to SQLite") {
  fates(On::postgresql, On::sqlite);
}

TEST_CASE("all fourteen fates end as the merge table says: pairing PostgreSQL to PostgreSQL" *
          doctest::skip(!thorough())) {
  fates(On::postgresql, On::postgresql);
}
namespace {

void owners(On primary, On secondary) {
  SUBCASE("owner primary: its change wins, the overridden value is in the journal") {
    Synced pairing(primary, secondary,
                   contract("", "\"plain\"", "{ class = \"plain\", owner = \"primary\" }"));
    pairing.secondary.run("UPDATE person SET status = 'ours' WHERE tag IN ('a', 'b')");
    CHECK(pairing.agreed_sync()["outcome"] == "unchanged");  // stays until the primary changes
    pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
    const auto line = pairing.agreed_sync();
    CHECK(line["exit"] == 0);
    CHECK(line["tables"]["person"]["overridden"] == 1);
    CHECK(pairing.person("a") == "case|NULL");
    CHECK(pairing.person("b") == "ours|");
    CHECK(pairing.secondary.rows("SELECT count(*) FROM " +
                                 std::string(secondary == On::sqlite ? "abgleich_" : "abgleich.") +
                                 "journal WHERE before LIKE '%text:ours%'") == "1");
    pairing.primary.run("DELETE FROM person WHERE id = 2");  // the edit does not count
    CHECK(pairing.agreed_sync()["tables"]["person"]["deleted"] == 1);
  }
  SUBCASE("owner secondary: set on insert, then left alone; its edits count against a delete") {
    Synced pairing(primary, secondary,
                   contract("", "{ class = \"plain\", owner = \"secondary\" }"));
    CHECK(pairing.person("c") == "open|x");
    pairing.primary.run("UPDATE person SET note = 'theirs' WHERE id = 3");
    CHECK(pairing.agreed_sync()["tables"]["person"]["updated"] == 0);
    CHECK(pairing.person("c") == "open|x");
    pairing.secondary.run("UPDATE person SET note = 'ours' WHERE tag = 'c'");
    pairing.primary.run("DELETE FROM person WHERE id = 3");
    CHECK(pairing.agreed_sync()["exit"] == 10);
  }
  SUBCASE("a group merges as one") {
    Synced pairing(primary, secondary, contract("together = [[\"status\", \"note\"]]"));
    pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
    pairing.secondary.run("UPDATE person SET note = 'ours' WHERE tag = 'a'");
    CHECK(pairing.agreed_sync()["exit"] == 10);
    CHECK(pairing.person("a") == "open|ours");
    CHECK(pairing.lines({"conflicts", "--json"})[0]["columns"].size() == 2);
  }
  SUBCASE("on_delete keep and erase") {
    for (const std::string action : {"keep", "erase"}) {
      Synced pairing(primary, secondary, contract("on_delete = \"" + action + "\""));
      pairing.secondary.run("UPDATE person SET note = 'ours' WHERE tag = 'a'");
      pairing.primary.run("DELETE FROM person WHERE id IN (1, 2)");
      CHECK(pairing.sync()["exit"] == 0);
      CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE tag IN ('a', 'b')") ==
            (action == "keep" ? "2" : "0"));
      CHECK(pairing.sync()["outcome"] == "unchanged");
    }
  }
}

}  // namespace

TEST_CASE("owners, groups and on_delete: pairing SQLite to SQLite" * doctest::skip(!thorough())) {
  owners(On::sqlite, On::sqlite);
}

TEST_CASE("owners, groups and on_delete: pairing SQLite to PostgreSQL") {
  owners(On::sqlite, On::postgresql);
}

TEST_CASE("owners, groups and on_delete: pairing PostgreSQL to SQLite") {
  owners(On::postgresql, On::sqlite);
}

TEST_CASE("owners, groups and on_delete: pairing PostgreSQL to PostgreSQL" *
          doctest::skip(!thorough())) {
  owners(On::postgresql, On::postgresql);
}
TEST_CASE("every pairing: hostile names and values arrive as they are") {
  on_every_pairing([](On primary, On secondary) {
    const std::string table = "Gr\"oße select; -- 'x'";
    const std::string column = "c0 \"ä\" ?$1 %s\\";
    Pairing pairing(primary, secondary,
                    "[tables." + toml(table) + "]\nkey = [\"id\"]\n[tables." + toml(table) +
                        ".columns]\nid = \"plain\"\n" + toml(column) +
                        " = \"plain\"\norder = \"plain\"\ncells = \"plain\"\n");
    const std::string quoted = "\"Gr\"\"oße select; -- 'x'\"";
    const std::string cell = "\"c0 \"\"ä\"\" ?$1 %s\\\"";
    pairing.primary.run("CREATE TABLE " + quoted + " (id text PRIMARY KEY, " + cell +
                        " text, \"order\" text, cells text)");
    const std::string big(300'000, 'b');
    pairing.primary.run("INSERT INTO " + quoted +
                        " VALUES ('k''1\t', 'a\tb\nc\\N\\', '', NULL), "
                        "('\\.', NULL, '" +
                        big + "', '{\"x\":1}'), (' ', 'ü😀', ' ', 'NULL')");
    const auto line = pairing.sync();
    REQUIRE(line["exit"] == 0);
    const auto all = "SELECT id, " + cell + ", \"order\", cells FROM " + quoted + " ORDER BY id";
    CHECK(pairing.primary.rows(all + " COLLATE \"" + (primary == On::sqlite ? "BINARY" : "C") +
                               "\"") ==
          pairing.secondary.rows(all + " COLLATE \"" + (secondary == On::sqlite ? "BINARY" : "C") +
                                 "\""));
    CHECK(pairing.sync()["outcome"] == "unchanged");
    pairing.primary.run("UPDATE " + quoted + " SET cells = 'now' WHERE id = '\\.'");
    CHECK(pairing.sync()["tables"][table]["updated"] == 1);
  });
}

TEST_CASE("every pairing: rows without a usable key are held back, and nothing counts as deleted") {
  on_every_pairing([](On primary, On secondary) {
    Pairing pairing(
        primary, secondary,
        "[tables.p]\nkey = [\"id\"]\n[tables.p.columns]\n"
        "id = { class = \"pseudonym\", identity = \"p\" }\n"
        "phone = { class = \"pseudonym\", identity = \"phone\", normalise = \"phone\" }\n"
        "kind = { class = \"plain\", codes = [\"x\", \"y\"] }\n",
        kLimits);
    pairing.primary.run(
        "CREATE TABLE p (id integer, phone text, kind text);"
        "INSERT INTO p VALUES (1, '030 1234567', 'x'), (2, NULL, 'y'), "
        "(3, '0170 1234567', 'x')");
    REQUIRE(pairing.sync()["exit"] == 0);
    const auto before = pairing.secondary.rows("SELECT * FROM p ORDER BY id");

    pairing.primary.run(
        "UPDATE p SET phone = 'call Canary Jones' WHERE id = 1;"
        "UPDATE p SET kind = 'Canary' WHERE id = 2;"
        "INSERT INTO p VALUES (NULL, NULL, 'x'), (3, NULL, 'x');"
        "INSERT INTO p VALUES (4, NULL, 'y')");
    const auto line = pairing.sync();
    CHECK(line["exit"] == 11);
    CHECK(line["tables"]["p"]["inserted"] == 1);
    CHECK(line["open"]["quarantined"] == 4);  // phone, code, NULL key, duplicate key
    CHECK(pairing.secondary.rows("SELECT count(*) FROM p") == "4");
    const auto listed = pairing.run({"quarantine", "--json"});
    CHECK(listed.out.find("Canary") == std::string::npos);
    CHECK(listed.out.find("occurs more than once") != std::string::npos);
    pairing.primary.run("DELETE FROM p WHERE id = 4");
    CHECK(pairing.sync()["tables"]["p"]["deleted"] == 0);  // it may be the row without a key

    pairing.primary.run(
        "DELETE FROM p WHERE id IS NULL OR (id = 3 AND phone IS NULL);"
        "UPDATE p SET phone = '030 1234567' WHERE id = 1;"
        "UPDATE p SET kind = 'y' WHERE id = 2");
    const auto mended = pairing.sync();
    CHECK(mended["exit"] == 0);
    CHECK(mended["tables"]["p"]["deleted"] == 1);
    CHECK(pairing.secondary.rows("SELECT * FROM p ORDER BY id") == before);
  });
}

}  // namespace abgleich::test

namespace abgleich::test {

namespace {

std::string keyed_contract(const std::string& key, const std::string& columns) {
  return "[tables.visit]\nkey = " + key + "\n[tables.visit.columns]\n" + columns;
}

}  // namespace

TEST_CASE("the contract's order of columns and key may change, on every pairing") {
  on_every_pairing([](On primary, On secondary) {
    const std::string first =
        "person = { class = \"pseudonym\", identity = \"person\" }\nday = \"plain\"\n"
        "place = \"plain\"\n";
    Pairing pairing(primary, secondary, keyed_contract("[\"person\", \"day\"]", first), kLimits);
    pairing.primary.run(
        "CREATE TABLE visit (risk text, person integer, day text, place text, "
        "PRIMARY KEY (person, day));"
        "INSERT INTO visit VALUES ('high', 1, 'mon', 'a'), ('low', 1, 'tue', 'b'), "
        "('low', 2, 'mon', 'c')");
    REQUIRE(pairing.sync()["tables"]["visit"]["inserted"] == 3);
    pairing.secondary.run("UPDATE visit SET place = 'ours' WHERE place = 'b'");

    // a column that comes before the key, and the key's columns in another order
    pairing.set_contract(keyed_contract("[\"day\", \"person\"]",
                                        "risk = \"plain\"\nday = \"plain\"\n"
                                        "place = \"plain\"\nperson = { class = "
                                        "\"pseudonym\", identity = \"person\" }\n"));
    pairing.accept_more();
    CHECK(pairing.run({"diff"}).exit == 0);
    auto line = pairing.sync();
    CHECK(line["exit"] == 0);
    CHECK(line["tables"]["visit"]["updated"] == 3);  // the new column's values
    CHECK(line["tables"]["visit"]["deleted"] == 0);
    CHECK(pairing.secondary.rows("SELECT risk, place FROM visit ORDER BY 1, 2") ==
          "high|a\nlow|c\nlow|ours");

    pairing.primary.run(
        "UPDATE visit SET place = 'd' WHERE day = 'tue';"
        "DELETE FROM visit WHERE person = 2");
    line = pairing.sync();
    CHECK(line["exit"] == 10);
    CHECK(line["tables"]["visit"]["deleted"] == 1);
    CHECK(line["tables"]["visit"]["conflicts"] == 1);
    CHECK(pairing.run({"resolve", "--all", "--take", "primary"}).exit == 0);
    CHECK(pairing.run({"verify", "--exit-code"}).exit == 0);
    CHECK(pairing.sync()["outcome"] == "unchanged");
  });
}

TEST_CASE("pseudonyms are compared by bytes where the table is made, and as people have made it") {
  const std::string columns =
      "id = { class = \"pseudonym\", identity = \"person\" }\nname = \"plain\"\n";
  for (const bool theirs : {false, true}) {
    CAPTURE(theirs);
    Pairing pairing(On::postgresql, On::postgresql,
                    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n" + columns +
                        "[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\n" + columns +
                        "person = { class = \"pseudonym\", identity = \"person\" }\n",
                    kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, name text);"
        "CREATE TABLE visit (id integer PRIMARY KEY, person integer REFERENCES person, name text);"
        "INSERT INTO person SELECT n, 'a' FROM generate_series(1, 50) n;"
        "INSERT INTO visit SELECT n, 51 - n, 'b' FROM generate_series(1, 50) n");
    if (theirs) {
      pairing.secondary.run("CREATE TABLE person (id text PRIMARY KEY, name text)");
    }
    REQUIRE(pairing.sync()["tables"]["visit"]["inserted"] == 50);
    CHECK(
        pairing.secondary.rows(
            "SELECT c.relname || '.' || a.attname, o.collname FROM pg_attribute a"
            " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_collation o ON o.oid = attcollation"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.attnum > 0"
            " AND c.relkind = 'r' AND c.relname IN ('person', 'visit', 'base_1', 'base_2')"
            " AND n.nspname IN ('public', 'abgleich') ORDER BY c.relname COLLATE \"C\", attnum") ==
        (theirs ? "base_1.k0|default\nbase_2.k0|C\nperson.id|default\nperson.name|default\n"
                  "visit.id|C\nvisit.name|default\nvisit.person|C"
                : "base_1.k0|C\nbase_2.k0|C\nperson.id|C\nperson.name|default\n"
                  "visit.id|C\nvisit.name|default\nvisit.person|C"));
    pairing.primary.run(
        "UPDATE person SET name = 'c' WHERE id < 10; DELETE FROM visit WHERE id > 45");
    const auto line = pairing.sync();
    CHECK(line["tables"]["person"]["updated"] == 9);
    CHECK(line["tables"]["visit"]["deleted"] == 5);
    CHECK(pairing.run({"verify", "--exit-code"}).exit == 0);
  }
}

}  // namespace abgleich::test
