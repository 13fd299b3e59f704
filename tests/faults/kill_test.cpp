// A run that is killed anywhere leaves the secondary before or after itself, and the next run ends
// where an undisturbed one would have. Every kill meets a fresh copy of the same secondary.
#include "support/pairing.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <random>
#include <thread>

namespace abgleich::test {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kKills = 26;  // of each of the four kinds
constexpr int kTries = 4 * kKills;

const char* const kContract = R"(format = 1
[tables.person]
key = ["id"]
[tables.person.columns]
id = { class = "pseudonym", identity = "person" }
tag = "plain"
name = "withhold"
status = "plain"
note = { class = "plain", owner = "primary" }
infected_by = { class = "pseudonym", identity = "person" }
[tables.contact]
key = ["id"]
[tables.contact.columns]
id = { class = "pseudonym", identity = "contact" }
person_id = { class = "pseudonym", identity = "person" }
risk = "plain"
)";

/// 1 … count as rows, on both engines.
std::string series(int count) {
  return "(WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < " +
         std::to_string(count) + ") SELECT i FROM s) AS series";
}

/// A secondary: a SQLite file, or a database beside the one that was made for the test.
struct Secondary {
  On engine;
  std::filesystem::path file;
  std::string url;
  std::string database;

  [[nodiscard]] std::string own() const { return engine == On::sqlite ? "abgleich_" : "abgleich."; }

  /// Calls `look` with a query function. On SQLite a copy is looked at, with its journal, so that a
  /// torn transaction is left for abgleich to take back.
  void look(const std::function<void(const std::function<std::string(const std::string&)>&)>& look)
      const {
    if (engine == On::postgresql) {
      PlainConnection connection(url);
      look([&](const std::string& sql) {
        std::string text;
        connection.each(sql, [&](int columns, char** values) {
          for (int i = 0; i < columns; ++i) {
            text += std::string(values[i] == nullptr ? "NULL" : values[i]) + "|";
          }
          text += "\n";
        });
        return text;
      });
      return;
    }
    const TemporaryDirectory elsewhere;
    for (const auto* journal : {"", "-journal"}) {
      if (std::filesystem::exists(file.string() + journal)) {
        std::filesystem::copy_file(file.string() + journal,
                                   elsewhere / ("secondary.db" + std::string(journal)));
      }
    }
    Database copy(On::sqlite, elsewhere / "secondary.db");
    look([&](const std::string& sql) { return copy.rows(sql) + "\n"; });
  }

  void run(const std::string& sql) const {
    if (engine == On::postgresql) {
      PlainConnection(url).run(sql);
    } else {
      Database(On::sqlite, file).run(sql);
    }
  }

  /// All data and everything that the bookkeeping says of it, but for what no two runs have in
  /// common: times and random numbers.
  [[nodiscard]] std::string picture() const {
    std::string text;
    look([&](const auto& rows) {
      const bool sqlite = engine == On::sqlite;
      const auto made = rows(sqlite ? "SELECT count(*) FROM sqlite_schema"
                                    : "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON "
                                      "n.oid = c.relnamespace WHERE nspname IN "
                                      "('abgleich', 'public')");
      text = made;
      if (made.starts_with("0")) {
        return;
      }
      const std::string cells = sqlite ? "hex(cells)" : "cells";
      for (const auto& sql :
           {"SELECT * FROM person ORDER BY id", "SELECT * FROM contact ORDER BY id"}) {
        text += rows(sql);
      }
      for (const auto& sql : {"SELECT k0, " + cells + " FROM " + own() + "base_1 ORDER BY k0",
                              "SELECT k0, " + cells + " FROM " + own() + "base_2 ORDER BY k0",
                              "SELECT epoch, key_check FROM " + own() + "head",
                              "SELECT epoch, kind, counts FROM " + own() + "run ORDER BY epoch",
                              "SELECT id, source, target, key_columns, columns, since FROM " +
                                  own() + "tracked ORDER BY id",
                              "SELECT epoch, tracked, key_text, fate, before, after FROM " + own() +
                                  "journal ORDER BY epoch, tracked, key_text",
                              "SELECT id, tracked, key_text, kind, detail, epoch FROM " + own() +
                                  "conflict ORDER BY id",
                              "SELECT tracked, key_text, column_name, reason, rows, epoch FROM " +
                                  own() + "quarantine ORDER BY key_text"}) {
        text += rows(sql);
      }
    });
    return text;
  }
};

