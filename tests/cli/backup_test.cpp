// `backup`, `restore` and `privacy --erased`: what is needed after losing the machine, the proof
// that it can be restored, and the proof that a person is gone.
#include "support/pairing.hpp"
#include "support/places.hpp"
#include "support/waiting.hpp"

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <set>
#include <sys/stat.h>

namespace abgleich::test {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
    "id = { class = \"pseudonym\", identity = \"person\" }\nstatus = \"plain\"\n"
    "name = \"withhold\"\n";

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

unsigned mode_of(const fs::path& file) {
  struct stat status {};
  REQUIRE(::lstat(file.c_str(), &status) == 0);
  return status.st_mode & 07777U;
}

/// Every file below a directory, with its content.
std::map<std::string, std::string> files_in(const fs::path& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) {
      files[fs::relative(entry.path(), directory).string()] = read_file(entry.path());
    }
  }
  return files;
}

/// What pg_restore makes of an archive; empty where there is none.
std::string as_text(const fs::path& archive) {
  return run_program({"/bin/sh", "-c",
                      "test ! -e \"$0\" || $(ls /usr/lib/postgresql/*/bin/pg_restore | tail -n 1) "
                      "--file=- \"$0\"",
                      archive.string()})
      .out;
}

struct Kept : Pairing {
  explicit Kept(On engine, const std::string& more = "")
      : Pairing(engine, engine, kContract,
                "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n" + more) {
    primary.run("CREATE TABLE person (id integer PRIMARY KEY, status text, name text)");
    for (int id = 1; id <= 20; ++id) {
      primary.run("INSERT INTO person VALUES (" + std::to_string(id) + ", 's" + std::to_string(id) +
                  "', 'Canaryname" + std::to_string(id) + "')");
    }
    CHECK(sync()["exit"] == 0);
  }

  [[nodiscard]] fs::path backup_to(const std::string& name,
                                   const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words{"backup", (directory / name).string()};
    words.insert(words.end(), more.begin(), more.end());
    const auto ran = run(words);
    REQUIRE_MESSAGE(ran.exit == 0, ran.out, ran.err);
    return directory / name;
  }
  [[nodiscard]] Json drill(const std::vector<std::string>& more, int exit = 0) const {
    std::vector<std::string> words{"restore", "--drill", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const auto ran = run(words);
    CHECK_MESSAGE(ran.exit == exit, ran.out, ran.err);
    auto json = Json::parse(ran.out, nullptr, false);
    REQUIRE_MESSAGE(json.is_object(), ran.out, ran.err);
    return json;
  }
  /// Everything that people and runs have written in the secondary.
  std::string all_of_secondary() {
    std::string all;
    const std::string of = secondary.engine() == On::postgresql ? "abgleich." : "abgleich_";
    for (const auto& table : {std::string("person"), of + "head", of + "run", of + "journal",
                              of + "fact", of + "seal", of + "base_1", of + "tracked"}) {
      all += table + "\n" + secondary.rows("SELECT * FROM " + table + " ORDER BY 1, 2") + "\n";
    }
    return all;
  }
  std::string pseudonym_of(const std::string& status) {
    return secondary.rows("SELECT id FROM person WHERE status = '" + status + "'");
  }
  std::string databases() {
    return secondary.engine() == On::sqlite
               ? std::string()
               : secondary.rows(
                     "SELECT count(*) FROM pg_database WHERE datname LIKE "
                     "'abgleich_drill%'");
  }
  [[nodiscard]] Ran at(std::int64_t days_ago, const std::vector<std::string>& words) const {
    return run_program(command(words), directory.path().string(),
                       {std::string("LD_PRELOAD=") + kAnotherDay,
                        "ABGLEICH_TEST_DAYS_AGO=" + std::to_string(days_ago),
                        "ASAN_OPTIONS=verify_asan_link_order=0"});
  }
};

}  // namespace

