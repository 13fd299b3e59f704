// Whether syncing works, as others learn of it: status, mail under -q, metrics, pings, levels of
// the journal, several pairings. The program itself, with the clock of the test.
#include "support/http_server.hpp"
#include "support/json_schema.hpp"
#include "support/pairing.hpp"
#include "support/places.hpp"
#include "support/prometheus_text.hpp"
#include "support/smtp_server.hpp"
#include "support/waiting.hpp"

#include <doctest/doctest.h>

#include <sys/file.h>
#include <sys/stat.h>

namespace abgleich::test {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::int64_t kMonday = 1'764'547'200;  // 2025-12-01T00:00:00Z
constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
    "id = { class = \"pseudonym\", identity = \"person\" }\ntag = \"plain\"\nstatus = \"plain\"\n";

struct Watched : Pairing {
  explicit Watched(On engine = On::sqlite, const std::string& more = "")
      : Pairing(engine, engine, kContract) {
    set(more);
    primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, tag text, status text);"
        "INSERT INTO person VALUES (1, 'a', 'open'), (2, 'b', 'open'), (3, 'c', 'open')");
  }

  /// `retry_for` stands at the top of the file, so this writes all of it.
  void set(const std::string& more, const std::string& secondary_more = "") const {
    write_file(directory / "abgleich.toml",
               "retry_for = \"0\"\n[primary]\nurl = \"" + primary.url() +
                   "\"\n[secondary]\nurl = \"" + secondary.url() + "\"\n" + secondary_more +
                   "\n[limits]\nmax_updated = \"100%\"\nmax_deleted = \"100%\"\n" + more + "\n");
  }

  /// Runs a command with the clock at so many seconds after Monday.
  [[nodiscard]] Ran at(std::int64_t second, const std::vector<std::string>& words) const {
    return run_program(command(words), directory.path().string(),
                       {std::string("LD_PRELOAD=") + kAnotherDay,
                        "ABGLEICH_TEST_TIME=" + std::to_string(kMonday + second),
                        "ASAN_OPTIONS=verify_asan_link_order=0"});
  }
  /// What cron would mail.
  [[nodiscard]] std::string mail(std::int64_t second, int exit) const {
    const auto ran = at(second, {"sync", "-q"});
    CHECK_MESSAGE(ran.exit == exit, ran.out, ran.err);
    return ran.out + ran.err;
  }
  [[nodiscard]] Json beat(std::int64_t second) const {
    const auto ran = at(second, {"status", "--json"});
    const auto json = Json::parse(ran.out, nullptr, false);
    REQUIRE_MESSAGE(json.is_object(), ran.out, ran.err);
    CHECK_MESSAGE(JsonSchemas().complaint(json, "status.schema.json") == "", ran.out);
    return json["heartbeat"];
  }
  [[nodiscard]] fs::path state(const std::string& name) const { return directory / "state" / name; }
  void conflict(const std::string& value = "") {
    primary.run("UPDATE person SET status = 'p" + value + "' WHERE id = 1");
    secondary.run("UPDATE person SET status = 's" + value + "' WHERE tag = 'a'");
  }
  /// The primary cannot be read.
  void take_away() { primary.run("ALTER TABLE person RENAME TO gone"); }
  void bring_back() { primary.run("ALTER TABLE gone RENAME TO person"); }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Another run holds the pairing's lock for as long as this lives.
class Locked {
 public:
  explicit Locked(const fs::path& file) : file_(::open(file.c_str(), O_RDWR | O_CLOEXEC)) {
    REQUIRE(::flock(file_, LOCK_EX | LOCK_NB) == 0);
  }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;
  ~Locked() { ::close(file_); }

 private:
  int file_;
};

}  // namespace

