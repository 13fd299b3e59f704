// Bad input and bad surroundings: every exit code, what is said with it, and that the secondary is
// as it was.
#include "support/pairing.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <sys/file.h>
#include <sys/stat.h>

namespace abgleich::test {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// In every row of the primary; it must be in no text.
const std::string kCanary = "Canary7";

const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
    "id = { class = \"pseudonym\", identity = \"person\" }\n"
    "tag = \"plain\"\nname = \"withhold\"\nstatus = \"plain\"\n";

void fill(Database& primary) {
  primary.run(
      "CREATE TABLE person (id integer PRIMARY KEY, tag text, name text, status text);"
      "INSERT INTO person VALUES (1, 'a', 'Canary7', 'open'), (2, 'b', 'Canary7', 'open'), "
      "(3, 'c', 'Canary7', 'open'), (4, 'd', 'Canary7', 'Canary7')");
}

/// Everything in a database, bookkeeping included, as one text.
std::string everything(Database& database) {
  std::string all;
  const bool sqlite = database.engine() == On::sqlite;
  std::istringstream tables(database.rows(
      sqlite ? "SELECT '\"' || name || '\"' FROM sqlite_schema WHERE type = 'table' ORDER BY name"
             : "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables "
               "WHERE schemaname IN ('public', 'abgleich') ORDER BY 1"));
  for (std::string table; std::getline(tables, table);) {
    all += table + "\n" +
           database.rows("SELECT * FROM " + table + (sqlite ? "" : " AS x ORDER BY x::text")) +
           "\n";
  }
  return all;
}

struct Refusal {
  int exit = 0;
  std::vector<std::string> message;  // parts of it
  std::vector<std::string> hint;
};

/// Runs `sync` with and without --json, and holds its refusal to all that is promised of one.
void check_refused(Pairing& pairing, const Refusal& expected,
                   const std::vector<std::string>& more = {}) {
  const auto before = everything(pairing.secondary);
  std::vector<std::string> words{"sync", "--json"};
  words.insert(words.end(), more.begin(), more.end());
  const auto json = pairing.run(words);
  words.erase(words.begin() + 1);
  const auto text = pairing.run(words);
  CAPTURE(json.out);
  CAPTURE(json.err);
  CAPTURE(text.out);
  CAPTURE(text.err);

  CHECK(json.exit == expected.exit);
  const auto line = Json::parse(json.out, nullptr, false);
  REQUIRE(line.is_object());  // one line, and nothing else on stdout
  CHECK(line["schema"] == "abgleich.sync/1");
  CHECK(line["exit"] == expected.exit);
  CHECK(line["run"].is_null());
  const auto outcome = expected.exit < 30 || expected.exit == 78 ? "refused" : "failed";
  CHECK(line["outcome"] == outcome);
  const auto error = Json::parse(json.err, nullptr, false);
  REQUIRE(error.is_object());  // the same for stderr
  CHECK(error["error"] == line["error"]);
  CHECK(error["error"]["code"] == expected.exit);
  const auto message = error["error"]["message"].get<std::string>();
  const auto hint = error["error"]["hint"].get<std::string>();
  for (const auto& part : expected.message) {
    CHECK_MESSAGE(message.find(part) != std::string::npos, part);
  }
  for (const auto& part : expected.hint) {
    CHECK_MESSAGE(hint.find(part) != std::string::npos, part);
  }
  CHECK(!hint.empty());
  CHECK(!message.ends_with('.'));
  CHECK(message.front() == static_cast<char>(std::tolower(message.front())));

  CHECK(text.exit == expected.exit);
  CHECK(text.err.find("error: " + message + "\n") != std::string::npos);
  CHECK(text.err.find("hint: " + hint + "\n") != std::string::npos);

  for (const auto& said : {json.out, json.err, text.out, text.err}) {
    CHECK(said.find(kCanary) == std::string::npos);
  }
  CHECK(everything(pairing.secondary) == before);
}

/// A pairing after its first run.
struct Synced : Pairing {
  Synced(On primary_on, On secondary_on, const std::string& more = "",
         const std::string& contract = kContract)
      : Pairing(primary_on, secondary_on, contract, more) {
    fill(primary);
    const auto line = sync();
    REQUIRE_MESSAGE(line["outcome"] == "applied", line.dump());
  }
  explicit Synced(const std::string& more = "") : Synced(On::sqlite, On::sqlite, more) {}

  void replace(const std::string& from, const std::string& to) const {
    auto text = read_file(directory / "abgleich.toml");
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    write_file(directory / "abgleich.toml", text.replace(at, from.size(), to));
  }
};

Ran shell(const Pairing& pairing, const std::string& script) {
  return run_program({"/bin/sh", "-c", script, "sh", kProgram}, pairing.directory.path().string());
}

}  // namespace

TEST_CASE("exit 12: another run holds the lock") {
  Synced pairing;
  pairing.primary.run("UPDATE person SET status = 'case'");
  const auto file = pairing.directory / "state" / "lock";
  const int lock = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(lock >= 0);
  REQUIRE(::flock(lock, LOCK_EX | LOCK_NB) == 0);
  check_refused(pairing, {12, {"another run of this pairing is at work"}, {"wait", "state/lock"}});
  CHECK(pairing.run({"resolve", "--all", "--take", "primary"}).exit == 12);
  CHECK(pairing.run({"adopt", "--reason", "x"}).exit == 12);
  CHECK(pairing.run({"diff"}).exit == 0);                // looks, and needs no lock
  CHECK(pairing.run({"sync", "--dry-run"}).exit == 20);  // as the run itself would, below
  CHECK(pairing.run({"status"}).exit == 0);
  ::close(lock);
  CHECK(pairing.run({"sync"}).exit == 20);  // all of it: a mass change
  CHECK(pairing.run({"sync", "--accept-mass-change", "person", "--reason", "x"}).exit == 0);
}

TEST_CASE("exit 13: where it is paused, nothing is done until it is resumed") {
  for (const auto secondary : kEngines) {
    Synced pairing(On::sqlite, secondary);
    pairing.secondary.run("DELETE FROM person WHERE tag = 'a'");
    REQUIRE(pairing.run({"revert", "latest", "--reason", "restore test"}).exit == 0);
    check_refused(pairing, {13, {"paused: run r1-", "restore test"}, {"abgleich resume"}});
    CHECK(pairing.run({"status"}).out.find("was taken back: restore test") != std::string::npos);
    REQUIRE(pairing.run({"resume", "--reason", "done"}).exit == 0);
    CHECK(pairing.sync()["outcome"] == "applied");
  }
}

