// The history of a real vendor's schema on PostgreSQL, with rows in every table: verdicts, names
// and values through the program.
#include "drift/history.hpp"

#include "drift/catalog_file.hpp"
#include "replay/operator.hpp"
#include "replay/vendor_history.hpp"
#include "support/thorough.hpp"

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

  /// The contract as a person writes it, with every rename, what is new as well, and accepts it.
  void accept_renames() {
    const auto now = snapshot(pairing);
    pairing.set_contract(contract_text(drift::tests::everything(now, catalog), tables_));
    accept(pairing);
    pairing.accept_more();
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

namespace {

/// Rows in the order of their key.
std::string values(Database& database, const std::string& table,
                   const std::vector<std::string>& columns, const std::vector<std::string>& key) {
  const auto listed = [](const std::vector<std::string>& names) {
    std::string list;
    for (const auto& name : names) {
      list += (list.empty() ? "\"" : ", \"") + name + "\"";
    }
    return list;
  };
  return database.rows("SELECT " + listed(columns) + " FROM \"" + table + "\" ORDER BY " +
                       listed(key));
}

const std::set<std::string> kHarmless{
    "column_added",      "table_added",    "fk_added",           "fk_dropped",
    "unique_added",      "unique_dropped", "unique_index_added", "column_moved_candidate",
    "pseudo_rename_copy"};

bool has_column(Database& database, const std::string& table, const std::string& column) {
  return database.rows(database.engine() == On::sqlite
                           ? "SELECT count(*) FROM pragma_table_info('" + table +
                                 "') WHERE name = '" + column + "'"
                           : "SELECT count(*) FROM pg_attribute WHERE attrelid = '\"" + table +
                                 "\"'::regclass AND attname = '" + column + "'") == "1";
}

/// An office that lives through these versions with one contract, which names everything.
class Office {
 public:
  explicit Office(On secondary)
      : pairing(On::postgresql, secondary,
                "[tables.x]\nkey = [\"a\"]\n[tables.x.columns]\na = \"plain\"\n", kLimits),
        history(pairing.primary),
        person(pairing) {}

  void live(int first, int last) {
    if (history.absent()) {
      return;
    }
    begin(first);
    for (const auto& step : history.steps()) {
      const int version = step["version"];
      if (version >= first && version <= last) {
        CAPTURE(version);
        pass(step);
      }
    }
    end();
  }

  Pairing pairing;
  VendorHistory history;
  Operator person;

 private:
  void begin(int first) {
    history.replay_before(first);
    pairing.set_contract("");
    accepted_ = snapshot(pairing);
    for (const auto& table : accepted_.tables) {
      name(table);
    }
    accept(pairing);
    sync();
  }

  void end() {
    sync();
    const auto line = pairing.sync();
    CHECK(line["outcome"] == "unchanged");
    CHECK(line["tables"].size() == person.tables().size());
    CHECK(line["open"]["conflicts"] == 0);
    CHECK(line["open"]["quarantined"] == 0);
    const auto verified = pairing.run({"verify", "--exit-code"});
    CHECK_MESSAGE(verified.exit == 0, verified.out, verified.err);
    MESSAGE(versions_, " versions, ", runs_, " runs, ", person.tables().size(), " tables");
  }

  void name(const CatalogTable& table) {
    if (table.primary_key) {
      std::vector<std::string> columns;
      for (const auto& column : table.columns) {
        columns.push_back(column.name);
      }
      person.add_table(table.name, table.primary_key->columns, columns);
      more_leaves_ = true;
    }
  }

  /// A run of cron's, while nothing is open; unless a `was` has done its work and is to go.
  void sync() {
    if (std::exchange(more_leaves_, false)) {
      pairing.accept_more();
    }
    const auto line = pairing.sync();
    const auto& drift = line["drift"];
    CHECK_MESSAGE(line["exit"] == (drift.empty() ? 0 : 11), line.dump());
    CHECK_MESSAGE(
        std::ranges::all_of(drift, [](const Json& event) { return event["kind"] == "unused_was"; }),
        line.dump());
    if (!drift.empty()) {
      person.decide(drift);
    }
    ++runs_;
    in_step_ = true;
  }

  static std::vector<std::string> key_of(const Catalog& catalog, const std::string& table) {
    const auto* found = catalog.find_table(table);
    REQUIRE_MESSAGE(found != nullptr, table);
    return found->primary_key->columns;
  }

  /// The columns whose values both engines print alike: those that say where they are from.
  [[nodiscard]] std::vector<std::string> comparable(const Catalog& catalog,
                                                    const std::string& table) {
    auto names = person.columns(table);
    if (pairing.secondary.engine() == On::sqlite) {
      std::erase_if(names, [&](const std::string& name) {
        const auto family = catalog.find_table(table)->find_column(name)->type.family;
        return family != Family::text && family != Family::integer;
      });
    }
    return names;
  }

  void pass(const Json& step) {
    std::set<std::string> hurt;  // tables, by their accepted names
    for (const auto& event : step["events"]) {
      if (kHarmless.count(event["kind"]) == 0) {
        hurt.insert(event["kind"] == "table_renamed" ? event["was"].get<std::string>()
                                                     : event["table"].get<std::string>());
      }
    }
    const auto named = person.tables();
    std::erase_if(hurt, [&](const std::string& table) { return named.count(table) == 0; });
    std::map<std::string, std::string> stood;                               // whole tables
    std::map<std::pair<std::string, std::string>, std::string> old_values;  // by table and column
    if (!hurt.empty()) {
      if (!in_step_) {
        sync();
      }
      for (const auto& table : hurt) {
        const auto key = key_of(accepted_, table);
        stood[table] = values(pairing.secondary, table, person.columns(table), key);
        for (const auto& column : person.columns(table)) {
          old_values[{table, column}] = values(pairing.secondary, table, {column}, key);
        }
      }
    }
    history.apply(step);
    in_step_ = false;
    const auto events = person.look();
    if (!hurt.empty()) {
      // cron's run comes before anybody has decided: what blocks stands still
      const auto line = pairing.sync();
      ++runs_;
      CHECK_MESSAGE(line["open"]["conflicts"] == 0, line.dump());
      for (const auto& table : hurt) {
        if (line["exit"] == 23 && !line["tables"].contains(table)) {
          CHECK(values(pairing.secondary, table, person.columns(table), key_of(accepted_, table)) ==
                stood[table]);
        }
      }
    }
    person.decide(events);
    const auto live = drift::read_catalog(pairing.directory.path() / "catalog.json");
    compare(step, events, live);
    for (const auto& table : live.tables) {
      if (accepted_.find_table(table.name) == nullptr && person.tables().count(table.name) == 0) {
        name(table);
      }
    }
    accepted_ = live;
    if (!hurt.empty()) {
      sync();
      for (const auto& table : person.tables()) {
        if (touches(step, table)) {
          const auto columns = comparable(live, table);
          const auto key = key_of(live, table);
          CAPTURE(table);
          CHECK(values(pairing.secondary, table, columns, key) ==
                values(pairing.primary, table, columns, key));
        }
      }
      for (const auto& event : step["events"]) {
        survive(event, old_values);
      }
    }
    ++versions_;
  }

  static bool touches(const Json& step, const std::string& table) {
    return std::ranges::any_of(step["events"],
                               [&](const Json& event) { return event["table"] == table; });
  }

  void compare(const Json& step, const std::vector<Json>& events, const Catalog& live) {
    Expected found;
    for (const auto& event : events) {
      const auto word = [&](const char* name) {
        return event[name].is_null() ? std::string() : event[name].get<std::string>();
      };
      found.insert({word("kind"), word("table"), word("column"), word("verdict")});
    }
    const auto expected = drift::tests::Step{accepted_, live, step["events"]}.expected();
    if (found != expected) {
      FAIL_CHECK("expected:" << drift::tests::text(expected)
                             << "\nfound:" << drift::tests::text(found));
    }
  }

  /// What was renamed has its old values under the new name; what was dropped keeps them.
  void survive(const Json& event,
               const std::map<std::pair<std::string, std::string>, std::string>& old_values) {
    const std::string kind = event["kind"];
    const std::string table = event["table"];
    const bool renamed = kind == "column_renamed";
    if (!renamed && kind != "column_dropped" && kind != "column_replaced") {
      return;
    }
    const std::string column = renamed ? event["was"] : event["col"];
    const auto before = old_values.find({table, column});
    if (before == old_values.end()) {
      return;  // a table without a key
    }
    CAPTURE(event.dump());
    const auto key = key_of(accepted_, table);
    const auto now = renamed ? event["col"].get<std::string>() : column;
    bool kept = false;
    for (const auto& name : {now, now + "_gone", now + "_gone_2"}) {
      kept = kept || (has_column(pairing.secondary, table, name) &&
                      values(pairing.secondary, table, {name}, key) == before->second);
    }
    CHECK(kept);
  }

  Catalog accepted_;
  bool more_leaves_ = false;  // the contract names more than the last run exported
  bool in_step_ = false;      // a run has come since the primary or the contract changed
  int versions_ = 0;
  int runs_ = 0;
};

}  // namespace

// One contract, which an operator keeps up to date by the hints alone, through every version: the
// verdicts are those of the list, and no value gets lost or under a wrong name.
TEST_CASE("every version on a server: from version 2 on, into PostgreSQL") {
  Office(On::postgresql).live(2, thorough() ? 170 : 80);
}

TEST_CASE("every version on a server: up to version 372, into SQLite") {
  Office(On::sqlite).live(thorough() ? 171 : 310, 372);
}

}  // namespace abgleich::test
