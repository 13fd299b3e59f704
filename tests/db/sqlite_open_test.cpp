#include "db/sqlite/database_file.hpp"
#include "support/sqlite_file.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace fs = std::filesystem;
using namespace abgleich;
using db::Access;
using db::Cell;
using db::Fault;
using db::Session;
using test::TemporaryDirectory;

namespace {

std::vector<std::string> names_in(const fs::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

std::optional<Fault> fault_of_opening(const fs::path& file, Access access) {
  try {
    db::open(test::sqlite_endpoint(file), access);
  } catch (const Fault& fault) {
    return fault;
  }
  return std::nullopt;
}

std::optional<Fault> fault_of_executing(Session& session, std::string_view sql) {
  try {
    session.connection->execute(sql);
  } catch (const Fault& fault) {
    return fault;
  }
  return std::nullopt;
}

std::string first_cell(Session& session, std::string_view sql) {
  std::string text = "(no row)";
  session.connection->query(sql, {}, [&](auto cells) { text = cells[0].bytes; });
  return text;
}

/// Permissions do not hold root back; this does, where the tests run as root.
class AsNobody {
 public:
  AsNobody() {
    if (geteuid() == 0) {
      constexpr uid_t kNobody = 65534;
      changed_ = seteuid(kNobody) == 0;
    }
  }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;
  ~AsNobody() {
    if (changed_ && seteuid(0) != 0) {
      std::abort();
    }
  }

 private:
  bool changed_ = false;
};

}  // namespace

TEST_CASE("a SQLite file that is not there is a fault and is not created") {
  const TemporaryDirectory directory;
  for (const auto access : {Access::read, Access::write}) {
    const auto fault = fault_of_opening(directory / "missing.db", access);
    REQUIRE(fault);
    CHECK(fault->cause() == Fault::Cause::unreachable);
    CHECK(fault->error().code == Code::try_again);
    CHECK(fault->error().message == "the primary '" + (directory / "missing.db").string() +
                                        "' does not exist; it was not created");
    CHECK_FALSE(fault->error().hint.empty());
    CHECK(names_in(directory.path()).empty());
  }
  CHECK(fault_of_opening(directory / "no" / "such.db", Access::write));
  CHECK(names_in(directory.path()).empty());
}

TEST_CASE("what is no regular file is refused by name") {
  const TemporaryDirectory directory;
  auto fault = fault_of_opening(directory.path(), Access::read);
  REQUIRE(fault);
  CHECK(fault->error().message.ends_with("is a directory, not a file"));
  CHECK(fault->error().code == Code::try_again);

  const auto fifo = directory / "fifo";
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  fault = fault_of_opening(fifo, Access::read);
  REQUIRE(fault);
  CHECK(fault->error().message.ends_with("is not a regular file"));
}

TEST_CASE("a file that is no database is refused untouched") {
  const TemporaryDirectory directory;
  const auto file = directory / "text.db";
  std::ofstream(file) << std::string(5000, 'x');
  for (const auto access : {Access::read, Access::write}) {
    const auto fault = fault_of_opening(file, access);
    REQUIRE(fault);
    CHECK(fault->cause() == Fault::Cause::unreachable);
    CHECK(fault->state() == "SQLITE_NOTADB");
    CHECK(fault->error().code == Code::try_again);
    CHECK(fault->error().message.find("it is not a SQLite database, or it is encrypted") !=
          std::string::npos);
  }
  CHECK(test::bytes_of(file) == std::string(5000, 'x'));
}

TEST_CASE("a damaged primary is incomplete, and what is in it is not told") {
  const TemporaryDirectory directory;
  const auto file = directory / "damaged.db";
  test::run_sqlite(file,
                   "CREATE TABLE t(a); INSERT INTO t SELECT 'secret' || value FROM "
                   "(WITH RECURSIVE n(value) AS (VALUES(1) UNION ALL SELECT value + 1 "
                   "FROM n WHERE value < 2000) SELECT value FROM n)");
  auto bytes = test::bytes_of(file);
  constexpr std::size_t kPage = 4096;
  std::fill(bytes.begin() + kPage, bytes.begin() + 2 * kPage, '\x5a');
  std::ofstream(file, std::ios::binary) << bytes;
  auto session = test::open_for_reading(file);
  try {
    session.connection->read("SELECT a FROM t", [](auto) {});
    FAIL("a damaged page was read");
  } catch (const Fault& fault) {
    CHECK(fault.error().code == Code::source_incomplete);
    CHECK(fault.state() == "SQLITE_CORRUPT");
    CHECK(fault.error().message.find("secret") == std::string::npos);
    CHECK(fault.error().hint.find("integrity_check") != std::string::npos);
  }
}

TEST_CASE("a file that was cut off is never read as if it were whole") {
  const TemporaryDirectory directory;
  const auto whole = directory / "whole.db";
  test::run_sqlite(whole,
                   "CREATE TABLE t(a); CREATE INDEX i ON t(a); "
                   "INSERT INTO t VALUES (zeroblob(20000))");
  const auto bytes = test::bytes_of(whole);
  for (const std::size_t size : {1U, 50U, 99U, 100U, 512U, 4096U, 8192U, 10000U}) {
    const auto file = directory / "cut.db";
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes.substr(0, size);
    CAPTURE(size);
    try {
      auto session = test::open_for_reading(file);
      session.connection->read("SELECT a FROM t", [](auto) {});
      FAIL("a file that was cut off was read");
    } catch (const Fault& fault) {
      // SQLite takes less than a page for an empty database: then the table is missing.
      CHECK(
          (fault.error().code == Code::try_again || fault.error().code == Code::source_incomplete));
    }
  }
}

TEST_CASE("an empty file is an empty database") {
  const TemporaryDirectory directory;
  const auto file = directory / "empty.db";
  std::ofstream(file).flush();
  auto reading = test::open_for_reading(file);
  begin_snapshot(reading);
  CHECK(read_catalog(reading).tables.empty());
  CHECK(fs::file_size(file) == 0);
}

TEST_CASE("every path opens the file that has it") {
  const TemporaryDirectory directory;
  for (const std::string name :
       {"with space.db", "quote'and\"double.db", "what?mode=memory.db", "100%41.db", "Müller.db",
        "a=b c=d.db", "a#fragment&b.db", "db=other.db", "new\nline.db", "back\\slash.db",
        "readonly=true.db", "\xff\xfe.db", ":memory:", "file:x", "-", "%00.db", "trailing "}) {
    CAPTURE(name);
    const auto file = directory / name;
    {
      std::ofstream created(file);
      REQUIRE(created);
    }
    {
      auto session = test::open_for_writing(file);
      session.connection->execute("CREATE TABLE t(a)");
      session.connection->execute("INSERT INTO t VALUES (7)");
    }
    auto session = test::open_for_reading(file);
    CHECK(first_cell(session, "SELECT a FROM t") == "7");
    CHECK(names_in(directory.path()) == std::vector{name});
    CHECK(test::bytes_of(file).starts_with("SQLite format 3"));
    fs::remove(file);
  }
}

TEST_CASE("a relative path is taken from the working directory") {
  const TemporaryDirectory directory;
  test::run_sqlite(directory / "x.db", "CREATE TABLE t AS SELECT 1 AS a");
  const auto before = fs::current_path();
  fs::current_path(directory.path());
  std::string read;
  {
    auto session = test::open_for_reading("x.db");
    read = first_cell(session, "SELECT a FROM t");
  }
  fs::current_path(before);
  CHECK(read == "1");
}

TEST_CASE("a reading connection cannot write, and leaves the file as it is to the byte") {
  const TemporaryDirectory directory;
  const auto file = directory / "primary.db";
  test::run_sqlite(file,
                   "PRAGMA journal_mode = DELETE; CREATE TABLE t(a); INSERT INTO t VALUES(1)");
  const auto before = test::bytes_of(file);
  const auto time = fs::last_write_time(file);
  {
    auto session = test::open_for_reading(file);
    for (const int round : {1, 2}) {
      for (const std::string sql :
           {"INSERT INTO t VALUES (2)", "UPDATE t SET a = 2", "DELETE FROM t", "CREATE TABLE u(a)",
            "DROP TABLE t", "PRAGMA user_version = 5", "PRAGMA application_id = 5"}) {
        CAPTURE(sql);
        const auto fault = fault_of_executing(session, sql);
        REQUIRE(fault);
        CHECK(fault->cause() == Fault::Cause::rights);
        CHECK(fault->state().starts_with("SQLITE_READONLY"));
      }
      // Second round: the file's handle refuses even where the connection's setting is taken back.
      if (round == 1) {
        session.connection->execute("PRAGMA query_only = OFF");
      }
    }
    fault_of_executing(session, "PRAGMA journal_mode = WAL");
    fault_of_executing(session, "VACUUM");
    begin_snapshot(session);
    CHECK(first_cell(session, "SELECT count(*) FROM t") == "1");
    CHECK(names_in(directory.path()) == std::vector<std::string>{"primary.db"});
    rollback(session);
  }
  CHECK(test::bytes_of(file) == before);
  CHECK(fs::last_write_time(file) == time);
  CHECK(names_in(directory.path()) == std::vector<std::string>{"primary.db"});
}

TEST_CASE("a writing connection to a file that may not be written is refused at once") {
  const TemporaryDirectory directory;
  const auto file = directory / "locked.db";
  test::run_sqlite(file, "CREATE TABLE t AS SELECT 1 AS a");
  fs::permissions(directory.path(), fs::perms{0755});
  fs::permissions(file, fs::perms{0444});
  const AsNobody nobody;
  const auto fault = fault_of_opening(file, Access::write);
  REQUIRE(fault);
  CHECK(fault->cause() == Fault::Cause::rights);
  CHECK(fault->error().code == Code::secondary_refuses);
  auto session = test::open_for_reading(file);
  CHECK(first_cell(session, "SELECT a FROM t") == "1");
}

TEST_CASE("a file that may not be read is unreachable") {
  const TemporaryDirectory directory;
  const auto file = directory / "secret.db";
  test::run_sqlite(file, "CREATE TABLE t(a)");
  fs::permissions(directory.path(), fs::perms{0755});
  fs::permissions(file, fs::perms{0000});
  const AsNobody nobody;
  const auto fault = fault_of_opening(file, Access::read);
  REQUIRE(fault);
  CHECK(fault->cause() == Fault::Cause::unreachable);
  CHECK(fault->error().message.ends_with("cannot be opened"));
}

TEST_CASE("the settings that bound memory and trust are in force") {
  const TemporaryDirectory directory;
  const auto file = directory / "x.db";
  test::run_sqlite(file, "CREATE TABLE t(a)");
  auto reading = test::open_for_reading(file);
  auto writing = test::open_for_writing(file);
  for (auto* session : {&reading, &writing}) {
    CHECK(first_cell(*session, "PRAGMA cache_size") == "-8192");
    CHECK(first_cell(*session, "PRAGMA mmap_size") == "0");
    CHECK(first_cell(*session, "PRAGMA trusted_schema") == "0");
    CHECK(first_cell(*session, "PRAGMA cell_size_check") == "1");
    CHECK(first_cell(*session, "PRAGMA busy_timeout") == "10000");
  }
  CHECK(first_cell(reading, "PRAGMA query_only") == "1");
  CHECK(first_cell(reading, "PRAGMA temp_store") == "2");  // raw values, in memory only
  CHECK(first_cell(writing, "PRAGMA query_only") == "0");
  CHECK(first_cell(writing, "PRAGMA temp_store") == "1");
  CHECK(first_cell(writing, "PRAGMA temp.cache_size") == "-8192");
  CHECK(first_cell(writing, "PRAGMA secure_delete") == "1");
  CHECK(first_cell(writing, "PRAGMA foreign_keys") == "1");
  CHECK(first_cell(writing, "PRAGMA synchronous") == "2");
}

TEST_CASE("a connection attaches no other file, loads no extension and changes no shadow table") {
  const TemporaryDirectory directory;
  const auto file = directory / "x.db";
  const auto other = directory / "other.db";
  test::run_sqlite(file, "CREATE VIRTUAL TABLE t USING fts5(a); INSERT INTO t VALUES ('b')");
  test::run_sqlite(other, "CREATE TABLE t(a)");
  const auto before = test::bytes_of(other);
  auto reading = test::open_for_reading(file);
  auto writing = test::open_for_writing(file);
  for (auto* session : {&reading, &writing}) {
    for (const auto& sql :
         {"ATTACH '" + other.string() + "' AS other", std::string("ATTACH ':memory:' AS other"),
          std::string("SELECT load_extension('x')"), std::string("DELETE FROM t_data"),
          "VACUUM INTO '" + (directory / "copy.db").string() + "'"}) {
      CAPTURE(sql);
      CHECK(fault_of_executing(*session, sql));
    }
  }
  CHECK(test::bytes_of(other) == before);
  CHECK(names_in(directory.path()) == std::vector<std::string>{"other.db", "x.db"});
}

TEST_CASE("a database whose writer was killed is not read before it is repaired") {
  const TemporaryDirectory directory;
  const auto file = directory / "running.db";
  const auto killed = directory / "killed.db";
  test::run_sqlite(file, "CREATE TABLE t(a); INSERT INTO t VALUES ('before')");
  {
    auto writing = test::open_for_writing(file);
    auto& connection = *writing.connection;
    connection.execute("PRAGMA cache_size = 1");  // so that pages reach the file before the commit
    begin_write(writing);
    connection.execute("UPDATE t SET a = 'half'");
    for (int i = 0; i < 100; ++i) {
      connection.execute("INSERT INTO t VALUES (zeroblob(3000))");
    }
    fs::copy_file(file, killed);
    fs::copy_file(file.string() + "-journal", killed.string() + "-journal");
    rollback(writing);
  }
  const auto before = test::bytes_of(killed);
  const auto fault = fault_of_opening(killed, Access::read);
  REQUIRE(fault);
  CHECK(fault->cause() == Fault::Cause::unreachable);
  CHECK(fault->state() == "SQLITE_READONLY_ROLLBACK");
  CHECK(fault->error().hint.find("start the program that owns the file") == 0);
  CHECK(test::bytes_of(killed) == before);

  { const auto repaired = test::open_for_writing(killed); }
  auto session = test::open_for_reading(killed);
  CHECK(first_cell(session, "SELECT group_concat(a) FROM t") == "before");
}

TEST_CASE("files beside a WAL database are made only where its owner could write to them") {
  using db::sqlite::owner_could_write;
  using db::sqlite::Ownership;
  const Ownership directory{.user = 1, .group = 10, .mode = 0770};
  const Ownership shared{.user = 1, .group = 10, .mode = 02770};
  CHECK(owner_could_write({.user = 1, .group = 10, .mode = 0600}, directory, 0, 0));
  CHECK(owner_could_write({.user = 1, .group = 10, .mode = 0600}, directory, 1, 99));
  CHECK_FALSE(owner_could_write({.user = 1, .group = 10, .mode = 0644}, directory, 2, 10));
  CHECK(owner_could_write({.user = 1, .group = 10, .mode = 0664}, directory, 2, 10));
  CHECK_FALSE(owner_could_write({.user = 1, .group = 10, .mode = 0664}, directory, 2, 20));
  CHECK(owner_could_write({.user = 1, .group = 10, .mode = 0664}, shared, 2, 20));
  CHECK(owner_could_write({.user = 1, .group = 10, .mode = 0666}, directory, 2, 20));
}

TEST_CASE("a WAL database of another user is left alone while nobody has it open") {
  if (geteuid() != 0) {
    return;  // only root can make a file of another user
  }
  const TemporaryDirectory directory;
  const auto file = directory / "wal.db";
  test::run_sqlite(file, "PRAGMA journal_mode = WAL; CREATE TABLE t AS SELECT 1 AS a");
  fs::permissions(directory.path(), fs::perms{0777});
  fs::permissions(file, fs::perms{0644});
  {
    const AsNobody nobody;
    const auto fault = fault_of_opening(file, Access::read);
    REQUIRE(fault);
    CHECK(fault->cause() == Fault::Cause::unreachable);
  }
  CHECK(names_in(directory.path()) == std::vector<std::string>{"wal.db"});
  auto owner = test::open_for_writing(file);
  owner.connection->execute("INSERT INTO t VALUES (2)");
  const AsNobody nobody;
  auto session = test::open_for_reading(file);
  CHECK(first_cell(session, "SELECT count(*) FROM t") == "2");
}

TEST_CASE("damage anywhere in a file ends in a fault or in rows, never in a crash") {
  const TemporaryDirectory directory;
  const auto whole = directory / "whole.db";
  test::run_sqlite(whole,
                   "PRAGMA page_size = 512; CREATE TABLE t(a TEXT UNIQUE, b REAL, c BLOB); "
                   "CREATE VIEW v AS SELECT a FROM t; CREATE TABLE u(a REFERENCES t(a)); "
                   "INSERT INTO t SELECT 'row' || value, value / 3.0, zeroblob(value) FROM "
                   "(WITH RECURSIVE n(value) AS (VALUES(1) UNION ALL SELECT value + 1 FROM n "
                   "WHERE value < 200) SELECT value FROM n)");
  const auto bytes = test::bytes_of(whole);
  std::mt19937 random(20200301);  // NOLINT(cert-msc51-cpp): the same damage every time
  int faults = 0;
  for (int round = 0; round < 300; ++round) {
    auto damaged = bytes;
    for (int i = 0; i < 20; ++i) {
      // half of the damage where the schema is
      const auto limit = i % 2 == 0 ? std::size_t{1024} : damaged.size();
      damaged[random() % limit] = static_cast<char>(random());
    }
    const auto file = directory / "damaged.db";
    std::ofstream(file, std::ios::binary | std::ios::trunc) << damaged;
    try {
      auto session = test::open_for_reading(file);
      begin_snapshot(session);
      for (const auto& table : read_catalog(session).tables) {
        session.connection->read("SELECT * FROM " + session.dialect->table({}, table.name),
                                 [](auto) {});
      }
    } catch (const Fault& fault) {
      CHECK_FALSE(fault.error().message.empty());
      ++faults;
    }
  }
  CHECK(faults > 100);
}

TEST_CASE("a URI escapes everything that SQLite or SOCI would interpret") {
  CHECK(db::sqlite::file_uri("/a/b-c_d.1") == "file:/a/b-c_d.1");
  CHECK(db::sqlite::file_uri("/a b?c#d%e=f\"'\\&+") ==
        "file:/a%20b%3Fc%23d%25e%3Df%22%27%5C%26%2B");
  CHECK(db::sqlite::file_uri("/\xc3\xbc") == "file:/%C3%BC");
}