TEST_CASE("exit 20: a table that was not empty and now is") {
  on_every_pairing([](On primary, On secondary) {
    Synced pairing(primary, secondary, "[limits]\nmax_deleted = \"100%\"\n");
    pairing.primary.run("DELETE FROM person");
    const Refusal refusal{
        20,
        {"'person' of the primary is empty", "4 rows"},
        {"never for deletes", "--accept-mass-change person --reason", "Nothing was"}};
    check_refused(pairing, refusal);
  });
}

TEST_CASE("exit 20: a table that was emptied on purpose goes through once that is said") {
  on_every_pairing([](On primary, On secondary) {
    Synced pairing(primary, secondary, "");
    pairing.secondary.run("UPDATE person SET status = 'edited' WHERE tag = 'a'");
    pairing.primary.run("DELETE FROM person");
    const auto shown = pairing.run({"diff", "person"});
    CHECK(shown.exit == 0);
    CHECK_MESSAGE((shown.out + shown.err)
                          .find("sync would refuse this: table 'person' of the primary is empty") !=
                      std::string::npos,
                  shown.out);
    const auto line =
        pairing.sync({"--accept-mass-change", "person", "--reason", "the outbreak is over"});
    CHECK(line["exit"] == 10);  // what was edited in the secondary is a conflict
    CHECK(pairing.secondary.rows("SELECT tag, status FROM person") == "a|edited");
    CHECK(pairing.run({"log", "-n", "1"}).out.find("the outbreak is over") != std::string::npos);
    // one run was let through, and what is empty now was empty then
    CHECK(pairing.sync()["exit"] == 10);
    CHECK(pairing.run({"resolve", "--all", "--take", "primary"}).exit == 0);
    CHECK(pairing.sync()["exit"] == 0);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person") == "0");

    // it is not said for ever
    pairing.primary.run("INSERT INTO person VALUES (5, 'e', 'Canary7', 'open')");
    CHECK(pairing.sync()["tables"]["person"]["inserted"] == 1);
    pairing.primary.run("DELETE FROM person");
    CHECK(pairing.sync()["exit"] == 20);
  });
}

TEST_CASE("exit 20: more deletes or updates than the limits allow, unless they are accepted") {
  on_every_pairing([](On primary, On secondary) {
    Synced pairing(primary, secondary, "[limits]\nmax_deleted = \"25%\"\nmax_updated = 2\n");
    pairing.primary.run("DELETE FROM person WHERE id IN (1, 2)");
    check_refused(pairing, {20,
                            {"2 of 4 rows of 'person' would be deleted", "max_deleted = 25%"},
                            {"abgleich diff person", "--accept-mass-change person --reason"}});
    CHECK(pairing.run({"diff"}).exit == 0);
    CHECK(pairing.run({"sync", "--accept-mass-change", "person"}).exit == 64);
    const auto near = pairing.run({"sync", "--accept-mass-change", "persom", "--reason", "x"});
    CHECK(near.exit == 64);
    CHECK(near.err.find("did you mean 'person'?") != std::string::npos);
    CHECK(pairing.run({"diff", "persom"}).err.find("did you mean 'person'?") != std::string::npos);
    CHECK(pairing.run({"sync", "--accept-mass-change", "person", "--reason", "they moved"}).exit ==
          0);
    CHECK(pairing.run({"log", "-n", "1"}).out.find("\"they moved\"") != std::string::npos);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person") == "2");

    pairing.primary.run("INSERT INTO person VALUES (5, 'e', 'Canary7', 'open')");
    CHECK(pairing.run({"sync"}).exit == 0);
    pairing.primary.run("UPDATE person SET status = 'case'");
    check_refused(pairing,
                  {20, {"3 of 3 rows of 'person' would be updated", "max_updated = 2"}, {}});
    pairing.primary.run("UPDATE person SET status = 'open' WHERE id = 5");
    CHECK(pairing.run({"sync"}).exit == 0);
  });
}

TEST_CASE("exit 20: the contract's limits of a table go before the configuration's") {
  Synced pairing(On::sqlite, On::sqlite, "[limits]\nmax_deleted = \"100%\"\n",
                 "[tables.person]\nmax_deleted = 0\n" +
                     std::string(kContract).substr(std::string("[tables.person]\n").size()));
  pairing.primary.run("DELETE FROM person WHERE id = 1");
  check_refused(pairing, {20, {"1 of 4 rows", "max_deleted = 0"}, {}});
}

TEST_CASE("exit 21: another database answers behind the primary's URL") {
  for (const auto secondary : kEngines) {
    Pairing pairing(On::postgresql, secondary, kContract);
    std::optional<TemporaryDatabase> vendor(std::in_place);
    const auto make = [&] {
      vendor->run(
          "CREATE TABLE person (id integer PRIMARY KEY, tag text, name text, status text);"
          "INSERT INTO person VALUES (1, 'a', 'Canary7', 'open'), (2, 'b', 'Canary7', 'open'), "
          "(3, 'c', 'Canary7', 'open')");
    };
    make();
    auto text = read_file(pairing.directory / "abgleich.toml");
    const auto ours = pairing.primary.url();
    text.replace(text.find(ours), ours.size(), vendor->url());
    write_file(pairing.directory / "abgleich.toml", text);
    REQUIRE(pairing.sync()["exit"] == 0);

    // the same name, on the same server, made anew
    const auto name = vendor->name();
    PlainConnection server(server_url());
    server.run("DROP DATABASE " + name);
    server.run("CREATE DATABASE " + name + " TEMPLATE template0");
    make();
    vendor->run("DELETE FROM person WHERE id > 1");
    check_refused(pairing, {21, {"not the primary as it was"}, {"abgleich adopt --reason TEXT"}});
    CHECK(pairing.run({"diff"}).exit == 21);
    CHECK(pairing.run({"adopt"}).exit == 64);
    CHECK(pairing.run({"adopt", "--reason", "restored"}).exit == 0);
    CHECK(pairing.run({"sync"}).exit == 20);
    vendor->run(
        "INSERT INTO person VALUES (2, 'b', 'Canary7', 'case'), (3, 'c', 'Canary7', 'open')");
    CHECK(pairing.run({"sync"}).exit == 0);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE status = 'case'") == "1");
    CHECK(pairing.sync()["outcome"] == "unchanged");
  }
}

