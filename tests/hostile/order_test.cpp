// Order tells nothing: where rows lie in the secondary, and how they are numbered, has to do with
// their masked keys only. The key files are fixed, so each figure is the same in every run.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <sys/stat.h>
#include <unistd.h>

namespace abgleich::test {

namespace {

// `n` and `tag` are the primary's own order, in the clear for this test.
const char* const kContract = R"(
[tables.person]
key = ["id"]
[tables.person.columns]
id = { class = "pseudonym", identity = "person" }
tag = "plain"
status = { class = "plain", codes = ["a", "b", "c"] }
surname = "withhold"
[tables.sample]
key = ["number"]
[tables.sample.columns]
number = { class = "pseudonym", identity = "number", format = "integer" }
tag = "plain"
status = "plain"
[tables.contact]
key = ["person_id", "n"]
[tables.contact.columns]
person_id = { class = "pseudonym", identity = "person" }
n = "plain"
tag = "plain"
status = "plain"
)";

const char* const kAnything = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

struct Table {
  std::string name;
  std::string key;  // as the secondary has it, in one text
  int tracked = 0;
};

const std::vector<Table> kTables{
    {"person", "id", 1}, {"sample", "number", 2}, {"contact", "person_id", 3}};

/// The key of one epoch, or of two.
void put_key(const Pairing& pairing, int epochs) {
  const auto file = pairing.directory / "abgleich.key";
  const auto epoch = [](int number, char first, char second, char third) {
    return "epoch " + std::to_string(number) + " " + std::string(64, first) + " " +
           std::string(64, second) + " " + std::string(64, third) + "\n";
  };
  auto text = "abgleich-keyring 1\n" + epoch(1, '1', '2', '3');
  text += epochs == 1 ? "checksum fe31ed9689d37ec097ee004c45662de3\n"
                      : epoch(2, '4', '5', '6') + "checksum fd8a16d6d19a07e31178a792d820399d\n";
  std::filesystem::remove(file);
  write_file(file, text);
  REQUIRE(::chmod(file.c_str(), 0600) == 0);
}

void make_primary(Database& primary) {
  primary.run(
      "CREATE TABLE person (id integer PRIMARY KEY, tag integer, status text, surname text);"
      "CREATE TABLE sample (number integer PRIMARY KEY, tag integer, status text);"
      "CREATE TABLE contact (person_id integer, n integer, tag integer, status text, PRIMARY KEY "
      "(person_id, n));");
}

/// Rows `from` to `to`, in the order of time.
void add_rows(Database& primary, int from, int to) {
  const auto series = "(WITH RECURSIVE s(i) AS (SELECT " + std::to_string(from) +
                      " UNION ALL SELECT i + 1 FROM s WHERE i < " + std::to_string(to) +
                      ") SELECT i FROM s) AS series";
  primary.run("INSERT INTO person SELECT i, i, 'a', 'S' || i FROM " + series);
  primary.run("INSERT INTO sample SELECT i * 3, i, 'a' FROM " + series);
  primary.run("INSERT INTO contact SELECT i, 1, i, 'a' FROM " + series);
}

std::string place(const Database& secondary) {
  return secondary.engine() == On::postgresql ? "ctid" : "rowid";
}

std::string own(const Database& secondary, const std::string& table) {
  return (secondary.engine() == On::postgresql ? "abgleich." : "abgleich_") + table;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  return lines;
}

std::vector<double> numbers(const std::vector<std::string>& texts) {
  std::vector<double> values;
  values.reserve(texts.size());
  for (const auto& text : texts) {
    values.push_back(std::stod(text));
  }
  return values;
}

/// Spearman's rank correlation of the order in which values come with the values, which differ.
double correlation(const std::vector<double>& values) {
  auto sorted = values;
  std::ranges::sort(sorted);
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto rank = std::ranges::lower_bound(sorted, values[i]) - sorted.begin();
    const auto apart = static_cast<double>(rank) - static_cast<double>(i);
    sum += apart * apart;
  }
  return 1 - 6 * sum / (n * (n * n - 1));
}

/// What chance allows: four standard deviations.
void check_chance(const std::string& what, const std::vector<double>& values) {
  CAPTURE(what);
  REQUIRE(values.size() > 100);
  CHECK(std::abs(correlation(values)) < 4 / std::sqrt(static_cast<double>(values.size()) - 1));
}

