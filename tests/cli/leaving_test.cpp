// A widening of what leaves is a decision: `sync` refuses it until `contract accept` has written it
// down.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <sstream>

namespace abgleich::test {

namespace {

using Json = nlohmann::json;

const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

/// A contract with these lines for the column `x`; the others stay.
std::string contract_with(const std::string& x, const std::string& of_table = "") {
  return "[tables.person]\nkey = [\"id\"]\n" + of_table +
         "\n[tables.person.columns]\n"
         "id = { class = \"pseudonym\", identity = \"person\" }\n"
         "status = \"plain\"\n" +
         (x.empty() ? "" : "x = " + x + "\n");
}

void fill(Database& primary, const std::string& type = "text") {
  primary.run("CREATE TABLE person (id integer PRIMARY KEY, status text, x " + type +
              ");"
              "INSERT INTO person VALUES (1, 'open', '1980-02-03'), (2, 'open', '1990-11-30'), "
              "(3, 'done', NULL)");
}

std::vector<Json> lines_of(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(Json::parse(line));
  }
  return lines;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Holds a refused widening to all that is promised of it, and follows its hint.
void check_decision(Pairing& pairing, const std::string& column) {
  const auto before = pairing.secondary.rows("SELECT * FROM person ORDER BY id");
  const auto refused = pairing.run({"sync", "--json"});
  CAPTURE(refused.out);
  CAPTURE(refused.err);
  CHECK(refused.exit == 23);
  const auto line = Json::parse(refused.out);
  CHECK(line["outcome"] == "refused");
  CHECK(line["run"].is_null());
  CHECK(has(line["error"]["message"].get<std::string>(), column));
  CHECK(has(line["error"]["hint"].get<std::string>(), "abgleich contract accept --reason TEXT"));
  CHECK(pairing.secondary.rows("SELECT * FROM person ORDER BY id") == before);
  CHECK(pairing.run({"sync", "--dry-run"}).exit == 23);
  const auto diff = pairing.run({"diff"});
  CHECK(has(diff.err, "sync would refuse this: the contract lets more leave"));
  const auto check = pairing.run({"check"});
  CHECK(check.exit == 23);
  CHECK(has(check.out, "FAIL what leaves"));

  const auto shown = pairing.run({"contract", "diff"});
  CHECK(shown.exit == 0);
  CHECK(has(shown.out, column));
  CHECK(has(shown.out, "leaves now: "));
  CHECK(has(shown.out, "left before: "));
  CHECK(pairing.run({"contract", "diff", "--exit-code"}).exit == 1);

  const auto accepted = pairing.run({"contract", "accept", "--reason", "the board of 3 May"});
  CHECK_MESSAGE(accepted.exit == 0, accepted.err);
  const auto log = lines_of(pairing.run({"log", "--json"}).out);
  REQUIRE(!log.empty());
  CHECK(log.front()["kind"] == "accept");
  CHECK(log.front()["reason"] == "the board of 3 May");
  CHECK(!log.front()["operator"].get<std::string>().empty());
  CHECK(has(pairing.run({"contract", "diff"}).out, "what leaves is what left before"));
  const auto after = pairing.run({"sync"});
  CHECK_MESSAGE((after.exit == 0 || after.exit == 11), after.err);
  CHECK(pairing.run({"verify"}).exit == 0);
}

/// From one line for `x` to another, without a word: a narrowing.
void check_no_decision(Pairing& pairing, const std::string& contract) {
  pairing.set_contract(contract);
  const auto ran = pairing.run({"sync"});
  CAPTURE(contract);
  CHECK_MESSAGE((ran.exit == 0 || ran.exit == 11), ran.err);
}

struct Step {
  const char* from;
  const char* to;
};

}  // namespace

TEST_CASE("what lets more leave than the last run is refused until it is accepted") {
  on_every_pairing([](On primary, On secondary) {
    Pairing pairing(primary, secondary, contract_with("\"withhold\""), kLimits);
    fill(pairing.primary);
    CHECK(pairing.run({"sync"}).exit == 0);  // the first run has nothing before it
    pairing.set_contract(contract_with("{ class = \"generalise\", to = \"prefix:4\" }"));
    check_decision(pairing, "person.x");
    pairing.set_contract(contract_with("\"plain\""));
    check_decision(pairing, "person.x");
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE x = '1980-02-03'") == "1");
  });
}

TEST_CASE("every way to let more leave is a decision") {
  for (const auto& [from, to] : std::vector<Step>{
           {"", "\"plain\""},
           {"{ class = \"pseudonym\", identity = \"x\" }", "\"plain\""},
           {"{ class = \"pseudonym\", identity = \"x\" }",
            "{ class = \"generalise\", to = \"year\" }"},
           {"{ class = \"generalise\", to = \"year\" }",
            "{ class = \"pseudonym\", identity = \"x\" }"},
           {"{ class = \"pseudonym\", identity = \"x\" }",
            "{ class = \"pseudonym\", identity = \"y\" }"},
           {"{ class = \"pseudonym\", identity = \"x\", normalise = \"text\" }",
            "{ class = \"pseudonym\", identity = \"x\" }"},
           {"{ class = \"generalise\", to = \"year\" }",
            "{ class = \"generalise\", to = \"month\" }"},
           {"{ class = \"generalise\", to = \"month\" }",
            "{ class = \"generalise\", to = \"week\" }"},
           {"{ class = \"generalise\", to = \"age-band:10\", reference = \"2026-01-01\" }",
            "{ class = \"generalise\", to = \"age-band:5\", reference = \"2026-01-01\" }"},
           {"{ class = \"generalise\", to = \"age-band:10\", reference = \"2026-01-01\" }",
            "{ class = \"generalise\", to = \"age-band:10\", reference = \"2026-01-02\" }"},
           {"{ class = \"generalise\", to = \"year\" }",
            "{ class = \"generalise\", to = \"age-band:5\", reference = \"2026-01-01\" }"},
           {"{ class = \"generalise\", to = \"shift:90\" }",
            "{ class = \"generalise\", to = \"shift:5\" }"},
           {"{ class = \"generalise\", to = \"shift:90\" }",
            "{ class = \"generalise\", to = \"shift:90\", shift_epoch = 2 }"},
           {"{ class = \"generalise\", to = \"year\" }",
            "{ class = \"generalise\", to = \"year\", on_unusable = \"null\" }"},
           {"{ class = \"pseudonym\", identity = \"x\" }",
            "{ class = \"pseudonym\", identity = \"x\", on_unusable = \"null\" }"},
           {"\"plain\"", "{ class = \"plain\", on_unusable = \"null\" }"},
           {"{ class = \"generalise\", to = \"const\", value = \"2000-01-01\" }",
            "{ class = \"generalise\", to = \"year\" }"}}) {
    CAPTURE(std::string(from));
    CAPTURE(std::string(to));
    Pairing pairing(On::sqlite, On::sqlite, contract_with(from), kLimits);
    fill(pairing.primary, "date");
    const auto first = pairing.run({"sync"});
    CHECK_MESSAGE((first.exit == 0 || first.exit == 11), first.err);
    pairing.set_contract(contract_with(to));
    const auto refused = pairing.run({"sync"});
    CHECK_MESSAGE(refused.exit == 23, refused.err);
    CHECK(has(refused.err, "person.x"));
  }
}

TEST_CASE("another zone, and rows that were held back, are decisions, and are shown once") {
  const auto seen = [](const std::string& more) {
    return contract_with("{ class = \"generalise\", to = \"year\"" + more + " }");
  };
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Pairing pairing(engine, engine, seen(""), kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, status text, x " +
        std::string(engine == On::sqlite ? "text" : "timestamptz") +
        "); INSERT INTO person VALUES (1, 'open', '2019-12-31T23:30:00Z'), (2, 'open', "
        "'2020-07-01T00:30:00Z'), (3, 'done', NULL)");
    CHECK(pairing.run({"sync"}).exit == 0);
    pairing.set_contract(seen(", zone = \"Europe/Berlin\""));
    check_decision(pairing, "person.x");
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE x = '2020'") == "2");
    pairing.set_contract(seen(", zone = \"America/New_York\""));
    CHECK(has(pairing.run({"contract", "diff"}).out, "generalise to year in America/New_York"));
    check_decision(pairing, "person.x");
    check_no_decision(pairing, seen(", zone = \"America/New_York\", codes = [\"2019\"]"));
    CHECK(has(pairing.run({"contract", "diff"}).out, "what leaves is what left before"));
    CHECK(pairing.secondary.rows("SELECT x FROM person WHERE x = '2020'") == "2020");  // held
    pairing.set_contract(
        seen(", zone = \"America/New_York\", codes = [\"2019\"], on_unusable = \"null\""));
    CHECK(has(pairing.run({"contract", "diff"}).out, "NULL for what cannot be used"));
    check_decision(pairing, "person.x");
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE x IS NULL") == "2");
    check_no_decision(pairing, seen(", zone = \"America/New_York\", codes = [\"2019\"]"));
  }
}