TEST_CASE("a backup is private, whole and without the key, and the drill proves it") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Kept pairing(engine);
    pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 3");
    CHECK(pairing.sync()["exit"] == 0);
    const auto before = pairing.all_of_secondary();
    const auto made = pairing.backup_to("kept");

    CHECK(mode_of(made) == 0700);
    for (const auto& entry : fs::recursive_directory_iterator(made)) {
      CHECK_MESSAGE(mode_of(entry.path()) == (entry.is_directory() ? 0700 : 0600), entry.path());
    }
    const auto files = files_in(made);
    const auto manifest = Json::parse(files.at("backup.json"));
    CHECK(manifest["format"] == "abgleich.backup/1");
    CHECK(manifest["run"]["epoch"] == 2);
    CHECK(manifest["key"]["included"] == false);
    CHECK(manifest["secondary"]["rows"] == Json({{"person", 20}}));
    CHECK(files.size() == manifest["files"].size() + 1);
    const auto key = read_file(pairing.directory / "abgleich.key");
    for (const auto& [name, content] : files) {
      CHECK_MESSAGE(!has(content, "Canaryname"), name);
      CHECK_MESSAGE(!has(content, key), name);
    }
    CHECK(!files.contains("abgleich.key"));
    const auto dump = as_text(made / "secondary.dump");  // the archive is compressed
    CHECK((engine == On::sqlite || has(dump, pairing.pseudonym_of("case"))));
    CHECK(!has(dump, "Canaryname"));
    CHECK(files.at("contract.toml") == read_file(pairing.directory / "contract.toml"));

    const auto drilled = pairing.drill({});  // the last one
    CHECK(drilled["directory"] == made.string());
    CHECK(drilled["run"] == manifest["run"]["id"]);
    CHECK(drilled["runs_behind"] == 0);
    CHECK(drilled["rows_behind"] == 0);
    CHECK(drilled["damage"].empty());
    CHECK(drilled["key"] == "this machine");
    CHECK(pairing.all_of_secondary() == before);
    CHECK(files_in(made) == files);
    CHECK((engine == On::sqlite || pairing.databases() == "0"));

    pairing.primary.run("DELETE FROM person WHERE id = 4");
    CHECK(pairing.sync()["exit"] == 0);
    pairing.primary.run("UPDATE person SET status = 'later' WHERE id = 5");
    const auto behind = pairing.drill({made.string()});
    CHECK(behind["runs_behind"] == 1);
    CHECK(behind["rows_behind"] == 2);
    const auto text = pairing.run({"restore", "--drill"}).out;
    CHECK_MESSAGE(has(text, "it can be restored"), text);
    CHECK_MESSAGE(has(text, "the secondary has had 1 run since"), text);
  }
}

TEST_CASE("a backup with the key says so, and is enough to decide whose a pseudonym is") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Kept pairing(engine);
    const auto ran = pairing.run({"backup", "kept", "--with-key"});
    CHECK(ran.exit == 0);
    CHECK_MESSAGE(has(ran.err, "warning: the key is in '"), ran.err);
    CHECK(read_file(pairing.directory / "kept" / "abgleich.key") ==
          read_file(pairing.directory / "abgleich.key"));
    fs::rename(pairing.directory / "abgleich.key", pairing.directory / "away.key");
    CHECK(pairing.drill({"kept"})["key"] == "backup");
    fs::rename(pairing.directory / "away.key", pairing.directory / "abgleich.key");
    // where this machine has a key, that of the backup is not asked: whoever wrote one may have
    // written both
    CHECK(pairing.drill({"kept"})["key"] == "this machine");
    Kept stranger(engine);
    const TemporaryDirectory brought;
    REQUIRE(stranger.run({"backup", (brought / "kept").string(), "--with-key"}).exit == 0);
    CHECK(pairing.run({"restore", "--drill", (brought / "kept").string()}).exit == 25);
    CHECK(pairing
              .run({"restore", (brought / "kept").string(), "--key",
                    (pairing.directory / "abgleich.key").string()})
              .exit == 25);
    // nor is a key in the place that a backup names: it may be the backup's own
    auto config = read_file(stranger.directory / "abgleich.toml");
    write_file(
        stranger.directory / "abgleich.toml",
        "[keys]\nfile = \"" + (brought / "there" / "abgleich.key").string() + "\"\n" + config);
    fs::create_directory(brought / "there");
    fs::permissions(brought / "there", fs::perms::owner_all);
    fs::copy(stranger.directory / "abgleich.key", brought / "there" / "abgleich.key");
    fs::permissions(brought / "there" / "abgleich.key",
                    fs::perms::owner_read | fs::perms::owner_write);
    REQUIRE(stranger.run({"backup", (brought / "lure").string(), "--with-key"}).exit == 0);
    const auto lured = pairing.run({"restore", (brought / "lure").string(), "--json"});
    CHECK(Json::parse(lured.out)["checked"] == false);
    // another key is told
    const auto made = pairing.backup_to("without");
    fs::remove(pairing.directory / "abgleich.key");
    REQUIRE(pairing.run({"keys", "generate", "-q"}).exit == 0);
    const auto refused = pairing.run({"restore", "--drill", made.string()});
    CHECK(refused.exit == 25);
    CHECK_MESSAGE(has(refused.err, "the backup was made with another key"), refused.err);
  }
}

