// The example contract for SORMAS, held against what its vendor did in 181 versions: nothing of a
// labelled column gets out, whoever decides what.
#include "replay/vendor_history.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <map>

namespace abgleich::test {

namespace {

using Json = nlohmann::json;

constexpr int kFirst = 191;
const std::filesystem::path kExample = std::filesystem::path(kSourceTree) / "examples/sormas";
const std::vector<std::string> kCore{"person",       "location", "cases",  "contact",
                                     "samples",      "visit",    "events", "eventparticipant",
                                     "pathogentest", "symptoms"};
const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

std::string text_of(const Json& label) {
  return label.get<std::string>();
}

/// Rows t that hold a marked value: a text, or a number that is no part of a digest or a hash.
const char* const kMarked =
    " t WHERE t::text LIKE '%CANARY%' OR t::text ~ '(^|[^0-9a-f])777[0-9]{3,6}([^0-9a-f]|$)'";

/// How often the marked values are anywhere in the secondary, bookkeeping included.
int canaries(Database& secondary) {
  int found = 0;
  const auto tables = secondary.rows(
      "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = "
      "c.relnamespace WHERE c.relkind = 'r' AND n.nspname IN ('public', 'abgleich')");
  std::istringstream names(tables);
  for (std::string table; std::getline(names, table);) {
    found += std::stoi(secondary.rows("SELECT count(*) FROM " + table + kMarked));
  }
  return found;
}

/// A primary at the version that the contract was written for, with marked values in every labelled
/// column that there is or will be.
struct Office {
  Office()
      : pairing(On::postgresql, On::postgresql,
                "[tables.x]\nkey = [\"a\"]\n"
                "[tables.x.columns]\na = \"plain\"\n",
                kLimits),
        history(pairing.primary) {
    if (history.absent()) {
      return;
    }
    auto labels = Json::parse(*shared_data("pii-labels.json"));
    // what this contract withholds beyond the vendor's labels is marked as well
    for (const auto* column : {"phone", "phoneowner", "birthdate_dd", "birthdate_mm"}) {
      labels["person"][column] = "P";
    }
    labels["location"]["address"] = labels["location"]["street"] = "P";
    for (const auto* column : {"description", "epidnumber"}) {
      labels["cases"][column] = "P";
    }
    history.label(labels, kCore);
    history.replay_before(kFirst + 1);
    std::filesystem::copy_file(kExample / "contract.toml",
                               pairing.directory.path() / "contract.toml",
                               std::filesystem::copy_options::overwrite_existing);
    const auto accepted = pairing.run({"drift", "accept"});
    REQUIRE_MESSAGE(accepted.exit == 0, accepted.err);
    const auto line = pairing.sync();
    REQUIRE_MESSAGE(line["exit"] == 0, line.dump());
    for (const auto& table : kCore) {
      CHECK(line["tables"][table]["inserted"] == 3);
    }
    CHECK(canaries(pairing.secondary) == 0);
    CHECK(canaries(pairing.primary) > 20);
  }

  static bool touches_core(const Json& step) {
    return std::ranges::any_of(step["events"], [](const Json& event) {
      return std::ranges::find(kCore, event["table"].get<std::string>()) != kCore.end() ||
             std::ranges::find(kCore, event.value("was", "")) != kCore.end();
    });
  }

  Pairing pairing;
  VendorHistory history;
};

}  // namespace

TEST_CASE(
    "SORMAS: every column of the core tables that is labelled is withheld, a pseudonym or "
    "generalised") {
  auto in = shared_data("pii-labels.json");
  if (!in) {
    return;
  }
  const auto labels = Json::parse(*in);
  std::istringstream lines(read_file(kExample / "contract.toml"));
  std::string table;
  int plain = 0;
  int checked = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("[tables.") && line.ends_with(".columns]")) {
      table = line.substr(8, line.size() - 17);
    }
    const auto name = line.substr(0, line.find(' '));
    if (line.find(" = \"plain\"") != std::string::npos) {
      ++plain;
      CHECK_MESSAGE(!(labels.contains(table) && labels[table].contains(name)), table, ".", name);
    } else if (labels.contains(table) && labels[table].contains(name)) {
      ++checked;
      CAPTURE(text_of(labels[table][name]));
    }
  }
  CHECK(plain > 150);
  CHECK(checked > 60);
}