TEST_CASE("codes, maps, prefixes and roundings that let more through are decisions") {
  const auto refused_from = [](const std::string& from, const std::string& to) {
    Pairing pairing(On::sqlite, On::sqlite, contract_with(from), kLimits);
    fill(pairing.primary);
    const auto first = pairing.run({"sync"});
    REQUIRE_MESSAGE((first.exit == 0 || first.exit == 11), first.err);
    pairing.set_contract(contract_with(to));
    const auto ran = pairing.run({"sync"});
    REQUIRE_MESSAGE((ran.exit == 0 || ran.exit == 11 || ran.exit == 23), ran.err);
    return ran.exit == 23;
  };
  const auto map = [](const std::string& entries, const std::string& more = "") {
    return "{ class = \"generalise\", to = \"map\", map = { " + entries + " }" + more + " }";
  };
  CHECK(refused_from("{ class = \"plain\", codes = [\"a\"] }", "\"plain\""));
  CHECK(refused_from("{ class = \"plain\", codes = [\"a\"] }",
                     "{ class = \"plain\", codes = [\"a\", \"b\"] }"));
  CHECK(!refused_from("{ class = \"plain\", codes = [\"a\", \"b\"] }",
                      "{ class = \"plain\", codes = [\"b\"] }"));
  CHECK(refused_from("{ class = \"generalise\", to = \"prefix:2\" }",
                     "{ class = \"generalise\", to = \"prefix:3\" }"));
  CHECK(!refused_from("{ class = \"generalise\", to = \"prefix:3\" }",
                      "{ class = \"generalise\", to = \"prefix:2\" }"));
  CHECK(refused_from(map("a = \"1\", b = \"1\""), map("a = \"1\", b = \"2\"")));
  CHECK(refused_from(map("a = \"1\""), map("a = \"1\", b = \"1\"")));
  CHECK(refused_from(map("a = \"1\""), map("a = \"1\"", ", otherwise = \"0\"")));
  CHECK(!refused_from(map("a = \"1\", b = \"2\""), map("a = \"3\", b = \"3\"")));
  CHECK(!refused_from(map("a = \"1\""), map("a = \"2\"")));
  CHECK(!refused_from("\"plain\"", map("a = \"1\"", ", otherwise = \"0\"")));
}