TEST_CASE("a backup is never made over something, and one that was killed never looks whole") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Kept pairing(engine);
    const auto made = pairing.backup_to("kept");
    const auto files = files_in(made);
    const auto refused = pairing.run({"backup", "kept"});
    CHECK(refused.exit == 64);
    CHECK_MESSAGE(has(refused.err, "no empty directory"), refused.err);
    CHECK(files_in(made) == files);
    fs::create_directory(pairing.directory / "empty");
    CHECK(pairing.run({"backup", "empty/"}).exit == 0);
    const auto nowhere = pairing.run({"backup", "none/such"});
    CHECK_MESSAGE(nowhere.exit == 64, nowhere.err);
    CHECK_MESSAGE(has(nowhere.err, "mkdir -p "), nowhere.err);
    for (const auto* const here : {"", ".", "./"}) {
      CHECK(pairing.run({"backup", here}).exit == 64);
    }
    fs::create_directory(pairing.directory / "open");
    fs::permissions(pairing.directory / "open", fs::perms::all);
    CHECK(pairing.run({"backup", "open/kept"}).exit == 25);

    // wherever it is killed
    for (int delay = 1; delay <= 16; delay *= 2) {
      Program running(pairing.command({"backup", "killed"}), pairing.directory.path().string());
      ::usleep(static_cast<useconds_t>(delay) * 10'000);
      running.kill(SIGKILL);
      (void)running.wait();
      if (fs::exists(pairing.directory / "killed")) {
        (void)pairing.drill({"killed"});
        fs::remove_all(pairing.directory / "killed");
      }
    }
    // what they have left is no backup, and is taken away by the next
    const auto unfinished = pairing.directory / "other.new-4194304";  // no process has that number
    fs::create_directory(unfinished);
    CHECK(pairing.run({"restore", "--drill", unfinished.string()}).exit == 64);
    const auto empty = pairing.directory / "third.new-4194304";
    fs::create_directory(empty);
    write_file(unfinished / "theirs", "");
    (void)pairing.backup_to("more");
    CHECK(fs::exists(unfinished / "theirs"));  // without the mark it is not a backup's
    CHECK(!fs::exists(empty));
    write_file(unfinished / "unfinished", "");
    (void)pairing.backup_to("killed");
    for (const auto& entry : fs::directory_iterator(pairing.directory.path())) {
      CHECK_MESSAGE(!has(entry.path().string(), ".new-"), entry.path());
    }
    CHECK(pairing.sync()["outcome"] == "unchanged");
  }
}

TEST_CASE("a backup in which a byte was changed is refused, and so is one with a forged manifest") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Kept pairing(engine);
    const auto made = pairing.backup_to("kept");
    const auto files = files_in(made);
    for (const auto& [name, content] : files) {
      CAPTURE(name);
      auto changed = content;
      changed[changed.size() / 2] ^= 1;
      write_file(made / name, changed);
      const auto refused = pairing.run({"restore", "--drill", made.string()});
      CHECK_MESSAGE((refused.exit == 41 || name == "backup.json"), refused.err);
      CHECK(refused.exit != 0);
      write_file(made / name, content);
    }
    CHECK(pairing.run({"restore", "kept"}).exit == 0);
    write_file(made / "more", "more");
    CHECK(pairing.run({"restore", "kept"}).exit == 41);
    fs::remove(made / "more");
    // the hashes fit, but whoever wrote them did not have the key
    auto forged = Json::parse(files.at("backup.json"));
    forged["secondary"]["rows"]["person"] = 19;
    write_file(made / "backup.json", forged.dump(2));
    const auto refused = pairing.run({"restore", "--drill", "kept"});
    CHECK(refused.exit == 41);
    CHECK_MESSAGE(has(refused.err, "without the key"), refused.err);
    const auto own = (pairing.directory / "abgleich.key").string();
    const auto printed = pairing.run({"restore", "kept", "--key", own});
    CHECK(printed.exit == 41);
    CHECK(printed.out.empty());
    // a place that no file can have is refused without the key, too
    for (const auto* const place : {"relative/abgleich.toml", "/tmp/a\nreboot"}) {
      forged = Json::parse(files.at("backup.json"));
      forged["files"][0]["from"] = place;
      write_file(made / "backup.json", forged.dump(2));
      CHECK(pairing.run({"restore", "kept"}).exit == 41);
    }
    // no latch: the pairing goes on
    CHECK(pairing.sync()["outcome"] == "unchanged");
  }
}

