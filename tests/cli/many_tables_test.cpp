// Cost follows the change: a table in which nothing has changed costs a run next to nothing.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace abgleich::test {

namespace {

/// A pairing of so many small tables, after its second run.
struct Many : Pairing {
  Many(On engine, int tables) : Pairing(engine, engine, contract_of(tables)) {
    std::string sql;
    for (int i = 0; i < tables; ++i) {
      const auto name = "t" + std::to_string(i);
      sql += "CREATE TABLE " + name + " (id integer PRIMARY KEY, note text);" + "INSERT INTO " +
             name + " VALUES (1, 'a'), (2, 'b');";
    }
    primary.run(sql);
    CHECK(sync()["outcome"] == "applied");
    CHECK(sync()["outcome"] == "unchanged");
  }

  static std::string contract_of(int tables) {
    std::string text;
    for (int i = 0; i < tables; ++i) {
      const auto name = "t" + std::to_string(i);
      text += "[tables." + name + "]\nkey = [\"id\"]\n[tables." + name +
              ".columns]\nid = { class = \"pseudonym\", identity = \"" + name +
              "\" }\nnote = \"plain\"\n";
    }
    return text;
  }

  /// The statements of a command, one a line.
  [[nodiscard]] std::vector<std::string> statements(const std::string& command) const {
    const auto ran = run({command, "-vv"});
    CHECK_MESSAGE(ran.exit == 0, ran.out, ran.err);
    std::vector<std::string> found;
    std::istringstream lines(ran.err);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("sql: ")) {
        found.push_back(line);
      }
    }
    return found;
  }
};

std::ptrdiff_t temporary_tables(const std::vector<std::string>& statements) {
  return std::ranges::count_if(statements, [](const std::string& line) {
    return line.find("CREATE TEMP") != std::string::npos;
  });
}

}  // namespace

TEST_CASE(
    "on a server, a run that finds nothing asks little about each table, and makes no temporary "
    "table") {
  constexpr int kFew = 10;
  constexpr int kMany = 40;
  constexpr std::size_t kFetches = 2;  // a longer catalogue may need another FETCH
  Many few(On::postgresql, kFew);
  Many many(On::postgresql, kMany);
  for (const std::string command : {"sync", "check", "drift", "status"}) {
    CAPTURE(command);
    const auto one = few.statements(command);
    const auto other = many.statements(command);
    CHECK(one.size() > 1);
    CHECK(other.size() <= one.size() + 2 * (kMany - kFew) + kFetches);
    CHECK(temporary_tables(other) == 0);
  }
}

TEST_CASE("among many small tables, a change in one is found, and rows that are gone, too") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Many many(engine, 12);
    many.primary.run(
        "UPDATE t3 SET note = 'new' WHERE id = 1; DELETE FROM t7 WHERE id = 2;"
        "INSERT INTO t9 VALUES (3, 'c')");
    const auto line = many.sync();
    CHECK(line["exit"] == 0);
    CHECK(line["tables"]["t3"]["updated"] == 1);
    CHECK(line["tables"]["t7"]["deleted"] == 1);
    CHECK(line["tables"]["t9"]["inserted"] == 1);
    CHECK(many.sync()["outcome"] == "unchanged");
    CHECK(many.run({"verify", "-q"}).exit == 0);
  }
}

TEST_CASE("a table that is locked is named, also among many") {
  Many many(On::postgresql, 5);
  PlainConnection other(many.primary.url());
  other.run("BEGIN; LOCK TABLE t3");
  write_file(many.directory / "abgleich.toml",
             "retry_for = \"0\"\n[primary]\nurl = \"" + many.primary.url() +
                 "\"\nlock_timeout = \"1s\"\n[secondary]\nurl = \"" + many.secondary.url() +
                 "\"\n");
  const auto ran = many.run({"sync"});
  CHECK(ran.exit == 30);
  CHECK_MESSAGE(ran.err.find("'t3' of the primary is locked") != std::string::npos, ran.err);
  other.run("ROLLBACK");
}

}  // namespace abgleich::test