TEST_CASE("a narrowing is no decision, and to go back is one") {
  Pairing pairing(On::sqlite, On::postgresql, contract_with("\"plain\""));
  fill(pairing.primary, "date");
  CHECK(pairing.run({"sync"}).exit == 0);
  check_no_decision(pairing, contract_with("\"withhold\""));
  pairing.set_contract(contract_with("\"plain\""));
  check_decision(pairing, "person.x");
  check_no_decision(pairing, contract_with(""));
  pairing.set_contract(contract_with("\"plain\""));
  CHECK(pairing.run({"sync"}).exit == 23);
}

TEST_CASE("a narrowing that changes no row is remembered all the same") {
  Pairing pairing(On::sqlite, On::sqlite,
                  contract_with("{ class = \"plain\", codes = [\"a\", "
                                "\"b\"] }"));
  pairing.primary.run(
      "CREATE TABLE person (id integer PRIMARY KEY, status text, x text);"
      "INSERT INTO person VALUES (1, 'open', 'a')");
  CHECK(pairing.run({"sync"}).exit == 0);
  check_no_decision(pairing, contract_with("{ class = \"plain\", codes = [\"a\"] }"));
  const auto runs = pairing.run({"log"}).out;
  CHECK(pairing.run({"sync"}).exit == 0);
  CHECK(pairing.run({"log"}).out == runs);  // and once is enough
  pairing.set_contract(contract_with("{ class = \"plain\", codes = [\"a\", \"b\"] }"));
  CHECK(pairing.run({"sync"}).exit == 23);
}

TEST_CASE("to accept what leaves more does not take for judged what leaves less since") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Pairing pairing(engine, engine, contract_with("\"plain\""), kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, status text, x text, y text);"
        "INSERT INTO person VALUES (1, 'open', 'before', 'y1'), (2, 'open', 'before', 'y2')");
    REQUIRE(pairing.run({"sync"}).exit == 0);
    pairing.primary.run("UPDATE person SET x = 'S3CR3T' WHERE id = 1");
    pairing.secondary.run("UPDATE person SET x = 'edited'");
    REQUIRE(pairing.run({"sync"}).exit == 10);
    pairing.set_contract(contract_with("\"withhold\"") + "y = \"plain\"\n");
    CHECK(pairing.run({"contract", "accept", "--reason", "y is asked for"}).exit == 0);
    // until a run has decided anew, nothing of that conflict is used
    CHECK(pairing.run({"resolve", "--all", "--take", "primary", "-q"}).exit == 10);
    CHECK(!has(pairing.run({"report", "--decide", "-"}).out, "S3CR3T"));
    CHECK(pairing.run({"sync"}).exit <= 11);
    (void)pairing.run({"resolve", "--all", "--take", "primary", "-q"});
    CHECK(!has(pairing.secondary.rows("SELECT * FROM person"), "S3CR3T"));
    CHECK(pairing.secondary.rows("SELECT y FROM person ORDER BY y") == "y1\ny2");
  }
}

namespace {

/// A conflict about column x, found under one contract, and another contract that lets something
/// else leave.
struct OtherContract {
  std::string what;
  std::string before;
  std::string after;
  std::string more_before{};  // in the configuration
  std::string more_after{};
};

std::vector<OtherContract> other_contracts() {
  const auto coded = contract_with("{ class = \"plain\", codes = [\"before\", \"S3CR3T\"] }");
  const auto counted = [](const std::string& columns) {
    return contract_with("\"plain\"", "quasi_identifiers = [" + columns + "]");
  };
  const std::string swapped =
      "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
      "id = { class = \"pseudonym\", identity = \"person\" }\n";
  return {
      {"codes, then withheld", coded, contract_with("\"withhold\"")},
      {"codes, then a pseudonym", coded,
       contract_with("{ class = \"pseudonym\", identity = \"x\" }")},
      {"plain, then a pseudonym", contract_with("\"plain\""),
       contract_with("{ class = \"pseudonym\", identity = \"x\" }")},
      {"other rows", contract_with("\"plain\"", "where = \"status = 'open'\"\n"),
       contract_with("\"plain\"", "where = \"status = 'done'\"\n")},
      {"a larger k of fewer columns", counted("\"status\", \"x\""), counted("\"status\""),
       "[privacy]\nmin_k = 1\n", "[privacy]\nmin_k = 4\n"},
      {"names that are called swapped",
       swapped + "x = \"plain\"\nstatus = { class = "
                 "\"pseudonym\", identity = \"status\" }\n",
       swapped + "x = { class = \"plain\", was = \"status\" }\nstatus = { class = "
                 "\"pseudonym\", identity = \"status\", was = \"x\" }\n"},
  };
}

}  // namespace

