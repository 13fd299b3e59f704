// Rotation of the key, on every pairing: every pseudonym gets its new form, and nothing else
// changes.
#include "support/pairing.hpp"
#include "support/server.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <thread>

namespace abgleich::test {

namespace {

const char* const kContract = R"(
[tables.person]
key = ["id"]
together = [["status", "status_date"]]
[tables.person.columns]
id = { class = "pseudonym", identity = "person" }
tag = "plain"
guid = { class = "pseudonym", identity = "guid", format = "uuid" }
number = { class = "pseudonym", identity = "number", format = "integer" }
infected_by = { class = "pseudonym", identity = "person" }
phone = { class = "pseudonym", identity = "phone", normalise = "phone" }
born = { class = "generalise", to = "shift:30" }
status = "plain"
status_date = "plain"
note = { class = "plain", owner = "primary" }
[tables.contact]
key = ["person_id", "n"]
[tables.contact.columns]
person_id = { class = "pseudonym", identity = "person" }
n = "plain"
tag = "plain"
risk = "plain"
[tables.sample]
key = ["number"]
[tables.sample.columns]
number = { class = "pseudonym", identity = "number", format = "integer" }
tag = "plain"
result = "plain"
)";

const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

std::string series(int count) {
  return "(WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < " +
         std::to_string(count) + ") SELECT i FROM s) AS series";
}

void fill(Database& primary, int rows) {
  primary.run(
      "CREATE TABLE person (id integer PRIMARY KEY, tag text, guid text, number bigint, "
      "infected_by integer REFERENCES person (id), phone text, born text, status text, "
      "status_date text, note text);"
      "CREATE TABLE contact (person_id integer REFERENCES person (id), n integer, tag text, risk "
      "text, PRIMARY KEY (person_id, n));"
      "CREATE TABLE sample (number bigint PRIMARY KEY, tag text, result text);");
  primary.run(
      "INSERT INTO person SELECT i, 't' || i, 'guid ' || i, i * 7, CASE WHEN i > 9 THEN i / 3 END, "
      "'0531 10000' || i, '1980-05-1' || (i % 10), 'open', '2026-01-0' || (i % 9 + 1), 'n' || "
      "(i % 4) FROM " +
      series(rows));
  primary.run("INSERT INTO contact SELECT i, i % 3, 'c' || i, 'low' FROM " + series(rows));
  primary.run("INSERT INTO sample SELECT i * 7, 's' || i, 'negative' FROM " + series(rows));
}

std::string own(const Database& secondary) {
  return secondary.engine() == On::sqlite ? "abgleich_" : "abgleich.";
}

/// What a rotation must not change: everything but pseudonyms, row by row.
std::string unchanging(Database& secondary) {
  const auto books = own(secondary);
  return secondary.rows("SELECT tag, born, status, status_date, note FROM person ORDER BY tag") +
         "\n" + secondary.rows("SELECT tag, n, risk FROM contact ORDER BY tag") + "\n" +
         secondary.rows("SELECT tag, result FROM sample ORDER BY tag") + "\n" +
         secondary.rows("SELECT tracked, kind, count(*) FROM " + books +
                        "conflict GROUP BY tracked, kind ORDER BY tracked, kind") +
         "\n" +
         secondary.rows("SELECT tracked, column_name, reason, rows FROM " + books +
                        "quarantine ORDER BY 1, 2, 3, 4") +
         "\n" +
         secondary.rows("SELECT epoch, tracked, fate, count(*) FROM " + books +
                        "journal GROUP BY epoch, tracked, fate ORDER BY epoch, tracked, fate");
}

/// tag -> the row's pseudonyms.
std::map<std::string, std::string> pseudonyms(Database& secondary, const std::string& columns,
                                              const std::string& table) {
  std::istringstream lines(
      secondary.rows("SELECT tag, " + columns + " FROM " + table + " ORDER BY tag"));
  std::map<std::string, std::string> by_tag;
  for (std::string line; std::getline(lines, line);) {
    by_tag.emplace(line.substr(0, line.find('|')), line.substr(line.find('|') + 1));
  }
  return by_tag;
}

/// Every text of the secondary, the bookkeeping's too.
std::string everything(Database& secondary) {
  const auto books = own(secondary);
  return secondary.rows("SELECT id, guid, number, infected_by, phone FROM person") +
         secondary.rows("SELECT person_id FROM contact") +
         secondary.rows("SELECT number FROM sample") +
         secondary.rows("SELECT key_text, before, after FROM " + books + "journal") +
         secondary.rows("SELECT key_text, detail FROM " + books + "conflict") +
         secondary.rows("SELECT key_text FROM " + books + "quarantine");
}

/// verify's counts, a table each.
nlohmann::json verified(const Pairing& pairing) {
  const auto ran = pairing.run({"verify", "--json"});
  CHECK_MESSAGE(ran.exit == 0, ran.out, ran.err);
  const auto end = ran.out.find_last_not_of('\n');
  const auto start = ran.out.rfind('\n', end);
  return nlohmann::json::parse(
      ran.out.substr(start == std::string::npos ? 0 : start + 1))["tables"];
}

/// Edits, conflicts of each kind, rows that the primary no longer has, rows that are held back, and
/// a history.
void edit(Pairing& pairing) {
  auto& primary = pairing.primary;
  auto& secondary = pairing.secondary;
  primary.run("UPDATE person SET status = 'case' WHERE id % 5 = 0");
  CHECK(pairing.sync()["outcome"] == "applied");
  primary.run(
      "UPDATE person SET status = 'theirs' WHERE id = 11;"
      "UPDATE person SET note = 'new' WHERE id = 12;"
      "DELETE FROM contact WHERE person_id IN (20, 21, 22);"
      "UPDATE person SET infected_by = NULL WHERE infected_by IN (20, 21, 22);"
      "DELETE FROM person WHERE id IN (20, 21, 22);"
      "UPDATE contact SET risk = 'high' WHERE person_id = 13;"
      "UPDATE person SET phone = 'none' WHERE id = 30;"
      "DELETE FROM sample WHERE number IN (7, 14);");
  secondary.run(
      "UPDATE person SET status = 'ours' WHERE tag IN ('t11', 't20', 't14');"
      "UPDATE person SET note = 'ours' WHERE tag = 't15';"
      "UPDATE person SET phone = 'typed' WHERE tag = 't16';"
      "DELETE FROM contact WHERE tag IN ('c13', 'c14');"
      "UPDATE sample SET result = 'ours' WHERE tag IN ('s1', 's3');"
      "INSERT INTO person (id, tag, status) VALUES ('X-17', 'own', 'own');"
      "INSERT INTO contact (person_id, n, tag, risk) SELECT id, 77, 'own', 'own' FROM person "
      "WHERE tag = 't17'");
  CHECK(pairing.sync()["exit"] == 10);
}

}  // namespace

