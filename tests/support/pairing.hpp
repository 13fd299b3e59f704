// A primary and a secondary for one test, on either engine, with configuration, contract and key in
// a temporary directory. Runs the program on them.
#pragma once

#include "support/fork_server.hpp"
#include "support/places.hpp"
#include "support/postgres.hpp"
#include "support/program.hpp"
#include "support/reused_database.hpp"
#include "support/temporary_directory.hpp"
#include "support/thorough.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <sqlite3.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace abgleich::test {

enum class On { sqlite, postgresql };

/// All engines: what a test checks on one of them, it checks on all. A new one is added here.
inline constexpr std::array kEngines{On::sqlite, On::postgresql};

inline std::string name_of(On engine) {
  return engine == On::sqlite ? "SQLite" : "PostgreSQL";
}

/// A database that a test prepares and looks at. Rows come back as text, NULL as "NULL", columns
/// separated by '|', rows by '\n': as `sqlite3 -nullvalue NULL` prints them.
class Database {
 public:
  /// `server` names the server of a PostgreSQL database, see `server_url`; `with` ends its CREATE.
  Database(On engine, const std::filesystem::path& file, const char* server = "ABGLEICH_TEST_PG",
           std::string_view with = {})
      : engine_(engine), file_(file), server_(server), with_(with) {
    if (engine == On::postgresql) {
      database_ = EmptyDatabases::of_process().take(server, with);
      return;
    }
    REQUIRE(sqlite3_open(file.c_str(), &sqlite_) == SQLITE_OK);
    sqlite3_busy_timeout(sqlite_, 20'000);
    run("PRAGMA user_version = 1");  // makes the file: abgleich never does
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() {
    sqlite3_close(sqlite_);
    if (database_) {
      EmptyDatabases::of_process().give(std::move(database_), server_, with_);
    }
  }

  [[nodiscard]] On engine() const { return engine_; }
  [[nodiscard]] std::string url() const {
    return engine_ == On::sqlite ? "sqlite:" + file_.string() : database_->database().url();
  }

  void run(const std::string& sql) {
    if (engine_ == On::postgresql) {
      database_->connection().run(sql);
      return;
    }
    char* message = nullptr;
    if (sqlite3_exec(sqlite_, sql.c_str(), nullptr, nullptr, &message) != SQLITE_OK) {
      const std::string text = message;
      sqlite3_free(message);
      FAIL("a test's own statement failed: ", text, " in ", sql);
    }
  }

  std::string rows(const std::string& sql) {
    std::string text;
    const auto row = [&](int columns, char** values) {
      text += text.empty() ? "" : "\n";
      for (int i = 0; i < columns; ++i) {
        text += std::string(i == 0 ? "" : "|") + (values[i] == nullptr ? "NULL" : values[i]);
      }
    };
    if (engine_ == On::postgresql) {
      database_->connection().each(sql, row);
      return text;
    }
    using Row = decltype(row);
    char* message = nullptr;
    const int done = sqlite3_exec(
        sqlite_, sql.c_str(),
        [](void* context, int columns, char** values, char**) {
          (*static_cast<const Row*>(context))(columns, values);
          return 0;
        },
        const_cast<void*>(static_cast<const void*>(&row)), &message);
    if (done != SQLITE_OK) {
      FAIL("a test's own query failed: ", std::string(message), " in ", sql);
    }
    return text;
  }

 private:
  On engine_;
  std::filesystem::path file_;
  const char* server_;
  std::string with_;
  std::unique_ptr<ReusableDatabase> database_;
  sqlite3* sqlite_ = nullptr;
};

/// Replaces a file by one with this text.
inline void write_file(const std::filesystem::path& file, std::string_view text) {
  std::ofstream(file, std::ios::binary) << text;
}

inline std::string read_file(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

class Pairing {
 public:
  /// `more` is appended to abgleich.toml.
  Pairing(On primary_on, On secondary_on, const std::string& contract, const std::string& more = "")
      : primary(primary_on, directory.path() / "primary.db"),
        secondary(secondary_on, directory.path() / "secondary.db") {
    configure(more);
    set_contract(contract);
    const auto made = run({"keys", "generate", "-q"});
    REQUIRE_MESSAGE(made.exit == 0, made.err);
  }

  void configure(const std::string& more = "", const std::string& secondary_more = "") const {
    write_file(directory.path() / "abgleich.toml",
               "[primary]\nurl = \"" + primary.url() + "\"\n[secondary]\nurl = \"" +
                   secondary.url() + "\"\n" + secondary_more + "\n" + more + "\n");
  }
  void set_contract(const std::string& text) const {
    write_file(directory.path() / "contract.toml", "format = 1\n" + text);
  }

  [[nodiscard]] std::vector<std::string> command(std::vector<std::string> words) const {
    words.insert(words.begin(), kProgram);
    return words;
  }
  [[nodiscard]] Ran run(const std::vector<std::string>& words,
                        const std::vector<std::string>& environment = {}) const {
    static thread_local ForkServer program;
    return program.run(command(words), directory.path().string(), environment);
  }

  /// Runs `sync --json` and returns its last line; checks the exit code that the line names.
  [[nodiscard]] nlohmann::json sync(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"sync", "--json"});
    const auto ran = run(more);
    auto json = nlohmann::json::parse(ran.out, nullptr, false);
    REQUIRE_MESSAGE(json.is_object(), ran.out, ran.err);
    CHECK_MESSAGE(json["exit"] == ran.exit, ran.err);
    CHECK_MESSAGE(json["outcome"] != "failed", ran.err);
    return json;
  }

  /// Removes the tables of both databases, and what is stored about them. `postgresql` is the SQL
  /// that does so there.
  void empty(const std::string& postgresql =
                 "DROP SCHEMA public CASCADE; DROP SCHEMA IF EXISTS abgleich CASCADE; "
                 "CREATE SCHEMA public") {
    for (auto* database : {&primary, &secondary}) {
      if (database->engine() == On::postgresql) {
        database->run(postgresql);
        continue;
      }
      const auto drops = database->rows(
          "SELECT coalesce(group_concat('DROP TABLE \"' || replace(name, '\"', '\"\"') || '\"', "
          "';'), '') FROM sqlite_schema WHERE type = 'table'");
      database->run(drops);
    }
    std::filesystem::remove(directory / "catalog.json");
    std::filesystem::remove_all(directory / "state");
  }

  /// Decides that more may leave than before, as a wider contract needs.
  void accept_more() const {
    const auto accepted = run({"contract", "accept", "--reason", "a test's own decision", "-q"});
    REQUIRE_MESSAGE(accepted.exit == 0, accepted.err);
  }

  TemporaryDirectory directory;
  Database primary;
  Database secondary;
};

/// Calls `test(primary engine, secondary engine)` with each engine on each side; `tests/run --all`:
/// for every pairing.
template <class Test>
void on_every_pairing(const Test& test) {
  for (const auto primary : kEngines) {
    for (const auto secondary : kEngines) {
      CAPTURE(name_of(primary));
      CAPTURE(name_of(secondary));
      if (primary != secondary || thorough()) {
        test(primary, secondary);
      }
    }
  }
}

}  // namespace abgleich::test
