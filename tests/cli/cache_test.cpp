// The local cache: a run that uses it ends as one that compares everything, and one that it is no
// good for ignores it, says so at -v, and makes it anew.
#include "support/pairing.hpp"
#include "support/waiting.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sys/stat.h>

namespace abgleich::test {

namespace {

const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
    "id = { class = \"pseudonym\", identity = \"person\" }\n"
    "status = { class = \"plain\", codes = [\"open\", \"case\", \"closed\"] }\n"
    "note = \"plain\"\nname = \"withhold\"\n";
const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

struct Cached : Pairing {
  Cached(On primary_on, On secondary_on, const std::string& more = "")
      : Pairing(primary_on, secondary_on, kContract, kLimits + more) {
    primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, name text, status text, note text);"
        "INSERT INTO person VALUES (1, 'Secretname', 'open', 'a'), (2, 'Secretname', 'open', 'b'),"
        " (3, 'Secretname', 'case', 'c'), (4, 'Secretname', 'open', 'd'),"
        " (5, 'Secretname', 'closed', 'e')");
    REQUIRE(sync()["tables"]["person"]["inserted"] == 5);
    REQUIRE(std::filesystem::exists(cache() / "index"));
  }

  [[nodiscard]] std::filesystem::path cache() const { return directory.path() / "state" / "cache"; }
  [[nodiscard]] std::vector<std::filesystem::path> files(const std::string& prefix) const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(cache())) {
      if (entry.path().filename().string().starts_with(prefix)) {
        found.push_back(entry.path());
      }
    }
    return found;
  }
  std::string rows() { return secondary.rows("SELECT note, status FROM person ORDER BY note"); }
  void verify() const { CHECK(run({"verify", "--exit-code"}).exit == 0); }
};

}  // namespace

TEST_CASE("with the cache every kind of change is found, and counted as without it") {
  on_every_pairing([](On primary, On secondary) {
    Cached pairing(primary, secondary);
    auto line = pairing.sync();
    CHECK(line["outcome"] == "unchanged");
    CHECK(line["tables"]["person"]["unchanged"] == 5);

    pairing.primary.run(
        "UPDATE person SET status = 'case' WHERE id = 1; DELETE FROM person WHERE id = 2;"
        "INSERT INTO person VALUES (6, 'Secretname', 'open', 'f');"
        "UPDATE person SET name = 'Othername' WHERE id = 3");
    line = pairing.sync();
    CHECK(line["tables"]["person"]["updated"] == 1);
    CHECK(line["tables"]["person"]["deleted"] == 1);
    CHECK(line["tables"]["person"]["inserted"] == 1);
    CHECK(line["tables"]["person"]["unchanged"] == 3);
    pairing.verify();

    // there and back again between two runs of which only one sees it
    pairing.primary.run("UPDATE person SET status = 'open' WHERE id = 1");
    CHECK(pairing.sync()["tables"]["person"]["updated"] == 1);
    pairing.verify();
    CHECK(pairing.sync()["outcome"] == "unchanged");
    CHECK(pairing.rows() == "a|open\nc|case\nd|open\ne|closed\nf|open");
  });
}

TEST_CASE("rows that are in conflict or held back are looked at by every run with the cache") {
  on_every_pairing([](On primary, On secondary) {
    Cached pairing(primary, secondary);
    pairing.primary.run(
        "UPDATE person SET note = 'a primary' WHERE id = 1;"
        "UPDATE person SET status = 'unknown' WHERE id = 2; DELETE FROM person WHERE id = 3");
    pairing.secondary.run(
        "UPDATE person SET note = 'a secondary' WHERE note = 'a';"
        "UPDATE person SET note = 'c secondary' WHERE note = 'c'");
    for (int i = 0; i < 4; ++i) {
      const auto line = pairing.sync();
      CHECK(line["exit"] == 10);
      CHECK(line["tables"]["person"]["conflicts"] == 2);
      CHECK(line["tables"]["person"]["quarantined"] == 1);
      CHECK(line["tables"]["person"]["unchanged"] == 2);
      CHECK(line["outcome"] == (i == 0 ? "applied" : "unchanged"));
      if (i == 1) {
        std::filesystem::remove_all(pairing.cache());  // what is made anew knows of them as well
      }
    }
    // each closes without anything new in the primary, or with it
    pairing.secondary.run(
        "UPDATE person SET note = 'a primary' WHERE note = 'a secondary';"
        "UPDATE person SET note = 'c' WHERE note = 'c secondary'");
    pairing.primary.run("UPDATE person SET status = 'open' WHERE id = 2");
    const auto line = pairing.sync();
    CHECK(line["exit"] == 0);
    CHECK(line["tables"]["person"]["conflicts"] == 0);
    CHECK(line["tables"]["person"]["deleted"] == 1);
    CHECK(pairing.sync()["outcome"] == "unchanged");
    pairing.verify();
  });
}