TEST_CASE("whatever a contract changes: what was kept before is not used until a run went by it") {
  for (const auto engine : kEngines) {
    for (const auto& [what, before, after, more_before, more_after] : other_contracts()) {
      CAPTURE(name_of(engine));
      CAPTURE(what);
      Pairing pairing(engine, engine, before, kLimits + more_before);
      pairing.primary.run(
          "CREATE TABLE person (id integer PRIMARY KEY, status text, x text);"
          "INSERT INTO person VALUES (1, 'open', 'before')");
      REQUIRE(pairing.run({"sync"}).exit == 0);
      pairing.primary.run("UPDATE person SET x = 'S3CR3T'");
      pairing.secondary.run("UPDATE person SET x = 'edited'");
      REQUIRE(pairing.run({"sync"}).exit == 10);
      pairing.set_contract(after);
      pairing.configure(kLimits + more_after);
      for (const bool accepted : {false, true}) {
        CAPTURE(accepted);
        if (accepted) {
          CHECK(pairing.run({"contract", "accept", "--reason", "a test"}).exit == 0);
        }
        const auto page = pairing.run({"report", "--decide", "-"});
        CHECK_MESSAGE(page.exit == 0, page.err);
        CHECK(!has(page.out, "S3CR3T"));
        CHECK(
            has(page.out, "because the contract has changed since they were found: conflicts, 1"));
        for (const auto* const side : {"primary", "secondary"}) {
          CHECK(pairing.run({"resolve", "--all", "--take", side, "-q"}).exit == 10);
        }
        CHECK(pairing.secondary.rows("SELECT x FROM person") == "edited");
      }
    }
  }
}

TEST_CASE("a run is not taken back whose old values are more than leaves now") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Pairing pairing(engine, engine, contract_with("\"plain\""), kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, status text, x text);"
        "INSERT INTO person VALUES (1, 'open', 'S3CR3T')");
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.primary.run("UPDATE person SET x = 'later'");
    const auto changed = pairing.sync()["run"].get<std::string>();
    pairing.set_contract(contract_with("{ class = \"pseudonym\", identity = \"x\" }"));
    const auto refuse = [&](const std::string& run) {
      const auto refused = pairing.run({"revert", run, "--reason", "a test"});
      CHECK(refused.exit == 64);
      CHECK_MESSAGE(has(refused.err, "the contract lets other things of table 'person' leave"),
                    refused.err);
    };
    refuse(changed);  // and no run has gone by the contract yet
    REQUIRE(pairing.run({"contract", "accept", "--reason", "a test"}).exit == 0);
    refuse(changed);
    const auto narrowed = pairing.sync()["run"].get<std::string>();
    refuse(changed);
    refuse(narrowed);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE x LIKE 'p1_%'") == "1");
    // what came later can be taken back
    pairing.primary.run("UPDATE person SET status = 'done'");
    const auto last = pairing.sync()["run"].get<std::string>();
    CHECK(pairing.run({"revert", last, "--reason", "a test"}).exit == 0);
    CHECK(pairing.secondary.rows("SELECT status FROM person") == "open");
  }
}

TEST_CASE("a conflict of a table that the contract has no longer ends with the secondary's side") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    const auto both = contract_with("\"plain\"") +
                      "[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\nid = \"plain\"\n";
    Pairing pairing(engine, engine, both, kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, status text, x text);"
        "CREATE TABLE visit (id integer PRIMARY KEY);"
        "INSERT INTO person VALUES (1, 'open', 'before')");
    REQUIRE(pairing.run({"sync"}).exit == 0);
    pairing.primary.run("UPDATE person SET x = 'S3CR3T'");
    pairing.secondary.run("UPDATE person SET x = 'edited'");
    REQUIRE(pairing.run({"sync"}).exit == 10);
    pairing.set_contract(both.substr(both.find("[tables.visit]")));
    CHECK(pairing.run({"sync"}).exit == 10);
    const auto refused = pairing.run({"resolve", "--all", "--take", "primary"});
    CHECK(refused.exit == 10);
    CHECK_MESSAGE(has(refused.err, "only the secondary's side can be taken"), refused.err);
    CHECK(pairing.run({"resolve", "--all", "--take", "secondary"}).exit == 0);
    CHECK(pairing.secondary.rows("SELECT x FROM person") == "edited");
    CHECK(pairing.run({"sync"}).exit == 0);
  }
}

