// Nothing leaves unnamed: secret values are run through everything that abgleich does and can fail
// in, and then looked for, in every form, in every byte that it has left anywhere.
#include "core/digest.hpp"
#include "support/pairing.hpp"
#include "support/places.hpp"
#include "support/waiting.hpp"
#include "traces.hpp"
#include "witness.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <map>
#include <set>
#include <sys/stat.h>
#include <thread>

namespace abgleich::test {

namespace {

namespace fs = std::filesystem;

// the files of both servers are searched for what was in the databases
[[maybe_unused]] const bool kAllNew = (EmptyDatabases::of_process().forbid(), true);

/// Composed (NFC) and decomposed (NFD) spellings of one letter: which one the primary has.
const char* const kDecomposedU = "u\u0308";

// Every secret of the primary, in its own spelling there. Each occurs nowhere else.
struct Person {
  std::int64_t id;
  std::string phone, e164, email, family, passport, first_name, street, born, exact, town;
  std::int64_t insured;
};

std::vector<Person> people() {
  return {
      {.id = 7340912885561,
       .phone = "0531 / 70 41-99 30",
       .e164 = "+495317041-9930",
       .email = "Quäntchen.Huber@Zwölf-Äcker.example",
       .family = "Quäntchenhüber",
       .passport = "C01X00T478A",
       .first_name = "Éloïse-Bärbel",
       .street = "Straße der Möwen 41c",
       .born = "1931-07-19",
       .exact = "1947-03-08",
       .town = "Bad Gößlingen-Süd",
       .insured = 482915067733},
      {.id = 7340912885987,
       .phone = "+49 (0)5323 / 88.17.463",
       .e164 = "+495323-8817463",
       .email = "oezguel.zippelmuetz@example.net",
       .family = std::string("M") + kDecomposedU + "llerschön-Xylander",
       .passport = "L8F4XZ90QK2",
       .first_name = std::string("J") + kDecomposedU + "rgen-Traugott",
       .street = "Weidenpfuhl 173 hinten",
       .born = "1952-11-28",
       .exact = "1968-09-17",
       .town = std::string("W") + kDecomposedU + "lfelsdorf am Berge",
       .insured = 593017244861},
      {.id = 7340912886433,
       .phone = "0043 (0) 512 / 998 17 24",
       .e164 = "+435129981724",
       .email = "ŁUKASZ.WRÓBLEWSKI@POCZTA.example",
       .family = "Wróblewski-Łącki",
       .passport = "ZZT449010PL",
       .first_name = "Zażółćgęślą",
       .street = "ul. Świętokrzyska 99",
       .born = "1964-02-21",
       .exact = "1979-12-30",
       .town = "Katowice-Brynów",
       .insured = 604128355907},
  };
}

// Values that come later, or that cannot be taken.
const char* const kNewPhone = "0172 / 933 81 004";
const char* const kNewE164 = "+491729338-1004";
const char* const kNewEmail = "frisch.gewechselt@example.org";
const char* const kNoPhone = "Täglich ab 17h bei Nachbarin Kröger";
const char* const kNoEmail = "hat-keine-Märlöwe";
const char* const kOddCode = "Sonderfall-Äquatorreise";
const char* const kBrokenName = "Zerbröselter";  // with a byte behind it that is no UTF-8
const char* const kCastName = "Nichtzähliger-Wert";
constexpr std::int64_t kTwin = 8113300451209;  // the ids of rows that are one after normalising
constexpr std::int64_t kHuge = 8113300998877665544;

std::string without(std::string text, char unwanted) {
  std::erase(text, unwanted);
  return text;
}

Search secrets() {
  Search search;
  const auto text = [&](const std::string& name, const std::string& value) {
    search.add(name, traces_of(value));
  };
  const auto phone = [&](const std::string& name, const std::string& raw, const std::string& e164) {
    text(name, raw);
    text(name + " as E.164", without(e164, '-'));
    text(name + " in digits", without(e164, '-').substr(1));
  };
  int n = 0;
  for (const auto& person : people()) {
    const auto of = " of person " + std::to_string(++n);
    search.add("id" + of, traces_of(person.id));
    search.add("insured" + of, traces_of(person.insured));
    phone("phone" + of, person.phone, person.e164);
    text("e-mail" + of, person.email);
    text("family" + of, person.family);
    text("passport" + of, person.passport);
    text("first name" + of, person.first_name);
    text("street" + of, person.street);
    text("birth" + of, person.born);
    text("exact birth" + of, person.exact);
    text("town" + of, person.town);
  }
  // what the normaliser of names makes of them
  text("normal name of person 1", "quaentchenhueber");
  text("normal name of person 2", "muellerschoen-xylander");
  text("normal name of person 3", "wroblewski-łacki");
  phone("new phone", kNewPhone, kNewE164);
  text("new e-mail", kNewEmail);
  text("no phone", kNoPhone);
  text("no e-mail", kNoEmail);
  text("odd code", kOddCode);
  text("broken name", kBrokenName);
  text("name that is cast", kCastName);
  search.add("id of the twins", traces_of(kTwin));
  search.add("huge id", traces_of(kHuge));
  return search;
}

const char* const kContract = R"([tables.person]
key = ["id"]
together = [["state", "state_date"]]
[tables.person.columns]
id = { class = "pseudonym", identity = "person" }
phone = { class = "pseudonym", identity = "phone", normalise = "phone" }
email = { class = "pseudonym", identity = "mail", normalise = "email" }
family = { class = "pseudonym", identity = "family", normalise = "name" }
passport = { class = "pseudonym", identity = "passport", format = "uuid" }
insured = { class = "pseudonym", identity = "insured", format = "integer" }
born = { class = "generalise", to = "year" }
exact = { class = "generalise", to = "shift:90" }
town = { class = "generalise", to = "prefix:3" }
kind = { class = "plain", codes = ["A", "B"] }
first_name = FIRST_NAME
street = "withhold"
state = "plain"
state_date = "plain"
score = "plain"
note = "plain"
[tables.contact]
key = ["person_id", "n"]
[tables.contact.columns]
person_id = { class = "pseudonym", identity = "person" }
n = "plain"
met = { class = "pseudonym", identity = "phone", normalise = "phone" }
risk = "plain"
)";

std::string contract_with(const std::string& first_name) {
  std::string text = kContract;
  return text.replace(text.find("FIRST_NAME"), 10, first_name);
}

std::string literal(const std::string& text) {
  std::string sql = "'";
  for (const char c : text) {
    sql += c == '\'' ? "''" : std::string(1, c);
  }
  return sql + "'";
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text;
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4U];
    text += kDigits[static_cast<unsigned char>(c) & 15U];
  }
  return text;
}