/// The primary, one prepared secondary, and copies of it to break.
class Scene {
 public:
  explicit Scene(On engine)
      : engine_(engine), primary_(engine, directory_ / "primary.db"), random_(20261123) {
    if (engine == On::postgresql) {
      database_.emplace();
    }
    prepared_ = place("prepared", database_ ? database_->name() : "");
    if (engine == On::sqlite) {
      prepared_.run("PRAGMA user_version = 2");
    }
    REQUIRE(run("prepared", {"keys", "generate", "-q"}).exit == 0);
    primary_.run(
        "CREATE TABLE person (id integer PRIMARY KEY, tag text NOT NULL UNIQUE, name text, status "
        "text, note text, "
        "infected_by integer REFERENCES person (id));"
        "CREATE TABLE contact (id integer PRIMARY KEY, person_id integer REFERENCES person (id), "
        "risk text);");
    primary_.run(
        "INSERT INTO person SELECT i, 't' || i, 'name ' || i, 'open', 'n' || (i % 7), "
        "CASE WHEN i > 9 THEN i / 3 END FROM " +
        series(2500));
    primary_.run("INSERT INTO contact SELECT i, i % 2500 + 1, 'low' FROM " + series(2500));
  }

  /// Makes the prepared secondary one that has been synchronised, with edits on both sides since:
  /// inserts, updates and deletes, conflicts of each kind, and a parent that cannot go.
  void edit() {
    REQUIRE(run("prepared", {"sync", "-q"}).exit == 0);
    prepared_.run(
        "UPDATE person SET note = 'edited' WHERE tag LIKE '%3';"
        "UPDATE person SET status = 'mine' WHERE tag LIKE '%25';"
        "DELETE FROM contact WHERE person_id IN (SELECT id FROM person WHERE tag LIKE '%40');"
        "UPDATE contact SET risk = 'mine' WHERE person_id IN "
        "(SELECT id FROM person WHERE tag LIKE '2%60')");
    primary_.run(
        "UPDATE person SET status = 'case' WHERE id % 5 = 0;"
        "UPDATE contact SET risk = 'high' WHERE id % 50 = 9;"
        "DELETE FROM contact WHERE id % 9 = 0;"
        "DELETE FROM contact WHERE person_id > 2250;"
        "DELETE FROM person WHERE id > 2250;"
        "INSERT INTO person SELECT i + 5000, 't' || (i + 5000), 'new', 'open', NULL, i FROM " +
        series(400) + ";INSERT INTO contact SELECT i + 5000, i + 5000, 'high' FROM " + series(400));
  }

  /// Makes the prepared secondary one whose table `person` is to be rekeyed, with edits and
  /// conflicts.
  void name_another_key() {
    edit();
    REQUIRE(run("prepared", {"sync", "-q"}).exit == 10);
    contract_.replace(contract_.find("\"id\""), 4, "\"tag\"");
    write_file(directory_ / "prepared" / "contract.toml", contract_);
    what_ = {"rekey", "person", "--reason", "a test's own", "--json"};
  }

  /// `disturb(trial, program, length)` is called while a run on a copy is at work; `length` is what
  /// an undisturbed one takes. Gives true while it wants more; `fits` judges the run's end.
  using Disturb = std::function<void(const Secondary& trial, Program&, Clock::duration moment)>;
  struct Ended {
    Ran ran;
    bool before = false;  // the secondary is as it was
    bool after = false;   // … as an undisturbed run makes it
  };
  /// Disturbs runs on fresh copies until `hits` of them have met their end by it.
  void disturb(const Disturb& disturb, const std::function<bool(const Ended&)>& hit, int hits) {
    const auto before = prepared_.picture();
    auto undisturbed = copy();
    const auto started = Clock::now();
    const auto done = run("trial", what_);
    auto length = Clock::now() - started;
    const auto after = undisturbed.picture();
    REQUIRE_MESSAGE(after != before, done.err);
    drop(undisturbed);

    int met = 0;
    int untouched = 0;
    for (int i = 0; i < kTries && met < hits; ++i) {
      const auto trial = copy();
      // All over the run, and every second one where it writes.
      const auto percent = i % 2 == 0 ? random_() % 105 : 60 + random_() % 50;
      const auto began = Clock::now();
      Program program(command(what_), (directory_ / "trial").string());
      disturb(trial, program, length * percent / 100);
      Ended ended{.ran = program.wait()};
      if (ended.ran.exit == done.exit) {
        length = std::min(length, Clock::now() - began);  // the machine has less to do now
      }
      const auto reached = trial.picture();
      ended.before = reached == before;
      ended.after = reached == after;
      CHECK((ended.before || ended.after));
      met += hit(ended) ? 1 : 0;
      untouched += ended.before ? 1 : 0;

      if (ended.before || what_.front() == "sync") {  // what else is done is not to be done twice
        const auto again = run("trial", what_);
        CHECK_MESSAGE(again.exit == done.exit, "attempt ", i, ": ", again.out, again.err);
      }
      CHECK(trial.picture() == after);
      const auto settled = run("trial", {"sync", "-q"});
      CHECK_MESSAGE((settled.exit == 0 || settled.exit == 10), settled.err);
      CHECK(trial.picture() == after);
      drop(trial);
    }
    CHECK(met == hits);
    CHECK(untouched > hits / 3);  // otherwise they all came too late
  }