TEST_CASE("the printed commands end where one fails, and leave a database's own log alone") {
  Kept pairing(On::sqlite);
  const auto made = pairing.backup_to("kept");
  const TemporaryDirectory elsewhere;
  const auto key = elsewhere / "safe.key";
  fs::copy(pairing.directory / "abgleich.key", key);
  const auto printed = pairing.run({"restore", made.string(), "--key", key.string()});
  REQUIRE(printed.exit == 0);
  // the database is there, and has a log of its own
  const auto secondary = pairing.directory / "secondary.db";
  write_file(secondary.string() + "-wal", "");
  const auto path = fs::path(kProgram).parent_path().string() + ":/usr/bin:/bin";
  const auto ran = run_program({"/bin/sh", "-c", printed.out}, "/", {"PATH=" + path});
  CHECK_MESSAGE(ran.exit == 0, ran.out, ran.err);
  // it is gone, and its log is not
  fs::remove(secondary);
  const auto refused = run_program({"/bin/sh", "-c", printed.out}, "/", {"PATH=" + path});
  CHECK(refused.exit == 1);
  CHECK_MESSAGE(has(refused.err, "move it away first: " + secondary.string() + "-wal"),
                refused.err);
  CHECK(!fs::exists(secondary));
  fs::remove(secondary.string() + "-wal");
  // a file cannot be installed: nothing after it is
  write_file(elsewhere / "install", "#!/bin/sh\nexit 1\n");
  fs::permissions(elsewhere / "install", fs::perms::owner_all);
  fs::remove(pairing.directory / "contract.toml");
  for (const auto* const shell : {"/bin/sh", "/bin/bash"}) {
    const auto failed = run_program({shell, "-c", printed.out}, "/",
                                    {"PATH=" + elsewhere.path().string() + ":" + path});
    CHECK(failed.exit != 0);
    CHECK_MESSAGE(failed.out.empty(), failed.out);  // neither check nor sync
  }
  const auto whole = run_program({"/bin/sh", "-c", printed.out}, "/", {"PATH=" + path});
  CHECK_MESSAGE(whole.exit == 0, whole.out, whole.err);
}

TEST_CASE("a record of backups that was lost once is never taken for a whole one") {
  Kept pairing(On::sqlite);
  const auto id = pairing.pseudonym_of("s9");
  const auto early = pairing.backup_to("early");
  pairing.primary.run("DELETE FROM person WHERE id = 9");
  REQUIRE(pairing.sync()["exit"] == 0);
  const auto record = pairing.directory / "state" / "backups.json";
  const auto places = [&] { return pairing.run({"privacy", "--erased", id}).out; };
  for (const auto* const damaged : {"", "{\"format\": \"abgleich.ba"}) {
    write_file(record, damaged);
    CHECK(has(places(), "backups of which nobody knows"));
    const auto late = pairing.backup_to("late");
    fs::remove_all(late);
    CHECK(has(places(), "backups of which nobody knows"));
  }
  fs::remove(record);
  CHECK(!has(places(), "backups of which nobody knows"));
  // a backup that was killed as the last thing it did is whole, and its mark is no part of it
  write_file(early / "unfinished", "");
  CHECK(pairing.drill({early.string()})["damage"].empty());
  (void)pairing.backup_to("another");
  fs::create_directory(pairing.directory / "another.new-4194304");
  CHECK(has(places(), "unfinished backup '"));
}

TEST_CASE("the drill reports what somebody has forged in the secondary") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    const std::string of = engine == On::postgresql ? "abgleich." : "abgleich_";
    for (const auto& forged :
         {"DELETE FROM " + of + "base_1 WHERE k0 = (SELECT id FROM person WHERE status = 's7')",
          "UPDATE " + of + "fact SET value = '{}'"}) {
      CAPTURE(forged);
      Kept pairing(engine);
      pairing.secondary.run(forged);
      const auto made = pairing.backup_to("kept");
      const auto before = pairing.all_of_secondary();
      const auto drilled = pairing.drill({made.string()}, 41);
      CHECK(!drilled["damage"].empty());
      CHECK(pairing.all_of_secondary() == before);
      CHECK(!fs::exists(pairing.directory / "state" / "damaged"));
      const auto text = pairing.run({"restore", "--drill", made.string()}).out;
      CHECK_MESSAGE(has(text, "it is no backup to rely on"), text);
      // a drill that fails does not count
      const auto checked = pairing.run({"check"}).out;
      CHECK_MESSAGE(has(checked, "none was ever restored in a drill"), checked);
    }
  }
}