/// Key in the secondary -> the primary's number.
std::map<std::string, std::string> tags(Database& secondary, const Table& table) {
  std::map<std::string, std::string> by_key;
  for (const auto& line :
       lines_of(secondary.rows("SELECT " + table.key + ", tag FROM " + table.name))) {
    by_key.emplace(line.substr(0, line.find('|')), line.substr(line.find('|') + 1));
  }
  return by_key;
}

/// The first value of {"id":"text:p1_…"}.
std::string key_in(const std::string& key_text) {
  const auto colon = key_text.find(':', key_text.find("\":") + 2);
  return key_text.substr(colon + 1, key_text.find('"', colon) - colon - 1);
}

std::vector<double> tags_of(const std::vector<std::string>& keys,
                            const std::map<std::string, std::string>& by_key) {
  std::vector<std::string> found;
  for (const auto& key : keys) {
    found.push_back(by_key.at(key));
  }
  return numbers(found);
}

/// The primary's numbers of the rows `from` to `to`, as they lie in data and base.
void check_data(Database& secondary, int from, int to) {
  for (const auto& table : kTables) {
    CAPTURE(table.name);
    const auto which = " WHERE tag BETWEEN " + std::to_string(from) + " AND " + std::to_string(to);
    check_chance("data", numbers(lines_of(secondary.rows("SELECT tag FROM " + table.name + which +
                                                         " ORDER BY " + place(secondary)))));
    const auto base = own(secondary, "base_" + std::to_string(table.tracked));
    check_chance("base", numbers(lines_of(secondary.rows(
                             "SELECT t.tag FROM " + base + " b JOIN " + table.name + " t ON t." +
                             table.key + " = b.k0" + which + " ORDER BY b." + place(secondary)))));
  }
}

/// The numbers and places of what one run wrote into the journal.
void check_journal(Database& secondary, int epoch) {
  for (const auto& table : kTables) {
    CAPTURE(table.name);
    const auto by_key = tags(secondary, table);
    for (const auto& order : {std::string("n"), place(secondary)}) {
      std::vector<std::string> keys;
      for (const auto& text :
           lines_of(secondary.rows("SELECT key_text FROM " + own(secondary, "journal") +
                                   " WHERE epoch = " + std::to_string(epoch) + " AND tracked = " +
                                   std::to_string(table.tracked) + " ORDER BY " + order))) {
        keys.push_back(key_in(text));
      }
      check_chance("journal by " + order, tags_of(keys, by_key));
    }
  }
}

void check_findings(Database& secondary, const std::string& findings) {
  const auto by_key = tags(secondary, kTables.front());
  std::vector<std::string> keys;
  for (const auto& text : lines_of(secondary.rows(
           "SELECT key_text FROM " + own(secondary, findings) + " ORDER BY " + place(secondary)))) {
    keys.push_back(key_in(text));
  }
  check_chance(findings, tags_of(keys, by_key));
}

}  // namespace