TEST_CASE("heartbeat: status tells when syncing last worked, and why it does not") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Watched pairing(engine, "[alert]\nmax_age = \"30m\"");
    auto beat = pairing.beat(0);
    CHECK(beat["last_success"].is_null());
    CHECK(beat["last_attempt"].is_null());
    CHECK(beat["overdue"] == true);  // nobody has tried
    CHECK(pairing.at(0, {"status", "--exit-code"}).exit == 14);

    CHECK(pairing.mail(0, 0).empty());
    pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 2");
    CHECK(pairing.mail(5 * kMinute, 0).empty());
    beat = pairing.beat(6 * kMinute);
    CHECK(beat["last_success"] == "2025-12-01T00:05:00Z");
    CHECK(beat["age_seconds"] == 60);
    CHECK(beat["overdue"] == false);
    CHECK(beat["last_attempt"]["state"] == "ended");
    CHECK(beat["last_attempt"]["exit"] == 0);
    CHECK(beat["last_attempt"]["rows"]["updated"] == 1);
    CHECK(beat["freshness"]["changes"] == 1);
    CHECK(beat["freshness"]["in_time"] == 1);
    CHECK(beat["freshness"]["worst_seconds"] == 300);
    CHECK(pairing.at(6 * kMinute, {"status", "--exit-code"}).exit == 0);

    write_file(pairing.directory / "contract.toml", "format = 1\n[tables.person]\n");
    CHECK(pairing.at(10 * kMinute, {"sync", "-q"}).exit == 78);
    CHECK(pairing.at(36 * kMinute, {"sync", "-q"}).exit == 78);
    pairing.set_contract(kContract);
    beat = pairing.beat(36 * kMinute);
    CHECK(beat["last_success"] == "2025-12-01T00:05:00Z");
    CHECK(beat["failing_since"] == "2025-12-01T00:10:00Z");
    CHECK(beat["last_attempt"]["exit"] == 78);
    CHECK(contains(beat["last_attempt"]["reason"], "contract.toml:2:"));
    CHECK(beat["overdue"] == true);
    CHECK(beat["last_day"] ==
          Json({{"attempts", 4}, {"successes", 2}, {"killed", 0}, {"failures", {{"78", 2}}}}));
    CHECK(pairing.at(36 * kMinute, {"status"}).exit == 0);
    CHECK(pairing.at(36 * kMinute, {"status", "--exit-code"}).exit == 14);
    const auto text = pairing.at(36 * kMinute, {"status"}).out;
    CHECK(contains(text,
                   "syncing last worked: 2025-12-01T00:05:00Z, 31 minutes ago; that is overdue: "
                   "max_age is 30 minutes\nlast attempt: 2025-12-01T00:36:00Z, 0 seconds ago: "
                   "exit code 78: "));
    CHECK(contains(text, "in the last day: 2 of 4 attempts worked; 2 with exit code 78\n"));
    CHECK(contains(text, "freshness, last day: 100 % of 1 change was there within 30 minutes"));
  }
}

TEST_CASE(
    "heartbeat: status --exit-code says what is open, and without max_age how it last ended") {
  Watched pairing;
  const auto code = [&](std::int64_t second) {
    return pairing.at(second, {"status", "--exit-code"}).exit;
  };
  CHECK(code(0) == 0);
  CHECK(pairing.mail(0, 0).empty());
  pairing.conflict();
  CHECK_FALSE(pairing.mail(300, 10).empty());
  CHECK(code(301) == 10);
  CHECK(pairing.at(301, {"resolve", "--all", "--take", "secondary"}).exit == 0);
  CHECK(code(301) == 10);  // the last attempt ended so
  CHECK(pairing.mail(600, 0).empty());
  CHECK(code(601) == 0);
  write_file(pairing.directory / "contract.toml", "format = 1\n[tables.person]\n");
  CHECK(pairing.at(900, {"sync", "-q"}).exit == 78);
  pairing.set_contract(kContract);
  CHECK(code(901) == 78);
  CHECK(pairing.at(901, {"status"}).exit == 0);
}

