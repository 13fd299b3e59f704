// Small promises of the command line that are easily broken: what a contract's slip of the pen is
// called, what a dry run and `status` say, and that a hint can be pasted.
#include "support/pairing.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <sys/stat.h>

namespace abgleich::test {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = \"plain\"\ntag = \"plain\"\n";

const char* const kRows =
    "CREATE TABLE person (id integer PRIMARY KEY, tag text, note text);"
    "INSERT INTO person VALUES (1, 'a', 'x'), (2, 'b', 'y'), (3, 'c', 'z')";

/// A pairing whose primary has been accepted, and which has run once.
struct Accepted : Pairing {
  explicit Accepted(On engine, const std::string& contract = kContract)
      : Pairing(engine, engine, contract) {
    primary.run(kRows);
    REQUIRE(run({"drift", "accept"}).exit == 0);
    REQUIRE(sync()["exit"] == 0);
  }
};

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a name in the contract that nobody knows is an error with its place, and no drift") {
  for (const auto engine : kEngines) {
    Accepted pairing(engine);
    struct Slip {
      std::string contract;
      std::string place;
      std::string meant;
    };
    for (const auto& slip : std::vector<Slip>{
             {std::string(kContract) + "nose = \"plain\"\n", "contract.toml:7:1", "'note'"},
             {std::string(kContract) + "[tables.persons]\nkey = [\"id\"]\n"
                                       "[tables.persons.columns]\nid = \"plain\"\n",
              "contract.toml:7:", "'person'"}}) {
      CAPTURE(slip.contract);
      pairing.set_contract(slip.contract);
      for (const auto& command : {"sync", "diff"}) {
        const auto ran = pairing.run({command});
        CAPTURE(ran.err);
        CHECK(ran.exit == 78);
        CHECK(says(ran.err, slip.place));
        CHECK(says(ran.err, "did you mean " + slip.meant));
      }
      const auto checked = pairing.run({"check"});
      CHECK(checked.exit == 78);
      CHECK(says(checked.out, slip.place));
    }
  }
}

TEST_CASE("a dropped column stays drift of its table: while its line is there it is not accepted") {
  for (const auto engine : kEngines) {
    Accepted pairing(engine, std::string(kContract) + "note = \"plain\"\n");
    pairing.primary.run("ALTER TABLE person DROP COLUMN note");
    CHECK(pairing.sync()["exit"] == 11);
    const auto refused = pairing.run({"drift", "accept"});
    CHECK(refused.exit == 23);
    CHECK(says(refused.err, "would block table 'person' from then on"));
    CHECK(pairing.sync()["exit"] == 11);
    CHECK(pairing.secondary.rows("SELECT note FROM person ORDER BY id") == "x\ny\nz");
  }
}

TEST_CASE("a run that drift has stopped says so in its closing line") {
  for (const auto engine : kEngines) {
    Accepted pairing(engine);
    pairing.primary.run("ALTER TABLE person RENAME TO people");
    for (const auto& kind : std::vector<std::vector<std::string>>{{}, {"--dry-run"}}) {
      const auto line = pairing.sync(kind);
      CHECK(line["exit"] == 23);
      CHECK(line["outcome"] == "refused");
      REQUIRE(line["error"].is_object());
      CHECK(line["error"]["code"] == 23);
      CHECK(says(line["error"]["message"], "person"));
      CHECK(says(line["error"]["hint"], "abgleich drift"));
    }
    const auto status = pairing.run({"status"});
    CHECK(says(status.out, "not synchronised until it is decided: person"));
    CHECK(!Json::parse(pairing.run({"status", "--json"}).out)["drift"].empty());
  }
}

TEST_CASE("status tells the rest where the primary cannot be asked") {
  Accepted pairing(On::sqlite);
  CHECK(says(pairing.run({"status"}).out, "drift: none\n"));
  fs::rename(pairing.directory / "primary.db", pairing.directory / "elsewhere.db");
  const auto ran = pairing.run({"status"});
  CAPTURE(ran.out);
  CHECK(ran.exit == 0);
  CHECK(says(ran.out, "open conflicts: 0"));
  CHECK(says(ran.out, "drift: not known: "));
  CHECK(Json::parse(pairing.run({"status", "--json"}).out)["drift"].is_null());
}