TEST_CASE("order tells nothing: a first load, ten thousand inserts, findings, and a rotation") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Pairing pairing(engine, engine, kContract, kAnything);
    put_key(pairing, 1);
    auto& primary = pairing.primary;
    auto& secondary = pairing.secondary;
    make_primary(primary);
    add_rows(primary, 1, 1000);
    CHECK(pairing.sync()["outcome"] == "applied");
    check_data(secondary, 1, 1000);
    // a control: the measure sees the order of a table that is laid down as the primary's
    secondary.run("CREATE TABLE control AS SELECT tag FROM person ORDER BY tag");
    CHECK(correlation(numbers(lines_of(
              secondary.rows("SELECT tag FROM control ORDER BY " + place(secondary))))) == 1);

    add_rows(primary, 1001, 11000);
    CHECK(pairing.sync()["tables"]["person"]["inserted"] == 10000);
    check_data(secondary, 1001, 11000);
    check_journal(secondary, 2);

    // rows that change, that conflict, and that are held back
    primary.run(
        "UPDATE sample SET status = 'b'; UPDATE contact SET status = 'b';"
        "UPDATE person SET status = 'b' WHERE tag <= 400;"
        "UPDATE person SET status = 'none' WHERE tag BETWEEN 401 AND 800;"
        "UPDATE person SET status = 'b' WHERE tag BETWEEN 1001 AND 3000");
    secondary.run("UPDATE person SET status = 'c' WHERE tag <= 400");
    const auto json = pairing.sync();
    CHECK(json["tables"]["person"]["conflicts"] == 400);
    CHECK(json["tables"]["person"]["quarantined"] == 400);
    // which rows are new may be known, and is the primary's order here; not that within them
    check_data(secondary, 1, 400);
    check_data(secondary, 401, 1000);
    check_data(secondary, 1001, 3000);
    check_data(secondary, 3001, 11000);
    check_journal(secondary, 3);
    check_findings(secondary, "conflict");
    check_findings(secondary, "quarantine");

    // a new epoch: neither the primary's order nor that of the old pseudonyms
    std::map<std::string, std::map<std::string, double>> old;  // table -> tag -> old rank
    for (const auto& table : kTables) {
      const auto order = engine == On::postgresql && table.key != "number" ? " COLLATE \"C\"" : "";
      double rank = 0;
      for (const auto& tag : lines_of(secondary.rows("SELECT tag FROM " + table.name +
                                                     " ORDER BY " + table.key + order))) {
        old[table.name][tag] = ++rank;
      }
    }
    put_key(pairing, 2);
    CHECK(pairing.sync()["exit"] == 10);
    REQUIRE(secondary.rows("SELECT count(*) FROM person WHERE id LIKE 'p2%'") == "11000");
    check_data(secondary, 1, 11000);
    check_journal(secondary, 2);
    check_journal(secondary, 3);
    check_findings(secondary, "conflict");
    check_findings(secondary, "quarantine");
    for (const auto& table : kTables) {
      CAPTURE(table.name);
      std::vector<double> ranks;
      for (const auto& tag : lines_of(
               secondary.rows("SELECT tag FROM " + table.name + " ORDER BY " + place(secondary)))) {
        ranks.push_back(old[table.name].at(tag));
      }
      check_chance("old pseudonyms", ranks);
    }
    const auto verified = pairing.run({"verify"});
    CHECK_MESSAGE(verified.exit == 0, verified.out, verified.err);
    CHECK(verified.err.find("lay-down") == std::string::npos);
    CHECK(pairing.sync()["outcome"] == "unchanged");
  }
}

TEST_CASE("a table that is filled later, and all that is printed, tell no order either") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Pairing pairing(engine, engine, kContract, kAnything);
    put_key(pairing, 1);
    auto& secondary = pairing.secondary;
    make_primary(pairing.primary);
    add_rows(pairing.primary, 1, 600);
    pairing.primary.run("CREATE TABLE kept AS SELECT * FROM contact; DELETE FROM contact");
    REQUIRE(pairing.sync()["tables"]["person"]["inserted"] == 600);
    pairing.primary.run("INSERT INTO contact SELECT * FROM kept ORDER BY tag");
    REQUIRE(pairing.sync()["tables"]["contact"]["inserted"] == 600);
    check_data(secondary, 1, 600);

    const auto by_key = tags(secondary, kTables.front());
    // which rows have which fate may be known, and is the primary's order here
    const auto check_printed = [&](const std::vector<std::string>& words, std::size_t fates) {
      std::map<std::string, std::vector<std::string>> keys;
      for (const auto& line : lines_of(pairing.run(words).out)) {
        const auto json = nlohmann::json::parse(line);
        if (json.contains("key") && json["table"] == "person") {
          keys[json.value("fate", "")].push_back(json["key"]["id"]);
        }
      }
      CHECK(keys.size() == fates);
      for (const auto& [fate, of_fate] : keys) {
        check_chance(words.front() + " " + fate, tags_of(of_fate, by_key));
      }
    };
    pairing.primary.run(
        "UPDATE person SET status = 'b' WHERE tag <= 400;"
        "UPDATE person SET status = 'none' WHERE tag > 400");
    secondary.run("UPDATE person SET status = 'c' WHERE tag <= 200");
    check_printed({"diff", "--json"}, 3);
    REQUIRE(pairing.sync()["exit"] == 10);
    check_printed({"show", "r3", "--json"}, 1);
    check_printed({"conflicts", "--json"}, 1);
    check_printed({"quarantine", "--json"}, 1);
    CHECK(pairing.run({"resolve", "--all", "--take", "primary"}).exit == 0);
    check_printed({"show", "r4", "--json"}, 1);
  }
}