TEST_CASE("heartbeat: where the secondary cannot be asked, the record is told all the same") {
  Watched pairing;
  CHECK(pairing.mail(0, 0).empty());
  fs::rename(pairing.directory / "secondary.db", pairing.directory / "elsewhere.db");
  CHECK_FALSE(pairing.mail(300, 30).empty());
  const auto ran = pairing.at(360, {"status"});
  CHECK(ran.exit == 30);
  CHECK(contains(ran.out, "syncing last worked: 2025-12-01T00:00:00Z, 6 minutes ago\n"));
  CHECK(contains(ran.out, "exit code 30: "));
  CHECK(contains(ran.err, "error: "));
  const auto json = pairing.at(360, {"status", "--json"});
  CHECK(json.exit == 30);
  const auto line = Json::parse(json.out);
  CHECK(JsonSchemas().complaint(line, "status.schema.json") == "");
  CHECK(line["open"].is_null());
  CHECK(line["error"]["code"] == 30);
  CHECK(line["heartbeat"]["last_attempt"]["exit"] == 30);
}

TEST_CASE("heartbeat: a run that was killed is seen as such, by status and by the next one") {
  Watched pairing(On::sqlite, "");
  pairing.set("", "lock_timeout = \"600s\"\n");
  CHECK(pairing.mail(0, 0).empty());
  pairing.primary.run("UPDATE person SET status = 'case'");
  // it waits for the secondary, with the record begun
  pairing.secondary.run("BEGIN IMMEDIATE");
  Program program(pairing.command({"sync"}), pairing.directory.path().string(),
                  {std::string("LD_PRELOAD=") + kAnotherDay,
                   "ABGLEICH_TEST_TIME=" + std::to_string(kMonday + 300),
                   "ASAN_OPTIONS=verify_asan_link_order=0"});
  wait_until("a run is at work",
             [&] { return contains(read_file(pairing.state("attempts")), "\"at work\""); });
  auto beat = pairing.beat(360);
  CHECK(beat["at_work_since"] == "2025-12-01T00:05:00Z");
  CHECK(beat["last_attempt"]["exit"] == 0);
  CHECK(pairing.mail(600, 12).empty());  // worth no word yet
  CHECK(contains(pairing.mail(900, 12), "another run of this pairing is at work"));
  CHECK(pairing.mail(1200, 12).empty());
  program.kill(SIGKILL);
  program.wait();
  pairing.secondary.run("ROLLBACK");
  beat = pairing.beat(1260);
  CHECK(beat["at_work_since"].is_null());
  const auto mail = pairing.mail(1500, 0);
  CHECK(contains(mail, "warning: the run that began 2025-12-01T00:05:00Z never ended"));
  CHECK(contains(mail, "syncing works again; it had failed since 2025-12-01T00:10:00Z"));
  CHECK(pairing.mail(1800, 0).empty());
  beat = pairing.beat(1860);
  CHECK(beat["last_day"]["killed"] == 1);
  CHECK(beat["last_day"]["failures"]["12"] == 3);
}

TEST_CASE("heartbeat: a killed run is what status tells of, until another one has run") {
  Watched pairing;
  pairing.set("", "lock_timeout = \"600s\"\n");
  CHECK(pairing.mail(0, 0).empty());
  pairing.primary.run("UPDATE person SET status = 'case'");
  pairing.secondary.run("BEGIN IMMEDIATE");
  {
    const Program program(pairing.command({"sync"}), pairing.directory.path().string());
    wait_until("a run is at work",
               [&] { return contains(read_file(pairing.state("attempts")), "\"at work\""); });
  }  // its end is SIGKILL
  pairing.secondary.run("ROLLBACK");
  const auto ran = pairing.run({"status", "--exit-code"});
  CHECK(ran.exit == 14);
  CHECK(contains(ran.out, "it never ended: it was killed, or the machine went down"));
}