TEST_CASE("exit 22: the secondary's file was put back from a copy") {
  Synced pairing("[limits]\nmax_deleted = \"100%\"\n");
  const auto file = pairing.directory / "secondary.db";
  const auto copy = pairing.directory / "copy.db";
  pairing.secondary.run("PRAGMA wal_checkpoint");
  fs::copy_file(file, copy);
  pairing.primary.run(
      "UPDATE person SET status = 'case' WHERE id = 1; DELETE FROM person WHERE id = 2");
  REQUIRE(pairing.sync()["exit"] == 0);
  const auto merged = pairing.secondary.rows("SELECT * FROM person ORDER BY id");
  fs::copy_file(copy, file, fs::copy_options::overwrite_existing);
  check_refused(pairing, {22, {"not the secondary as it was", "epoch 1", "epoch 2"}, {"adopt"}});
  CHECK(pairing.run({"diff"}).exit == 22);
  CHECK(pairing.run({"check"}).exit == 22);
  CHECK(pairing.run({"resolve", "--all", "--take", "primary"}).exit == 22);
  CHECK(pairing.run({"status"}).exit == 0);
  CHECK(pairing.run({"adopt", "--reason", "restored"}).exit == 0);
  CHECK(pairing.run({"log", "-n", "1"}).out.find("adopt") != std::string::npos);
  CHECK(pairing.sync()["exit"] == 0);
  CHECK(pairing.secondary.rows("SELECT * FROM person ORDER BY id") == merged);
  CHECK(pairing.sync()["outcome"] == "unchanged");
}

TEST_CASE("exit 22: a secondary that lost its history") {
  for (const auto secondary : kEngines) {
    Synced pairing(On::sqlite, secondary);
    if (secondary == On::postgresql) {
      pairing.secondary.run("DROP SCHEMA abgleich CASCADE");
    } else {
      std::istringstream tables(pairing.secondary.rows(
          "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'abgleich%'"));
      for (std::string table; std::getline(tables, table);) {
        pairing.secondary.run("DROP TABLE " + table);
      }
    }
    check_refused(pairing, {22, {"it has no history, but was last seen at epoch 1"}, {"adopt"}});
    CHECK(pairing.run({"adopt", "--reason", "lost"}).exit == 0);
    const auto line = pairing.sync();  // the rows are adopted: nothing is written to them
    CHECK(line["exit"] == 0);
    CHECK(line["outcome"] == "applied");
    CHECK(line["tables"]["person"]["inserted"] == 0);
    CHECK(line["tables"]["person"]["unchanged"] == 4);
    CHECK(pairing.sync()["outcome"] == "unchanged");
  }
}

TEST_CASE("exit 23: with manage_schema = false the missing DDL is printed, and works by hand") {
  on_every_pairing([](On primary, On secondary) {
    const std::string text = std::string(kContract) +
                             "[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\nid = "
                             "\"plain\"\nperson_id = { class = \"pseudonym\", identity = "
                             "\"person\" }\nplace = \"plain\"\n";
    Pairing pairing(primary, secondary, text);
    pairing.configure("", "manage_schema = false\n");
    fill(pairing.primary);
    pairing.primary.run(
        "CREATE TABLE visit (id integer PRIMARY KEY, person_id integer REFERENCES person (id), "
        "place text, later text); INSERT INTO visit VALUES (1, 1, 'p', NULL), (2, NULL, 'q', "
        "NULL)");
    check_refused(pairing, {23,
                            {"lacks tables or columns", "manage_schema is false"},
                            {"as its owner", "abgleich sync"}});
    CHECK(pairing.run({"diff"}).exit == 0);

    const auto apply_by_hand = [&] {
      const auto ran = pairing.run({"sync"});
      CHECK(ran.exit == 23);
      CAPTURE(ran.out);
      const auto json = Json::parse(pairing.run({"sync", "--json"}).out);
      std::string joined;
      for (const auto& statement : json["ddl"]) {
        joined += statement.get<std::string>() + ";\n";
      }
      CHECK(ran.out == joined);
      pairing.secondary.run(ran.out);
    };
    apply_by_hand();
    CHECK(pairing.run({"sync"}).exit == 0);
    CHECK(pairing.secondary.rows("SELECT tag, place FROM visit LEFT JOIN person ON person.id = "
                                 "person_id ORDER BY visit.id") == "a|p\nNULL|q");
    CHECK(pairing.sync()["outcome"] == "unchanged");

    pairing.set_contract(text + "later = \"plain\"\n");
    pairing.accept_more();
    check_refused(pairing, {23, {"lacks tables or columns"}, {}});
    apply_by_hand();
    CHECK(pairing.run({"sync"}).exit == 0);
    pairing.primary.run("UPDATE visit SET later = 'now' WHERE id = 1");
    CHECK(pairing.run({"sync"}).exit == 0);
    CHECK(pairing.secondary.rows("SELECT later FROM visit ORDER BY id") == "now\nNULL");
  });
}

TEST_CASE("exit 23: drift blocks its table, and the others sync on") {
  on_every_pairing([](On primary, On secondary) {
    Pairing pairing(primary, secondary,
                    std::string(kContract) +
                        "[tables.place]\nkey = [\"id\"]\n[tables.place.columns]\nid = \"plain\"\n"
                        "town = \"plain\"\n");
    fill(pairing.primary);
    pairing.primary.run(
        "CREATE TABLE place (id integer PRIMARY KEY, town text);"
        "INSERT INTO place VALUES (1, 'x'), (2, 'y'), (3, 'z')");
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.primary.run(
        "DROP TABLE person; CREATE TABLE person (nr integer PRIMARY KEY, tag text, name text, "
        "status text); UPDATE place SET town = 'new' WHERE id = 1");
    const auto before = pairing.secondary.rows("SELECT * FROM person ORDER BY id");
    const auto line = pairing.sync();
    CHECK(line["exit"] == 23);
    CHECK(line["tables"]["place"]["updated"] == 1);
    CHECK(!line["tables"].contains("person"));
    CHECK(pairing.secondary.rows("SELECT * FROM person ORDER BY id") == before);
    CHECK(pairing.secondary.rows("SELECT town FROM place WHERE id = 1") == "new");
    const bool blocked = std::ranges::any_of(line["drift"], [](const Json& event) {
      return event["verdict"] == "block" && event["table"] == "person" &&
             !event["hint"].get<std::string>().empty();
    });
    CHECK(blocked);
    CHECK(pairing.run({"drift", "--exit-code"}).exit == 1);
    CHECK(pairing.run({"check"}).exit == 23);
  });
}