TEST_CASE("a rotation changes every pseudonym and nothing else, on every pairing") {
  on_every_pairing([](On primary_on, On secondary_on) {
    Pairing pairing(primary_on, secondary_on, kContract, kLimits);
    auto& secondary = pairing.secondary;
    fill(pairing.primary, 40);
    (void)pairing.sync();
    edit(pairing);
    const auto before = unchanging(secondary);
    const auto counts = verified(pairing);
    const auto old_people = pseudonyms(secondary, "id, guid, number, infected_by, phone", "person");
    const auto old_ids = pseudonyms(secondary, "id", "person");
    const auto gone = old_ids.at("t20");  // an orphan: the primary no longer has it

    const auto rotated = pairing.run({"keys", "rotate"});
    CHECK_MESSAGE(rotated.exit == 0, rotated.err);
    CHECK(rotated.out.find("added epoch 2 to ") == 0);
    CHECK(rotated.out.find("then run: abgleich sync") != std::string::npos);
    // until the next run, nothing else goes on
    for (const auto& command : {std::vector<std::string>{"diff"},
                                {"sync", "--dry-run"},
                                {"verify"},
                                {"revert", "r2", "--reason", "test"}}) {
      const auto ran = pairing.run(command);
      CAPTURE(command.front());
      CHECK(ran.exit == 25);
      CHECK(ran.err.find("the key was rotated to epoch 2, and the secondary's pseudonyms are still "
                         "of epoch 1") != std::string::npos);
      CHECK(ran.err.find("abgleich sync") != std::string::npos);
    }
    CHECK(unchanging(secondary) == before);

    const auto ran = pairing.run({"sync"});
    CHECK_MESSAGE(ran.exit == 10, ran.out, ran.err);
    CHECK(ran.err.find("note: the key's epoch 2 is in: ") != std::string::npos);
    CHECK(unchanging(secondary) == before);
    CHECK(verified(pairing) == counts);
    CHECK(pairing.sync()["outcome"] == "unchanged");
    CHECK(secondary.rows("SELECT kind, reason FROM " + own(secondary) +
                         "run ORDER BY epoch DESC LIMIT 1") ==
          "rotate|key rotated from epoch 1 to 2");

    // no old pseudonym is left anywhere
    const auto text = everything(secondary);
    CHECK(text.find("p1_") == std::string::npos);
    for (const auto& [tag, columns] : old_people) {
      std::istringstream cells(columns);
      for (std::string cell; std::getline(cells, cell, '|');) {
        if (cell.size() > 8 && cell != "NULL") {
          CAPTURE(tag);
          CHECK(text.find(cell) == std::string::npos);
        }
      }
    }
    // who was the same is the same, and who was not is not
    const auto ids = pseudonyms(secondary, "id", "person");
    CHECK(ids.at("own") == "X-17");
    CHECK(ids.at("t20").starts_with("p2_"));
    std::set<std::string> distinct;
    for (const auto& [tag, id] : ids) {
      distinct.insert(id);
    }
    CHECK(distinct.size() == ids.size());
    const auto infected = pseudonyms(secondary, "infected_by", "person");
    const auto contacts = pseudonyms(secondary, "person_id", "contact");
    for (int i = 1; i <= 40; ++i) {
      const auto tag = "t" + std::to_string(i);
      if (i > 9 && ids.contains(tag) && infected.at(tag) != "NULL") {
        CHECK(infected.at(tag) == ids.at("t" + std::to_string(i / 3)));
      }
      if (contacts.contains("c" + std::to_string(i)) && ids.contains(tag)) {
        CHECK(contacts.at("c" + std::to_string(i)) == ids.at(tag));
      }
    }
    CHECK(contacts.at("own") == ids.at("t17"));
    CHECK(pseudonyms(secondary, "phone", "person").at("t16") == "typed");
    CHECK(pseudonyms(secondary, "number", "sample").at("s5") ==
          pseudonyms(secondary, "number", "person").at("t5"));

    // and they are those that a first run with the new key makes
    Pairing fresh(primary_on, secondary_on, kContract, kLimits);
    write_file(fresh.directory / "abgleich.toml", "[primary]\nurl = \"" + pairing.primary.url() +
                                                      "\"\n[secondary]\nurl = \"" +
                                                      fresh.secondary.url() + "\"\n");
    write_file(fresh.directory / "abgleich.key", read_file(pairing.directory / "abgleich.key"));
    (void)fresh.sync();
    const auto now = pseudonyms(secondary, "id, guid, number, infected_by", "person");
    for (const auto& [tag, expected] :
         pseudonyms(fresh.secondary, "id, guid, number, infected_by", "person")) {
      CAPTURE(tag);
      CHECK(now.at(tag) == expected);
    }

    const auto rotation =
        secondary.rows("SELECT id FROM " + own(secondary) + "run WHERE kind = 'rotate'");
    const auto back = pairing.run({"revert", rotation, "--reason", "test"});
    CHECK(back.exit == 64);
    CHECK(back.err.find("run " + rotation + " rotated the key") != std::string::npos);

    // the history can still be shown and taken back
    const auto shown = pairing.run({"show", "r2"});
    CHECK_MESSAGE(shown.exit == 0, shown.err);
    CHECK(shown.out.find(ids.at("t5")) != std::string::npos);
    const auto reverted = pairing.run({"revert", "r2", "--reason", "test"});
    CHECK_MESSAGE((reverted.exit == 0 || reverted.exit == 10), reverted.out, reverted.err);
    CHECK(secondary.rows("SELECT status FROM person WHERE tag = 't5'") == "open");
    CHECK(pairing.run({"resume", "--reason", "test"}).exit == 0);
    (void)pairing.sync();
    // and conflicts decided
    CHECK(pairing.run({"resolve", "--all", "--take", "secondary"}).exit <= 11);
    CHECK(pairing.sync({"--full"})["open"]["conflicts"] == 0);

    // once more, from there, and over two epochs at once
    CHECK(pairing.run({"keys", "rotate", "-q"}).exit == 0);
    CHECK(pairing.run({"keys", "rotate", "-q"}).exit == 0);
    (void)pairing.sync();
    CHECK(pseudonyms(secondary, "id", "person").at("t5").starts_with("p4_"));
    CHECK(pseudonyms(secondary, "id", "person").at("own") == "X-17");
    CHECK(everything(secondary).find("p2_") == std::string::npos);
    CHECK(gone.starts_with("p1_"));
    (void)verified(pairing);
  });
}