TEST_CASE("check warns where no drill followed a backup, or the last one is long ago") {
  Kept pairing(On::sqlite);
  CHECK(!has(pairing.run({"check"}).out, "backups:"));
  REQUIRE(pairing.at(60, {"backup", (pairing.directory / "kept").string()}).exit == 0);
  CHECK(has(pairing.run({"check"}).out, "WARN backups: "));
  REQUIRE(pairing.at(31, {"restore", "--drill"}).exit == 0);
  const auto old = pairing.run({"check"});
  CHECK_MESSAGE(has(old.out, "WARN backups: "), old.out);
  CHECK_MESSAGE(
      has(old.out, "hint: whether it can be restored, is shown by: abgleich restore --drill"),
      old.out);
  CHECK(old.exit == 0);
  CHECK(pairing.run({"restore", "--drill", "-q"}).out.empty());
  CHECK(has(pairing.run({"check"}).out, "ok   backups: "));
}

TEST_CASE("after losing the machine, the commands that restore prints bring everything back") {
  for (const auto engine : kEngines) {
    for (const bool with_key : {false, true}) {
      CAPTURE(name_of(engine));
      CAPTURE(with_key);
      Kept pairing(engine, "[state]\ndirectory = \"deep_state\"");
      pairing.secondary.run("UPDATE person SET status = 'by people' WHERE status = 's2'");
      pairing.primary.run("UPDATE person SET status = 'other' WHERE id = 2");
      CHECK(pairing.sync()["exit"] == 10);
      const TemporaryDirectory elsewhere;
      const auto made = elsewhere / "kept";
      std::vector<std::string> words{"backup", made.string()};
      if (with_key) {
        words.emplace_back("--with-key");
      }
      REQUIRE(pairing.run(words).exit == 0);
      const auto before = pairing.all_of_secondary();

      // the machine is gone; the primary is not on it, nor is a secondary that has a server
      fs::copy(pairing.directory / "abgleich.key", elsewhere / "safe.key");
      const std::vector<std::string> lost{"abgleich.toml", "contract.toml", "catalog.json",
                                          "abgleich.key", "deep_state"};
      for (const auto& name : lost) {
        fs::remove_all(pairing.directory / name);
      }
      if (engine == On::sqlite) {
        fs::rename(pairing.directory / "secondary.db", elsewhere / "lost.db");
      }
      CHECK(pairing.run({"sync"}).exit == 78);

      // without a key nothing is printed that a shell would do
      const auto first = pairing.run({"restore", made.string()});
      CHECK_MESSAGE(first.exit == 0, first.err);
      CHECK_MESSAGE(has(first.out, "restore " + made.string() + " --key FILE"), first.out);
      for (std::istringstream lines(first.out); lines;) {
        std::string line;
        std::getline(lines, line);
        CHECK_MESSAGE((line.empty() || line.front() == '#'), line);
      }
      CHECK(Json::parse(pairing.run({"restore", made.string(), "--json"}).out)["checked"] == false);
      const auto printed =
          pairing.run({"restore", made.string(), "--key", (elsewhere / "safe.key").string()});
      REQUIRE_MESSAGE(printed.exit == 0, printed.err);
      CHECK(has(printed.out, "# the key is not in the backup") != with_key);
      const auto path = fs::path(kProgram).parent_path().string() + ":/usr/bin:/bin";
      const auto ran = run_program({"/bin/sh", "-ec", printed.out}, "/", {"PATH=" + path});
      CHECK_MESSAGE(ran.exit == 10, printed.out, ran.out,
                    ran.err);  // the conflict is open as it was
      const auto line = pairing.sync();
      CHECK(line["outcome"] == "unchanged");
      CHECK(line["open"]["conflicts"] == 1);
      CHECK(mode_of(pairing.directory / "abgleich.key") == 0600);
      CHECK(fs::exists(pairing.directory / "deep_state" / "anchor.json"));
      CHECK(pairing.run({"verify", "-q"}).exit == 0);
      if (engine == On::postgresql) {
        CHECK(pairing.all_of_secondary() == before);
      } else {
        Database restored(On::sqlite, pairing.directory / "secondary.db");
        CHECK(restored.rows("SELECT count(*) FROM person WHERE status = 'by people'") == "1");
      }
      // again: nothing that is there is replaced
      write_file(pairing.directory / "contract.toml",
                 read_file(pairing.directory / "contract.toml") + "# mine\n");
      (void)run_program({"/bin/sh", "-ec", printed.out}, "/", {"PATH=" + path});
      CHECK(has(read_file(pairing.directory / "contract.toml"), "# mine"));
    }
  }
}