TEST_CASE("exit 24: the primary's role lost a column, or row security may hide rows") {
  Pairing pairing(On::postgresql, On::sqlite, kContract, "[limits]\nmax_deleted = \"100%\"\n");
  fill(pairing.primary);
  const auto role = "reader_" + std::to_string(::getpid());
  pairing.primary.run("CREATE ROLE " + role + " LOGIN; GRANT SELECT ON person TO " + role);
  auto text = read_file(pairing.directory / "abgleich.toml");
  text.replace(text.find("user=postgres"), 13, "user=" + role);
  write_file(pairing.directory / "abgleich.toml", text);
  REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
  REQUIRE(pairing.sync()["exit"] == 0);

  pairing.primary.run("REVOKE SELECT ON person FROM " + role +
                      "; GRANT SELECT (id, tag) ON person TO " + role);
  check_refused(pairing, {24, {"'person.status'"}, {"GRANT SELECT"}});
  CHECK(pairing.run({"diff"}).exit == 24);
  CHECK(pairing.run({"check"}).exit == 24);
  pairing.primary.run("REVOKE SELECT (id, tag) ON person FROM " + role);
  check_refused(pairing, {24, {"'person."}, {"GRANT"}});
  pairing.primary.run("GRANT SELECT ON person TO " + role);
  CHECK(pairing.sync()["outcome"] == "unchanged");

  pairing.primary.run(
      "ALTER TABLE person ENABLE ROW LEVEL SECURITY;"
      "CREATE POLICY few ON person USING (id < 3)");
  check_refused(pairing, {24, {"row security", "'person'"}, {}});
  pairing.primary.run("ALTER ROLE " + role + " BYPASSRLS");
  CHECK(pairing.sync()["outcome"] == "unchanged");
  pairing.primary.run("DROP OWNED BY " + role + "; DROP ROLE " + role);
}

TEST_CASE("exit 25: a key that is missing, open to others, damaged or another one") {
  Synced pairing;
  pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
  const auto key = pairing.directory / "abgleich.key";
  const auto kept = pairing.directory / "kept.key";
  const auto bytes = read_file(key);

  REQUIRE(::chmod(key.c_str(), 0644) == 0);
  check_refused(pairing, {25, {"abgleich.key'", "open to others (mode 0644)"}, {"chmod 600"}});
  CHECK(pairing.run({"keys", "check"}).exit == 25);
  CHECK(pairing.run({"check"}).exit == 25);
  REQUIRE(::chmod(key.c_str(), 0600) == 0);

  fs::rename(key, kept);
  check_refused(pairing, {25, {"abgleich.key'", "does not exist"}, {"backup"}});
  fs::create_symlink(kept, key);
  check_refused(pairing, {25, {"is a symbolic link"}, {}});
  fs::remove(key);

  write_file(key, bytes.substr(0, bytes.size() / 2));
  REQUIRE(::chmod(key.c_str(), 0600) == 0);
  check_refused(pairing, {25, {"cut off"}, {"backup"}});
  auto damaged = bytes;
  auto& digit = damaged[damaged.find("epoch 1 ") + 10];
  digit = digit == '0' ? '1' : '0';
  write_file(key, damaged);
  check_refused(pairing, {25, {"damaged"}, {"backup"}});
  fs::remove(key);

  REQUIRE(pairing.run({"keys", "generate"}).exit == 0);
  check_refused(pairing,
                {25, {"not the one that made this secondary's pseudonyms"}, {"right key"}});
  CHECK(pairing.run({"diff"}).exit == 25);
  CHECK(pairing.run({"keys", "generate"}).exit == 25);  // never overwrites
  fs::remove(key);
  fs::rename(kept, key);
  CHECK(pairing.sync()["exit"] == 0);
}

TEST_CASE("exit 26: a secondary that would not take the data unchanged") {
  SUBCASE("a role that may only read") {
    Synced pairing(On::sqlite, On::postgresql);
    const auto role = "looker_" + std::to_string(::getpid());
    pairing.secondary.run("CREATE ROLE " + role + " LOGIN; GRANT USAGE ON SCHEMA abgleich TO " +
                          role + "; GRANT SELECT ON ALL TABLES IN SCHEMA public, abgleich TO " +
                          role + "; REVOKE TEMPORARY ON DATABASE " +
                          pairing.secondary.rows("SELECT current_database()") + " FROM PUBLIC");
    pairing.replace("user=postgres", "user=" + role);
    pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
    check_refused(pairing, {26, {"permission denied"}, {"abgleich check"}});
    CHECK(pairing.run({"status"}).exit == 0);
    CHECK(pairing.run({"check"}).exit == 26);
    pairing.secondary.run("DROP OWNED BY " + role + "; DROP ROLE " + role);
  }
  SUBCASE("a database that is read-only") {
    Synced pairing(On::sqlite, On::postgresql);
    const auto name = pairing.secondary.rows("SELECT current_database()");
    pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
    pairing.secondary.run(
        "ALTER TABLE person RENAME TO person_old;"
        "CREATE VIEW person AS SELECT * FROM person_old");
    check_refused(pairing, {26, {"'person'", "is a view"}, {"target"}});
  }
  SUBCASE("a table without the key") {
    on_every_pairing([](On primary, On secondary) {
      Pairing pairing(primary, secondary, kContract);
      fill(pairing.primary);
      pairing.secondary.run("CREATE TABLE person (id text, tag text, status text)");
      check_refused(pairing, {26, {"'person'", "no primary key or unique constraint"}, {"'key'"}});
      pairing.secondary.run("CREATE UNIQUE INDEX ON_ID ON person (id)");
      CHECK(pairing.sync()["exit"] == 0);
    });
  }
  SUBCASE("a generated column") {
    on_every_pairing([](On primary, On secondary) {
      Pairing pairing(primary, secondary, kContract);
      fill(pairing.primary);
      pairing.secondary.run(
          "CREATE TABLE person (id text PRIMARY KEY, tag text, status text GENERATED ALWAYS AS "
          "(tag) STORED)");
      check_refused(pairing, {26, {"'status' of 'person'", "computed"}, {"withhold"}});
    });
  }
  SUBCASE("a trigger that changes what is written") {
    on_every_pairing([](On primary, On secondary) {
      Pairing pairing(primary, secondary, kContract);
      fill(pairing.primary);
      pairing.secondary.run("CREATE TABLE person (id text PRIMARY KEY, tag text, status text)");
      pairing.secondary.run(
          secondary == On::sqlite
              ? "CREATE TRIGGER shout AFTER INSERT ON person BEGIN UPDATE person SET status = "
                "upper(status) WHERE id = new.id; END"
              : "CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.status = "
                "upper(new.status); RETURN new; END $$; CREATE TRIGGER shout BEFORE INSERT OR "
                "UPDATE ON person FOR EACH ROW EXECUTE FUNCTION shout()");
      check_refused(
          pairing, {26, {"'person.status'", "changes what is written"}, {"owner = \"secondary\""}});
      CHECK(pairing.secondary.rows("SELECT count(*) FROM person") == "0");
      pairing.set_contract(
          "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
          "id = { class = \"pseudonym\", identity = \"person\" }\ntag = \"plain\"\n"
          "status = { class = \"plain\", owner = \"secondary\" }\n");
      CHECK(pairing.sync()["exit"] == 0);
      CHECK(pairing.secondary.rows("SELECT DISTINCT status FROM person ORDER BY 1") ==
            "CANARY7\nOPEN");
      CHECK(pairing.sync()["outcome"] == "unchanged");
    });
  }
  SUBCASE("a trigger that throws rows away") {
    on_every_pairing([](On primary, On secondary) {
      Pairing pairing(primary, secondary, kContract);
      fill(pairing.primary);
      pairing.secondary.run("CREATE TABLE person (id text PRIMARY KEY, tag text, status text)");
      pairing.secondary.run(
          secondary == On::sqlite
              ? "CREATE TRIGGER drop_it BEFORE INSERT ON person BEGIN SELECT RAISE(IGNORE); END"
              : "CREATE FUNCTION drop_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN "
                "NULL; END $$; CREATE TRIGGER drop_it BEFORE INSERT ON person FOR EACH ROW EXECUTE "
                "FUNCTION drop_it()");
      check_refused(pairing, {26, {"'person'"}, {}});
    });
  }
}