/// A pairing whose primary is apart from everything that is searched.
class Scene {
 public:
  /// `primary_with` and `secondary_with` end CREATE DATABASE.
  Scene(On primary_on, On secondary_on, const std::string& first_name,
        std::string_view primary_with = {}, std::string_view secondary_with = {})
      : primary(primary_on, directory_ / "primary.db", "ABGLEICH_TEST_PG2", primary_with),
        secondary(secondary_on, home() / "secondary.db", "ABGLEICH_TEST_PG", secondary_with) {
    fs::create_directories(home() / "tmp");
    std::vector<std::string> servers;
    for (auto* const side : {&primary, &secondary}) {
      if (side->engine() == On::postgresql) {
        // whatever abgleich says to it is written down, too; not what this test has said before
        const auto name = side->rows("SELECT current_database()");
        side->run("ALTER DATABASE " + name + " SET log_statement = 'all'");
        servers.push_back(side->url());
      }
    }
    witness_ = std::make_unique<Witness>(std::move(servers));
    set_contract(contract_with(first_name));
    write_file(home() / "abgleich.toml",
               "[primary]\nurl = \"" + primary.url() + "\"\n[secondary]\nurl = \"" +
                   secondary.url() +
                   "\"\n[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n");
    run({"keys", "generate"});
    make_primary();
  }

  static fs::path root_of(const TemporaryDirectory& directory) {
    fs::create_directories(directory / "home");
    return directory / "home";
  }
  [[nodiscard]] fs::path home() const { return root_of(directory_); }

  void set_contract(const std::string& text) const {
    write_file(home() / "contract.toml", "format = 1\n" + text);
  }

  /// Runs the program, keeps all that it says, and looks at its process meanwhile.
  Ran run(const std::vector<std::string>& words, const std::string& input = {}) {
    auto program = start(words, input);
    const auto ran = program->wait();
    said_ += ran.out + ran.err;
    exits_[ran.exit].insert(words.front());
    return ran;
  }

  /// The same for what is meant to tell a secret to standard output.
  void run_unheard(const std::vector<std::string>& words) {
    auto program = start(words, {});
    const auto ran = program->wait();
    CHECK(ran.exit == 0);
    CHECK(ran.out.size() > 30);
    said_ += ran.err;
  }

  /// The same, as text and as JSON, and saying more.
  void run_every_way(std::vector<std::string> words) {
    run(words);
    words.emplace_back("-vv");
    run(words);
    words.emplace_back("--json");
    run(words);
  }