TEST_CASE("the contracts of peers are in a backup, and come back to their places") {
  Kept pairing(On::sqlite);
  const auto config = pairing.directory / "abgleich.toml";
  const auto shared = pairing.directory / "guests.toml";
  const auto other = pairing.directory / "south" / "guests.toml";
  const auto linked = pairing.directory / "requests.toml";
  write_file(config, "contract = \"contract.toml\"\n" + read_file(config) +
                         "[exchange]\nmailbox = \"box\"\n"
                         "[peers.\"ga-*\"]\nsends = \"guests.toml\"\n"
                         "accepts = \"requests.toml\"\n"
                         "[peers.ga-south]\nsends = \"south/guests.toml\"\n"
                         "accepts = \"not there.toml\"\n"
                         "[peers.ga-west]\nsends = \"guests.toml\"\n");
  fs::create_directories(other.parent_path());
  write_file(shared, "format = 1\n# shared\n");
  write_file(other, "format = 1\n# of the south\n");
  write_file(pairing.directory / "real.toml", "format = 1\n# behind a link\n");
  fs::create_symlink("real.toml", linked);

  const TemporaryDirectory elsewhere;
  const auto made = elsewhere / "kept";
  REQUIRE(pairing.run({"backup", made.string()}).exit == 0);
  std::map<std::string, std::string> of_peers;
  for (const auto& [name, content] : files_in(made)) {
    if (name.starts_with("peers/")) {
      of_peers[name] = content;
    }
  }
  CHECK(of_peers == std::map<std::string, std::string>{{"peers/guests.toml", read_file(shared)},
                                                       {"peers/2-guests.toml", read_file(other)},
                                                       {"peers/requests.toml", read_file(linked)}});
  CHECK(mode_of(made / "peers") == 0700);
  CHECK(mode_of(made / "peers/requests.toml") == 0600);

  CHECK(pairing.drill({made.string()})["notes"].empty());
  write_file(other, "format = 1\n");
  CHECK(pairing.drill({made.string()})["notes"] ==
        Json({"the contract '" + other.string() + "' of peers has changed since the backup"}));

  const auto key = elsewhere / "safe.key";
  fs::copy(pairing.directory / "abgleich.key", key);
  const auto printed = pairing.run({"restore", made.string(), "--key", key.string()});
  REQUIRE_MESSAGE(printed.exit == 0, printed.err);
  for (const auto& file : {shared, other.parent_path(), linked}) {
    fs::remove_all(file);
  }
  // without its last two lines, `check` and `sync`
  const auto script = printed.out.substr(0, printed.out.find("\nabgleich --config") + 1);
  const auto ran = run_program({"/bin/sh", "-c", script}, "/");
  REQUIRE_MESSAGE(ran.exit == 0, script, ran.err);
  CHECK(read_file(shared) == of_peers["peers/guests.toml"]);
  CHECK(read_file(other) == of_peers["peers/2-guests.toml"]);
  CHECK(read_file(linked) == of_peers["peers/requests.toml"]);
}

TEST_CASE("--to restores into an empty database, which can become the secondary") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Kept pairing(engine);
    const auto made = pairing.backup_to("kept");
    std::optional<TemporaryDatabase> other;
    std::string url = "sqlite:" + (pairing.directory / "new.db").string();
    if (engine == On::postgresql) {
      other.emplace();
      url = other->url();
    }
    const auto drilled = pairing.drill({made.string(), "--to", url});
    CHECK(drilled["stays"] == url);
    CHECK(drilled["damage"].empty());
    // it is not empty any more, and neither is the secondary
    CHECK(pairing.run({"restore", "--drill", made.string(), "--to", url}).exit == 26);
    CHECK(
        pairing.run({"restore", "--drill", made.string(), "--to", pairing.secondary.url()}).exit ==
        26);
    CHECK(pairing.run({"restore", made.string(), "--to", url}).exit == 64);
    write_file(pairing.directory / "abgleich.toml", "[primary]\nurl = \"" + pairing.primary.url() +
                                                        "\"\n[secondary]\nurl = \"" + url + "\"\n");
    CHECK(pairing.sync()["outcome"] == "unchanged");
    CHECK(pairing.run({"verify", "-q"}).exit == 0);
  }
}