TEST_CASE("a rotation that is killed anywhere is done by the next run, in every pseudonym") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Pairing pairing(engine, engine, kContract, kLimits);
    auto& secondary = pairing.secondary;
    fill(pairing.primary, 1500);
    (void)pairing.sync();
    edit(pairing);
    const auto before = unchanging(secondary);
    const auto counts = verified(pairing);
    int killed = 0;
    int epoch = 2;
    // how long it takes undisturbed, here and now
    CHECK(pairing.run({"keys", "rotate", "-q"}).exit == 0);
    auto began = std::chrono::steady_clock::now();
    CHECK(pairing.run({"sync", "-q"}).exit == 10);
    auto whole = std::chrono::steady_clock::now() - began;
    constexpr int kKills = 8;
    for (int i = 0; killed < kKills && i < 20 * kKills; ++i) {
      const auto prefix = "p" + std::to_string(epoch) + "_";
      if (secondary.rows("SELECT id FROM person WHERE tag = 't1'").starts_with(prefix)) {
        // in step with the key: the next epoch
        CHECK(pairing.run({"keys", "rotate", "-q"}).exit == 0);
        ++epoch;
      }
      began = std::chrono::steady_clock::now();
      Program program(pairing.command({"sync", "-q"}), pairing.directory.path().string());
      std::this_thread::sleep_for(whole * (i % kKills + 1) / (kKills + 2));
      program.kill(SIGKILL);
      if (program.wait().exit == 128 + SIGKILL) {
        ++killed;
      } else {
        // the machine is faster now than when it was measured
        whole = std::min(whole, std::chrono::steady_clock::now() - began);
      }
      if (engine == On::postgresql) {
        // the server takes back what was open when it sees that the client has gone
        wait_for(secondary.url(),
                 "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'abgleich' AND "
                 "datname = current_database()",
                 "0");
      }
      CHECK(unchanging(secondary) == before);
      const auto mixed =
          secondary.rows("SELECT count(DISTINCT substr(id, 1, 3)) FROM person WHERE tag <> 'own'");
      CHECK(mixed == "1");
    }
    CHECK(killed == kKills);
    const auto ran = pairing.run({"sync"});
    CHECK_MESSAGE(ran.exit == 10, ran.err);
    CHECK(unchanging(secondary) == before);
    CHECK(verified(pairing) == counts);
    CHECK(secondary.rows("SELECT id FROM person WHERE tag = 't1'")
              .starts_with("p" + std::to_string(epoch) + "_"));
    CHECK(pairing.sync()["outcome"] == "unchanged");
  }
}

