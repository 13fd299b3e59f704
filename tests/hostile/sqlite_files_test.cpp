// What somebody puts beside a SQLite database, or into it, makes the program touch no other file,
// never work without end, and leave nothing raw on the disk.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <set>
#include <string>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

namespace abgleich::test {

namespace {

namespace fs = std::filesystem;

const char* const kPerson =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
    "id = { class = \"pseudonym\", identity = \"person\" }\nstatus = \"plain\"\n";
const char* const kMakePerson =
    "CREATE TABLE person (id TEXT PRIMARY KEY NOT NULL, status TEXT);"
    "INSERT INTO person VALUES ('4711', 'case'), ('4712', 'contact')";

void append_number(std::string& bytes, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes += static_cast<char>(number >> shift & 0xffU);
  }
}

/// A journal that a transaction over several databases left, by https://sqlite.org/fileformat.html,
/// section 3: no page in it, and the name of the super-journal behind.
std::string journal_naming(const fs::path& other, const fs::path& database) {
  const std::string magic("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8);
  std::string journal = magic;
  append_number(journal, 0);  // pages
  append_number(journal, 12345);
  append_number(journal, static_cast<std::uint32_t>(fs::file_size(database) / 4096));
  append_number(journal, 512);
  append_number(journal, 4096);
  journal.resize(512);
  const auto name = other.string();
  append_number(journal, 0x40000000U / 4096 + 1);  // the page that holds the lock bytes
  journal += name;
  append_number(journal, static_cast<std::uint32_t>(name.size()));
  std::uint32_t sum = 0;
  for (const char c : name) {
    sum += static_cast<std::uint32_t>(static_cast<signed char>(c));
  }
  append_number(journal, sum);
  return journal + magic;
}

/// What SQLite on its own makes of the file: the control.
void read_by_sqlite(const fs::path& file) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open_v2(file.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
  sqlite3_exec(database, "SELECT count(*) FROM sqlite_schema", nullptr, nullptr, nullptr);
  sqlite3_close(database);
}

/// The names that come into being in a directory from here on.
class Watch {
 public:
  explicit Watch(const fs::path& directory) : queue_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    REQUIRE(queue_ >= 0);
    REQUIRE(::inotify_add_watch(queue_, directory.c_str(), IN_CREATE) >= 0);
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() { ::close(queue_); }

  int created() const {
    alignas(inotify_event) std::array<char, 65536> buffer{};
    int count = 0;
    for (ssize_t got = 0; (got = ::read(queue_, buffer.data(), buffer.size())) > 0;) {
      for (ssize_t at = 0; at < got; ++count) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      }
    }
    return count;
  }

 private:
  int queue_;
};

}  // namespace

TEST_CASE("a forged journal that names another file deletes nothing, whatever the command") {
  for (const auto* const victim : {"abgleich.key", "state/anchor.json", "contract.toml"}) {
    CAPTURE(victim);
    Pairing pairing(On::sqlite, On::sqlite, kPerson);
    pairing.primary.run(kMakePerson);
    REQUIRE(pairing.sync()["exit"] == 0);
    const auto& directory = pairing.directory.path();
    for (const auto* const which : {"secondary.db", "primary.db"}) {
      CAPTURE(which);
      const auto database = directory / which;
      const auto file = directory / victim;
      const auto before = read_file(file);
      const auto data = read_file(database);
      const auto journal = journal_naming(file, database);
      write_file(database.string() + "-journal", journal);
      for (const auto* const command :
           {"status", "log", "conflicts", "quarantine", "diff", "check", "verify", "sync"}) {
        CAPTURE(command);
        const auto ran = pairing.run({command});
        CHECK(read_file(file) == before);
        CHECK(read_file(database) == data);
        if (std::string_view(which) == "secondary.db") {
          CHECK_MESSAGE(ran.exit != 0, ran.out);
          CHECK(read_file(database.string() + "-journal") == journal);
        }
        if (std::string_view(command) == "status" && std::string_view(which) == "secondary.db") {
          CHECK_MESSAGE(ran.exit == 25, ran.err);
          CHECK_MESSAGE(ran.err.find("names a file that does not belong to this database") !=
                            std::string::npos,
                        ran.err);
          CHECK(ran.err.find("hint: ") != std::string::npos);
        }
      }
      // the control: without our file system it is gone
      read_by_sqlite(database);
      CHECK_FALSE(fs::exists(file));
      fs::remove(database.string() + "-journal");
      write_file(file, before);
      REQUIRE(::chmod(file.c_str(), 0600) == 0);
      CHECK_MESSAGE(pairing.run({"sync"}).exit == 0, which);
    }
  }
}