TEST_CASE("heartbeat: mails of several days, as cron gets them") {
  Watched pairing(On::sqlite, "[alert]\nmax_age = \"30m\"");
  CHECK(pairing.mail(0, 0).empty());
  CHECK(pairing.mail(300, 0).empty());
  pairing.conflict();
  const auto first = pairing.mail(600, 10);
  CHECK(contains(first, "new conflict: person "));
  CHECK(contains(first, "1 open conflict; see them: abgleich conflicts\n"));
  CHECK(pairing.mail(900, 10).empty());
  // who asks for it is told, and cron is not told again for that
  CHECK_FALSE(pairing.at(1000, {"sync", "-v"}).out.empty());
  CHECK(pairing.mail(1200, 10).empty());
  const auto reminder = pairing.mail(600 + kDay, 10);
  CHECK(reminder ==
        "still open since 2025-12-01T00:10:00Z (a reminder, once a day)\n"
        "1 open conflict; see them: abgleich conflicts\n");
  CHECK(pairing.mail(900 + kDay, 10).empty());
  // the primary is away for an hour
  CHECK(pairing.mail(kDay + kHour - 300, 10).empty());
  const auto primary = pairing.directory / "primary.db";
  fs::rename(primary, pairing.directory / "away.db");
  const auto down = pairing.mail(kDay + kHour, 30);
  CHECK(contains(down, "error: "));
  CHECK_FALSE(contains(down, "overdue: "));
  CHECK(pairing.mail(kDay + kHour + 300, 30).empty());
  CHECK(contains(pairing.mail(kDay + kHour + 1800, 30),
                 "overdue: syncing last worked: 2025-12-02T00:55:00Z, 35 minutes ago; max_age is "
                 "30 minutes\nerror: "));
  CHECK(pairing.mail(kDay + kHour + 2700, 30).empty());
  fs::rename(pairing.directory / "away.db", primary);
  const auto over = pairing.mail(kDay + 2 * kHour, 10);
  CHECK(contains(over, "syncing works again; it had failed since 2025-12-02T01:00:00Z\n"));
  CHECK(pairing.mail(kDay + 2 * kHour + 300, 10).empty());
  // a deliberate pause
  CHECK(pairing.at(kDay + 3 * kHour, {"revert", "r1", "--reason", "Anna was here"}).exit <= 11);
  CHECK(pairing.mail(kDay + 3 * kHour + 300, 13).empty());
  CHECK(pairing.mail(5 * kDay, 13).empty());
  CHECK_FALSE(contains(read_file(pairing.state("attempts")), "Anna"));
}

TEST_CASE("heartbeat: a table that is locked is told once, and when it is over") {
  Watched pairing(On::postgresql);
  pairing.set("", "lock_timeout = \"1s\"\n");
  CHECK(pairing.mail(0, 0).empty());
  pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
  pairing.secondary.run("BEGIN; LOCK TABLE person IN ACCESS EXCLUSIVE MODE");
  CHECK(contains(pairing.mail(300, 30), "error: "));
  CHECK(pairing.mail(600, 30).empty());
  CHECK(contains(pairing.mail(300 + kDay, 30), "still failing since 2025-12-01T00:05:00Z"));
  pairing.secondary.run("ROLLBACK");
  CHECK(contains(pairing.mail(600 + kDay, 0), "syncing works again; it had failed since "));
  CHECK(pairing.mail(900 + kDay, 0).empty());
}

TEST_CASE("heartbeat: a record that cannot be read or written ends no run") {
  Watched pairing;
  CHECK(pairing.mail(0, 0).empty());
  for (const std::string name : {"attempts", "told.json"}) {
    CAPTURE(name);
    pairing.conflict(name);
    write_file(pairing.state(name), "no record");
    CHECK(pairing.at(300, {"sync", "-q"}).exit == 10);
    CHECK(pairing.at(301, {"resolve", "--all", "--take", "primary"}).exit == 0);
    fs::remove(pairing.state(name));
    fs::create_directory(pairing.state(name));
    write_file(pairing.state(name) / "file", "");
    CHECK(pairing.at(600, {"sync"}).exit == 0);
    if (name == "attempts") {
      const auto ran = pairing.at(601, {"sync", "-v"});
      CHECK(ran.exit == 0);
      CHECK(contains(ran.err, "note: the record of attempts '"));
      CHECK(contains(pairing.at(602, {"status"}).out, "the record of attempts '"));
    }
    fs::remove_all(pairing.state(name));
    CHECK(pairing.at(900, {"sync"}).exit == 0);
  }
}

