// The history of a real vendor's schema on PostgreSQL, with rows in every table: verdicts, names
// and values through the program.
#include "drift/history.hpp"

#include "drift/catalog_file.hpp"
#include "replay/vendor_history.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <sstream>

namespace abgleich::test {

namespace {

using drift::tests::Expected;
using Json = nlohmann::json;

const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

/// A contract that exports every column of these tables (empty: of all) that have a key and rows to
/// read, in the words of its file.
std::string contract_text(const contract::Contract& contract,
                          const std::set<std::string>& tables = {}) {
  std::string text;
  for (const auto& table : contract.tables) {
    if (!tables.empty() && tables.count(table.name) == 0 && tables.count(table.was) == 0) {
      continue;
    }
    text += "[tables." + table.name + "]\nkey = [";
    for (const auto& name : table.key) {
      text += "\"" + name + "\", ";
    }
    text += "]\n" + (table.was.empty() ? "" : "was = \"" + table.was + "\"\n") + "[tables." +
            table.name + ".columns]\n";
    for (const auto& column : table.columns) {
      text += column.name + " = { class = \"plain\"" +
              (column.was.empty() ? "" : ", was = \"" + column.was + "\"") + " }\n";
    }
  }
  return text;
}

Catalog snapshot(const Pairing& pairing) {
  const auto ran = pairing.run({"drift", "snapshot", "live.json"});
  REQUIRE_MESSAGE(ran.exit == 0, ran.err);
  return drift::read_catalog(pairing.directory.path() / "live.json");
}

Expected reported(const Pairing& pairing) {
  const auto ran = pairing.run({"drift", "--json"});
  REQUIRE_MESSAGE(ran.exit == 0, ran.err);
  Expected found;
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);) {
    const auto event = Json::parse(line);
    const auto word = [&](const char* name) {
      return event[name].is_null() ? std::string() : event[name].get<std::string>();
    };
    found.insert({word("kind"), word("table"), word("column"), word("verdict")});
  }
  return found;
}

void accept(const Pairing& pairing) {
  const auto ran = pairing.run({"drift", "accept"});
  REQUIRE_MESSAGE(ran.exit == 0, ran.err);
}

/// A pairing just before one version, with everything of some tables in the secondary.
struct Before {
  Before(int version, std::set<std::string> tables, On secondary = On::postgresql)
      : pairing(On::postgresql, secondary,
                "[tables.x]\nkey = [\"a\"]\n[tables.x.columns]\n"
                "a = \"plain\"\n",
                kLimits),
        history(pairing.primary),
        tables_(std::move(tables)) {
    if (history.absent()) {
      return;
    }
    history.replay_before(version);
    catalog = snapshot(pairing);
    pairing.set_contract(contract_text(drift::tests::everything(catalog, catalog), tables_));
    accept(pairing);
    const auto line = pairing.sync();
    REQUIRE_MESSAGE(line["exit"] == 0, line.dump());
  }

  /// The contract as a person writes it once every rename is accepted.
  void accept_renames() {
    const auto now = snapshot(pairing);
    pairing.set_contract(contract_text(drift::tests::everything(now, catalog), tables_));
  }

  std::string both(const std::string& sql) {
    const auto primary = pairing.primary.rows(sql);
    CHECK(pairing.secondary.rows(sql) == primary);
    return primary;
  }

  Pairing pairing;
  VendorHistory history;
  Catalog catalog;

 private:
  std::set<std::string> tables_;
};

std::int64_t updated(const Json& line, const std::string& table) {
  return line["tables"][table]["updated"];
}

}  // namespace

TEST_CASE("trap: version 6, a column takes the name that another has left") {
  Before at(6, {"symptoms"});
  if (at.history.absent()) {
    return;
  }
  const auto before = at.pairing.secondary.rows(
      "SELECT id, othernonhemorrhagic, othernonhemorrhagicsymptoms FROM symptoms ORDER BY id");
  at.history.apply(at.history.step(6), VendorHistory::Then::leave);
  CHECK(at.pairing.sync()["exit"] == 23);
  CHECK(at.pairing.secondary.rows("SELECT id, othernonhemorrhagic, othernonhemorrhagicsymptoms "
                                  "FROM symptoms ORDER BY id") == before);
  at.accept_renames();
  accept(at.pairing);
  const auto line = at.pairing.sync();
  CHECK(updated(line, "symptoms") == 0);  // five renames, and no value moves
  CHECK(at.pairing.secondary.rows("SELECT id, othernonhemorrhagicsymptoms, "
                                  "othernonhemorrhagicsymptomstext FROM symptoms ORDER BY id") ==
        before);
  at.both("SELECT id, vomiting, otherhemorrhagicsymptoms FROM symptoms ORDER BY id");
  // dropped in the same version: the values stay
  CHECK(at.pairing.secondary.rows("SELECT count(difficultyswallowing) FROM symptoms") == "3");
  at.history.fill("symptoms");
  CHECK(at.pairing.sync()["outcome"] == "applied");
  at.both("SELECT id, chills, onsetsymptom FROM symptoms ORDER BY id");
}