  /// Looks at a run in its middle: it waits for a lock that somebody else has in the secondary.
  void look_inside() {
    secondary.run(secondary.engine() == On::sqlite
                      ? "BEGIN IMMEDIATE"
                      : "BEGIN; LOCK TABLE abgleich.head IN ACCESS EXCLUSIVE MODE");
    auto program = start({"sync", "-vv"}, {});
    // no core dump can hold a secret either
    wait_until("no core dump is left of a run", [&] {
      return look_at(*program).find(kNoCore) != std::string::npos || !program->is_running();
    });
    secondary.run("COMMIT");
    const auto ran = program->wait();
    CHECK_MESSAGE(ran.exit <= 11, ran.err);
    said_ += ran.out + ran.err;
  }
  static constexpr const char* kNoCore = "Max core file size        0                    0";

  void kill_after(const std::vector<std::string>& words, std::chrono::milliseconds moment) {
    auto program = start(words, {});
    std::this_thread::sleep_for(moment);
    program->kill(SIGKILL);
    const auto ran = program->wait();
    said_ += ran.out + ran.err;
  }

  /// Every place that bytes can be left in, searched.
  std::vector<std::string> search(const Search& search, const std::vector<fs::path>& except = {}) {
    auto found = search.in(said_, "what the program said");
    witness_->stop();
    CHECK(witness_->looks() > 0);
    const auto add = [&](const std::vector<std::string>& more) {
      found.insert(found.end(), more.begin(), more.end());
    };
    add(search.in(processes_, "/proc/PID"));
    add(search.in(witness_->unlinked_files(), "a temporary file"));
    add(search.in(witness_->statements(), "pg_stat_activity"));
    if (primary.engine() == On::postgresql) {
      add(search.in(statements_logged(primary), "the log of the primary's server"));
    }
    const auto text = dump();
    CHECK(text.size() > 1000);
    add(search.in(text, "a dump of the secondary"));
    add(search.below(home(), except, searched));
    if (secondary.engine() == On::postgresql) {
      secondary.run("CHECKPOINT");
      std::uintmax_t server = 0;
      add(search.below(secondary.rows("SHOW data_directory"), {}, server));
      CHECK(server > 30'000'000);  // its tables and its write-ahead log
      searched += server;
    }
    return found;
  }

  /// What is said on a terminal: progress, colours and all.
  void run_on_terminal(std::vector<std::string> words) {
    words.insert(words.begin(), kProgram);
    const auto said = on_terminal(words, home().string());
    CHECK(said.size() > 10);
    said_ += said;
  }

  [[nodiscard]] const std::map<int, std::set<std::string>>& exits() const { return exits_; }
  [[nodiscard]] const std::string& processes() const { return processes_; }

  void insert(const Person& person, const std::string& rest) {
    primary.run(
        "INSERT INTO person (id, phone, email, family, passport, insured, born, exact, "
        "town, first_name, street, kind, state, state_date, score, note) VALUES (" +
        std::to_string(person.id) + ", " + literal(person.phone) + ", " + literal(person.email) +
        ", " + literal(person.family) + ", " + literal(person.passport) + ", " +
        std::to_string(person.insured) + ", " + literal(person.born) + ", " +
        literal(person.exact) + ", " + literal(person.town) + ", " + literal(person.first_name) +
        ", " + literal(person.street) + ", " + rest + ")");
  }

 private:
  std::unique_ptr<Program> start(std::vector<std::string> words, const std::string& input) {
    words.insert(words.begin(), kProgram);
    auto program = std::make_unique<Program>(
        words, home().string(),
        std::vector<std::string>{"TMPDIR=" + (home() / "tmp").string(), "HOME=" + home().string()},
        input);
    witness_->watch(program->pid());
    look_at(*program);
    return program;
  }

  /// What everybody on this machine can read of a process; who is not root may not read the
  /// environment.
  std::string look_at(const Program& program) {
    std::string seen;
    for (const auto* file : {"cmdline", "environ", "comm", "limits", "status"}) {
      seen += read_file("/proc/" + std::to_string(program.pid()) + "/" + file) + "\n";
    }
    processes_ += seen;
    return seen;
  }

  void make_primary() {
    primary.run(
        "CREATE TABLE person (id bigint PRIMARY KEY, phone text, email text, family text, "
        "passport text, insured bigint, born date, exact date, town text, first_name text, "
        "street text, kind text, state text, state_date date, score integer, note text);"
        "CREATE TABLE contact (person_id bigint, n integer, met text, risk text, "
        "PRIMARY KEY (person_id, n));");
    const auto all = people();
    for (std::size_t i = 0; i < all.size(); ++i) {
      insert(all[i], "'A', 'open', '2026-01-0" + std::to_string(i + 1) + "', " +
                         std::to_string(10 * i) + ", 'n" + std::to_string(i) + "'");
      primary.run("INSERT INTO contact VALUES (" + std::to_string(all[i].id) + ", 1, " +
                  literal(all[(i + 1) % all.size()].phone) + ", 'low')");
    }
  }