TEST_CASE("what a killed drill has left goes with the next, and nobody can read it before") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Kept pairing(engine);
    (void)pairing.backup_to("kept");
    const TemporaryDirectory temporary;
    const auto left = [&] {
      std::size_t count = 0;
      for (const auto& entry : fs::directory_iterator(temporary.path())) {
        count += entry.path().filename().string().starts_with("abgleich-drill-") ? 1 : 0;
      }
      return count;
    };
    const auto in_temporary = [&](std::vector<std::string> words) {
      words.insert(words.begin(), {"/usr/bin/env", "TMPDIR=" + temporary.path().string()});
      return words;
    };
    // killed while its copy is there; one that was faster is begun again
    const auto there = [&] {
      return engine == On::sqlite
                 ? std::to_string(left())
                 : pairing.secondary.rows(
                       "SELECT has_database_privilege('public', oid, 'CONNECT') FROM pg_database "
                       "WHERE datname LIKE 'abgleich_drill%' AND datallowconn");
    };
    const std::string none = engine == On::sqlite ? "0" : "";
    wait_until("a drill is killed at work", [&] {
      Program running(in_temporary(pairing.command({"restore", "--drill", "-q"})),
                      pairing.directory.path().string());
      std::string seen = none;
      while (seen == none && running.is_running()) {
        ::usleep(2'000);
        seen = there();
      }
      running.kill(SIGKILL);
      (void)running.wait();
      CHECK((engine == On::sqlite || seen == none || seen == "f"));
      return seen != none && there() != none;
    });
    const auto again = run_program(in_temporary(pairing.command({"restore", "--drill"})),
                                   pairing.directory.path().string());
    CHECK_MESSAGE(again.exit == 0, again.out, again.err);
    CHECK(left() == 0);
    CHECK((engine == On::sqlite || pairing.databases() == "0"));
  }
}

TEST_CASE("a role that may not make a database is told what to do, and that works") {
  Kept pairing(On::postgresql);
  const auto name = pairing.secondary.rows("SELECT quote_ident(current_database())");
  pairing.secondary.run(
      "CREATE ROLE abgleich_keeper LOGIN; GRANT CREATE, TEMPORARY ON DATABASE " + name +
      " TO abgleich_keeper; ALTER SCHEMA abgleich OWNER TO abgleich_keeper; GRANT USAGE, CREATE ON "
      "SCHEMA public TO abgleich_keeper; DO $$ DECLARE t text; BEGIN FOR t IN SELECT "
      "format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('abgleich', "
      "'public') LOOP EXECUTE 'ALTER TABLE ' || t || ' OWNER TO abgleich_keeper'; END LOOP; END "
      "$$; "
      "CREATE TABLE of_people (name text); INSERT INTO of_people VALUES ('not ours');"
      "CREATE SEQUENCE numbers; CREATE VIEW seen AS SELECT * FROM of_people");
  const TemporaryDatabase empty;
  auto config = read_file(pairing.directory / "abgleich.toml");
  const auto url = pairing.secondary.url();
  const auto mine = url.substr(0, url.find("user=")) + "user=abgleich_keeper";
  config.replace(config.find(url), url.size(), mine);
  write_file(pairing.directory / "abgleich.toml", config);
  const auto made = pairing.backup_to("kept");
  const auto refused = pairing.run({"restore", "--drill"});
  CHECK(refused.exit == 26);
  CHECK_MESSAGE(has(refused.err, "CREATE DATABASE abgleich_drill TEMPLATE template0 OWNER"),
                refused.err);
  CHECK_MESSAGE(has(refused.err, "abgleich restore --drill DIRECTORY --to URL"), refused.err);
  (void)empty.run("ALTER DATABASE " + empty.name() + " OWNER TO abgleich_keeper");
  CHECK(pairing.drill({"--to", empty.url_as("abgleich_keeper")})["damage"].empty());
  // what is not the pairing's is not in it
  CHECK(empty.run(
            "SELECT count(*) FROM pg_class WHERE relname IN ('of_people', 'numbers', 'seen')") ==
        "0");
  (void)empty.run("REASSIGN OWNED BY abgleich_keeper TO postgres");
  pairing.secondary.run(
      "REASSIGN OWNED BY abgleich_keeper TO postgres; "
      "DROP OWNED BY abgleich_keeper");
  PlainConnection(server_url()).run("DROP OWNED BY abgleich_keeper; DROP ROLE abgleich_keeper");
}