TEST_CASE("a smaller min_k and fewer quasi-identifiers are decisions, larger ones are none") {
  const std::string counted = "quasi_identifiers = [\"status\", \"x\"]";
  const auto k = [](int n) { return "[privacy]\nmin_k = " + std::to_string(n) + "\n"; };
  Pairing pairing(On::postgresql, On::sqlite, contract_with("\"plain\"", counted), k(2));
  fill(pairing.primary);
  CHECK(pairing.run({"sync"}).exit == 11);
  pairing.configure(k(1));
  CHECK(pairing.run({"sync"}).exit == 23);
  pairing.configure("");
  CHECK(pairing.run({"sync"}).exit == 23);
  pairing.configure(k(2));
  pairing.set_contract(contract_with("\"plain\"", "quasi_identifiers = [\"status\"]"));
  const auto refused = pairing.run({"sync"});
  CHECK(refused.exit == 23);
  CHECK(has(refused.err, "person"));
  pairing.set_contract(contract_with("\"plain\"", counted));
  pairing.configure(k(3));
  CHECK(pairing.run({"sync"}).exit == 11);
  pairing.configure(k(2));
  CHECK(pairing.run({"sync"}).exit == 23);
  CHECK(pairing.run({"contract", "accept", "--reason", "asked"}).exit == 0);
  CHECK(pairing.run({"sync"}).exit == 11);
  // others are counted: where each row is a subject of its own, more may be enough for k
  pairing.set_contract("[tables.person]\nkey = [\"id\"]\nsubject = \"x\"\n" + counted +
                       "\n[tables.person.columns]\nid = { class = \"pseudonym\", identity = "
                       "\"person\" }\nstatus = \"plain\"\nx = { class = \"pseudonym\", identity = "
                       "\"x\" }\n");
  const auto others = pairing.run({"contract", "diff"});
  CHECK_MESSAGE(has(others.out, "counted by x"), others.out, others.err);
}

TEST_CASE("a column that contract add lets leave is filled once its hint is followed") {
  Pairing pairing(On::sqlite, On::sqlite, contract_with(""), kLimits);
  fill(pairing.primary);
  REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
  CHECK(pairing.run({"sync"}).exit == 0);
  const auto added = pairing.run({"contract", "add", "person.x", "--class", "plain"});
  CHECK(has(added.out,
            "then run: abgleich drift accept; and, since more leaves by it: abgleich "
            "contract accept --reason TEXT"));
  CHECK(pairing.run({"sync"}).exit == 23);
  CHECK(pairing.run({"drift", "accept"}).exit == 0);
  CHECK(pairing.run({"contract", "accept", "--reason", "TEXT"}).exit == 0);
  CHECK(pairing.run({"sync"}).exit == 0);
  CHECK(pairing.secondary.rows("SELECT x FROM person WHERE status = 'done' OR x LIKE '1980%' ORDER "
                               "BY x IS NULL") == "1980-02-03\nNULL");
}

TEST_CASE("a new table is a decision; one that was left out leaves nothing any more") {
  Pairing pairing(On::sqlite, On::sqlite, contract_with("\"plain\""));
  fill(pairing.primary);
  pairing.primary.run("CREATE TABLE other (id integer PRIMARY KEY, a text)");
  const std::string other =
      "[tables.other]\nkey = [\"id\"]\n[tables.other.columns]\n"
      "id = { class = \"pseudonym\", identity = \"other\" }\na = \"plain\"\n";
  CHECK(pairing.run({"sync"}).exit == 0);
  pairing.set_contract(contract_with("\"plain\"") + other);
  const auto refused = pairing.run({"sync"});
  CHECK(refused.exit == 23);
  CHECK(has(refused.err, "other.a"));
  CHECK(pairing.run({"contract", "accept", "--reason", "wanted"}).exit == 0);
  CHECK(pairing.run({"sync"}).exit == 0);
  check_no_decision(pairing, contract_with("\"plain\""));
  pairing.set_contract(contract_with("\"plain\"") + other);
  CHECK(pairing.run({"sync"}).exit == 23);
}

TEST_CASE("a renamed column or table is not a new one") {
  Pairing pairing(On::postgresql, On::postgresql, contract_with("\"plain\""));
  fill(pairing.primary);
  REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
  CHECK(pairing.run({"sync"}).exit == 0);
  pairing.primary.run("ALTER TABLE person RENAME COLUMN x TO y");
  pairing.set_contract(contract_with("") + "y = { class = \"plain\", was = \"x\" }\n");
  const auto ran = pairing.run({"sync"});
  CHECK_MESSAGE((ran.exit == 0 || ran.exit == 11), ran.err);
  pairing.set_contract(contract_with("") + "y = { class = \"plain\", was = \"x\" }\n");
  CHECK(has(pairing.run({"contract", "diff"}).out, "what leaves is what left before"));
}

TEST_CASE("a line that only calls a column renamed lets nothing leave") {
  Pairing pairing(On::sqlite, On::sqlite, contract_with("\"withhold\""));
  fill(pairing.primary);
  REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
  CHECK(pairing.run({"sync"}).exit == 0);
  pairing.set_contract(contract_with("{ class = \"plain\", was = \"status\" }"));
  CHECK(pairing.run({"sync"}).exit == 23);
  std::filesystem::remove(pairing.directory / "catalog.json");  // nor does a lost file
  CHECK(pairing.run({"sync"}).exit == 23);
  CHECK(!has(pairing.run({"sync"}).out, "applied"));
}

// Two tables, of which `letter` lets only some rows leave and `person` all of them.
namespace {

const char* const kRows = "where = \"ok = TRUE\"\n";

std::string two_tables(const std::string& of_person, const std::string& of_letter) {
  const auto table = [](const std::string& name, const std::string& lines) {
    return "[tables." + name + "]\nkey = [\"id\"]\n" + lines + "[tables." + name +
           ".columns]\nid = { class = \"pseudonym\", identity = \"number\" }\nok = \"plain\"\n";
  };
  return table("person", of_person) + table("letter", of_letter);
}

void fill_two(Database& primary) {
  primary.run(
      "CREATE TABLE person (id integer PRIMARY KEY, ok boolean);"
      "CREATE TABLE letter (id integer PRIMARY KEY, ok boolean);"
      "INSERT INTO person VALUES (1, TRUE), (2, FALSE);"
      "INSERT INTO letter VALUES (7, TRUE), (8, FALSE), (9, FALSE)");
}

}  // namespace