  /// Every row of every table of the secondary, as its engine writes it.
  std::string dump() {
    const bool sqlite = secondary.engine() == On::sqlite;
    const auto tables = secondary.rows(
        sqlite ? "SELECT '\"' || name || '\"' FROM sqlite_schema WHERE type = 'table'"
               : "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname "
                 "IN ('public', 'abgleich')");
    std::istringstream names(tables);
    std::string text;
    for (std::string name; std::getline(names, name);) {
      text +=
          name + "\n" +
          secondary.rows(sqlite ? "SELECT * FROM " + name : "SELECT t::text FROM " + name + " t") +
          "\n";
    }
    return text;
  }

  TemporaryDirectory directory_;
  std::string said_;
  std::string processes_;
  std::map<int, std::set<std::string>> exits_;

 public:
  Database primary;
  Database secondary;
  std::uintmax_t searched = 0;

 private:
  std::unique_ptr<Witness> witness_;  // goes first: it looks at both
};

/// Makes the secondary's tables beforehand, with what can refuse a row.
void constrain(Scene& scene) {
  const std::string uuid = scene.secondary.engine() == On::sqlite ? "text" : "uuid";
  scene.secondary.run(
      "CREATE TABLE person (id text PRIMARY KEY, phone text, email text UNIQUE, family text, "
      "passport " +
      uuid +
      ", insured bigint, born integer CHECK (born > 1900), exact date, town varchar(9), kind text, "
      "state text NOT NULL, state_date date, score smallint CHECK (score < 1000), note text);"
      "CREATE TABLE contact (person_id text REFERENCES person (id), n integer, met text, "
      "risk varchar(4), PRIMARY KEY (person_id, n))");
}