TEST_CASE("heartbeat: metrics are whole, for all to read, and never the end of a run") {
  Watched pairing(On::sqlite, "[alert]\nmetrics = \"a.prom\"\nmax_age = \"1h\"");
  const auto file = pairing.directory / "a.prom";
  const auto value = [&](const std::string& name, PrometheusText::Labels labels = {}) {
    labels["pairing"] = "abgleich";
    return PrometheusText(read_file(file)).value("abgleich_" + name, labels);
  };
  CHECK(pairing.at(0, {"sync"}).exit == 0);
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0644);
  CHECK(value("last_success_timestamp_seconds") == kMonday);
  CHECK(value("last_attempt_rows", {{"fate", "inserted"}}) == 3);
  pairing.conflict();
  CHECK(pairing.at(300, {"sync"}).exit == 10);
  CHECK(value("open_conflicts") == 1);
  CHECK(value("last_attempt_exit_code") == 10);
  CHECK(value("last_success_timestamp_seconds") == kMonday + 300);
  // what fails knows no more than what was last known
  write_file(pairing.directory / "contract.toml", "format = 1\n[tables.person]\n");
  CHECK(pairing.at(600, {"sync"}).exit == 78);
  pairing.set_contract(kContract);
  CHECK(value("open_conflicts") == 1);
  CHECK(value("last_attempt_exit_code") == 78);
  CHECK(value("last_attempt_timestamp_seconds") == kMonday + 600);
  CHECK(value("last_success_timestamp_seconds") == kMonday + 300);
  CHECK(value("max_age_seconds") == 3600);
  {
    const Locked locked(pairing.state("lock"));  // says nothing of the run that is at work
    CHECK(pairing.at(900, {"sync"}).exit == 12);
    CHECK(value("last_attempt_exit_code") == 78);
  }
  pairing.primary.run("ALTER TABLE person ADD COLUMN more text");
  CHECK(pairing.at(1200, {"sync"}).exit == 10);
  CHECK(value("drift_events", {{"verdict", "info"}}) == 1);
  CHECK(pairing.at(1200, {"sync", "--dry-run"}).exit == 10);  // is no attempt
  CHECK(value("last_attempt_timestamp_seconds") == kMonday + 1200);

  pairing.set("[alert]\nmetrics = \"nowhere/a.prom\"");
  const auto ran = pairing.at(1500, {"sync"});
  CHECK(ran.exit == 10);
  CHECK_FALSE(contains(ran.err, "metrics"));
  const auto told = pairing.at(1800, {"sync", "-v"});
  CHECK(told.exit == 10);
  CHECK(contains(told.err, "note: the metrics cannot be written to '"));
  CHECK(contains(pairing.at(1801, {"status"}).out, "alert: the metrics cannot be written to '"));
  CHECK(pairing.beat(1801)["troubles"].size() == 1);
}

TEST_CASE("heartbeat: a service is pinged at the start and at the end, and told nothing else") {
  HttpServer server;
  const auto url = server.url() + "/5ecret";
  Watched pairing(On::sqlite, "[alert]\nping = \"" + url + "\"");
  using Asked = std::vector<std::string>;
  const auto asked = [&](std::int64_t second, int exit) {
    const auto ran = pairing.at(second, {"sync", "-v"});
    CHECK_MESSAGE(ran.exit == exit, ran.err);
    CHECK_FALSE(contains(ran.out + ran.err, "5ecret"));
    return server.take_asked();
  };
  CHECK(asked(0, 0) == Asked{"GET /5ecret/start", "GET /5ecret"});
  pairing.conflict();
  CHECK(asked(300, 10) == Asked{"GET /5ecret/start", "GET /5ecret"});
  CHECK(pairing.at(301, {"status"}).exit == 0);
  CHECK(pairing.at(302, {"sync", "--dry-run"}).exit == 10);
  CHECK(server.take_asked().empty());
  {
    const Locked locked(pairing.state("lock"));
    CHECK(asked(600, 12).empty());
  }
  write_file(pairing.directory / "contract.toml", "format = 1\n[tables.person]\n");
  CHECK(asked(900, 78) == Asked{"GET /5ecret/78"});  // before it held the lock
  pairing.set_contract(kContract);
  pairing.primary.run("DROP TABLE person");
  CHECK(asked(1200, 23) == Asked{"GET /5ecret/start", "GET /5ecret/23"});
  CHECK_FALSE(contains(server.everything(), "person"));
  CHECK_FALSE(contains(read_file(pairing.state("attempts")), "5ecret"));
}