TEST_CASE("lines that only call a table renamed let no further rows leave") {
  for (const auto engine : kEngines) {
    Pairing pairing(engine, On::sqlite, two_tables("", kRows));
    fill_two(pairing.primary);
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    REQUIRE(pairing.run({"sync"}).exit == 0);
    REQUIRE(pairing.secondary.rows("SELECT count(*) FROM letter") == "1");
    for (const char* const of_person : {"", "was = \"zzz\"\n", "was = \"letter\"\n"}) {
      for (const char* const of_letter : {"", "was = \"person\"\n", "was = \"yyy\"\n"}) {
        CAPTURE(name_of(engine));
        CAPTURE(std::string(of_person));
        CAPTURE(std::string(of_letter));
        pairing.set_contract(two_tables(of_person, of_letter));
        const auto ran = pairing.run({"sync"});
        CHECK_MESSAGE(ran.exit == 23, ran.err);
        CHECK(pairing.secondary.rows("SELECT count(*) FROM letter") == "1");
        const auto shown = pairing.run({"contract", "diff"});
        CHECK_MESSAGE(has(shown.out, "+ letter: leaves now: every row"), shown.out, shown.err);
      }
    }
  }
}

TEST_CASE("lines that only call columns swapped let no column leave") {
  for (const auto engine : kEngines) {
    Pairing pairing(engine, On::sqlite, contract_with("\"withhold\""));
    fill(pairing.primary);
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    REQUIRE(pairing.run({"sync"}).exit == 0);
    for (const char* const was : {"zzz", "x"}) {
      CAPTURE(name_of(engine));
      CAPTURE(std::string(was));
      pairing.set_contract(
          "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
          "id = { class = \"pseudonym\", identity = \"person\" }\n"
          "status = { class = \"plain\", was = \"" +
          std::string(was) + "\" }\nx = { class = \"plain\", was = \"status\" }\n");
      CHECK(pairing.run({"sync"}).exit == 23);
      const auto shown = pairing.run({"contract", "diff"});
      CHECK_MESSAGE(has(shown.out, "+ person.x: leaves now: plain"), shown.out, shown.err);
      CHECK(pairing.secondary.rows("SELECT count(*) FROM person") == "3");
    }
  }
}

TEST_CASE("tables that were really swapped need no decision where their identity proves it") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Pairing pairing(engine, On::sqlite, two_tables("", kRows), kLimits);
    fill_two(pairing.primary);
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    REQUIRE(pairing.run({"sync"}).exit == 0);
    pairing.primary.run(
        "ALTER TABLE person RENAME TO other; ALTER TABLE letter RENAME TO person;"
        "ALTER TABLE other RENAME TO letter");
    pairing.set_contract(
        two_tables(std::string("was = \"letter\"\n") + kRows, "was = \"person\"\n"));
    if (engine == On::sqlite) {
      // nothing proves it, so it is asked for, once
      CHECK(pairing.run({"sync"}).exit == 23);
      CHECK(pairing.run({"drift", "accept"}).exit == 0);
      CHECK(pairing.run({"sync"}).exit == 23);
      CHECK(pairing.run({"contract", "accept", "--reason", "names were swapped"}).exit == 0);
    }
    const auto shown = pairing.run({"contract", "diff"});
    CHECK_MESSAGE(has(shown.out, "what leaves is what left before"), shown.out, shown.err);
  }
}

TEST_CASE("a `was` that was judged is not judged again, whatever has its name later") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Pairing pairing(engine, On::sqlite, contract_with("\"plain\""));
    fill(pairing.primary);
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    REQUIRE(pairing.run({"sync"}).exit == 0);
    pairing.primary.run("ALTER TABLE person RENAME COLUMN x TO y");
    const auto renamed = contract_with("") + "y = { class = \"plain\", was = \"x\" }\n";
    pairing.set_contract(renamed);
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    const auto ran = pairing.run({"sync"});
    CHECK_MESSAGE((ran.exit == 0 || ran.exit == 11), ran.err);
    pairing.primary.run("ALTER TABLE person ADD COLUMN x text");
    pairing.set_contract(renamed + "x = \"withhold\"\n");
    const auto after = pairing.run({"sync"});
    CHECK_MESSAGE((after.exit == 0 || after.exit == 11), after.err);
    CHECK(has(pairing.run({"contract", "diff"}).out, "what leaves is what left before"));
  }
}