void run_through_everything(Scene& scene) {
  const auto all = people();
  const auto id = [](const Person& person) { return std::to_string(person.id); };
  auto& primary = scene.primary;
  auto& secondary = scene.secondary;

  // before anything is there
  scene.run_every_way({"check"});
  scene.run_every_way({"diff"});
  CHECK(scene.run({"drift", "accept"}).exit == 0);
  // first sync
  CHECK(scene.run({"sync", "-vv", "--json"}).exit == 0);
  CHECK(secondary.rows("SELECT count(*) FROM person") == "3");

  scene.run_on_terminal({"--color=always", "sync", "--full", "-vv"});

  // update
  primary.run("UPDATE person SET phone = " + literal(kNewPhone) + ", email = " +
              literal(kNewEmail) + ", street = 'x' || street WHERE id = " + id(all[0]));
  primary.run("UPDATE contact SET met = " + literal(kNewPhone) + " WHERE n = 1");
  scene.run_every_way({"diff"});
  scene.run_on_terminal({"diff"});
  CHECK(scene.run({"sync", "-vv"}).exit == 0);
  scene.look_inside();

  // conflicts: in pseudonyms, in shifted dates, of deleted rows
  primary.run("UPDATE person SET phone = " + literal(all[0].phone) +
              ", state = 'case', exact = '1948-03-08' WHERE id = " + id(all[1]));
  secondary.run(
      "UPDATE person SET phone = 'other', state = 'gone', exact = '2001-01-01', "
      "note = 'edited' WHERE score = 10");
  secondary.run("UPDATE contact SET risk = 'high'");
  primary.run("DELETE FROM contact WHERE person_id = " + id(all[2]));
  CHECK(scene.run({"sync", "-vv"}).exit == 10);
  scene.run_every_way({"conflicts"});
  scene.run_every_way({"verify"});
  scene.run_every_way({"status"});
  scene.run_every_way({"log"});

  // quarantine: what cannot be normalised, is no code, is no text, is two rows in one
  primary.run("UPDATE person SET phone = " + literal(kNoPhone) + " WHERE id = " + id(all[0]));
  primary.run("UPDATE person SET email = " + literal(kNoEmail) + " WHERE id = " + id(all[1]));
  primary.run("UPDATE person SET kind = " + literal(kOddCode) + " WHERE id = " + id(all[2]));
  Person broken = all[0];
  broken.id = kTwin;
  scene.insert(broken, "'A', 'open', NULL, 1, 'broken'");
  primary.run(primary.engine() == On::sqlite
                  ? "UPDATE person SET email = NULL, family = CAST(" + literal(kBrokenName) +
                        " || x'ff' AS text) WHERE id = " + std::to_string(kTwin)
                  : "UPDATE person SET email = NULL, insured = 999999999999999999 + 5, family = " +
                        literal(kBrokenName) + " WHERE id = " + std::to_string(kTwin));
  scene.run_every_way({"diff"});
  CHECK(scene.run({"sync", "-vv"}).exit == 10);
  CHECK(secondary.rows(secondary.engine() == On::sqlite
                           ? "SELECT count(*) FROM abgleich_quarantine"
                           : "SELECT count(*) FROM abgleich.quarantine") == "4");
  scene.run_every_way({"quarantine"});
  scene.run_every_way({"verify"});
  primary.run(
      "UPDATE person SET phone = NULL, email = NULL, kind = 'B', family = NULL, insured = 5");

  // what the secondary refuses: NOT NULL, UNIQUE, CHECK, overflow, a value that is too long, a
  // missing parent
  const auto refused = [&](const std::string& change, const std::string& back) {
    primary.run(change);
    scene.run({"sync", "-vv"});
    scene.run_every_way({"conflicts"});
    primary.run(back);
  };
  refused("UPDATE person SET state = NULL", "UPDATE person SET state = 'open'");
  refused("UPDATE person SET email = " + literal(kNewEmail), "UPDATE person SET email = NULL");
  refused("UPDATE person SET born = '1899-01-01'", "UPDATE person SET born = '1931-07-19'");
  refused("UPDATE person SET score = 5000", "UPDATE person SET score = 5");
  refused("UPDATE person SET score = 70000", "UPDATE person SET score = 6");
  refused("UPDATE contact SET risk = 'too long for that'", "UPDATE contact SET risk = 'low'");
  refused("INSERT INTO contact VALUES (" + std::to_string(kHuge) + ", 1, " + literal(all[0].phone) +
              ", 'low')",
          "DELETE FROM contact WHERE person_id = " + std::to_string(kHuge));
  refused("UPDATE person SET note = '名前は秘密'", "UPDATE person SET note = NULL");
  refused("DELETE FROM person WHERE id = " + id(all[2]), "SELECT 1");

  // what the primary itself stumbles over while it is read
  if (primary.engine() == On::postgresql) {
    primary.run("CREATE VIEW cast_view AS SELECT id, (" + literal(kCastName) +
                " || substr(family, 1, 0) || substr(street, 1, 0))::integer AS number FROM person");
  } else {
    primary.run("CREATE VIEW cast_view AS SELECT id, json_extract(" + literal(kCastName) +
                " || substr(street, 1, 0), '$.a') AS number FROM person");
  }
  scene.set_contract(contract_with("\"withhold\"") +
                     "[tables.cast_view]\nkey = [\"id\"]\n[tables.cast_view.columns]\nid = { class "
                     "= \"pseudonym\", identity = \"person\" }\nnumber = \"plain\"\n");
  scene.run_every_way({"sync"});  // more would leave
  scene.run_every_way({"contract", "diff"});
  scene.run({"contract", "accept", "--reason", "a test"});
  for (const auto* command : {"sync", "diff", "check", "verify"}) {
    scene.run_every_way({command});
  }
  CHECK(scene.run({"sync", "-vv"}).exit != 0);
  primary.run("DROP VIEW cast_view");
  scene.set_contract(contract_with("\"withhold\""));

  // killed in the middle
  for (int moment = 4; moment < 60; moment += 7) {
    primary.run("UPDATE person SET phone = " +
                literal(moment % 2 == 0 ? all[0].phone : std::string(kNewPhone)) +
                ", insured = " + std::to_string(all[0].insured));
    scene.kill_after({"sync", "-vv", "--json"}, std::chrono::milliseconds(moment));
  }
  scene.run({"sync", "-vv"});

  // drift, and a schema that no longer fits
  primary.run("ALTER TABLE person ADD COLUMN maiden_name text");
  primary.run("UPDATE person SET maiden_name = " + literal(all[0].family));
  scene.run_every_way({"drift"});
  scene.run({"drift", "snapshot", "snapshot.json"});
  scene.run({"contract", "add", "person.maiden_name", "--class", "withhold"});
  scene.run({"drift", "accept"});
  scene.run({"sync", "-vv"});
  // a class that does not fit
  scene.set_contract(contract_with("{ class = \"generalise\", to = \"year\" }"));
  scene.run({"contract", "accept", "--reason", "a test"});
  scene.run_every_way({"sync"});
  scene.set_contract(contract_with("{ class = \"generalise\", to = \"round:5\" }"));
  scene.run_every_way({"check"});
  scene.set_contract(contract_with("\"withhold\""));

  // decisions, history, undo
  primary.run("UPDATE person SET state = 'x', phone = " + literal(all[1].phone) +
              " WHERE score = 6");
  secondary.run("UPDATE person SET state = 'y', phone = 'z'");
  scene.run({"sync", "-vv"});
  scene.run_every_way({"conflicts"});
  scene.run({"resolve", "--all", "--take", "primary"});
  scene.run({"sync", "-vv"});
  const auto log = scene.run({"log", "--json"}).out;
  std::istringstream lines(log);
  std::vector<std::string> runs;
  for (std::string line; std::getline(lines, line);) {
    runs.push_back(nlohmann::json::parse(line).at("run"));
    scene.run({"show", runs.back()});
  }
  REQUIRE(runs.size() > 5);
  scene.run_every_way({"show", runs.front()});
  scene.run({"revert", runs.front(), "--reason", "test"});
  scene.run_every_way({"sync"});
  scene.run({"resume", "--reason", "test"});
  scene.run_every_way({"sync"});
  scene.run({"verify", "--repair-base", "--reason", "test"});
  scene.run({"adopt", "--reason", "test"});

  // the key, and init
  scene.run_every_way({"keys", "check"});
  scene.run_every_way({"privacy"});
  scene.run({"privacy", "--markdown"});
  scene.run({"report", "--html", "-"});
  scene.run({"report", "--decide", "-"});
  auto pseudonym = scene.run({"token", "--identity", "person", "-vv"}, id(all[1])).out;
  std::erase(pseudonym, '\n');
  scene.run({"token", "--identity", "phone", "-vv"}, kNewPhone);
  scene.run({"token", "--identity", "phone", "-vv", "--json"}, kNoPhone);
  // the answer is for who asks, and for nothing that stays
  scene.run_unheard({"reveal", "person", pseudonym, "--reason", "test"});
  scene.run({"reveal", "person", "p1_aaaaaaaaaaaaaaaaaaaaaaaaaa", "--reason", "test"});
  scene.run({"keys", "rotate", "-vv"});
  scene.run_every_way({"diff"});
  for (int moment = 10; moment < 50; moment += 20) {
    scene.kill_after({"sync", "-vv"}, std::chrono::milliseconds(moment));
  }
  scene.run_every_way({"sync"});
  fs::create_directories(scene.home() / "other");
  scene.run({"init", "--primary", primary.url(), "--secondary", secondary.url(), "--directory",
             (scene.home() / "other").string(), "-vv"});
  ::chmod((scene.home() / "abgleich.key").c_str(), 0644);
  scene.run_every_way({"sync"});
  ::chmod((scene.home() / "abgleich.key").c_str(), 0600);
  scene.run_every_way({"sync"});
}

