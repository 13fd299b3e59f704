// Time does not run backwards: an older copy of the primary's files, a standby that lags, a copy of
// the secondary that has gone its own way; each is told apart from what was there before.
#include "support/pairing.hpp"
#include "support/server.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <regex>

namespace abgleich::test {

namespace {

namespace fs = std::filesystem;

const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";
const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
    "id = { class = \"pseudonym\", identity = \"person\" }\ntag = \"plain\"\nstatus = \"plain\"\n";
const char* const kRows =
    "INSERT INTO person (id, tag, status) VALUES (1, 'a', 'open'), (2, 'b', 'open'), (3, 'c', "
    "'open')";
const std::string kPeople =
    std::string("CREATE TABLE person (id integer PRIMARY KEY, tag text, status text);") + kRows;
const char* const kNewer =
    "UPDATE person SET status = 'case' WHERE id = 1;"
    "INSERT INTO person (id, tag, status) VALUES (4, 'd', 'open')";

/// A pairing whose primary and secondary may become others.
class Moving {
 public:
  explicit Moving(On secondary) : pairing(On::sqlite, secondary, kContract) {
    read_from(pairing.primary.url());
  }
  void read_from(const std::string& url, const std::string& more = "") {
    primary_ = url;
    more_ = more;
    configure("abgleich.toml", pairing.secondary.url(), "state");
  }
  /// Another secondary in place of the pairing's, or beside it.
  void configure(const std::string& file, const std::string& secondary,
                 const std::string& state) const {
    write_file(pairing.directory.path() / file,
               "[primary]\nurl = \"" + primary_ + "\"\n" + more_ + "[secondary]\nurl = \"" +
                   secondary + "\"\n[state]\ndirectory = \"" + state + "\"\n" + kLimits);
  }
  std::string people() { return look(); }
  [[nodiscard]] Ran run(const std::vector<std::string>& words) const { return pairing.run(words); }
  void expect_applied(const std::vector<std::string>& words = {"sync"}) const {
    const auto ran = run(words);
    CHECK_MESSAGE(ran.exit == 0, ran.out, ran.err);
  }
  /// Every command that reads both sides says so, and changes nothing.
  void expect_refused(int exit, const std::string& says) {
    const auto before = people();
    for (const auto* command : {"sync", "diff", "verify"}) {
      const auto ran = run({command});
      CHECK_MESSAGE(ran.exit == exit, command, ran.out, ran.err);
      CHECK_MESSAGE(ran.err.find(says) != std::string::npos, command, ran.err);
    }
    const auto checked = run({"check"});
    CHECK_MESSAGE(checked.exit == exit, checked.out);
    CHECK_MESSAGE(checked.out.find(says) != std::string::npos, checked.out);
    const auto status = run({"status"});
    CHECK(status.exit == 0);
    CHECK_MESSAGE(status.out.find(says) != std::string::npos, status.out);
    const auto json = nlohmann::json::parse(run({"status", "--json"}).out);
    CHECK(json["refused"]["code"] == exit);
    CHECK(people() == before);
  }
  void adopt() const { expect_applied({"adopt", "--reason", "on purpose"}); }

  Pairing pairing;
  /// At the secondary.
  std::function<std::string()> look = [this] {
    return pairing.secondary.rows("SELECT tag, status FROM person ORDER BY tag");
  };

 private:
  std::string primary_;
  std::string more_;
};

/// A SQLite primary that nobody has open between two looks.
class File {
 public:
  explicit File(const fs::path& directory) : file_(directory / "vendor.db") {}
  [[nodiscard]] std::string url() const { return "sqlite:" + file_.string(); }
  [[nodiscard]] const fs::path& path() const { return file_; }
  void run(const std::string& sql) const { Database(On::sqlite, file_).run(sql); }
  void take_away() const {
    for (const auto* end : {"", "-wal", "-shm", "-journal"}) {
      fs::remove(file_.string() + end);
    }
  }