TEST_CASE("what is gone lends its decision to nothing that was there beside it") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Pairing pairing(engine, On::sqlite, contract_with("\"withhold\""), kLimits);
    fill(pairing.primary);
    pairing.primary.run(
        "CREATE TABLE letter (id integer PRIMARY KEY, ok boolean); INSERT INTO letter VALUES (1, "
        "TRUE)");
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    REQUIRE(pairing.run({"sync"}).exit == 0);
    // a column that the contract names no longer is dropped, and another one is called by its name
    pairing.primary.run("ALTER TABLE person DROP COLUMN status");
    const std::string person =
        "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
        "id = { class = \"pseudonym\", identity = \"person\" }\n";
    pairing.set_contract(person);
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    pairing.set_contract(person + "x = { class = \"plain\", was = \"status\" }\n");
    CHECK(pairing.run({"sync"}).exit == 23);
    const auto shown = pairing.run({"contract", "diff"});
    CHECK_MESSAGE(has(shown.out, "+ person.x: leaves now: plain"), shown.out, shown.err);
    CHECK(pairing.run({"contract", "accept", "--reason", "wanted"}).exit == 0);
    const auto ran = pairing.run({"sync"});
    CHECK_MESSAGE((ran.exit == 0 || ran.exit == 11), ran.err);
    CHECK(has(pairing.run({"contract", "diff"}).out, "what leaves is what left before"));
    // the same of a table
    pairing.primary.run("DROP TABLE person");
    pairing.set_contract(
        "[tables.letter]\nkey = [\"id\"]\nwas = \"person\"\n[tables.letter.columns]\n"
        "id = { class = \"pseudonym\", identity = \"person\" }\n");
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    CHECK(pairing.run({"sync"}).exit == 23);
    CHECK(has(pairing.run({"contract", "diff"}).out, "+ letter.id: leaves now: pseudonym"));
  }
}

TEST_CASE("a `was` that was judged excuses no later swap of the names") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    const auto contract = [](const std::string& a, const std::string& b) {
      return "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = \"plain\"\n" +
             (a.empty() ? "" : "a = " + a + "\n") + "b = " + b + "\n";
    };
    const std::string pseudonym = "class = \"pseudonym\", identity = \"b\"";
    Pairing pairing(engine, On::sqlite, contract("", "\"plain\""), kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, b text); INSERT INTO person VALUES (1, "
        "'open')");
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    REQUIRE(pairing.run({"sync"}).exit == 0);
    pairing.primary.run("ALTER TABLE person RENAME COLUMN b TO a");
    pairing.set_contract(
        "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = \"plain\"\n"
        "a = { class = \"plain\", was = \"b\" }\n");
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    const auto renamed = pairing.run({"sync"});
    CHECK_MESSAGE((renamed.exit == 0 || renamed.exit == 11), renamed.err);
    pairing.primary.run("ALTER TABLE person ADD COLUMN b text; UPDATE person SET b = 'SECRET'");
    pairing.set_contract(contract("{ class = \"plain\", was = \"b\" }", "{ " + pseudonym + " }"));
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    REQUIRE(pairing.run({"contract", "accept", "--reason", "the new one"}).exit == 0);
    const auto added = pairing.run({"sync"});
    CHECK_MESSAGE((added.exit == 0 || added.exit == 11), added.err);
    pairing.primary.run(
        "ALTER TABLE person RENAME COLUMN a TO c; ALTER TABLE person RENAME COLUMN b TO a;"
        "ALTER TABLE person RENAME COLUMN c TO b");
    pairing.set_contract(
        contract("{ class = \"plain\", was = \"b\" }", "{ " + pseudonym + ", was = \"a\" }"));
    CHECK(pairing.run({"sync"}).exit == 23);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE a = 'SECRET'") == "0");
    CHECK(has(pairing.run({"contract", "diff"}).out, "+ person.a: leaves now: plain"));
  }
}

TEST_CASE("rows that codes held back are a decision, also where their column leaves no longer") {
  Pairing pairing(On::sqlite, On::sqlite,
                  contract_with("{ class = \"plain\", codes = [\"1980-02-03\"] }"), kLimits);
  fill(pairing.primary);
  CHECK(pairing.run({"sync"}).exit == 11);
  for (const char* const x :
       {"", "\"withhold\"", "{ class = \"generalise\", to = \"const\", value = \"-\" }"}) {
    CAPTURE(std::string(x));
    pairing.set_contract(contract_with(x));
    CHECK(pairing.run({"sync"}).exit == 23);
    CHECK(has(pairing.run({"contract", "diff"}).out, "+ person.x: "));
  }
}

TEST_CASE("what the books have lost lets nothing leave") {
  for (const auto engine : kEngines) {
    Pairing pairing(On::sqlite, engine, contract_with("\"plain\""));
    fill(pairing.primary);
    CHECK(pairing.run({"sync"}).exit == 0);
    pairing.secondary.run(std::string("DELETE FROM ") +
                          (engine == On::sqlite ? "abgleich_fact" : "abgleich.fact"));
    pairing.primary.run("UPDATE person SET x = '2001-01-01' WHERE id = 1");
    const auto ran = pairing.run({"sync"});
    CHECK((ran.exit == 23 || ran.exit == 41));
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE x = '2001-01-01'") == "0");
  }
}