/// The roots of a key file: as it has them, and as bytes.
Search keys_of(const fs::path& file) {
  Search search;
  std::istringstream words(read_file(file));
  int n = 0;
  for (std::string word; words >> word;) {
    if (word.size() != 64) {
      continue;
    }
    std::string bytes;
    std::string upper;
    for (std::size_t i = 0; i < word.size(); i += 2) {
      bytes += static_cast<char>(std::stoi(word.substr(i, 2), nullptr, 16));
    }
    for (const char c : word) {
      upper += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    // some of it would be enough
    search.add("root " + std::to_string(++n), {{word.substr(0, 24), "hex"},
                                               {word.substr(32, 24), "hex"},
                                               {upper.substr(8, 24), "upper-case hex"},
                                               {bytes.substr(0, 12), "bytes"},
                                               {bytes.substr(16, 12), "bytes"}});
  }
  CHECK(n >= 6);  // two epochs
  return search;
}

void expect_nothing(On primary_on, On secondary_on) {
  CAPTURE(name_of(primary_on));
  CAPTURE(name_of(secondary_on));
  Scene scene(primary_on, secondary_on, "\"withhold\"");
  constrain(scene);
  run_through_everything(scene);
  const auto search = secrets();
  const auto traces = search.traces();
  MESSAGE(traces, " traces");
  for (const auto& hit : scene.search(search)) {
    FAIL_CHECK(hit);
  }
  const auto keys = keys_of(scene.home() / "abgleich.key");
  for (const auto& hit : scene.search(
           keys, {scene.home() / "abgleich.key", scene.home() / "other" / "abgleich.key"})) {
    FAIL_CHECK(hit);
  }
  CHECK_FALSE(keys.in(read_file(scene.home() / "abgleich.key"), "its file").empty());
  CHECK(scene.processes().find("sync") != std::string::npos);
  CHECK(scene.processes().find(Scene::kNoCore) != std::string::npos);
  const auto kilobytes = scene.searched / 1000;
  MESSAGE(kilobytes, " kB searched");
}

}  // namespace

TEST_CASE("no secret of the primary is found in any form anywhere: SQLite") {
  expect_nothing(On::sqlite, On::sqlite);
}

TEST_CASE("no secret of the primary is found in any form anywhere: PostgreSQL") {
  expect_nothing(On::postgresql, On::postgresql);
}