TEST_CASE("links, pipes and strangers' files beside a database are refused by name") {
  for (const auto* const which : {"secondary.db", "primary.db"}) {
    for (const auto* const suffix : {"-journal", "-wal", "-shm"}) {
      CAPTURE(which);
      CAPTURE(suffix);
      const Pairing pairing(On::sqlite, On::sqlite, kPerson);
      const_cast<Pairing&>(pairing).primary.run(kMakePerson);
      REQUIRE(pairing.sync()["exit"] == 0);
      const auto& directory = pairing.directory.path();
      const auto key = read_file(directory / "abgleich.key");
      const auto beside = directory / (std::string(which) + suffix);
      const auto refused = [&](const std::string& why) {
        for (const auto* const command : {"check", "diff", "sync"}) {
          const auto ran = pairing.run({command});
          CHECK_MESSAGE(ran.exit == 25, command, ran.exit, ran.out, ran.err);
          CHECK_MESSAGE((ran.out + ran.err).find(why) != std::string::npos, ran.out, ran.err);
          CHECK((ran.out + ran.err).find(beside.string()) != std::string::npos);
        }
        CHECK(read_file(directory / "abgleich.key") == key);
        fs::remove(beside);
      };
      fs::create_symlink(directory / "abgleich.key", beside);
      refused("is a symbolic link");
      fs::create_hard_link(directory / "abgleich.key", beside);
      refused("has another name, too");
      REQUIRE(::mkfifo(beside.c_str(), 0600) == 0);
      refused("is not a regular file");
      if (::geteuid() == 0) {
        write_file(beside, "");
        REQUIRE(::chown(beside.c_str(), 65534, 65534) == 0);
        refused("belongs to a user who may not write to the database");
        // who may write to the database may have one of its files
        REQUIRE(::chmod((directory / which).c_str(), 0666) == 0);
        write_file(beside, "");
        REQUIRE(::chown(beside.c_str(), 65534, 65534) == 0);
        CHECK(pairing.run({"check"}).exit == 0);
      }
      CHECK(pairing.sync()["exit"] == 0);
    }
  }
}

TEST_CASE("a view of the primary or a trigger of the secondary that has no end is stopped") {
  const std::string endless =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
  {
    Pairing pairing(On::sqlite, On::sqlite,
                    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = \"plain\"\n");
    write_file(pairing.directory.path() / "abgleich.toml",
               "[primary]\nurl = \"" + pairing.primary.url() +
                   "\"\nstatement_timeout = \"1s\"\n[secondary]\nurl = \"" +
                   pairing.secondary.url() + "\"\n");
    for (const auto* const view :
         {"SELECT i AS id FROM n WHERE i < 0", "SELECT i AS id FROM n ORDER BY i"}) {
      CAPTURE(view);
      pairing.primary.run(
          "DROP VIEW IF EXISTS person;"
          "CREATE VIEW person AS WITH RECURSIVE n(i) AS "
          "(SELECT 1 UNION ALL SELECT i + 1 FROM n) " +
          std::string(view));
      const auto ran = pairing.run({"sync"});
      CHECK_MESSAGE(ran.exit == 30, ran.err);
      CHECK_MESSAGE(ran.err.find("took longer than 1 s") != std::string::npos, ran.err);
    }
  }
  Pairing pairing(On::sqlite, On::sqlite, kPerson);
  pairing.primary.run(kMakePerson);
  REQUIRE(pairing.sync()["exit"] == 0);
  pairing.configure("[limits]\nmax_updated = \"100%\"", "statement_timeout = \"1s\"");
  pairing.secondary.run("CREATE TRIGGER slow BEFORE UPDATE ON person BEGIN SELECT * FROM (" +
                        endless + "); END");
  pairing.primary.run("UPDATE person SET status = 'case'");
  const auto ran = pairing.run({"sync"});
  CHECK_MESSAGE(ran.exit == 30, ran.err);
  CHECK_MESSAGE(ran.err.find("took longer than 1 s") != std::string::npos, ran.err);
  pairing.secondary.run("DROP TRIGGER slow");
  pairing.configure("[limits]\nmax_updated = \"100%\"");
  CHECK(pairing.sync()["exit"] == 0);
}

TEST_CASE("nothing raw goes through a temporary file") {
  Pairing pairing(On::sqlite, On::postgresql,
                  "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
                  "id = { class = \"pseudonym\", identity = \"person\" }\n");
  pairing.primary.run(
      "CREATE TABLE raw AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
      "WHERE i < 300000) SELECT '49151' || i AS id FROM n;"
      "CREATE VIEW person AS SELECT DISTINCT id FROM raw ORDER BY id");
  const TemporaryDirectory temporary;
  const Watch watch(temporary.path());
  const auto ran =
      pairing.run({"sync"}, {"SQLITE_TMPDIR=" + temporary.path().string(), "TMPDIR=/nowhere"});
  CHECK_MESSAGE(ran.exit == 0, ran.err);
  CHECK(watch.created() == 0);
  CHECK(pairing.secondary.rows("SELECT count(*) FROM person") == "300000");
}

TEST_CASE("what a run deletes from the secondary is zeroed in the file") {
  Pairing pairing(On::sqlite, On::sqlite,
                  "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
                  "id = \"plain\"\nnote = { class = \"plain\", owner = \"primary\" }\n",
                  "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n");
  pairing.primary.run(
      "CREATE TABLE person (id INTEGER PRIMARY KEY, note TEXT);"
      "INSERT INTO person VALUES (1, 'stays'), (2, 'unmistakable remark')");
  REQUIRE(pairing.sync()["exit"] == 0);
  const auto file = pairing.directory.path() / "secondary.db";
  pairing.secondary.run("DELETE FROM abgleich_journal");
  REQUIRE(read_file(file).find("unmistakable remark") != std::string::npos);
  pairing.primary.run("DELETE FROM person WHERE id = 2");
  REQUIRE(pairing.sync()["exit"] == 0);
  pairing.secondary.run("PRAGMA secure_delete = ON; DELETE FROM abgleich_journal");
  CHECK(read_file(file).find("unmistakable remark") == std::string::npos);
}

}  // namespace abgleich::test