TEST_CASE(
    "SORMAS: the contract frozen at version 191 lets no labelled column out that came later") {
  Office office;
  if (office.history.absent()) {
    return;
  }
  auto& pairing = office.pairing;
  std::map<int, int> exits;
  const auto sync = [&] {
    const int code = pairing.sync()["exit"];
    ++exits[code];
    CHECK((code == 0 || code == 11 || code == 23));
  };
  constexpr int kEvery = 8;  // of the changes to the core tables: an office does not sync at each
  int changes = 0;
  for (const auto& step : office.history.steps()) {
    const int version = step["version"];
    if (version <= kFirst) {
      continue;
    }
    CAPTURE(version);
    office.history.apply(step);
    if (Office::touches_core(step) && ++changes % kEvery == 0) {
      sync();
    }
  }
  sync();
  CHECK(canaries(pairing.secondary) == 0);
  const auto marked = [&](const std::string& table) {
    return std::stoi(pairing.primary.rows("SELECT count(*) FROM " + table + kMarked));
  };
  for (const auto& table : kCore) {
    CHECK_MESSAGE(marked(table) == 3, table);
  }
  // labelled columns that were not there when the contract was written
  const auto later = std::stoi(pairing.primary.rows(
      "SELECT count(*) FROM filling.labelled l JOIN pg_attribute a ON a.attrelid = "
      "to_regclass('public.' || l.t) AND a.attname = l.c WHERE l.t IN ('person', 'location', "
      "'cases', 'contact', 'samples', 'visit', 'events', 'eventparticipant', 'pathogentest', "
      "'symptoms')"));
  CHECK(later > 100);
  CHECK(exits[23] > 0);
  // blocked for two tables, and the others are up to date
  pairing.primary.run("UPDATE symptoms SET fever = 'YES'; UPDATE events SET disease = 'new'");
  const auto line = pairing.sync();
  CHECK(line["exit"] == 23);
  CHECK(line["tables"]["symptoms"]["updated"] == 3);
  CHECK(!line["tables"].contains("events"));
}

TEST_CASE("SORMAS: with the changes that people had to accept, the contract holds to the end") {
  Office office;
  if (office.history.absent()) {
    return;
  }
  auto& pairing = office.pairing;
  std::map<int, std::filesystem::path> changes;
  for (const auto& file : std::filesystem::directory_iterator(kExample / "changes")) {
    changes[std::stoi(file.path().filename().string())] = file.path();
  }
  for (const auto& step : office.history.steps()) {
    const int version = step["version"];
    if (version <= kFirst) {
      continue;
    }
    CAPTURE(version);
    office.history.apply(step);
    if (!Office::touches_core(step)) {
      continue;
    }
    const auto line = pairing.sync();
    const int code = line["exit"];
    const auto change = changes.find(version);
    CHECK_MESSAGE((code == 23) == (change != changes.end()), line.dump());
    if (change != changes.end()) {
      const auto patched =
          run_program({"/usr/bin/patch", "-p1", "-s", "-i", change->second.string()},
                      pairing.directory.path().string());
      REQUIRE_MESSAGE(patched.exit == 0, patched.out, patched.err);
      const auto ran = pairing.run({"drift", "accept"});
      CHECK_MESSAGE(ran.exit == 0, ran.err);
      const auto again = pairing.sync();
      CHECK_MESSAGE(again["exit"] == 0, again.dump());
      for (const auto& [table, counts] : again["tables"].items()) {
        CHECK_MESSAGE(counts["updated"] == 0, again.dump());  // a rename moves no value
      }
    } else if (code == 11) {
      CHECK(pairing.run({"drift", "accept", "-q"}).exit == 0);
    }
  }
  CHECK(canaries(pairing.secondary) == 0);
  pairing.primary.run("UPDATE events SET disease = 'new'; UPDATE cases SET outcome = 'new'");
  const auto line = pairing.sync();
  CHECK(line["exit"] == 0);
  CHECK(line["tables"]["events"]["updated"] == 3);
  CHECK(line["tables"]["cases"]["updated"] == 3);
  const auto verified = pairing.run({"verify", "--exit-code"});
  CHECK_MESSAGE(verified.exit == 0, verified.out, verified.err);
}

}  // namespace abgleich::test