TEST_CASE("a dry run is refused as the run would be, at any loudness; diff looks beyond it") {
  for (const auto engine : kEngines) {
    Pairing bare(engine, engine, kContract);
    bare.configure("", "manage_schema = false\n");
    bare.primary.run(kRows);
    CHECK(bare.run({"sync", "--dry-run"}).exit == 23);
    CHECK(bare.run({"sync", "--dry-run", "-v"}).exit == 23);
    const auto diff = bare.run({"diff"});
    CHECK(diff.exit == 0);
    CHECK(says(diff.out, "+ person id=1"));
    CHECK(says(diff.err, "note: sync would refuse this: the secondary lacks tables"));

    Accepted pairing(engine);
    pairing.primary.run("DELETE FROM person WHERE id < 3");
    CHECK(pairing.run({"sync", "--dry-run"}).exit == 20);
    CHECK(pairing.run({"sync", "--dry-run", "-v"}).exit == 20);
    CHECK(says(pairing.run({"diff"}).err, "note: sync would refuse this: 2 of 3 rows"));
  }
}

TEST_CASE("a hint that names a table can be pasted, whatever the table is called") {
  for (const auto engine : kEngines) {
    Pairing pairing(engine, engine,
                    "[tables.\"my 'visits'\"]\nkey = [\"id\"]\n"
                    "[tables.\"my 'visits'\".columns]\nid = \"plain\"\n");
    pairing.primary.run(
        "CREATE TABLE \"my 'visits'\" (id integer PRIMARY KEY);"
        "INSERT INTO \"my 'visits'\" VALUES (1), (2), (3)");
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.primary.run("DELETE FROM \"my 'visits'\" WHERE id < 3");
    const auto refused = pairing.run({"sync"});
    CAPTURE(refused.err);
    CHECK(refused.exit == 20);
    const std::string begin = "if it is right: abgleich ";
    const auto at = refused.err.find(begin);
    REQUIRE(at != std::string::npos);
    const auto line = refused.err.substr(at + begin.size());
    const auto pasted = line.substr(0, line.find(". Nothing"));
    const auto ran = run_program({"/bin/sh", "-c", "\"$0\" " + pasted, kProgram},
                                 pairing.directory.path().string());
    CAPTURE(pasted);
    CHECK(ran.exit == 0);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM \"my 'visits'\"") == "1");
  }
}

TEST_CASE("a variable stands for every option, and the option wins over it") {
  Accepted pairing(On::sqlite);
  pairing.primary.run("UPDATE person SET tag = 'new' WHERE id = 1");
  const auto before = read_file(pairing.directory / "secondary.db");
  const auto dry = pairing.run({"sync", "--json"}, {"ABGLEICH_DRY_RUN=1"});
  CHECK(Json::parse(dry.out)["dry_run"] == true);
  CHECK(read_file(pairing.directory / "secondary.db") == before);
  CHECK(pairing.run({"diff"}, {"ABGLEICH_EXIT_CODE=true"}).exit == 1);
  CHECK(pairing.run({"diff"}, {"ABGLEICH_EXIT_CODE=0"}).exit == 0);
  CHECK(pairing.run({"diff"}, {"ABGLEICH_EXIT_CODE="}).exit == 0);
  CHECK(says(pairing.run({"diff"}, {"ABGLEICH_COLOR=always"}).out, "\033["));
  CHECK(!says(pairing.run({"diff", "--color=never"}, {"ABGLEICH_COLOR=always"}).out, "\033["));
  CHECK(pairing.run({"sync"}, {"ABGLEICH_DRY_RUN=perhaps"}).exit == 64);
  CHECK(pairing.run({"sync"}).exit == 0);
}

TEST_CASE("with --json no command prints anything else") {
  Pairing pairing(On::sqlite, On::sqlite, kContract);
  pairing.primary.run(kRows);
  REQUIRE(pairing.sync()["exit"] == 0);
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"check"},
           {"status"},
           {"log"},
           {"show", "latest"},
           {"conflicts"},
           {"quarantine"},
           {"diff"},
           {"verify"},
           {"drift"},
           {"keys", "check"},
           {"adopt", "--reason", "x"},
           {"revert", "latest", "--reason", "x"},
           {"resume", "--reason", "x"},
           {"resolve", "--all", "--take", "primary"},
           {"init", "--primary", "sqlite:primary.db", "--secondary", "sqlite:secondary.db",
            "--directory", "new"}}) {
    auto line = words;
    line.emplace_back("--json");
    const auto ran = pairing.run(line);
    CAPTURE(words.front());
    CAPTURE(ran.out);
    std::istringstream lines(ran.out);
    for (std::string one; std::getline(lines, one);) {
      CHECK(Json::accept(one));
    }
  }
}