TEST_CASE("heartbeat: a ping that fails ends no run, and is told at -v and by status") {
  HttpServer server([](const std::string&) { return HttpServer::answer_with("503 Busy"); });
  Watched pairing(On::sqlite, "[alert]\nping = \"" + server.url() + "/5ecret\"");
  const auto ran = pairing.at(0, {"sync", "-q"});
  CHECK(ran.exit == 0);
  CHECK(ran.err.empty());
  const auto told = pairing.at(300, {"sync", "-v"});
  CHECK(told.exit == 0);
  CHECK(contains(told.err, "note: the ping to '127.0.0.1' failed: it was answered with 503\n"));
  CHECK_FALSE(contains(told.err, "5ecret"));
  CHECK(contains(pairing.at(301, {"status"}).out, "alert: the ping to '127.0.0.1' failed"));
  pairing.set("");
  CHECK(pairing.at(600, {"sync"}).exit == 0);
  CHECK_FALSE(contains(pairing.at(601, {"status"}).out, "alert:"));
}

TEST_CASE("heartbeat: lines for the journal begin with their level, and others do not") {
  Watched pairing;
  REQUIRE(pairing.run({"sync"}).exit == 0);
  pairing.primary.run("DROP TABLE person");
  const auto to_file = [&](const std::string& stream) {
    // the journal is named by the device and the inode of what standard error is
    const auto ran = run_program(
        {"/bin/sh", "-c", "JOURNAL_STREAM=" + stream + " exec \"$1\" sync 2> log", "sh", kProgram},
        pairing.directory.path().string());
    CHECK(ran.exit == 23);
    return read_file(pairing.directory / "log");
  };
  write_file(pairing.directory / "log", "");
  const auto marked = to_file("$(stat -c %d:%i log)");
  CHECK(contains(marked, "<4>block dropped_table person"));
  CHECK(contains(marked, "\n<4>    hint: "));
  CHECK_FALSE(contains(to_file("1:1"), "<4>"));
  CHECK_FALSE(contains(to_file("''"), "<4>"));
  write_file(pairing.directory / "contract.toml", "format = 1\n[tables.person]\n");
  const auto ran =
      run_program({"/bin/sh", "-c", "JOURNAL_STREAM=$(stat -c %d:%i log) exec \"$1\" sync 2> log",
                   "sh", kProgram},
                  pairing.directory.path().string());
  CHECK(ran.exit == 78);
  CHECK(read_file(pairing.directory / "log").starts_with("<3>error: "));
  CHECK(contains(read_file(pairing.directory / "log"), "\n<3>hint: "));
}

TEST_CASE("heartbeat: systemd's unit mails what a run said, and nothing where it said nothing") {
  SmtpServer server;
  const TemporaryDirectory directory;
  const auto journal = directory / "journalctl";  // which this machine may not have
  const auto run = [&](const std::string& said, const std::string& result,
                       const std::string& status) {
    write_file(directory / "said", said);
    write_file(journal, "#!/bin/sh\n[ \"$4\" = _SYSTEMD_INVOCATION_ID=a1b2 ] && cat '" +
                            (directory / "said").string() + "'\n");
    REQUIRE(::chmod(journal.c_str(), 0755) == 0);
    const auto ran =
        run_program({std::string(kSourceTree) + "/examples/systemd/abgleich-mail", "kpm"},
                    directory.path().string(),
                    {"PATH=" + directory.path().string() + ":/usr/bin:/bin",
                     "MAILTO=it@example.org", "SMTP=" + server.url(), "MONITOR_INVOCATION_ID=a1b2",
                     "MONITOR_SERVICE_RESULT=" + result, "MONITOR_EXIT_STATUS=" + status});
    CHECK_MESSAGE(ran.exit == 0, ran.out, ran.err);
    return server.take_letters();
  };
  const auto letters =
      run("1 open conflict; see them: abgleich conflicts\n.\nend\n", "exit-code", "10");
  REQUIRE(letters.size() == 1);
  CHECK(contains(letters.front(), "\nTo: it@example.org\nSubject: abgleich kpm on "));
  CHECK(contains(letters.front(), ": exit code 10\n"));
  CHECK(contains(letters.front(),
                 "\n\n1 open conflict; see them: abgleich conflicts\n..\nend\n\nHow it stands: "
                 "abgleich --profile kpm status\n"));
  CHECK(run("", "exit-code", "10").empty());
  CHECK(run("", "oom-kill", "KILL").size() == 1);  // which could say nothing itself
}