TEST_CASE("exit 26: a bookkeeping that another version has made is no damaged one") {
  for (const auto secondary : kEngines) {
    Synced pairing(On::sqlite, secondary);
    const std::string books = secondary == On::sqlite ? "abgleich_" : "abgleich.";
    pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
    const auto refused = [&](const std::string& message) {
      check_refused(pairing, {26, {message}, {"another version", "abgleich --version"}});
      for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
               {"diff"}, {"status"}, {"log"}, {"verify"}, {"check"}, {"adopt", "--reason", "x"}}) {
        CAPTURE(words[0]);
        const auto ran = pairing.run(words);
        CHECK(ran.exit == 26);
        CHECK((ran.out + ran.err).find(message) != std::string::npos);
      }
      CHECK_FALSE(std::filesystem::exists(pairing.directory.path() / "state" / "damaged"));
    };
    // one that has other tables beside: the number says it all
    pairing.secondary.run("UPDATE " + books + "head SET format = 3; ALTER TABLE " + books +
                          "seal RENAME TO " + (secondary == On::sqlite ? books : "") + "proof");
    refused("is of format 3, and this abgleich knows format 2");
    pairing.secondary.run("ALTER TABLE " + books + "proof RENAME TO " +
                          (secondary == On::sqlite ? books : "") + "seal; UPDATE " + books +
                          "head SET format = 2");
    pairing.secondary.run("ALTER TABLE " + books + "run RENAME purged TO forgotten");
    refused("'" + books + "run' has no column 'purged'");
    pairing.secondary.run("ALTER TABLE " + books + "run RENAME forgotten TO purged");
    pairing.secondary.run("ALTER TABLE " + books + "conflict ADD mood text");
    refused("'" + books + "conflict' has 8 columns, and 7 are known");
    pairing.secondary.run("ALTER TABLE " + books + "conflict DROP mood");
    CHECK(pairing.sync()["outcome"] == "applied");
    // a table that is gone, and nothing else, is damage
    pairing.secondary.run("DROP TABLE " + books + "seal");
    check_refused(pairing, {41, {"a table is gone: " + books + "seal"}, {"restore"}});
  }
}

TEST_CASE("exit 30: a database that is not there is named with what was tried, and never made") {
  Synced pairing(On::sqlite, On::postgresql);
  const auto url = pairing.secondary.url();
  const auto database = url.substr(14, url.find('?') - 14);

  pairing.replace("url = \"" + url, "url = \"postgresql:///nosuch?host=/nowhere&user=me");
  check_refused(pairing, {30, {"'/nowhere'", "'nosuch'", "'me'", "secondary"}, {"server running"}});
  CHECK(pairing.run({"check"}).exit == 30);
  CHECK(pairing.run({"status"}).exit == 30);
  pairing.replace("host=/nowhere&user=me", "host=127.0.0.1&port=1&user=me");
  check_refused(pairing, {30, {"'127.0.0.1'", "'1'", "refused"}, {"port"}});
  auto other = url;
  pairing.replace("postgresql:///nosuch?host=127.0.0.1&port=1&user=me",
                  other.replace(14, database.size(), "nosuch"));
  check_refused(pairing, {30, {"no such database", "'nosuch'"}, {"name in the url"}});

  for (const std::string side : {"primary", "secondary"}) {
    CAPTURE(side);
    Synced files;
    files.replace("/" + side + ".db", "/" + side + "-gone.db");
    const auto missing = files.directory / (side + "-gone.db");
    check_refused(files, {30, {side, missing.string()}, {}});
    for (const std::string command : {"check", "diff"}) {
      const auto ran = files.run({command});
      CHECK(ran.exit == 30);
      CHECK((ran.out + ran.err).find(missing.string()) != std::string::npos);
    }
    CHECK(!fs::exists(missing));
    CHECK(files
              .run({"init", "--primary", "sqlite:nix.db", "--secondary", "sqlite:other.db",
                    "--directory", "fresh"})
              .exit == 30);
    CHECK(!fs::exists(files.directory / "nix.db"));
    CHECK(!fs::exists(files.directory / "fresh" / "abgleich.toml"));
  }
}

TEST_CASE("exit 30 or 26: a file that is no database is left as it is") {
  Synced pairing;
  write_file(pairing.directory / "letter.txt",
             "Dear Canary7, this is no database. It is a letter.");
  pairing.replace("/secondary.db", "/letter.txt");
  const auto ran = pairing.run({"sync"});
  CHECK(ran.exit != 0);
  CHECK(ran.exit != 70);
  CHECK(ran.err.find("not a SQLite database") != std::string::npos);
  CHECK(ran.err.find("letter.txt") != std::string::npos);
  CHECK(read_file(pairing.directory / "letter.txt").starts_with("Dear Canary7"));
}

TEST_CASE("exit 41: damaged bookkeeping is said so, and nothing is written over it") {
  for (const auto secondary : kEngines) {
    const std::string books = secondary == On::sqlite ? "abgleich_" : "abgleich.";
    const std::string cells = secondary == On::sqlite ? "x'0102'" : "'\\x0102'";
    for (const auto& [damage, way_out] : std::vector<std::pair<std::string, std::string>>{
             {"UPDATE " + books + "tracked SET columns = 'nonsense'", "adopt"},
             {"UPDATE " + books + "base_1 SET cells = " + cells, "verify --repair-base"}}) {
      CAPTURE(damage);
      Synced pairing(On::sqlite, secondary);
      pairing.secondary.run(damage);
      // a run reads the base of what it has to look at: here, of every row
      std::filesystem::remove_all(pairing.directory.path() / "state" / "cache");
      check_refused(pairing, {41, {"damaged"}, {way_out}});
    }
  }
}