TEST_CASE("a rotation that stands is told, whatever becomes of the sync behind it") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Pairing pairing(engine, engine, kContract, "[limits]\nmax_deleted = 0\n");
    fill(pairing.primary, 20);
    (void)pairing.sync();
    pairing.primary.run("DELETE FROM sample");
    pairing.primary.run("DELETE FROM contact WHERE n = 1");
    CHECK(pairing.run({"keys", "rotate", "-q"}).exit == 0);
    const auto ran = pairing.run({"sync", "--json"});
    const auto line = nlohmann::json::parse(ran.out);
    CHECK(ran.exit == 11);
    CHECK(line["outcome"] == "applied");
    CHECK(line["run"].get<std::string>().starts_with("r2-"));
    CHECK_MESSAGE(
        ran.err.find("the rows of the primary were not compared after it") != std::string::npos,
        ran.err);
    CHECK(ran.err.find("othing was changed") == std::string::npos);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE id LIKE 'p2%'") == "20");
    // and the next run is refused as itself
    CHECK(pairing.run({"sync"}).exit == 20);
  }
}

TEST_CASE("foreign keys of the secondary that cannot be deferred survive a rotation") {
  Pairing pairing(On::postgresql, On::postgresql, kContract, kLimits);
  pairing.secondary.run(
      "CREATE TABLE person (id text PRIMARY KEY, tag text, guid uuid UNIQUE, number bigint UNIQUE, "
      "infected_by text REFERENCES person (id), phone text, born text, status text, status_date "
      "text, note text);"
      "CREATE TABLE contact (person_id text REFERENCES person (id) ON UPDATE RESTRICT, n integer, "
      "tag text, risk text, PRIMARY KEY (person_id, n));"
      "CREATE TABLE sample (number bigint PRIMARY KEY REFERENCES person (number) ON UPDATE "
      "CASCADE, tag text, result text)");
  fill(pairing.primary, 40);
  (void)pairing.sync();
  const auto before = unchanging(pairing.secondary);
  CHECK(pairing.run({"keys", "rotate", "-q"}).exit == 0);
  const auto ran = pairing.run({"sync"});
  CHECK_MESSAGE(ran.exit == 0, ran.err);
  CHECK(unchanging(pairing.secondary) == before);
  CHECK(pairing.secondary.rows("SELECT count(*) FROM contact WHERE person_id LIKE 'p2@_%' ESCAPE "
                               "'@'") == "40");
}