TEST_CASE("several pairings: --profile names one, and status --all tells of every one") {
  Watched kpm;
  Watched labor;
  const TemporaryDirectory etc;
  const auto put = [&](const Watched& pairing, const std::string& name) {
    // as in /etc/abgleich: one file a pairing, and what belongs to it beside its own
    auto text = read_file(pairing.directory / "abgleich.toml");
    const auto in = pairing.directory.path().string();
    write_file(etc / (name + ".toml"), "contract = \"" + in + "/contract.toml\"\ncatalog = \"" +
                                           in + "/catalog.json\"\n" + text + "[keys]\nfile = \"" +
                                           in + "/abgleich.key\"\n[state]\ndirectory = \"" + in +
                                           "/state\"\n");
  };
  put(kpm, "kpm");
  put(labor, "labor");
  write_file(etc / "contract.toml", "format = 1\n");
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"--profiles", etc.path().string()});
    return kpm.at(0, words);
  };
  CHECK(run({"sync", "--profile", "labor"}).exit == 0);
  CHECK(labor.secondary.rows("SELECT count(*) FROM person") == "3");
  CHECK(run({"status", "--profile", "labor"}).out.find("syncing last worked") == 0);

  auto ran = run({"status", "--all"});
  CHECK(ran.exit == 0);
  CHECK(contains(ran.out, "kpm:\n    no run yet"));
  CHECK(contains(ran.out, "labor:\n    syncing last worked: 2025-12-01T00:00:00Z"));
  CHECK_FALSE(contains(ran.out, "contract:"));
  ran = run({"status", "--all", "--json"});
  std::istringstream lines(ran.out);
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    CHECK_MESSAGE(JsonSchemas().complaint(Json::parse(line), "status.schema.json") == "", line);
    names.push_back(Json::parse(line)["pairing"]);
  }
  CHECK(names == std::vector<std::string>{"kpm", "labor"});

  // one that cannot be read hides no other, and is a failure
  write_file(etc / "broken.toml", "[primary");
  ran = run({"status", "--all"});
  CHECK(ran.exit == 78);
  CHECK(contains(ran.out, "broken:\n    error: "));
  CHECK(contains(ran.out, "labor:\n    syncing last worked"));
  ran = run({"status", "--all", "--json"});
  CHECK(ran.exit == 78);
  CHECK(Json::parse(ran.out.substr(0, ran.out.find('\n')))["error"]["code"] == 78);
  fs::remove(etc / "broken.toml");
  write_file(labor.directory / "contract.toml", "format = 1\n[tables.person]\n");
  CHECK(run({"sync", "--profile", "labor"}).exit == 78);
  labor.set_contract(kContract);
  CHECK(run({"status", "--all"}).exit == 0);
  CHECK(run({"status", "--all", "--exit-code"}).exit == 78);

  // two that share what is one's own
  put(kpm, "twin");
  ran = run({"status", "--all"});
  CHECK(ran.exit == 78);
  CHECK(contains(ran.out, "twin:\n    no run yet"));
  CHECK(contains(ran.out, "    error: the pairings 'kpm' and 'twin' have the same '"));
  fs::remove(etc / "twin.toml");

  CHECK(run({"sync", "--profile", "none"}).exit == 78);
  CHECK(run({"sync", "--profile", "../labor"}).exit == 64);
  const auto both = run({"sync", "--profile", "labor", "--config", "abgleich.toml"});
  CHECK(both.exit == 64);
  CHECK(contains(both.err, "both --config and --profile name a pairing"));
}

}  // namespace abgleich::test