TEST_CASE("exit 64: what is typed wrong is named, and --help is pointed at") {
  Synced pairing;
  struct Typed {
    std::vector<std::string> words;
    std::string says;
  };
  for (const auto& typed : std::vector<Typed>{
           {{}, "subcommand"},
           {{"snyc"}, "unknown command 'snyc'\nhint: did you mean 'sync'?"},
           {{"drift", "acept"}, "did you mean 'accept'?"},
           {{"sync", "--bogus"}, "--bogus"},
           {{"sync", "extra"}, "extra"},
           {{"--color", "mauve", "sync"}, "mauve"},
           {{"sync", "--accept-mass-change"}, "--accept-mass-change"},
           {{"diff", "persom"}, "'persom'"},
           {{"resolve", "--take", "primary"}, "--all"},
           {{"resolve", "abcd"}, "--take"},
           {{"resolve", "abcd", "--take", "mine"}, "mine"},
           {{"resolve", "abc", "--take", "primary"}, "'abc' is too short"},
           {{"resolve", "abcdef012345", "--take", "primary"}, "'abcdef012345'"},
           {{"resolve", "abcd", "--table", "person", "--take", "primary"}, "--all"},
           {{"resolve", "--all", "--table", "persom", "--take", "primary"}, "'persom'"},
           {{"log", "-n", "0"}, "0"},
           {{"log", "-n", "x"}, "x"},
           {{"keys"}, "subcommand"},
           {{"adopt"}, "--reason"},
           {{"init"}, "--primary"},
       }) {
    CAPTURE(typed.says);
    auto ran = pairing.run(typed.words);
    CHECK(ran.exit == 64);
    CHECK(ran.out.empty());
    CHECK(ran.err.starts_with("error: "));
    CHECK_MESSAGE(ran.err.find(typed.says) != std::string::npos, ran.err);
    CHECK(ran.err.find("\nhint: ") != std::string::npos);
    auto words = typed.words;
    words.insert(words.begin(), "--json");
    ran = pairing.run(words);
    CHECK(ran.exit == 64);
    const auto error = Json::parse(ran.err, nullptr, false);
    REQUIRE_MESSAGE(error.is_object(), ran.err);
    CHECK(error["error"]["code"] == 64);
  }
}

TEST_CASE("exit 78: configuration and contract errors have file, line and column") {
  Synced pairing;
  const auto config = read_file(pairing.directory / "abgleich.toml");
  const auto config_name = "abgleich.toml:";
  struct Wrong {
    std::string config;
    std::string contract;
    std::string place;
    std::string says;
  };
  const std::string contract = "format = 1\n" + std::string(kContract);
  for (const auto& wrong : std::vector<Wrong>{
           {"x = [", contract, "abgleich.toml:1:", ""},
           {config + "[sekundary]\n", contract, "abgleich.toml:", "'sekundary'"},
           {config + "[state]\ndirektory = \"x\"\n", contract, "abgleich.toml:", "'direktory'"},
           {config + "[limits]\nmax_deleted = \"500%\"\n", contract,
            "abgleich.toml:", "max_deleted"},
           {"[primary]\nurl = \"oracle:x\"\n[secondary]\nurl = \"sqlite:x\"\n", contract,
            "abgleich.toml:2:7", "oracle"},
           {"[primary]\nurl = \"postgresql://me:Canary7@db/x\"\n[secondary]\nurl = \"sqlite:x\"\n",
            contract, "abgleich.toml:2:7", "password"},
           {config, "format = 2\n", "contract.toml:1:", "2"},
           {config, contract + "status2 = \"plane\"\n", "contract.toml:9:11", "'plane'"},
           {config, contract + "x = { class = \"pseudonym\" }\n", "contract.toml:9:1", "identity"},
           {config, contract + "x = { class = \"plain\", onwer = \"both\" }\n",
            "contract.toml:9:24", "'onwer'"},
           {config, contract + "[tables.other]\nkey = [\"id\"]\n", "contract.toml:", "'other'"},
           {config,
            "format = 1\n[tables.person]\nkey = [\"nr\"]\n[tables.person.columns]\nid = "
            "\"plain\"\n",
            "contract.toml:3:8", "'nr'"},
           {config, contract + "\xff = \"plain\"\n", "contract.toml:", ""},
       }) {
    write_file(pairing.directory / "abgleich.toml", wrong.config);
    write_file(pairing.directory / "contract.toml", wrong.contract);
    check_refused(pairing, {78, {wrong.place, wrong.says}, {}});
    CHECK(pairing.run({"diff"}).exit == 78);
    CHECK(pairing.run({"check"}).exit == 78);
  }
  write_file(pairing.directory / "abgleich.toml", config);
  fs::remove(pairing.directory / "contract.toml");
  check_refused(pairing, {78, {"contract.toml"}, {}});
  write_file(pairing.directory / "contract.toml", contract);

  // a class that does not fit the primary's type is found with its place, too
  write_file(pairing.directory / "contract.toml",
             contract + "birth = { class = \"generalise\", to = \"year\" }\n");
  pairing.primary.run("ALTER TABLE person ADD COLUMN birth integer");
  check_refused(pairing, {78, {"contract.toml:9:1", "'birth'"}, {}});
  (void)config_name;
}

TEST_CASE("exit 78: a state directory that cannot be used is named") {
  Synced pairing;
  const auto state = pairing.directory / "state";
  REQUIRE(::chmod(state.c_str(), 0755) == 0);
  check_refused(pairing, {78, {state.string(), "open to other users"}, {"chmod 700"}});
  fs::remove_all(state);
  write_file(state, "in the way");
  check_refused(pairing, {78, {state.string()}, {"[state] directory"}});
  fs::remove(state);
  fs::create_symlink("/proc/nowhere", state);
  check_refused(pairing, {78, {state.string()}, {"[state] directory"}});
  fs::remove(state);
  CHECK(pairing.sync()["outcome"] == "unchanged");
  CHECK(fs::exists(state / "anchor.json"));
}

TEST_CASE("a run that was applied is not called refused because its witness has no room") {
  Synced pairing;
  // a file in the way of the temporary one: what a full disk does to it as well
  std::filesystem::create_directory(pairing.directory / "state" / "anchor.json.new");
  pairing.primary.run("UPDATE person SET status = 'x' WHERE id = 1");
  const auto line = pairing.sync();
  CHECK(line["outcome"] == "applied");
  CHECK(line["exit"] == 0);
  CHECK(pairing.sync()["outcome"] == "unchanged");
}