TEST_CASE("a cache that is torn, foreign, of another run or another key is ignored and made anew") {
  Cached pairing(On::sqlite, On::sqlite);
  std::string why;
  const auto elsewhere = pairing.directory.path() / "elsewhere";
  const auto replace = [&](const auto& break_it) {
    pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
    REQUIRE(pairing.sync()["tables"]["person"]["updated"] == 1);
    std::filesystem::remove_all(elsewhere);
    std::filesystem::copy(pairing.cache(), elsewhere);
    pairing.primary.run("UPDATE person SET status = 'open' WHERE id = 1");
    break_it();
    const auto ran = pairing.run({"sync", "-v"});
    CHECK(ran.exit == 0);
    CHECK_MESSAGE(ran.err.find(why) != std::string::npos, ran.err);
    CHECK(ran.err.find("Secretname") == std::string::npos);
    CHECK(pairing.rows().starts_with("a|open"));
    pairing.verify();
    const auto again = pairing.run({"sync", "-v"});
    CHECK_MESSAGE(again.err.empty(), again.err);
  };
  const auto overwrite = [&](const std::filesystem::path& file, std::size_t at) {
    auto bytes = read_file(file);
    bytes.at(at) = static_cast<char>(bytes.at(at) ^ 1);
    write_file(file, bytes);
  };

  SUBCASE("the index is torn") {
    why = "index is damaged";
    replace([&] { std::filesystem::resize_file(pairing.cache() / "index", 40); });
  }
  SUBCASE("a file is torn") {
    why = "is damaged";
    replace([&] { std::filesystem::resize_file(pairing.files("rows").front(), 60); });
  }
  SUBCASE("a file is altered") {
    why = "is damaged";
    replace([&] { overwrite(pairing.files("rows").front(), 80); });
  }
  SUBCASE("what has changed since is altered") {
    why = "is damaged";
    replace([&] { overwrite(pairing.files("touched").front(), 80); });
  }
  SUBCASE("a file is missing") {
    why = "is missing";
    replace([&] { std::filesystem::remove(pairing.files("rows").front()); });
  }
  SUBCASE("another pairing's") {
    why = "another key";
    const Cached other(On::sqlite, On::sqlite);
    replace([&] {
      std::filesystem::remove_all(pairing.cache());
      std::filesystem::copy(other.cache(), pairing.cache());
    });
  }
  SUBCASE("of an earlier run, as a crash between commit and cache leaves it") {
    why = "another run";
    replace([&] {
      REQUIRE(pairing.sync()["tables"]["person"]["updated"] == 1);
      std::filesystem::remove_all(pairing.cache());
      std::filesystem::copy(elsewhere, pairing.cache());
      pairing.primary.run(
          "UPDATE person SET status = 'case' WHERE id = 1;"
          "UPDATE person SET status = 'open' WHERE id = 1");
    });
  }
}

TEST_CASE("a cache that is cut or altered anywhere gives what none gives, and says so at -v") {
  Cached pairing(On::sqlite, On::sqlite);
  pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
  REQUIRE(pairing.sync()["tables"]["person"]["updated"] == 1);
  pairing.primary.run(
      "UPDATE person SET status = 'open' WHERE id = 1; DELETE FROM person WHERE id = 2;"
      "INSERT INTO person VALUES (6, 'Secretname', 'open', 'f')");
  const auto dry_run = [&](bool used) {
    const auto ran = pairing.run({"sync", "--dry-run", "--json", "-v"});
    CHECK((ran.err.find("was not used") == std::string::npos) == used);
    return ran.out;
  };
  const auto wanted = dry_run(true);
  CHECK(wanted.find("\"inserted\":1,\"updated\":1,\"deleted\":1,\"unchanged\":3") !=
        std::string::npos);
  for (const auto& path : pairing.files("")) {
    CAPTURE(path.filename().string().substr(0, 4));
    const auto whole = read_file(path);
    constexpr std::size_t kSpots = 12;
    for (std::size_t i = 0; i < kSpots; ++i) {
      const auto at = i * whole.size() / kSpots;
      CAPTURE(at);
      write_file(path, whole.substr(0, at));
      CHECK(dry_run(false) == wanted);
      auto altered = whole;
      altered[at] = static_cast<char>(altered[at] ^ (1 << (i % 8)));
      write_file(path, altered);
      CHECK(dry_run(false) == wanted);
    }
    write_file(path, whole);
  }
  CHECK(dry_run(true) == wanted);
}