TEST_CASE("check sees by the values that names and free text leave under innocent names") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Pairing pairing(engine, On::sqlite,
                    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
                    "id = { class = \"pseudonym\", identity = \"person\" }\n"
                    "a = \"plain\"\nb = \"plain\"\nc = \"plain\"\n"
                    "d = { class = \"plain\", because = \"the office asked for them\" }\n"
                    "e = \"plain\"\nf = { class = \"generalise\", to = \"prefix:9\" }\n"
                    "g = { class = \"generalise\", to = \"prefix:2\" }\nh = \"withhold\"\n");
    // a: surnames, each in two rows; b: free text; c: three codes; e: sentences, but always the
    // same
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, a text, b text, c text, d text, e text, f "
        "text, g text, h text);"
        "INSERT INTO person SELECT i, 'Sur' || (i / 2), CASE WHEN i < 15 THEN 'saw him at ' || i "
        "END, 'code ' || (i % 3), 'saw her at ' || i, 'seen and well', 'Sur' || i, 'Sur' || i, "
        "'Sur' || i FROM (WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < "
        "300) SELECT i FROM s) AS series");
    const auto ran = pairing.run({"check"});
    CAPTURE(ran.out);
    CHECK(ran.exit == 0);
    CHECK(has(ran.out,
              "WARN column person.a: leaves as text, and has 151 different texts in 300 "
              "rows, as names have: init keeps texts back"));
    CHECK(has(ran.out,
              "WARN column person.b: leaves as text, and most of its 14 different texts "
              "are of 3 words or more: init keeps texts back"));
    CHECK(has(ran.out, "WARN column person.f: "));
    for (const std::string column : {"id", "c", "d", "e", "g", "h"}) {
      CHECK(!has(ran.out, "column person." + column));
    }
    CHECK(!has(ran.out, "Sur1"));
    CHECK(!has(ran.out, "saw"));
  }
}

TEST_CASE("what is accepted before the first run, or without need, writes nothing") {
  Pairing pairing(On::sqlite, On::sqlite, contract_with("\"plain\""));
  fill(pairing.primary);
  const auto early = pairing.run({"contract", "accept", "--reason", "early"});
  CHECK(early.exit == 0);
  CHECK(has(early.out, "nothing to decide"));
  CHECK(has(pairing.run({"contract", "diff"}).out, "no run yet"));
  CHECK(pairing.run({"sync"}).exit == 0);
  const auto runs = pairing.run({"log"}).out;
  CHECK(has(pairing.run({"contract", "accept", "--reason", "again"}).out, "nothing to decide"));
  CHECK(pairing.run({"log"}).out == runs);
  CHECK(pairing.run({"contract", "accept"}).exit == 64);
}

TEST_CASE("what a rotation of the key seals anew is no widening") {
  Pairing pairing(On::sqlite, On::sqlite,
                  contract_with("{ class = \"generalise\", to = \"map\", map = { a = \"1\" }, "
                                "otherwise = \"0\" }"));
  fill(pairing.primary);
  CHECK(pairing.run({"sync"}).exit == 0);
  REQUIRE(pairing.run({"keys", "rotate"}).exit == 0);
  CHECK(pairing.run({"sync"}).exit == 0);
  CHECK(has(pairing.run({"contract", "diff"}).out, "what leaves is what left before"));
  pairing.set_contract(contract_with("\"plain\""));
  REQUIRE(pairing.run({"keys", "rotate"}).exit == 0);
  CHECK(pairing.run({"sync"}).exit == 23);  // nor is a rotation a way around it
  CHECK(pairing.secondary.rows("SELECT max(x) FROM person") == "0");
}

TEST_CASE("the values that a contract names are not in the secondary's bookkeeping") {
  Pairing pairing(On::sqlite, On::sqlite,
                  contract_with("{ class = \"generalise\", to = \"map\", map = { Zebrafieber = "
                                "\"ill\" }, otherwise = \"well\" }"));
  fill(pairing.primary);
  CHECK(pairing.run({"sync"}).exit == 0);
  CHECK(!has(read_file(pairing.directory / "secondary.db"), "Zebrafieber"));
}

TEST_CASE("check names the columns that leave against init's own guess, unless they say why") {
  Pairing pairing(On::sqlite, On::sqlite,
                  "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
                  "id = { class = \"pseudonym\", identity = \"person\" }\n"
                  "surname = \"plain\"\n"
                  "birth_date = { class = \"generalise\", to = \"year\" }\n"
                  "remarks = { class = \"plain\", because = \"the office asked for them\" }\n"
                  "postcode = { class = \"generalise\", to = \"prefix:2\" }\n"
                  "status = \"plain\"\n"
                  "note = { class = \"plain\", codes = [\"A\"] }\n"
                  "[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\nid = \"plain\"\n");
  pairing.primary.run(
      "CREATE TABLE person (id integer PRIMARY KEY, surname text, birth_date date, remarks text, "
      "postcode text, status text, note text);"
      "CREATE TABLE visit (id integer PRIMARY KEY)");
  REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
  const auto text = pairing.run({"check"});
  CAPTURE(text.out);
  CHECK(text.exit == 0);
  for (const std::string column : {"person.surname", "person.postcode", "visit.id"}) {
    CHECK(has(text.out, "WARN column " + column + ": leaves "));
  }
  CHECK(has(text.out, "because = \"the reason\""));
  for (const std::string column : {"id", "birth_date", "remarks", "status", "note"}) {
    CHECK(!has(text.out, "column person." + column));
  }
  int warnings = 0;
  for (const auto& line : lines_of(pairing.run({"check", "--json"}).out)) {
    if (line.contains("warning")) {
      CHECK(line["ok"] == false);
      CHECK(line["warning"] == true);
      ++warnings;
    }
  }
  CHECK(warnings == 3);
}

}  // namespace abgleich::test