TEST_CASE("a person who was deleted is proven to be gone, and until then where not") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Kept pairing(engine, "[journal]\nkeep = \"2 runs\"");
    const auto id = pairing.pseudonym_of("s9");
    const auto look = [&](std::vector<std::string> more, int exit) {
      more.insert(more.begin(), {"privacy", "--json", "--erased", id});
      const auto ran = pairing.run(more);
      CHECK_MESSAGE(ran.exit == exit, ran.out, ran.err);
      auto json = Json::parse(ran.out, nullptr, false);
      REQUIRE_MESSAGE(json.is_object(), ran.out, ran.err);
      std::set<std::string> places;
      for (const auto& place : json["places"]) {
        places.insert(place["where"].get<std::string>().substr(0, 9));
      }
      CHECK(json["gone"] == places.empty());
      return places;
    };
    using Places = std::set<std::string>;
    CHECK(look({}, 1) == Places{"table per", "base of p", "cache in "});
    REQUIRE(pairing.run({"reveal", "person", id, "--reason", "a test"}).exit == 0);
    pairing.primary.run("DELETE FROM person WHERE id = 9");
    CHECK(pairing.sync()["exit"] == 0);
    CHECK(look({}, 1) == Places{"journal", "cache in ", "reveal.lo"});
    const auto text = pairing.run({"privacy", "--erased", id}).out;
    CHECK_MESSAGE(has(text, "in journal, once: until run 4 is applied"), text);
    const auto early = pairing.backup_to("early");
    for (int i = 0; i < 3; ++i) {
      pairing.primary.run("UPDATE person SET status = 'x" + std::to_string(i) + "' WHERE id = 1");
      CHECK(pairing.sync()["exit"] == 0);
    }
    CHECK(pairing.sync({"--full"})["exit"] == 0);
    fs::remove(pairing.directory / "state" / "reveal.log");
    const auto late = pairing.backup_to("late");
    CHECK(look({}, 1) == Places{"backup '/"});
    CHECK(look({"--search-backups"}, 1) == Places{"backup '/"});
    fs::remove_all(early);
    CHECK(look({}, 1) == Places{"backup '/"});  // the late one may have it
    CHECK(look({"--search-backups"}, 0).empty());
    fs::remove_all(late);
    CHECK(look({}, 0).empty());
    CHECK((engine == On::sqlite || pairing.databases() == "0"));
    CHECK(pairing.run({"privacy", "--erased", "Canaryname9"}).exit == 64);
    CHECK(pairing.run({"privacy", "--erased", "p2_" + id.substr(3)}).exit == 64);
  }
}

TEST_CASE("a run that begins while a backup is made is not disturbed by it") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Kept pairing(engine);
    for (int i = 0; i < 5; ++i) {
      pairing.primary.run("UPDATE person SET status = 'y" + std::to_string(i) + "'");
      const auto name = "kept" + std::to_string(i);
      Program backup(pairing.command({"backup", name}), pairing.directory.path().string());
      ::usleep(static_cast<useconds_t>(i) * 20'000);
      // 12 only in the moment in which the backup begins
      const auto ran = pairing.run({"sync", "-q"});
      CHECK_MESSAGE((ran.exit == 0 || ran.exit == 12), ran.out, ran.err);
      const auto kept = backup.wait();
      CHECK_MESSAGE((kept.exit == 0 || kept.exit == 12), kept.out, kept.err);
      if (kept.exit == 0) {
        CHECK(pairing.drill({name})["damage"].empty());
      }
    }
  }
}

TEST_CASE("a backup remembers which peers were revoked") {
  const Kept kept(On::sqlite);
  const Pairing stranger(On::sqlite, On::sqlite, "");
  for (const auto* const node : {static_cast<const Pairing*>(&kept), &stranger}) {
    REQUIRE(node->run({"peer", "init", "--name", "node", "-q"}).exit == 0);
  }
  const auto card = Json::parse(stranger.run({"peer", "card", "--json"}).out);
  REQUIRE(kept.run({"peer", "add", card["file"], "--as", "thief", "--fingerprint",
                    card["fingerprint"], "-q"})
              .exit == 0);
  REQUIRE(kept.run({"peer", "revoke", "thief", "--reason", "it was stolen", "-q"}).exit == 0);
  const auto backup = kept.backup_to("backup");
  CHECK(read_file(backup / "cards" / "thief.revoked") ==
        read_file(kept.directory / "cards" / "thief.revoked"));
}

}  // namespace abgleich::test
