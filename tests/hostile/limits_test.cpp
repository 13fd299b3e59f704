// What is too deep, too large or too long: an error or a row that is held back, by name, and never
// the end of the process. And what others on the machine can see.
#include "support/child.hpp"
#include "support/pairing.hpp"
#include "support/places.hpp"
#include "support/sanitized.hpp"
#include "support/thorough.hpp"

#include <doctest/doctest.h>

#include <pwd.h>
#include <string>
#include <unistd.h>

namespace abgleich::test {

namespace {

const char* const kPerson =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
    "id = \"plain\"\nstatus = \"plain\"\n";
const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

// Of one large value that is loaded, and of two where one takes the other's place.
constexpr double kMostOfOne = 6;
constexpr double kMostOfTwo = 12;

std::string books(On engine, const std::string& table) {
  return engine == On::sqlite ? "abgleich_" + table : "abgleich." + table;
}

std::string deep(int levels) {
  const auto count = static_cast<std::size_t>(levels);
  return std::string(count, '[') + std::string(count, ']');
}

Ran with_input(const Pairing& pairing, const std::vector<std::string>& words,
               const std::string& input, const std::vector<std::string>& environment = {}) {
  return run_program(pairing.command(words), pairing.directory.path().string(), environment, input);
}

}  // namespace

TEST_CASE("JSON nested 200,000 deep in the books is damage, not a crash") {
  // the control: read and written as if nobody could have made it, the stack is not enough
  CHECK(ends_well([] { (void)nlohmann::json::parse(deep(200)).dump(); }));
  CHECK(!ends_well([] { (void)nlohmann::json::parse(deep(200'000)).dump(); }));
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Pairing pairing(On::sqlite, engine, kPerson, kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id TEXT PRIMARY KEY NOT NULL, status TEXT);"
        "INSERT INTO person VALUES ('a', 'case'), ('b', 'case')");
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.primary.run("UPDATE person SET status = 'contact'");
    REQUIRE(pairing.sync()["exit"] == 0);
    struct Place {
      const char* table;
      const char* column;
      std::vector<std::string> command;
    };
    const auto hostile = "'{\"person\":" + deep(200'000) + "}'";
    for (const auto& place : std::vector<Place>{{"run", "counts", {"log"}},
                                                {"run", "counts", {"log", "--json"}},
                                                {"journal", "before", {"show", "r2"}},
                                                {"journal", "after", {"show", "r2", "--json"}},
                                                {"tracked", "columns", {"sync"}},
                                                {"tracked", "columns", {"verify"}},
                                                {"tracked", "key_columns", {"sync"}},
                                                {"tracked", "key_columns", {"conflicts"}}}) {
      CAPTURE(place.table);
      CAPTURE(place.column);
      CAPTURE(place.command[0]);
      const auto table = books(engine, place.table);
      const std::string column = std::string("\"") + place.column + "\"";
      pairing.secondary.run("CREATE TABLE kept AS SELECT * FROM " + table);
      pairing.secondary.run("UPDATE " + table + " SET " + column + " = " + hostile + " WHERE " +
                            column + " IS NOT NULL");
      const auto ran = pairing.run(place.command);
      const bool reads = !(place.command[0] == "conflicts");  // there are none: nothing is read
      CHECK_MESSAGE((ran.exit == 41 || (!reads && ran.exit == 0)), ran.exit, ran.out.substr(0, 300),
                    ran.err.substr(0, 300));
      pairing.secondary.run("DELETE FROM " + table + "; INSERT INTO " + table +
                            " SELECT * FROM kept; DROP TABLE kept");
      (void)pairing.run({"verify"});  // takes the latch off, where there is one
    }
    for (const auto* const file : {"catalog.json", "state/anchor.json"}) {
      CAPTURE(file);
      const auto path = pairing.directory.path() / file;
      const auto before = std::filesystem::exists(path) ? read_file(path) : std::string();
      write_file(path, "{\"format\":" + deep(200'000) + "}");
      const auto ran = pairing.run({"sync"});
      CHECK_MESSAGE(ran.exit >= 20, ran.exit, ran.err);
      CHECK_MESSAGE(ran.exit < 128, ran.exit, ran.err);
      CHECK(ran.exit != 70);
      if (before.empty()) {
        std::filesystem::remove(path);
      } else {
        write_file(path, before);
      }
    }
    CHECK(pairing.run({"sync"}).exit == 0);
  }
}

TEST_CASE("a value that is too large is held back by name, and a large one costs a small multiple" *
          doctest::skip(kSanitized)) {
  const long megabytes = thorough() ? 200 : 50;
  for (const auto from : kEngines) {
    for (const auto to : kEngines) {
      CAPTURE(name_of(from));
      CAPTURE(name_of(to));
      Pairing pairing(from, to, kPerson, kLimits);
      pairing.primary.run("CREATE TABLE person (id varchar(9) PRIMARY KEY NOT NULL, status text)");
      const auto giant = [&](long millions) {
        const auto size = std::to_string(millions * 1'000'000);
        return from == On::postgresql ? "repeat('x', " + size + ")"
                                      : "replace(hex(zeroblob(" + size + " / 2)), '00', 'xy')";
      };
      /// How many times the value itself a run took at its peak.
      const auto multiple = [&](const Ran& ran) {
        const auto times =
            static_cast<double>(ran.peak_kib) * 1024 / (static_cast<double>(megabytes) * 1e6);
        MESSAGE("peak memory, in sizes of the value: ", times);
        return times;
      };
      pairing.primary.run("INSERT INTO person VALUES ('a', 'case'), ('b', " + giant(megabytes) +
                          ")");
      auto ran = pairing.run({"sync"});
      CHECK_MESSAGE(ran.exit == 0, ran.err);
      const auto length = std::to_string(megabytes * 1'000'000);
      CHECK(pairing.secondary.rows("SELECT id, length(status) FROM person ORDER BY id") ==
            "a|4\nb|" + length);
      CHECK(multiple(ran) < kMostOfOne);
      if (from == to) {
        // the value before and the one after are in the journal, both
        pairing.primary.run("UPDATE person SET status = 'y' || substr(status, 2) WHERE id = 'b'");
        ran = pairing.run({"sync"});
        CHECK_MESSAGE(ran.exit == 0, ran.err);
        CHECK(multiple(ran) < kMostOfTwo);
        CHECK(pairing.secondary.rows("SELECT substr(status, 1, 2) FROM person WHERE id = 'b'") ==
              (from == On::postgresql ? "yx" : "yy"));
      }
      if (from != to && !thorough()) {
        continue;  // what is too large is found where the primary is read
      }
      pairing.primary.run("UPDATE person SET status = " + giant(300) + " WHERE id = 'b'");
      pairing.primary.run("UPDATE person SET status = 'contact' WHERE id = 'a'");
      ran = pairing.run({"sync"});
      CHECK_MESSAGE(ran.exit == 11, ran.err);
      const auto held = pairing.run({"quarantine"});
      CHECK_MESSAGE(held.out.find("larger than 256 MiB") != std::string::npos, held.out);
      CHECK_MESSAGE(held.out.find("id=b") != std::string::npos, held.out);
      CHECK(pairing.secondary.rows("SELECT id, length(status) FROM person ORDER BY id") ==
            "a|7\nb|" + length);
    }
  }
}

TEST_CASE("many large values at once take no more memory than a few" * doctest::skip(kSanitized)) {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Pairing pairing(engine, engine, kPerson, kLimits);
    const bool sqlite = engine == On::sqlite;
    const std::string value =
        sqlite ? "replace(hex(zeroblob(10000000 / 2)), '0', 'x')" : "repeat('x', 10000000)";
    pairing.primary.run(
        "CREATE TABLE person (id varchar(9) PRIMARY KEY NOT NULL, status text);"
        "INSERT INTO person SELECT CAST(i AS varchar(9)), " +
        value +
        " FROM (WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 40) "
        "SELECT i FROM s) AS series");
    const auto first = pairing.run({"sync"});
    REQUIRE_MESSAGE(first.exit == 0, first.err);
    MESSAGE("peak memory for a first load of 40 values of 10 MB: ",
            first.peak_kib * 1024 / 1'000'000, " MB");
    CHECK(first.peak_kib * 1024 / 1'000'000 < 300);
    pairing.primary.run("UPDATE person SET status = 'y' || status");
    const auto ran = pairing.run({"sync"});
    CHECK_MESSAGE(ran.exit == 0, ran.err);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE status LIKE 'yx%'") == "40");
    const auto megabytes = ran.peak_kib * 1024 / 1'000'000;
    MESSAGE("peak memory for 40 values of 10 MB: ", megabytes, " MB");
    CHECK(megabytes < 300);
  }
}

TEST_CASE("a row that only the journal makes too large is held back, and the others go on") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Pairing pairing(engine, engine,
                    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = \"plain\"\n"
                    "a = \"plain\"\nb = \"plain\"\n",
                    kLimits);
    const bool sqlite = engine == On::sqlite;
    pairing.primary.run(
        "CREATE TABLE person (id varchar(9) PRIMARY KEY NOT NULL, a text, b text);"
        "INSERT INTO person VALUES ('a', 'x', 'x'), ('b', 'x', 'x'), ('c', 'x', 'x')");
    REQUIRE(pairing.sync()["exit"] == 0);
    // 50 million characters that JSON writes with six each; and two values that are too much
    // together
    const auto text = [&](const std::string& character, const std::string& count) {
      return sqlite ? "replace(hex(zeroblob(" + count + " / 2)), '0', " + character + ")"
                    : "repeat(" + character + ", " + count + ")";
    };
    const auto one = text(sqlite ? "char(1)" : "chr(1)", "50000000");
    const auto two = text("'x'", "140000000");
    pairing.primary.run("UPDATE person SET a = 'y' WHERE id = 'a'");
    pairing.primary.run("UPDATE person SET a = " + one + " WHERE id = 'b'");
    pairing.primary.run("UPDATE person SET a = " + two + ", b = " + two + " WHERE id = 'c'");
    const auto ran = pairing.run({"sync"});
    CHECK_MESSAGE(ran.exit == 11, ran.out, ran.err);
    CHECK(pairing.secondary.rows("SELECT id, a, b FROM person ORDER BY id") ==
          "a|y|x\nb|x|x\nc|x|x");
    const auto held = pairing.run({"quarantine"}).out;
    CHECK_MESSAGE(
        held.find("its row is larger than 256 MiB as the journal writes it") != std::string::npos,
        held);
    pairing.primary.run("UPDATE person SET a = 'z', b = 'z' WHERE id <> 'a'");
    CHECK(pairing.sync()["exit"] == 0);
    CHECK(pairing.run({"verify"}).exit == 0);
  }
}

TEST_CASE("reasons and values come from standard input, where nobody else sees them") {
  Pairing pairing(On::sqlite, On::sqlite, kPerson, kLimits);
  pairing.primary.run(
      "CREATE TABLE person (id TEXT PRIMARY KEY NOT NULL, status TEXT);"
      "INSERT INTO person VALUES ('a', 'case'), ('b', 'case')");
  REQUIRE(pairing.sync()["exit"] == 0);
  const auto conflict = [&](const std::string& value) {
    pairing.primary.run("UPDATE person SET status = 'p" + value + "'");
    pairing.secondary.run("UPDATE person SET status = 's" + value + "'");
    CHECK(pairing.sync()["exit"] == 10);
  };
  conflict("1");
  auto ran = with_input(pairing, {"resolve", "--all", "--set", "status=-"}, "a = b\n");
  CHECK_MESSAGE(ran.exit == 0, ran.err);
  CHECK(pairing.secondary.rows("SELECT status FROM person") == "a = b\na = b");
  conflict("2");
  ran =
      with_input(pairing, {"resolve", "--all", "--set", "-", "--reason", "by phone"}, "status=-\n");
  CHECK_MESSAGE(ran.exit == 0, ran.err);
  CHECK(pairing.secondary.rows("SELECT status FROM person") == "-\n-");
  conflict("3");
  ran = with_input(pairing, {"resolve", "--all", "--take", "primary", "--reason", "-"},
                   "told by the ward\n");
  CHECK_MESSAGE(ran.exit == 0, ran.err);
  CHECK(pairing.run({"log"}).out.find("\"told by the ward\"") != std::string::npos);
  ran = with_input(pairing, {"adopt", "--reason", "-"}, "restored on Monday");
  CHECK_MESSAGE(ran.exit == 0, ran.err);
  CHECK(pairing.run({"log"}).out.find("\"restored on Monday\"") != std::string::npos);

  conflict("4");
  ran = with_input(pairing, {"resolve", "--all", "--set", "status=-", "--reason", "-"}, "x\n");
  CHECK(ran.exit == 64);
  CHECK_MESSAGE(ran.err.find("cannot be read for") != std::string::npos, ran.err);
  ran = with_input(pairing, {"resolve", "--all", "--set", "status=-"}, "");
  CHECK(ran.exit == 64);
  CHECK_MESSAGE(ran.err.find("which is empty") != std::string::npos, ran.err);
  ran = with_input(pairing, {"resolve", "--all", "--set", "-"}, "status\n");
  CHECK(ran.exit == 64);
  ran = with_input(pairing, {"token", "--identity", "person", "--reason", "-"}, "4711");
  CHECK(ran.exit == 64);
  CHECK_MESSAGE(ran.err.find("ABGLEICH_REASON") != std::string::npos, ran.err);
}

TEST_CASE("behind sudo the operator is the person who called it") {
  Pairing pairing(On::sqlite, On::sqlite, kPerson);
  pairing.primary.run("CREATE TABLE person (id TEXT PRIMARY KEY NOT NULL, status TEXT)");
  const auto service = pairing.run({"sync"}, {});
  REQUIRE(service.exit == 0);
  pairing.primary.run("INSERT INTO person VALUES ('a', 'case')");
  REQUIRE(with_input(pairing, {"sync"}, "", {"SUDO_USER=alice", "SUDO_UID=1000"}).exit == 0);
  auto log = pairing.run({"log", "--json"}).out;
  CHECK_MESSAGE(log.find("\"operator\":\"alice\"") != std::string::npos, log);
  // what is no login name is not printed
  pairing.primary.run("INSERT INTO person VALUES ('b', 'case')");
  REQUIRE(with_input(pairing, {"sync"}, "", {"SUDO_USER=a\x1b[2Jb"}).exit == 0);
  log = pairing.run({"log", "--json"}).out;
  CHECK_MESSAGE(log.find("2Jb") == std::string::npos, log);
}

TEST_CASE("check says where memory for keys cannot be locked" * doctest::skip(kSanitized)) {
  Pairing pairing(On::sqlite, On::sqlite, kPerson);
  pairing.primary.run("CREATE TABLE person (id TEXT PRIMARY KEY NOT NULL, status TEXT)");
  const auto well = pairing.run({"check"});
  CHECK_MESSAGE(well.exit == 0, well.out);
  CHECK(well.out.find("memory for keys: locked") != std::string::npos);
  // without the right to lock beyond the limit, which root has
  const auto ran =
      run_program({"/bin/sh", "-c",
                   "ulimit -l 0; exec setpriv --bounding-set=-ipc_lock --inh-caps=-ipc_lock \"$@\"",
                   "sh", kProgram, "check"},
                  pairing.directory.path().string());
  CHECK_MESSAGE(ran.exit == 11, ran.out, ran.err);
  CHECK_MESSAGE(ran.out.find("cannot be locked") != std::string::npos, ran.out);
  CHECK(ran.out.find("LimitMEMLOCK") != std::string::npos);
}

}  // namespace abgleich::test