TEST_CASE("a secondary that lies in the primary's order is laid down anew on demand") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Pairing pairing(engine, engine, kContract, kAnything);
    put_key(pairing, 1);
    make_primary(pairing.primary);
    auto& secondary = pairing.secondary;
    add_rows(pairing.primary, 1, 300);
    CHECK(pairing.sync()["outcome"] == "applied");
    add_rows(pairing.primary, 301, 600);
    CHECK(pairing.sync()["outcome"] == "applied");
    CHECK(pairing.run({"check"}).out.find("lay-down") == std::string::npos);

    // as an older abgleich has written it
    for (const auto& table : kTables) {
      secondary.run("CREATE TABLE aside AS SELECT * FROM " + table.name + "; DELETE FROM " +
                    table.name + "; INSERT INTO " + table.name +
                    " SELECT * FROM aside ORDER BY tag; DROP TABLE aside");
    }
    const auto of_person = [&] {
      return numbers(
          lines_of(secondary.rows("SELECT tag FROM person ORDER BY " + place(secondary))));
    };
    CHECK(correlation(of_person()) == 1);
    const auto before = secondary.rows("SELECT * FROM person ORDER BY tag");
    const auto ran = pairing.run({"verify", "--lay-down-anew"});
    CHECK_MESSAGE(ran.exit == 0, ran.out, ran.err);
    CHECK(ran.out.find("the rows of 3 tables lie in the order of their keys, run r3-") == 0);
    check_chance("laid down", of_person());
    check_data(secondary, 1, 600);
    check_journal(secondary, 2);
    CHECK(secondary.rows("SELECT * FROM person ORDER BY tag") == before);
    const auto again = pairing.run({"verify"});
    CHECK_MESSAGE(again.exit == 0, again.out, again.err);
    CHECK(again.err.find("lie in the order") == std::string::npos);
    CHECK(pairing.sync()["outcome"] == "unchanged");
    CHECK(pairing.run({"verify", "--reason", "x"}).exit == 64);
  }
}

TEST_CASE("who does not own the tables is told what their owner has to run, and that is enough") {
  Pairing pairing(On::postgresql, On::postgresql, kContract, kAnything);
  put_key(pairing, 1);
  make_primary(pairing.primary);
  add_rows(pairing.primary, 1, 300);
  auto& secondary = pairing.secondary;
  const auto role = "test_order_" + std::to_string(::getpid());
  secondary.run("CREATE ROLE " + role + " LOGIN; GRANT USAGE, CREATE ON SCHEMA public TO " + role);
  secondary.run("GRANT CONNECT, TEMPORARY, CREATE ON DATABASE " +
                secondary.rows("SELECT quote_ident(current_database())") + " TO " + role);
  auto file = read_file(pairing.directory / "abgleich.toml");
  const auto url = secondary.url();
  const auto at = file.find(url);
  REQUIRE(at != std::string::npos);
  file.replace(at, url.size(), url.substr(0, url.find("user=")) + "user=" + role);
  write_file(pairing.directory / "abgleich.toml", file);
  CHECK(pairing.sync()["outcome"] == "applied");
  // the owner is another one, and has kept the primary's order
  secondary.run(
      "ALTER TABLE person OWNER TO CURRENT_USER; GRANT SELECT, INSERT, UPDATE, DELETE ON person "
      "TO " +
      role +
      "; CREATE TABLE aside AS SELECT * FROM person; DELETE FROM person; INSERT INTO person "
      "SELECT * FROM aside ORDER BY tag; DROP TABLE aside");

  const auto ran = pairing.run({"verify", "--lay-down-anew"});
  CHECK_MESSAGE(ran.exit == 23, ran.out, ran.err);
  const std::string before = "while nobody uses them: ";
  const auto start = ran.err.find(before);
  const auto end = ran.err.find("; then run: abgleich verify --lay-down-anew");
  REQUIRE_MESSAGE((start != std::string::npos && end != std::string::npos), ran.err);
  secondary.run(ran.err.substr(start + before.size(), end - start - before.size()));
  const auto again = pairing.run({"verify", "--lay-down-anew"});
  CHECK_MESSAGE(again.exit == 0, again.out, again.err);
  check_data(secondary, 1, 300);
  const auto verified = pairing.run({"verify"});
  CHECK_MESSAGE(verified.exit == 0, verified.out, verified.err);
  CHECK(verified.err.find("lie in the order") == std::string::npos);
  secondary.run("DROP OWNED BY " + role + "; DROP ROLE " + role);
}

}  // namespace abgleich::test