TEST_CASE("bad encoding: neither a primary of mere bytes nor a secondary of few letters tells") {
  const auto search = secrets();
  {
    Scene scene(On::postgresql, On::postgresql, "\"withhold\"",
                "ENCODING 'SQL_ASCII' LC_COLLATE "
                "'C' LC_CTYPE 'C'");
    CHECK(scene.run({"sync", "-vv"}).exit == 0);
    scene.primary.run("SET client_encoding = 'SQL_ASCII'; UPDATE person SET family = " +
                      literal(std::string(kBrokenName) + "\xff") +
                      ", phone = " + literal(std::string(kNoPhone) + "\xc3"));
    for (const auto* command : {"diff", "sync", "quarantine", "verify"}) {
      scene.run_every_way({command});
    }
    const auto ran = scene.run({"sync"});
    CHECK(ran.exit == 11);  // the row is held back, and nothing else
    CHECK(scene.search(search).empty());
  }
  Scene scene(On::postgresql, On::postgresql, "\"withhold\"", {},
              "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
  scene.run({"sync", "-vv"});
  scene.primary.run("UPDATE person SET note = '名前は秘密', town = '名前は秘密'");
  for (const auto* command : {"check", "diff", "sync", "quarantine", "conflicts", "verify"}) {
    scene.run_every_way({command});
  }
  CHECK(scene.run({"sync"}).exit == 11);
  CHECK(scene.search(search).empty());
}

TEST_CASE("stolen state: a dictionary of all raw values recovers none without the key") {
  Scene scene(On::sqlite, On::sqlite, "\"withhold\"");
  CHECK(scene.run({"sync", "-q"}).exit == 0);
  scene.primary.run("UPDATE person SET phone = " + literal(kNewPhone) +
                    " WHERE id = " + std::to_string(people().front().id));
  CHECK(scene.run({"sync", "-q"}).exit == 0);

  // everything that the thief has: what could be taken for a key, and what could be recognised
  std::string loot = scene.secondary.rows(
      "SELECT c0, hex(cells) FROM (SELECT k0 AS c0, cells FROM abgleich_base_1 UNION ALL SELECT "
      "k0, "
      "cells FROM abgleich_base_2)");
  std::set<std::string> keys{"",
                             "abgleich",
                             "person",
                             "phone",
                             std::string(16, '\0'),
                             std::string(32, '\0'),
                             std::string("seal base\0\0\0\0\0\0\0", 16)};
  for (const auto* sql :
       {"SELECT * FROM abgleich_head", "SELECT * FROM abgleich_run", "SELECT * FROM abgleich_seal",
        "SELECT * FROM abgleich_tracked", "SELECT * FROM abgleich_journal", "SELECT * FROM person",
        "SELECT * FROM contact"}) {
    const auto text = scene.secondary.rows(sql);
    loot += text + "\n";
    std::istringstream words(text);
    for (std::string word; std::getline(words, word, '|');) {
      if (keys.size() < 120) {
        keys.insert(word);
      }
    }
  }
  for (const auto& file : fs::directory_iterator(scene.home() / "state")) {
    loot += read_file(file.path());
  }
  REQUIRE(loot.find("p1_") != std::string::npos);
  std::set<std::string> dictionary;
  for (const auto& person : people()) {
    for (const auto& value :
         {std::to_string(person.id), person.phone, without(person.e164, '-'), person.email,
          person.family, person.passport, std::to_string(person.insured), person.born, person.exact,
          person.town, person.first_name, person.street}) {
      dictionary.insert(value);
    }
  }
  dictionary.insert({kNewPhone, without(kNewE164, '-'), "quaentchenhueber"});
  std::size_t guesses = 0;
  std::size_t hits = 0;
  for (const auto& value : dictionary) {
    for (const auto& key : keys) {
      for (const auto& form : keyed_guesses(key, value)) {
        ++guesses;
        hits += loot.find(form) != std::string::npos ? 1 : 0;
      }
    }
  }
  // the base: digests that are bound to the row's key, which the thief has
  std::istringstream rows(scene.secondary.rows("SELECT k0 FROM abgleich_base_1"));
  for (std::string row; std::getline(rows, row);) {
    std::string bound;
    append_key_bytes({Kind::text, row}, bound);
    for (const auto& value : dictionary) {
      for (const auto kind : {Kind::text, Kind::integer, Kind::date}) {
        for (const auto& key : keys) {
          SipKey sip{};
          std::copy_n(key.begin(), std::min(key.size(), sip.size()), sip.begin());
          const auto digest = digest_cell(sip, bound, {kind, value});
          ++guesses;
          hits += loot.find(hex(pack({&digest, 1}))) != std::string::npos ? 1 : 0;
        }
      }
    }
  }
  CHECK(guesses > 50'000);
  CHECK(hits == 0);
  MESSAGE(guesses, " guesses");

  // control: with the key, the same dictionary recovers them
  std::size_t recovered = 0;
  for (const auto& person : people()) {
    const auto token = scene.run({"token", "--identity", "person"}, std::to_string(person.id));
    recovered += loot.find(token.out.substr(0, token.out.size() - 1)) != std::string::npos ? 1 : 0;
  }
  CHECK(recovered == people().size());
}

TEST_CASE("control: a contract that lets a name out is caught, on both engines") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Scene scene(engine, engine, "\"plain\"");
    CHECK(scene.run({"sync", "-vv"}).exit == 0);
    const auto hits = scene.search(secrets());
    std::set<std::string> names;
    std::set<std::string> places;
    for (const auto& hit : hits) {
      names.insert(hit.substr(0, hit.find(" (")));
      places.insert(hit.substr(hit.find(") in ") + 5));
    }
    CHECK(names == std::set<std::string>{"first name of person 1", "first name of person 2",
                                         "first name of person 3"});
    CHECK(places.contains("a dump of the secondary"));
    // the file itself; or the table and the write-ahead log
    CHECK(places.size() >= (engine == On::sqlite ? 2 : 3));
    if (engine == On::postgresql) {
      const auto in_log = [](const std::string& place) {
        return place.find("/pg_wal/") != std::string::npos;
      };
      CHECK(std::ranges::any_of(places, in_log));
    }
  }
}