TEST_CASE("a rotation that cannot be whole changes nothing, and says why") {
  Pairing pairing(On::postgresql, On::postgresql, kContract, kLimits);
  fill(pairing.primary, 10);
  CHECK(pairing.run({"drift", "accept", "-q"}).exit == 0);
  (void)pairing.sync();
  CHECK(pairing.run({"keys", "rotate", "-q"}).exit == 0);
  const auto before = everything(pairing.secondary);

  pairing.primary.run("ALTER TABLE sample RENAME COLUMN number TO nummer");
  auto ran = pairing.run({"sync"});
  CHECK(ran.exit == 23);
  CHECK(ran.err.find("the key cannot be rotated while drift blocks 'sample'") != std::string::npos);
  pairing.primary.run("ALTER TABLE sample RENAME COLUMN nummer TO number");

  pairing.secondary.run(
      "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
      "CREATE TRIGGER refuse BEFORE UPDATE ON contact FOR EACH ROW EXECUTE FUNCTION refuse()");
  ran = pairing.run({"sync"});
  CHECK(ran.exit == 26);
  CHECK(ran.err.find("the secondary does not take the new pseudonyms: ") != std::string::npos);
  pairing.secondary.run("DROP TRIGGER refuse ON contact");

  pairing.secondary.run("ALTER TABLE person ADD CHECK (id NOT LIKE 'p2%')");
  ran = pairing.run({"sync"});
  CHECK(ran.exit == 26);
  CHECK(ran.err.find("23514") != std::string::npos);
  CHECK(everything(pairing.secondary) == before);
  pairing.secondary.run("ALTER TABLE person DROP CONSTRAINT person_id_check");
  CHECK(pairing.sync()["exit"] == 0);
}