TEST_CASE("a state directory that cannot be read is refused, not taken for an empty one") {
  Synced pairing;
  const auto anchor = pairing.directory / "state" / "anchor.json";
  write_file(anchor, "{\"format\":\"abgleich.anchor/1\",\"lineage\":");
  check_refused(pairing, {41, {"anchor.json"}, {"adopt"}});
  write_file(anchor, "{\"format\":\"abgleich.anchor/2\",\"since\":1}");
  check_refused(pairing, {78, {"anchor.json", "another version", "abgleich.anchor/2"}, {"adopt"}});
  fs::remove(anchor);
  fs::create_directory(anchor);
  const auto ran = pairing.run({"sync"});
  CHECK(ran.exit == 78);
  CHECK(ran.err.find("anchor.json") != std::string::npos);
}

TEST_CASE("the configuration is looked for in --config, $ABGLEICH_CONFIG, then here") {
  Synced pairing;
  TemporaryDirectory elsewhere;
  const auto config = (pairing.directory / "abgleich.toml").string();
  const auto run_in = [&](std::vector<std::string> words,
                          const std::vector<std::string>& environment = {}) {
    words.insert(words.begin(), kProgram);
    return run_program(words, elsewhere.path().string(), environment);
  };
  auto ran = run_in({"status"});
  CHECK(ran.exit == 78);
  CHECK(ran.err.find("looked at ./abgleich.toml and /etc/abgleich/abgleich.toml") !=
        std::string::npos);
  CHECK(run_in({"--config", config, "status"}).exit == 0);
  CHECK(run_in({"status", "--config", config}).exit == 0);
  CHECK(run_in({"status"}, {"ABGLEICH_CONFIG=" + config}).exit == 0);
  ran = run_in({"status"}, {"ABGLEICH_CONFIG=/nowhere.toml"});
  CHECK(ran.exit == 78);
  CHECK(ran.err.find("'/nowhere.toml'") != std::string::npos);
  CHECK(run_in({"--config", config, "status"}, {"ABGLEICH_CONFIG=/nowhere.toml"}).exit == 0);
  ran = run_in({"--config", "/nowhere.toml", "status"}, {"ABGLEICH_CONFIG=" + config});
  CHECK(ran.exit == 78);
  CHECK(ran.err.find("'/nowhere.toml'") != std::string::npos);

  // relative paths in it are relative to it
  write_file(elsewhere / "abgleich.toml", "broken");
  CHECK(run_in({"status"}).exit == 78);
  CHECK(run_in({"status"}, {"ABGLEICH_CONFIG=" + config}).exit == 0);
  CHECK(run_in({"--config", config, "sync"}).exit == 0);
  CHECK(!fs::exists(elsewhere / "state"));
}

TEST_CASE("colour is for terminals, unless it is asked for, and NO_COLOR wins over auto") {
  Synced pairing;
  pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
  const auto coloured = [&](const std::vector<std::string>& words,
                            const std::vector<std::string>& environment = {}) {
    const auto ran = pairing.run(words, environment);
    CHECK(ran.exit == 0);
    return ran.out.find('\x1b') != std::string::npos;
  };
  CHECK(!coloured({"diff"}));
  CHECK(!coloured({"diff", "--color=auto"}));
  CHECK(!coloured({"diff", "--color=never"}));
  CHECK(coloured({"diff", "--color=always"}));
  CHECK(coloured({"--color", "always", "diff"}, {"NO_COLOR=1"}));
  CHECK(!coloured({"diff", "--json", "--color=always"}));
  CHECK(coloured({"diff"}, {"ABGLEICH_COLOR=always"}));
  CHECK(!coloured({"diff", "--color=never"}, {"ABGLEICH_COLOR=always"}));

  // on a terminal: script(1) gives it one
  const auto on_terminal = [&](const std::string& before) {
    const auto ran = shell(pairing, before + " script -qec \"'$1' diff\" /dev/null");
    CHECK(ran.exit == 0);
    return ran.out.find("\x1b[3") != std::string::npos;
  };
  CHECK(on_terminal(""));
  CHECK(!on_terminal("NO_COLOR=1"));
  CHECK(on_terminal("NO_COLOR="));
}

TEST_CASE("-q is silent where nothing is wrong, and says what is where something is") {
  Synced pairing;
  const auto quiet = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "-q");
    const auto ran = pairing.run(words);
    CAPTURE(words.back());
    CHECK(ran.exit == 0);
    return ran.out + ran.err;
  };
  CHECK(quiet({"sync"}).empty());
  pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
  CHECK(quiet({"sync", "--dry-run"}).empty());
  CHECK(quiet({"sync"}).empty());
  CHECK(quiet({"drift", "accept"}).empty());
  CHECK(quiet({"drift"}).empty());
  CHECK(quiet({"check"}).empty());
  CHECK(quiet({"keys", "check"}).empty());
  CHECK(quiet({"conflicts"}).empty());
  CHECK(quiet({"quarantine"}).empty());
  CHECK(pairing.run({"sync"}).out.empty());  // nothing to do, nothing to say

  pairing.primary.run("UPDATE person SET status = 'p' WHERE id = 1");
  pairing.secondary.run("UPDATE person SET status = 's' WHERE tag = 'a'");
  const auto ran = pairing.run({"sync", "-q"});
  CHECK(ran.exit == 10);
  CHECK(ran.out.empty());
  CHECK(ran.err.find("1 open conflict; see them: abgleich conflicts") != std::string::npos);
  const auto json = pairing.run({"sync", "-q", "--json"});
  CHECK(json.exit == 10);
  CHECK(Json::parse(json.out)["open"]["conflicts"] == 1);
  CHECK(json.err.empty());
}

namespace {

using Words = std::vector<std::string>;

/// What a help lists under a heading: the first word of every line that is indented by two spaces.
Words listed(const std::string& help, const std::string& heading) {
  Words words;
  std::istringstream lines(help.substr(std::min(help.find("\n" + heading + ":\n"), help.size())));
  std::string line;
  std::getline(lines, line);
  std::getline(lines, line);
  while (std::getline(lines, line) && line.starts_with("  ")) {
    if (line.at(2) != ' ') {
      words.push_back(line.substr(2, line.find(' ', 2) - 2));
    }
  }
  return words;
}

/// The help of this command and of all that are inside it, by what they are called.
void collect_help(const Words& words, std::map<std::string, std::string>& helps) {
  Words call{kProgram};
  std::string called = "abgleich";
  for (const auto& word : words) {
    call.push_back(word);
    called += " " + word;
  }
  call.emplace_back("--help");
  const auto ran = run_program(call, "/");
  CAPTURE(called);
  CHECK(ran.exit == 0);
  CHECK(ran.err.empty());
  helps[called] = ran.out;
  for (const auto& inner : listed(ran.out, "Subcommands")) {
    auto deeper = words;
    deeper.push_back(inner);
    collect_help(deeper, helps);
  }
}

}  // namespace