TEST_CASE("trap: version 84, columns are merged into new ones") {
  Before at(84, {"cases"});
  if (at.history.absent()) {
    return;
  }
  at.history.apply(at.history.step(84), VendorHistory::Then::leave);
  // as the vendor did: one column from two
  at.pairing.primary.run("UPDATE cases SET vaccination = 'merged ' || id");
  const auto line = at.pairing.sync();
  CHECK(line["exit"] == 11);  // five drops that block nothing, three new columns that nobody reads
  CHECK(at.pairing.secondary.rows("SELECT count(measlesvaccination), "
                                  "count(yellowfevervaccination) FROM cases") == "3|3");
  CHECK(at.pairing.secondary.rows("SELECT count(*) FROM information_schema.columns WHERE "
                                  "table_name = 'cases' AND column_name LIKE 'vaccination%'") ==
        "0");
  // a person who takes it for a rename is told that the values speak against it
  auto text = read_file(at.pairing.directory.path() / "contract.toml");
  const std::string old = "measlesvaccination = { class = \"plain\" }";
  text.replace(text.find(old), old.size(),
               "vaccination = { class = \"plain\", was = \"measlesvaccination\" }");
  write_file(at.pairing.directory.path() / "contract.toml", text);
  const auto doubted = at.pairing.sync();
  CHECK(doubted["exit"] == 23);
  CHECK(doubted.dump().find("of 3 rows 3 (100.0 %) have another value") != std::string::npos);
  // what it is: a column of its own
  at.accept_renames();
  accept(at.pairing);
  CHECK(at.pairing.sync()["exit"] == 0);
  at.both("SELECT id, vaccination FROM cases ORDER BY id");
  CHECK(at.pairing.secondary.rows("SELECT count(measlesvaccination) FROM cases") == "3");
}

TEST_CASE("trap: versions 138, 250, 334, a column is replaced under its name") {
  struct Replaced {
    int version;
    std::string table, column;
  };
  for (const auto& [version, table, column] :
       {Replaced{138, "person", "approximateagetype"},
        Replaced{250, "campaignformmeta", "campaignformtranslations"},
        Replaced{334, "userrolesconfig", "enabled"}}) {
    CAPTURE(version);
    Before at(version, {table});
    if (at.history.absent()) {
      return;
    }
    const auto values = "SELECT id, " + column + " FROM " + table + " ORDER BY id";
    const auto before = at.pairing.secondary.rows(values);
    at.history.apply(at.history.step(version), VendorHistory::Then::fill);
    const auto events = reported(at.pairing);
    CHECK(events.count({"replaced_column", table, column, "block"}) == 1);
    CHECK(at.pairing.sync()["exit"] == 23);
    CHECK(at.pairing.secondary.rows(values) == before);
    accept(at.pairing);
    CHECK(at.pairing.sync()["exit"] == 0);
    CHECK(at.pairing.secondary.rows("SELECT id, " + column + "_gone FROM " + table +
                                    " ORDER BY id") == before);
    at.both(values);
  }
}

TEST_CASE("trap: version 372, a table is gone and the key to it becomes text") {
  Before at(372, {"cases", "pathogentest", "diseasevariant"});
  if (at.history.absent()) {
    return;
  }
  at.pairing.primary.run("SET session_replication_role = replica");
  at.history.apply(at.history.step(372), VendorHistory::Then::leave);
  const auto events = reported(at.pairing);
  CHECK(events.count({"dropped_table", "diseasevariant", "", "block"}) == 1);
  CHECK(events.count({"renamed_column", "cases", "diseasevariant_id", "block"}) == 1);
  CHECK(events.count({"type_changed", "cases", "diseasevariant_id", "block"}) == 1);
  const auto before =
      at.pairing.secondary.rows("SELECT id, diseasevariant_id FROM cases ORDER BY id");
  CHECK(at.pairing.sync()["exit"] == 23);
  CHECK(at.pairing.run({"drift", "accept"}).exit == 23);  // the table's key would be gone
  CHECK(at.pairing.secondary.rows("SELECT count(*) FROM diseasevariant") == "3");
  CHECK(at.pairing.secondary.rows("SELECT id, diseasevariant_id FROM cases ORDER BY id") == before);
}

}  // namespace abgleich::test