TEST_CASE("a run that is killed between its commit and its cache leaves none that is used") {
  on_every_pairing([](On primary, On secondary) {
    Cached pairing(primary, secondary);
    pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
    // opening it waits for a reader that never comes
    const auto gate = pairing.cache() / "index.new";
    REQUIRE(::mkfifo(gate.c_str(), 0600) == 0);
    Program program(pairing.command({"sync"}), pairing.directory.path().string());
    wait_until("the run has committed", [&] {
      return pairing.secondary.rows("SELECT count(*) FROM person WHERE status = 'case'") == "2";
    });
    program.kill(SIGKILL);
    CHECK(program.wait().exit == 128 + SIGKILL);
    std::filesystem::remove(gate);
    // what the killed run has seen, and what came afterwards; as the old cache knows it
    pairing.primary.run(
        "UPDATE person SET status = 'open' WHERE id = 1; DELETE FROM person WHERE id = 2");
    const auto ran = pairing.run({"sync", "-v"});
    CHECK(ran.exit == 0);
    CHECK_MESSAGE(ran.err.find("another run") != std::string::npos, ran.err);
    CHECK(pairing.rows() == "a|open\nc|case\nd|open\ne|closed");
    pairing.verify();
    CHECK(pairing.sync()["outcome"] == "unchanged");
  });
}

TEST_CASE("a run is none the worse where its cache cannot be written") {
  Cached pairing(On::sqlite, On::sqlite);
  std::filesystem::create_directory(pairing.cache() / "index.new");
  pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
  const auto ran = pairing.run({"sync", "-v"});
  CHECK(ran.exit == 0);
  CHECK_MESSAGE(
      ran.err.find("cannot be written; the next run compares every row") != std::string::npos,
      ran.err);
  CHECK_FALSE(std::filesystem::exists(pairing.cache() / "index"));
  pairing.primary.run("UPDATE person SET status = 'open' WHERE id = 1");
  CHECK(pairing.sync()["tables"]["person"]["updated"] == 1);
  CHECK(std::filesystem::exists(pairing.cache() / "index"));
  pairing.verify();
}

TEST_CASE("the cache of a secondary that was put back, or of another one, is not used") {
  Cached pairing(On::sqlite, On::sqlite);
  const auto file = pairing.directory / "secondary.db";
  const auto saved = pairing.directory / "saved.db";
  std::filesystem::copy_file(file, saved);
  pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
  REQUIRE(pairing.sync()["tables"]["person"]["updated"] == 1);
  SUBCASE("put back") {
    std::filesystem::copy_file(saved, file, std::filesystem::copy_options::overwrite_existing);
    CHECK(pairing.run({"sync"}).exit == 22);
    CHECK(pairing.run({"adopt", "--reason", "restored"}).exit == 0);
    const auto ran = pairing.run({"sync", "-v"});
    CHECK(ran.exit == 0);
    CHECK(ran.err.find("another run") != std::string::npos);
  }
  SUBCASE("another one, of the same key and contract") {
    const TemporaryDirectory elsewhere;
    for (const auto* name : {"abgleich.key", "contract.toml"}) {
      std::filesystem::copy_file(pairing.directory / name, elsewhere / name);
    }
    Database second(On::sqlite, elsewhere / "secondary.db");
    write_file(elsewhere / "abgleich.toml", "[primary]\nurl = \"" + pairing.primary.url() +
                                                "\"\n[secondary]\nurl = \"" + second.url() +
                                                "\"\n");
    const auto sync = [&] {
      return run_program(pairing.command({"sync", "-v"}), elsewhere.path().string());
    };
    pairing.primary.run("UPDATE person SET status = 'open' WHERE id = 1");
    REQUIRE(sync().exit == 0);
    pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
    std::filesystem::remove_all(elsewhere / "state" / "cache");
    std::filesystem::copy(pairing.cache(), elsewhere / "state" / "cache");
    const auto ran = sync();
    CHECK(ran.exit == 0);
    CHECK(ran.err.find("another run") != std::string::npos);
    CHECK(second.rows("SELECT note, status FROM person ORDER BY note") == pairing.rows());
    return;
  }
  CHECK(pairing.rows().starts_with("a|case"));
  pairing.verify();
}