TEST_CASE(
    "bookkeeping that has lost a table or its last run is damaged, not refused by the secondary") {
  for (const auto engine : kEngines) {
    const std::string books = engine == On::sqlite ? "abgleich_" : "abgleich.";
    for (const auto& [damage, named] : std::vector<std::pair<std::string, std::string>>{
             {"DROP TABLE " + books + "journal", books + "journal"},
             {"DROP TABLE " + books + "seal", books + "seal"},
             {"DELETE FROM " + books + "run", "r1-"}}) {
      CAPTURE(damage);
      Accepted pairing(engine);
      pairing.secondary.run(damage);
      pairing.primary.run("UPDATE person SET tag = 'new' WHERE id = 1");
      const auto ran = pairing.run({"sync"});
      CHECK(ran.exit == 41);
      CHECK(says(ran.err, named));
      CHECK(says(ran.err, "abgleich adopt --reason"));
      CHECK(pairing.secondary.rows("SELECT tag FROM person WHERE id = 1") == "a");
    }
  }
}

TEST_CASE("a table that was dropped in the secondary is nobody's delete of its rows") {
  for (const auto engine : kEngines) {
    Accepted pairing(engine);
    pairing.secondary.run("DROP TABLE person");
    for (const auto& command : {"sync", "diff", "check"}) {
      const auto ran = pairing.run({command});
      CAPTURE(command);
      CHECK(ran.exit == 22);
      CHECK(says(ran.out + ran.err, "table 'person' is not there"));
      CHECK(says(ran.out + ran.err, "abgleich adopt --reason TEXT"));
    }
    REQUIRE(pairing.run({"adopt", "--reason", "dropped by mistake"}).exit == 0);
    CHECK(pairing.sync()["tables"]["person"]["inserted"] == 3);
    CHECK(pairing.secondary.rows("SELECT tag FROM person ORDER BY id") == "a\nb\nc");
    CHECK(pairing.sync()["outcome"] == "unchanged");
    CHECK(pairing.run({"verify"}).exit == 0);

    pairing.set_contract(
        "[tables.person]\nkey = [\"id\"]\ntarget = \"people\"\n"
        "[tables.person.columns]\nid = \"plain\"\ntag = \"plain\"\n");
    SUBCASE("another target: its table gets the name") {}
    SUBCASE("or has it already, by hand") {
      pairing.secondary.run("ALTER TABLE person RENAME TO people");
    }
    SUBCASE("which must be free") {
      pairing.secondary.run("CREATE TABLE people (id integer PRIMARY KEY, tag text)");
      const auto ran = pairing.run({"sync"});
      CHECK(ran.exit == 22);
      CHECK(says(ran.err, "'person' in the secondary is to be called 'people'"));
      pairing.secondary.run("DROP TABLE people");
    }
    CHECK(pairing.run({"sync"}).exit == 0);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM people") == "3");
    CHECK(pairing.sync()["outcome"] == "unchanged");
  }
}

TEST_CASE("the primary is not taken for the secondary, however its URL is written") {
  Pairing pairing(On::postgresql, On::postgresql, kContract);
  pairing.primary.run(kRows);
  write_file(pairing.directory / "abgleich.toml",
             "[primary]\nurl = \"" + pairing.primary.url() + "\"\n[secondary]\nurl = \"" +
                 pairing.primary.url() + "&application_name=other\"\n");
  for (const auto& command : {"sync", "diff", "check"}) {
    const auto ran = pairing.run({command});
    CAPTURE(command);
    CHECK(ran.exit == 78);
    CHECK(says(ran.out + ran.err, "are the same database"));
  }
  CHECK(pairing.primary.rows("SELECT count(*) FROM pg_namespace WHERE nspname = 'abgleich'") ==
        "0");
}

TEST_CASE("an empty state directory that others can enter is closed, one in use is refused") {
  Pairing pairing(On::sqlite, On::sqlite, kContract);
  pairing.primary.run(kRows);
  const auto state = pairing.directory / "state";
  fs::create_directory(state);
  REQUIRE(::chmod(state.c_str(), 0755) == 0);
  CHECK(pairing.sync()["exit"] == 0);
  struct stat status {};
  REQUIRE(::stat(state.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0700);
}

}  // namespace abgleich::test