TEST_CASE("an older key file is the wrong key after a rotation") {
  Pairing pairing(On::sqlite, On::sqlite, kContract, kLimits);
  fill(pairing.primary, 10);
  (void)pairing.sync();
  const auto old_key = read_file(pairing.directory / "abgleich.key");
  CHECK(pairing.run({"keys", "rotate", "-q"}).exit == 0);
  (void)pairing.sync();
  write_file(pairing.directory / "abgleich.key", old_key);
  const auto ran = pairing.run({"sync"});
  CHECK(ran.exit == 25);
  CHECK(ran.err.find("the key file is not the one that made this secondary's pseudonyms") !=
        std::string::npos);
}

TEST_CASE("keys check says whether the secondary's pseudonyms are of this key") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Pairing pairing(engine, engine, kContract, kLimits);
    fill(pairing.primary, 10);
    const auto says = [&](const std::string& words, int exit = 0) {
      const auto ran = pairing.run({"keys", "check"});
      CHECK(ran.exit == exit);
      CHECK_MESSAGE((ran.out + ran.err).find(words) != std::string::npos, ran.out, ran.err);
    };
    says("; the secondary has no pseudonyms yet\n");
    (void)pairing.sync();
    says("; the secondary's pseudonyms are of it\n");
    CHECK(pairing.run({"keys", "check", "--json"}).out.find("\"secondary\":\"this key\"") !=
          std::string::npos);
    CHECK(pairing.run({"keys", "rotate", "-q"}).exit == 0);
    says("the key was rotated to epoch 2, and the secondary's pseudonyms are still of epoch 1", 25);
    (void)pairing.sync();
    says("; the secondary's pseudonyms are of it\n");
    std::filesystem::remove(pairing.directory / "abgleich.key");
    CHECK(pairing.run({"keys", "generate", "-q"}).exit == 0);
    says("the key file is not the one that made this secondary's pseudonyms", 25);
    write_file(pairing.directory / "abgleich.toml",
               "[primary]\nurl = \"" + pairing.primary.url() +
                   "\"\n[secondary]\nurl = \"sqlite:nowhere.db\"\n");
    says("; whether the secondary's pseudonyms are of it, is not known: ");
  }
}

TEST_CASE("a table that the contract no longer names does not hinder a rotation") {
  Pairing pairing(On::sqlite, On::sqlite, kContract, kLimits);
  fill(pairing.primary, 10);
  (void)pairing.sync();
  const std::string all = kContract;
  pairing.set_contract(all.substr(0, all.find("[tables.sample]")));
  CHECK(pairing.run({"keys", "rotate", "-q"}).exit == 0);
  CHECK(pairing.sync()["exit"] == 0);
  CHECK(pairing.run({"verify"}).exit == 0);
  CHECK(pairing.secondary.rows("SELECT count(*) FROM abgleich_base_3") == "0");
  // named again, its rows are adopted or conflict; none is lost
  pairing.set_contract(all);
  pairing.accept_more();
  (void)pairing.sync();
  CHECK(pairing.run({"verify"}).exit == 0);
}

TEST_CASE("a key that systemd holds is not rotated in place") {
  Pairing pairing(On::sqlite, On::sqlite, kContract);
  write_file(pairing.directory / "abgleich.toml",
             "[primary]\nurl = \"" + pairing.primary.url() + "\"\n[secondary]\nurl = \"" +
                 pairing.secondary.url() + "\"\n[keys]\ncredential = \"abgleich.key\"\n");
  const auto directory = pairing.directory.path().string();
  const auto rotated = pairing.run({"keys", "rotate"}, {"CREDENTIALS_DIRECTORY=" + directory});
  CHECK(rotated.exit == 25);
  CHECK(rotated.err.find("which cannot be written") != std::string::npos);
  const auto made = pairing.run({"keys", "generate"}, {"CREDENTIALS_DIRECTORY=" + directory});
  CHECK(made.exit == 25);
  CHECK(made.err.find("hint: generate the file that the credential is made of") !=
        std::string::npos);
  CHECK(pairing.run({"keys", "check"}, {"CREDENTIALS_DIRECTORY=" + directory}).exit == 0);
  const auto without = pairing.run({"keys", "check"});
  CHECK(without.exit == 25);
  CHECK(without.err.find("systemd has not started this process with credentials") !=
        std::string::npos);
}