TEST_CASE("a contract that says something else about a table makes its cache worthless") {
  Cached pairing(On::sqlite, On::sqlite);
  std::string other = kContract;
  other.replace(other.find("note = \"plain\""), 14,
                "note = { class = \"pseudonym\", identity = \"note\" }");
  pairing.set_contract(other);
  CHECK(pairing.sync()["tables"]["person"]["updated"] == 5);
  pairing.verify();
}

TEST_CASE("a value that changes nothing but its kind is seen with the cache as without it") {
  for (const std::string type : {"", "text", "integer", "real", "numeric", "blob"}) {
    CAPTURE(type);
    Pairing pairing(On::sqlite, On::sqlite,
                    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
                    "id = { class = \"pseudonym\", identity = \"person\" }\nnote = \"plain\"\n",
                    kLimits);
    pairing.primary.run("CREATE TABLE person (id integer PRIMARY KEY, note " + type +
                        "); INSERT INTO person VALUES (1, 1), (2, NULL)");
    REQUIRE(pairing.sync()["exit"] <= 11);
    for (const std::string value : {"'1'", "1.0", "x'31'", "'1.0'", "NULL", "''", "x''", "0.0",
                                    "-0.0", "0", "9007199254740993", "9007199254740993.0"}) {
      CAPTURE(value);
      pairing.primary.run("UPDATE person SET note = " + value + " WHERE id = 1");
      const auto with = pairing.sync();
      CHECK(with["exit"] <= 11);
      auto whole = pairing.sync({"--full", "--dry-run"});
      CHECK(whole["outcome"] == "unchanged");
      CHECK(whole["tables"]["person"]["quarantined"] == with["tables"]["person"]["quarantined"]);
    }
  }
}

TEST_CASE("a dry run and diff read the cache and leave it alone") {
  Cached pairing(On::sqlite, On::sqlite);
  pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
  const auto before = read_file(pairing.cache() / "index");
  CHECK(pairing.run({"diff"}).out.find("open") != std::string::npos);
  CHECK(pairing.sync({"--dry-run"})["tables"]["person"]["updated"] == 1);
  CHECK(read_file(pairing.cache() / "index") == before);
  CHECK(pairing.files("").size() == 2);
}

TEST_CASE("an empty table is refused with the cache as without it") {
  for (const auto engine : kEngines) {
    Cached pairing(engine, On::sqlite);
    pairing.primary.run("DELETE FROM person");
    CHECK(pairing.sync()["exit"] == 20);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person") == "5");
  }
}

TEST_CASE("two rows of one key are held back although the cache knows the first") {
  Pairing pairing(On::sqlite, On::sqlite,
                  "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
                  "id = { class = \"pseudonym\", identity = \"person\" }\nnote = \"plain\"\n",
                  kLimits);
  pairing.primary.run(
      "CREATE TABLE person (id integer, note text);"
      "INSERT INTO person VALUES (1, 'a'), (2, 'b')");
  REQUIRE(pairing.sync()["exit"] == 0);
  for (const std::string note : {"'c'", "'a'"}) {
    pairing.primary.run("INSERT INTO person VALUES (1, " + note + ")");
    for (int i = 0; i < 2; ++i) {
      const auto line = pairing.sync();
      CHECK(line["exit"] == 11);
      CHECK(line["tables"]["person"]["updated"] == 0);
      CHECK(pairing.secondary.rows("SELECT note FROM person ORDER BY 1") == "a\nb");
    }
    pairing.primary.run("DELETE FROM person WHERE rowid > 2");
    const auto line = pairing.sync();
    CHECK(line["exit"] == 0);
    CHECK(line["tables"]["person"]["deleted"] == 0);
  }
}

}  // namespace abgleich::test