TEST_CASE("control: an unkeyed hash in place of a pseudonym is caught") {
  for (const auto& hash : hashes_of(people().front().email)) {
    Search search;
    search.add("e-mail", traces_of(people().front().email));
    std::string hex;
    for (const char c : hash.bytes) {
      constexpr std::string_view kHex = "0123456789abcdef";
      hex += kHex[static_cast<unsigned char>(c) >> 4U];
      hex += kHex[static_cast<unsigned char>(c) & 15U];
    }
    CAPTURE(std::string(hash.name));
    CHECK(search.in("{\"mail\":\"" + hex + "\"}", "a row").size() == 1);
    if (hash.bytes.size() >= 8) {
      CHECK(search.in("xx" + hash.bytes + "yy", "a row").size() == 1);
    }
    CHECK(search.in("{\"mail\":\"" + std::string(hex.rbegin(), hex.rend()) + "\"}", "").empty());
  }
}

TEST_CASE("control: what is in an unlinked file, in a statement or on a terminal is caught") {
  const TemporaryDirectory directory;
  Search search;
  search.add("name", traces_of("Jürgen-Öz"));
  {
    Database server(On::postgresql, directory / "unused", "ABGLEICH_TEST_PG2");
    server.run("ALTER DATABASE " + server.rows("SELECT current_database()") +
               " SET log_statement = 'all'");
    Witness witness({server.url()});
    // it goes on until it is killed
    const Program spilling({"/bin/bash", "-c",
                            "exec 3<>spilt && rm spilt && printf 'x Jürgen-Öz x' >&3 && "
                            "while :; do sleep 1; done"},
                           directory.path().string());
    witness.watch(spilling.pid());
    const std::unique_ptr<PGconn, void (*)(PGconn*)> session(
        PQconnectdb((server.url() + "&application_name=abgleich").c_str()), PQfinish);
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(
        PQexec(session.get(), "SELECT 'Jürgen-Öz'"), PQclear);
    wait_until("it has spilt",
               [&] { return !search.in(unlinked_files_of(spilling.pid()), "").empty(); });
    const auto looks = witness.looks();
    wait_until("the witness has looked again", [&] { return witness.looks() >= looks + 3; });
    witness.stop();
    CHECK(search.in(witness.unlinked_files(), "").size() >= 1);
    CHECK(search.in(witness.statements(), "").size() >= 1);
    CHECK(search.in(statements_logged(server), "").size() >= 1);
  }
  const auto said = on_terminal({"/bin/bash", "-c", "test -t 1 && test -t 2 && echo Jürgen-Öz >&2"},
                                directory.path().string());
  CHECK(search.in(said, "").size() >= 1);
}

TEST_CASE("control: every form of a text is recognised") {
  Search search;
  search.add("name", traces_of("Jürgen-Öz"));
  // made elsewhere: python3 -c "print('Jürgen-Öz'.encode('utf-16-le'))" and so on
  const std::string utf16("J\0\xfc\0r\0g\0e\0n\0-\0\xd6\0z\0", 18);
  for (const std::string& form : std::initializer_list<std::string>{
           "Jürgen-Öz", "jürgen-öz", "JÜRGEN-ÖZ", "Ju\u0308rgen-O\u0308z", "ju\u0308rgen-o\u0308z",
           "J\xfcrgen-\xd6z", utf16, "4ac3bc7267656e2dc3967a", "4AC3BC7267656E2DC3967A",
           "SsO8cmdlbi3Dlno=", "eErDvHJnZW4tw5Z6", "eHhKw7xyZ2VuLcOWeg==", "J%C3%BCrgen-%C3%96z",
           "J%c3%bcrgen-%c3%96z", "J\\u00fcrgen-\\u00d6z", "J\\u00FCrgen-\\u00D6z"}) {
    CAPTURE(form);
    CHECK(search.in("left " + form + " right", "x").size() >= 1);
  }
  CHECK(search.in("left Jurgen-Oz right", "x").empty());
}

}  // namespace abgleich::test