  /// The same to runs that are tried again, until `hits` of them were: each ends as an undisturbed
  /// one, or does not know; or it has told its changes already, just before its commit, and is not
  /// tried again.
  void outlast(const Disturb& disturb, int hits) {
    auto undisturbed = copy();
    const auto started = Clock::now();
    const auto done = run("trial", {"sync", "--json"});
    auto length = Clock::now() - started;
    const auto after = undisturbed.picture();
    drop(undisturbed);

    int again = 0;
    for (int i = 0; again < hits && i < kTries; ++i) {
      const auto trial = copy();
      const auto config = directory_ / "trial" / "abgleich.toml";
      auto text = read_file(config);
      write_file(config, text.replace(text.find("\"0\""), 3, "\"20s\""));
      const auto began = Clock::now();
      Program program(command({"sync", "-v"}), (directory_ / "trial").string());
      disturb(trial, program, length * (random_() % 100) / 100);
      const auto ran = program.wait();
      const bool had_told = ran.exit == 30 && !ran.out.empty();
      CHECK_MESSAGE((ran.exit == done.exit || ran.exit == 40 || had_told), ran.err);
      if (ran.err.find("it was tried again") != std::string::npos) {
        ++again;
      } else if (ran.exit == done.exit) {
        length = std::min(length, Clock::now() - began);
      }
      if (ran.exit == 40 || had_told) {
        CHECK(run("trial", {"sync", "--json"}).exit == done.exit);
      }
      CHECK(trial.picture() == after);
      drop(trial);
    }
    CHECK(again == hits);  // otherwise they all came too late
  }

  [[nodiscard]] const std::string& database() const { return database_->name(); }
  [[nodiscard]] std::string primary_url() const { return primary_.url(); }

 private:
  /// A directory with everything of a pairing but the secondary itself.
  Secondary place(const std::string& name, const std::string& database) {
    const auto where = directory_ / name;
    std::filesystem::create_directory(where);
    Secondary secondary{.engine = engine_, .file = where / "secondary.db", .database = database};
    if (engine_ == On::postgresql) {
      secondary.url = database_->url();
      secondary.url.replace(secondary.url.find(database_->name()), database_->name().size(),
                            database);
    } else {
      secondary.url = "sqlite:" + secondary.file.string();
    }
    write_file(where / "contract.toml", contract_);
    // tried again, a run would hide that it was disturbed
    write_file(where / "abgleich.toml", "retry_for = \"0\"\n[primary]\nurl = \"" + primary_.url() +
                                            "\"\n[secondary]\nurl = \"" + secondary.url +
                                            "\"\n[limits]\nmax_deleted = \"100%\"\n"
                                            "max_updated = \"100%\"\n");
    return secondary;
  }

  Secondary copy() {
    const auto name = database_ ? database_->name() + "_trial" : "";
    const auto trial = place("trial", name);
    const auto from = directory_ / "prepared";
    const auto to = directory_ / "trial";
    std::filesystem::copy_file(from / "abgleich.key", to / "abgleich.key");
    if (std::filesystem::exists(from / "catalog.json")) {
      std::filesystem::copy_file(from / "catalog.json", to / "catalog.json");
    }
    if (std::filesystem::exists(from / "state")) {
      std::filesystem::copy(from / "state", to / "state");
      std::filesystem::permissions(to / "state", std::filesystem::perms::owner_all);
    }
    if (engine_ == On::sqlite) {
      std::filesystem::copy_file(from / "secondary.db", to / "secondary.db");
    } else {
      PlainConnection(server_url())
          .run("CREATE DATABASE " + name + " TEMPLATE " + database_->name());
    }
    return trial;
  }