TEST_CASE("every command's --help names it and lists the exit codes; --version is one line") {
  std::map<std::string, std::string> helps;
  collect_help({}, helps);
  CHECK(helps.size() > 20);
  for (const auto* command : {"abgleich sync", "abgleich keys generate", "abgleich drift accept"}) {
    CHECK(helps.contains(command));
  }
  for (const auto& [called, help] : helps) {
    CAPTURE(called);
    CHECK(help.find("Usage: " + called + " ") != std::string::npos);
    for (const std::string code : {"0",  "1",  "10", "11", "12", "13", "20", "21", "22", "23",
                                   "24", "25", "26", "30", "31", "40", "41", "64", "70", "78"}) {
      CAPTURE(code);
      CHECK(help.find("  " + code + " ") != std::string::npos);
    }
  }
  const auto version = run_program({kProgram, "--version"}, "/");
  CHECK(version.exit == 0);
  CHECK(version.out.starts_with("abgleich "));
  CHECK(std::ranges::count(version.out, '\n') == 1);
}

TEST_CASE("the manual page has every command and option of the help, and the exit codes") {
  std::map<std::string, std::string> helps;
  collect_help({}, helps);
  const auto manual = run_program({kProgram, "manual"}, "/");
  CHECK(manual.exit == 0);
  CHECK(manual.err.empty());
  CHECK(manual.out.starts_with(".TH ABGLEICH 1 "));
  auto plain = manual.out;
  for (auto at = plain.find("\\-"); at != std::string::npos; at = plain.find("\\-", at)) {
    plain.erase(at, 1);
  }
  for (const auto& [called, help] : helps) {
    CAPTURE(called);
    const bool whole = called == "abgleich";
    const auto section = whole ? plain.find("\n.SH OPTIONS\n")
                               : plain.find("\n.SS " + called.substr(called.find(' ') + 1) + "\n");
    REQUIRE(section != std::string::npos);
    const auto text = plain.substr(section, plain.find("\n.S", section + 1) - section);
    for (auto option : listed(help, "Options")) {
      option = option.substr(0, option.find(','));
      CAPTURE(option);
      CHECK(text.find("\\fB" + option) != std::string::npos);
    }
  }
  const auto& help = helps["abgleich"];
  CHECK(plain.find(help.substr(help.find("Exit codes"))) != std::string::npos);
}

TEST_CASE("exit 31: output that cannot be written is no success, but an applied run stays one") {
  Synced pairing;
  pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
  for (const std::string command : {"diff", "diff --json", "status", "log", "check", "--help",
                                    "--version", "sync --help", "sync --dry-run --json"}) {
    CAPTURE(command);
    auto ran = shell(pairing, "exec \"$1\" " + command + " > /dev/full");
    CHECK(ran.exit == 31);
    CHECK(ran.err.find("standard output") != std::string::npos);
    ran = shell(pairing, "exec \"$1\" " + command + " >&-");
    CHECK(ran.exit == 31);
  }
  const auto ran = shell(pairing, "exec \"$1\" sync --json > /dev/full");
  CHECK(ran.exit == 0);  // 31 would say that nothing was touched
  const auto warning = Json::parse(ran.err, nullptr, false);
  REQUIRE_MESSAGE(warning.is_object(), ran.err);
  CHECK(warning["warning"]["message"].get<std::string>().find("was applied") != std::string::npos);
  CHECK(pairing.secondary.rows("SELECT status FROM person WHERE tag = 'a'") == "case");
  CHECK(pairing.sync()["outcome"] == "unchanged");
  const auto said = shell(pairing, "exec \"$1\" sync --full > /dev/full");
  CHECK(said.exit == 0);  // nothing to do, nothing to say
  pairing.primary.run("UPDATE person SET status = 'again' WHERE id = 1");
  const auto lost = shell(pairing, "exec \"$1\" sync > /dev/full");
  CHECK(lost.exit == 0);
  CHECK(lost.err.find("No space left") != std::string::npos);
  CHECK(lost.err.find("warning: run r3-") != std::string::npos);
  CHECK(lost.err.find("untouched") == std::string::npos);
  pairing.primary.run("UPDATE person SET status = 'theirs' WHERE id = 1");
  pairing.secondary.run("UPDATE person SET status = 'ours' WHERE tag = 'a'");
  CHECK(shell(pairing, "exec \"$1\" sync > /dev/full").exit == 10);
  const auto decided = shell(pairing, "exec \"$1\" resolve --all --take primary >&-");
  CHECK(decided.exit == 0);
  CHECK(decided.err.find("was applied") != std::string::npos);
  CHECK(shell(pairing, "exec \"$1\" revert latest --reason x > /dev/full").exit == 0);
  CHECK(shell(pairing, "exec \"$1\" resume --reason x > /dev/full").exit == 0);
  CHECK(shell(pairing, "exec \"$1\" adopt --reason x > /dev/full").exit == 0);
  // a failure keeps its own code
  fs::rename(pairing.directory / "primary.db", pairing.directory / "moved.db");
  CHECK(shell(pairing, "exec \"$1\" sync --json > /dev/full").exit == 30);
  CHECK(shell(pairing, "exec \"$1\" sync > /dev/full 2> /dev/full").exit == 30);
  CHECK(shell(pairing, "exec \"$1\" sync >&- 2>&- <&-").exit == 30);
}

TEST_CASE("a reader that has gone ends the program as it ends any other in a pipe") {
  Synced pairing;
  for (const std::string command : {"log", "diff --json", "--help"}) {
    CAPTURE(command);
    pairing.primary.run("UPDATE person SET status = status || 'x' WHERE id = 1");
    // the reader closes its end before it lets the program start
    const auto ran = shell(pairing, "mkfifo go; { read -r _ < go; \"$1\" " + command +
                                        "; echo $? > code; } | { exec 0<&-; echo > go; }; "
                                        "while ! test -s code; do :; done; rm go");
    CHECK(ran.err.empty());
    CHECK(read_file(pairing.directory / "code") == "141\n");
    fs::remove(pairing.directory / "code");
  }
}

TEST_CASE("a locked SQLite secondary is waited for, then left for the next run") {
  Synced pairing;
  pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
  pairing.secondary.run("BEGIN IMMEDIATE");
  {
    Program waiting(pairing.command({"sync", "--json"}), pairing.directory.path().string());
    waiting.wait_until_open(pairing.directory / "secondary.db");
    pairing.secondary.run("COMMIT");
    const auto ran = waiting.wait();
    CHECK(ran.exit == 0);
  }
  CHECK(pairing.secondary.rows("SELECT status FROM person WHERE tag = 'a'") == "case");
}

}  // namespace abgleich::test