TEST_CASE("rotate: columns that are exported no longer get new pseudonyms too, and old names") {
  on_every_pairing([](On primary, On secondary) {
    const std::string person =
        "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
        "id = { class = \"pseudonym\", identity = \"person\" }\ntag = \"plain\"\n";
    const std::string mail = "mail = { class = \"pseudonym\", identity = \"mail\" }\n";
    const std::string visit =
        "[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\nid = \"plain\"\n";
    Pairing pairing(primary, secondary,
                    person + mail + visit +
                        "person_id = { class = \"pseudonym\", identity = \"person\" }\n"
                        "number = { class = \"pseudonym\", identity = \"number\", format = "
                        "\"integer\" }\n",
                    kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, tag text, mail text);"
        "CREATE TABLE visit (id integer PRIMARY KEY, person_id integer REFERENCES person (id),"
        " number bigint);"
        "INSERT INTO person VALUES (1, 'a', 'one'), (2, 'b', 'two'), (3, 'c', NULL);"
        "INSERT INTO visit VALUES (1, 1, 11), (2, 2, 22), (3, 1, 33), (4, NULL, NULL)");
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.primary.run("UPDATE person SET mail = 'uno' WHERE id = 1");
    REQUIRE(pairing.sync()["exit"] == 0);  // so that the journal has images of it
    const auto numbers = pairing.secondary.rows("SELECT number FROM visit ORDER BY id");

    // dropped by the vendor, or withdrawn; one gets another name in the secondary
    pairing.primary.run("ALTER TABLE person DROP COLUMN mail");
    pairing.set_contract(person + visit + "number = \"withhold\"\nperson_id = \"withhold\"\n");
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.primary.run("ALTER TABLE person ADD COLUMN mail integer");
    pairing.set_contract(person + "mail = \"plain\"\n" + visit +
                         "number = \"withhold\"\nperson_id = \"withhold\"\n");
    pairing.accept_more();
    REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
    REQUIRE(pairing.sync()["exit"] == 0);
    CHECK(pairing.secondary.rows("SELECT count(mail_gone) FROM person") == "2");

    REQUIRE(pairing.run({"keys", "rotate"}).exit == 0);
    const auto line = pairing.sync();
    CHECK_MESSAGE(line["exit"] == 0, line.dump());
    const auto books = own(pairing.secondary);
    const auto held =
        pairing.secondary.rows("SELECT * FROM person") +
        pairing.secondary.rows("SELECT * FROM visit") +
        pairing.secondary.rows("SELECT key_text, before, after FROM " + books + "journal");
    CHECK(held.find("p1_") == std::string::npos);
    CHECK(held.find("p2_") != std::string::npos);
    // joins hold
    CHECK(pairing.secondary.rows("SELECT v.id, p.tag FROM visit v JOIN person p ON p.id = "
                                 "v.person_id ORDER BY v.id") == "1|a\n2|b\n3|a");
    CHECK(pairing.secondary.rows("SELECT count(DISTINCT mail_gone) FROM person") == "2");
    CHECK(pairing.secondary.rows("SELECT count(number), count(DISTINCT number) FROM visit") ==
          "3|3");
    CHECK(pairing.secondary.rows("SELECT number FROM visit ORDER BY id") != numbers);
    CHECK(pairing.sync()["outcome"] == "unchanged");
    const auto verified = pairing.run({"verify", "--exit-code"});
    CHECK_MESSAGE(verified.exit == 0, verified.out, verified.err);
  });
}

}  // namespace abgleich::test