  void drop(const Secondary& trial) {
    if (engine_ == On::postgresql) {
      PlainConnection(server_url()).run("DROP DATABASE " + trial.database + " WITH (FORCE)");
    }
    std::filesystem::remove_all(directory_ / "trial");
  }

  static std::vector<std::string> command(std::vector<std::string> words) {
    words.insert(words.begin(), kProgram);
    return words;
  }
  [[nodiscard]] Ran run(const std::string& name, const std::vector<std::string>& words) const {
    return run_program(command(words), (directory_ / name).string());
  }

  On engine_;
  std::string contract_ = kContract;
  std::vector<std::string> what_{"sync", "--json"};
  TemporaryDirectory directory_;
  Database primary_;
  std::optional<TemporaryDatabase> database_;
  Secondary prepared_;
  std::minstd_rand random_;
};

void kill_at(const Secondary&, Program& program, Clock::duration moment) {
  std::this_thread::sleep_for(moment);
  program.kill(SIGKILL);
}

bool was_killed(const Scene::Ended& ended) {
  return ended.ran.exit == 128 + SIGKILL;
}

void kill_first_runs(On engine) {
  Scene(engine).disturb(kill_at, was_killed, kKills);
}

void kill_merges(On engine) {
  Scene scene(engine);
  scene.edit();
  scene.disturb(kill_at, was_killed, kKills);
}

void kill_rekeys(On engine) {
  Scene scene(engine);
  scene.name_another_key();
  scene.disturb(kill_at, was_killed, kKills / 2);
}

/// Ends the sessions of the run in one database from the server's side, as a restart would.
Scene::Disturb end_sessions_in(const std::string& database) {
  return [database](const Secondary& trial, Program&, Clock::duration moment) {
    PlainConnection server(server_url());
    std::this_thread::sleep_for(moment);
    server.run(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = "
        "'abgleich' AND datname = '" +
        (database.empty() ? trial.database : database) + "'");
  };
}

/// 30 says that nothing has changed, 40 that nobody knows.
bool was_cut_off(const Scene::Ended& ended) {
  const auto exit = ended.ran.exit;
  CHECK_MESSAGE((exit == 0 || exit == 10 || exit == 30 || exit == 40), ended.ran.err);
  CHECK((exit != 30 || ended.before));
  CHECK((exit == 30 || exit == 40 || ended.after));
  return exit == 30 || exit == 40;
}

}  // namespace

TEST_CASE("SIGKILL in a first run on SQLite: before or after, and the next run converges") {
  kill_first_runs(On::sqlite);
}

TEST_CASE("SIGKILL in a merge on SQLite: before or after, and the next run converges") {
  kill_merges(On::sqlite);
}

TEST_CASE("SIGKILL in a first run on PostgreSQL: before or after, and the next run converges") {
  kill_first_runs(On::postgresql);
}

TEST_CASE("SIGKILL in a merge on PostgreSQL: before or after, and the next run converges") {
  kill_merges(On::postgresql);
}

TEST_CASE("SIGKILL in a rekeying on SQLite: before or after, and it can be run again") {
  kill_rekeys(On::sqlite);
}

TEST_CASE("SIGKILL in a rekeying on PostgreSQL: before or after, and it can be run again") {
  kill_rekeys(On::postgresql);
}

TEST_CASE("a server that ends the secondary's session: 30 or 40, and the next run converges") {
  Scene scene(On::postgresql);
  scene.edit();
  scene.disturb(end_sessions_in(""), was_cut_off, 12);
}

TEST_CASE("a server that ends the primary's session: 30, and the next run converges") {
  Scene scene(On::postgresql);
  scene.edit();
  const auto url = scene.primary_url();
  const auto name = url.substr(url.find("///") + 3, url.find('?') - url.find("///") - 3);
  scene.disturb(end_sessions_in(name), was_cut_off, 3);
}

TEST_CASE("a server that ends sessions: tried again, a run ends as an undisturbed one") {
  Scene scene(On::postgresql);
  scene.edit();
  scene.outlast(end_sessions_in(""), 4);
}

}  // namespace abgleich::test