 private:
  fs::path file_;
};

template <class Test>
void on_every_secondary(const Test& test) {
  for (const auto secondary : kEngines) {
    CAPTURE(name_of(secondary));
    test(secondary);
  }
}

}  // namespace

TEST_CASE("a PostgreSQL primary that is put back from an older copy of its files is refused") {
  on_every_secondary([](On secondary) {
    const Server server;
    server.sql(kPeople);
    Moving pairing(secondary);
    pairing.read_from(server.url());
    pairing.expect_applied();
    server.stop();
    server.run("cp -a data older");
    server.start();
    server.sql(kNewer);
    pairing.expect_applied();
    const std::string newer = "a|case\nb|open\nc|open\nd|open";
    CHECK(pairing.people() == newer);
    // one that was only stopped is not behind
    server.restart();
    pairing.expect_applied();
    CHECK(pairing.run({"status", "--json"}).out.find("\"refused\":null") != std::string::npos);
    server.stop();
    server.run("rm -rf data && mv older data");
    server.start();
    pairing.expect_refused(21, "behind what was read before");
    // the secondary itself remembers
    fs::remove_all(pairing.pairing.directory.path() / "state");
    pairing.expect_refused(21, "behind what was read before");
    CHECK(pairing.people() == newer);
    // what the hint says leads on
    pairing.adopt();
    pairing.expect_applied();
    CHECK(pairing.people() == "a|open\nb|open\nc|open");
    pairing.expect_applied({"verify"});
  });
}

TEST_CASE("a PostgreSQL primary that is put back is known by what a run saw that changed nothing") {
  const Server server;
  server.sql(kPeople);
  Moving pairing(On::sqlite);
  pairing.read_from(server.url());
  pairing.expect_applied();
  server.stop();
  server.run("cp -a data older");
  server.start();
  // nothing that is exported
  server.sql(
      "CREATE SCHEMA others; CREATE TABLE others.other AS SELECT n, repeat('x', 200) FROM "
      "generate_series(1, 100000) n");
  const auto head = pairing.pairing.secondary.rows("SELECT hash FROM abgleich_head");
  pairing.expect_applied();
  CHECK(pairing.pairing.secondary.rows("SELECT hash FROM abgleich_head") == head);
  server.stop();
  server.run("rm -rf data && mv older data");
  server.start();
  pairing.expect_refused(21, "behind what was read before");
}

TEST_CASE("a standby that lags behind what was read is waited for, and one that has it is read") {
  on_every_secondary([](On secondary) {
    const Server server;
    server.sql(kPeople);
    const Server standby(server);
    Moving pairing(secondary);
    pairing.read_from(server.url());
    pairing.expect_applied();
    wait_for(standby.url(), "SELECT count(*) FROM person", "3");
    standby.sql("SELECT pg_wal_replay_pause()");
    server.sql("UPDATE person SET status = 'case' WHERE id = 1");
    pairing.expect_applied();
    pairing.read_from(standby.url());
    pairing.expect_refused(24, "a standby that lags");
    CHECK(pairing.people() == "a|case\nb|open\nc|open");
    standby.sql("SELECT pg_wal_replay_resume()");
    const auto reached = server.sql("SELECT pg_current_wal_flush_lsn()");
    wait_for(standby.url(), "SELECT pg_last_wal_replay_lsn() >= CAST('" + reached + "' AS pg_lsn)",
             "t");
    pairing.expect_applied();
    // one standby after the other: what it has read itself counts, too
    server.sql("UPDATE person SET status = 'two' WHERE id = 2");
    wait_for(standby.url(), "SELECT status FROM person WHERE id = 2", "two");
    pairing.expect_applied();
    CHECK(pairing.people() == "a|case\nb|two\nc|open");
    // promoted, it is the primary, and has all that was read
    standby.promote();
    pairing.expect_applied();
    standby.sql("UPDATE person SET status = 'recovered' WHERE id = 2");
    pairing.expect_applied();
    CHECK(pairing.people() == "a|case\nb|recovered\nc|open");
    // the one before does not know of it
    pairing.read_from(server.url());
    pairing.expect_refused(21, "behind what was read before");
  });
}

TEST_CASE("a server that does not let us ask how far it has got is read as ever") {
  const Server server;
  server.sql(kPeople +
             "; REVOKE EXECUTE ON FUNCTION pg_current_wal_flush_lsn() FROM PUBLIC;"
             "CREATE ROLE reader LOGIN; GRANT SELECT ON person TO reader");
  Moving pairing(On::sqlite);
  auto url = server.url();
  pairing.read_from(url.replace(url.find("user=postgres"), 13, "user=reader"));
  pairing.expect_applied();
  server.sql("UPDATE person SET status = 'case' WHERE id = 1");
  pairing.expect_applied();
  CHECK(pairing.people() == "a|case\nb|open\nc|open");
}

namespace {

/// What was read since a copy was taken, and whether the copy comes back into the same file.
void put_back(On secondary, const std::string& since, bool same_file) {
  CAPTURE(since);
  CAPTURE(same_file);
  Moving pairing(secondary);
  const File file(pairing.pairing.directory.path());
  pairing.read_from(file.url());
  file.run(kPeople);
  pairing.expect_applied();
  const auto older = read_file(file.path());
  file.run(since);
  pairing.expect_applied();
  const auto newer = pairing.people();
  CHECK(newer.starts_with("a|case"));
  if (!same_file) {
    file.take_away();
  }
  write_file(file.path(), older);
  pairing.expect_refused(21, "behind what was read before");
  fs::remove_all(pairing.pairing.directory.path() / "state");
  pairing.expect_refused(21, "behind what was read before");
  CHECK(pairing.people() == newer);
  pairing.adopt();
  pairing.expect_applied();
  CHECK(pairing.people() == "a|open\nb|open\nc|open");
  pairing.expect_applied({"verify"});
  // it goes on from here
  file.run("UPDATE person SET status = 'again' WHERE id = 2");
  pairing.expect_applied();
  CHECK(pairing.people() == "a|open\nb|again\nc|open");
}

}  // namespace

TEST_CASE("a SQLite primary that is put back from an older copy is refused") {
  on_every_secondary([](On secondary) {
    put_back(secondary, "UPDATE person SET status = 'case' WHERE id = 1", true);
    put_back(secondary, kNewer, false);
  });
}

TEST_CASE("a SQLite primary that is compacted or switched to WAL is the primary as it was") {
  Moving pairing(On::sqlite);
  const File file(pairing.pairing.directory.path());
  pairing.read_from(file.url());
  file.run(kPeople);
  pairing.expect_applied();
  for (const std::string change :
       {"VACUUM", "PRAGMA journal_mode = WAL", "UPDATE person SET status = 'case' WHERE id = 1",
        "DELETE FROM person WHERE id = 3", "VACUUM", "PRAGMA journal_mode = DELETE",
        "REINDEX; ANALYZE"}) {
    CAPTURE(change);
    file.run(change);
    pairing.expect_applied();
  }
  CHECK(pairing.people() == "a|case\nb|open");
}

TEST_CASE(
    "a SQLite primary in WAL mode that is put back is known by what AUTOINCREMENT has given") {
  on_every_secondary([](On secondary) {
    Moving pairing(secondary);
    const File file(pairing.pairing.directory.path());
    pairing.read_from(file.url());
    file.run(std::string("PRAGMA journal_mode = WAL; CREATE TABLE person (id integer PRIMARY KEY "
                         "AUTOINCREMENT, tag text, status text);") +
             kRows);
    pairing.expect_applied();
    const auto older = read_file(file.path());
    file.run("INSERT INTO person (tag, status) VALUES ('d', 'open')");
    pairing.expect_applied();
    const std::string newer = "a|open\nb|open\nc|open\nd|open";
    CHECK(pairing.people() == newer);
    // a key that was given and is gone was given all the same
    file.run("DELETE FROM person WHERE id = 4");
    pairing.expect_applied();
    CHECK(pairing.people() == "a|open\nb|open\nc|open");
    // the largest key is a number of the primary's, and nowhere to be read
    const auto* const books = secondary == On::sqlite ? "abgleich_fact" : "abgleich.fact";
    const auto kept = pairing.pairing.secondary.rows(std::string("SELECT value FROM ") + books +
                                                     " WHERE kind = 'primary'");
    CHECK_MESSAGE(std::regex_search(kept, std::regex("\"person\":\"[0-9a-f]{48}\"")), kept);
    file.take_away();
    write_file(file.path(), older);
    pairing.expect_refused(21, "behind what was read before");
  });
}

TEST_CASE("a SQLite primary that is made anew for every delivery is read, once that is said") {
  Moving pairing(On::sqlite);
  const File file(pairing.pairing.directory.path());
  pairing.read_from(file.url());
  file.run(kPeople);
  file.run("UPDATE person SET status = 'case' WHERE id = 1");
  pairing.expect_applied();
  file.take_away();
  file.run(kPeople + "; UPDATE person SET status = 'new' WHERE id = 2");
  pairing.expect_refused(21, "or one that was made anew");
  CHECK(pairing.run({"sync"}).err.find("made_anew = true") != std::string::npos);
  pairing.read_from(file.url(), "made_anew = true\n");
  pairing.expect_applied();
  CHECK(pairing.people() == "a|open\nb|new\nc|open");
}

TEST_CASE("two that part in the same second have parted: the copy is not the original") {
  // two secondaries with one history: what each does next is the same, to the second
  Moving pairing(On::sqlite);
  pairing.pairing.primary.run(kPeople);
  pairing.expect_applied();
  const auto home = pairing.pairing.directory.path();
  const auto copy = "sqlite:" + (home / "copy.db").string();
  fs::copy_file(home / "secondary.db", home / "copy.db");
  pairing.configure("copy.toml", copy, "other");
  std::string id = "1";
  const auto both = [&] {
    pairing.pairing.primary.run("UPDATE person SET status = 'case' WHERE id = " + id);
    pairing.expect_applied();
    pairing.expect_applied({"sync", "--config", "copy.toml"});
  };
  const auto last = [&](const std::string& words) {
    std::istringstream line(pairing.run({"log", "-n", "1", "--json", "--config", words}).out);
    return nlohmann::json::parse(line);
  };
  // until a second holds both runs
  auto original = nlohmann::json();
  auto forked = nlohmann::json();
  for (int tries = 0; tries < 100; ++tries) {
    id = std::to_string(1 + tries % 3);
    pairing.pairing.primary.run("UPDATE person SET status = 'try' WHERE id = " + id);
    pairing.expect_applied();
    fs::copy_file(home / "secondary.db", home / "copy.db", fs::copy_options::overwrite_existing);
    fs::remove_all(home / "other");
    both();
    original = last("abgleich.toml");
    forked = last("copy.toml");
    if (original["started"] == forked["started"] && original["finished"] == forked["finished"]) {
      break;
    }
  }
  REQUIRE(original["started"] == forked["started"]);
  REQUIRE(original["finished"] == forked["finished"]);
  CHECK(original["tables"] == forked["tables"]);
  CHECK(original["run"] != forked["run"]);
  pairing.configure("abgleich.toml", copy, "state");
  pairing.expect_refused(22, "not the secondary as it was");
  pairing.configure("abgleich.toml", pairing.pairing.secondary.url(), "state");
  CHECK(pairing.pairing.sync()["outcome"] == "unchanged");
  // the copy alone goes on, by one run more
  id = "3";
  pairing.pairing.primary.run("UPDATE person SET status = 'later' WHERE id = 3");
  pairing.expect_applied({"sync", "--config", "copy.toml"});
  pairing.configure("abgleich.toml", copy, "state");
  pairing.expect_refused(22, "have parted");
}

TEST_CASE("a copy of the secondary that has written is not the original; a moved one goes on") {
  SUBCASE("SQLite") {
    Moving pairing(On::sqlite);
    pairing.pairing.primary.run(kPeople);
    pairing.expect_applied();
    const auto home = pairing.pairing.directory.path();
    const auto copy = "sqlite:" + (home / "copy.db").string();
    fs::copy_file(home / "secondary.db", home / "copy.db");
    pairing.configure("copy.toml", copy, "other");
    pairing.pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
    pairing.expect_applied({"sync", "--config", "copy.toml"});
    pairing.configure("abgleich.toml", copy, "state");
    pairing.expect_refused(22, "a copy in another place");
    // another machine that goes on with the original is none
    pairing.configure("abgleich.toml", pairing.pairing.secondary.url(), "state");
    pairing.configure("copy.toml", pairing.pairing.secondary.url(), "third");
    pairing.expect_applied({"sync", "--config", "copy.toml"});
    pairing.expect_applied();
    CHECK(pairing.people() == "a|case\nb|open\nc|open");
    // moved, with nothing written since, it is the secondary
    fs::copy_file(home / "secondary.db", home / "moved.db");
    pairing.configure("abgleich.toml", "sqlite:" + (home / "moved.db").string(), "state");
    pairing.pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 2");
    pairing.expect_applied();
    // and what was left behind is not any more
    pairing.configure("abgleich.toml", pairing.pairing.secondary.url(), "state");
    pairing.expect_refused(22, "last seen at epoch");
  }
  SUBCASE("PostgreSQL") {
    const Server server;
    server.sql("CREATE DATABASE second");
    Moving pairing(On::sqlite);
    pairing.look = [&] {
      return server.sql("SELECT string_agg(status, ' ' ORDER BY tag) FROM person", "copy");
    };
    pairing.pairing.primary.run(kPeople);
    pairing.configure("abgleich.toml", server.url("second"), "state");
    pairing.expect_applied();
    server.sql("CREATE DATABASE copy TEMPLATE second");
    pairing.configure("copy.toml", server.url("copy"), "other");
    pairing.pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
    pairing.expect_applied({"sync", "--config", "copy.toml"});
    CHECK(server.sql("SELECT status FROM person WHERE tag = 'a'", "copy") == "case");
    CHECK(server.sql("SELECT status FROM person WHERE tag = 'a'", "second") == "open");
    pairing.configure("abgleich.toml", server.url("copy"), "state");
    pairing.expect_refused(22, "a copy in another place");
    pairing.configure("abgleich.toml", server.url("second"), "state");
    pairing.configure("copy.toml", server.url("second"), "third");
    pairing.expect_applied({"sync", "--config", "copy.toml"});
    pairing.expect_applied();
    server.sql("CREATE DATABASE moved TEMPLATE second");
    pairing.configure("abgleich.toml", server.url("moved"), "state");
    pairing.pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 2");
    pairing.expect_applied();
    CHECK(server.sql("SELECT status FROM person WHERE tag = 'b'", "moved") == "case");
    pairing.configure("abgleich.toml", server.url("second"), "state");
    pairing.expect_refused(22, "last seen at epoch");
  }
}

TEST_CASE("after adopt what was accepted of the old primary holds of the new one") {
  on_every_secondary([](On secondary) {
    const Server old;
    old.sql(kPeople + "; ALTER TABLE person ADD name text");
    Moving pairing(secondary);
    pairing.read_from(old.url());
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    pairing.expect_applied();
    // with other numbers for everything
    const Server restored;
    restored.sql(std::string("CREATE TABLE other (id integer); CREATE TABLE person (name text, id "
                             "integer PRIMARY KEY, tag text, status text);") +
                 kRows + "; DROP TABLE other");
    pairing.read_from(restored.url());
    pairing.expect_refused(21, "the last run read another database");
    pairing.adopt();
    pairing.expect_applied();
    // CI compares with a file of the primary as it is now
    pairing.expect_applied({"drift", "snapshot", "live.json"});
    pairing.expect_applied({"drift", "--catalog", "live.json"});
    // and a name that moves to another column is a lie again
    restored.sql(
        "ALTER TABLE person RENAME status TO was; ALTER TABLE person RENAME name TO status");
    const auto renamed = pairing.run({"sync"});
    CHECK_MESSAGE(renamed.exit == 23, renamed.out, renamed.err);
    const auto told = pairing.run({"drift"});
    CHECK_MESSAGE(told.out.find("replaced_column") != std::string::npos, told.out);
    CHECK(pairing.people() == "a|open\nb|open\nc|open");
  });
}

TEST_CASE("adopt does not accept a catalogue that nobody has accepted") {
  const Server old;
  old.sql(kPeople);
  Moving pairing(On::sqlite);
  pairing.read_from(old.url());
  REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
  pairing.expect_applied();
  const auto catalog = pairing.pairing.directory.path() / "catalog.json";
  auto forged = read_file(catalog);
  forged.replace(forged.find("\"tag\""), 5, "\"gat\"");
  write_file(catalog, forged);
  const Server restored;
  restored.sql(kPeople);
  pairing.read_from(restored.url());
  pairing.adopt();
  CHECK(read_file(catalog) == forged);
  const auto ran = pairing.run({"sync"});
  CHECK_MESSAGE(ran.exit == 23, ran.err);
  CHECK(ran.err.find("another one than the last run used") != std::string::npos);
}

}  // namespace abgleich::test
