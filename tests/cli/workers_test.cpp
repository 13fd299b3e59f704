// [primary] workers: how many connections read decides nothing but the time.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace abgleich::test {

namespace {

const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
    "id = { class = \"pseudonym\", identity = \"person\" }\nphone = { class = \"pseudonym\", "
    "identity = \"phone\" }\nstatus = \"plain\"\nnote = \"plain\"\n";
const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

/// What is left behind by a history of runs.
struct Left {
  std::vector<std::string> outcomes;
  std::vector<std::string> secondaries;
  std::vector<std::map<std::string, std::uintmax_t>> caches;  // sizes, by the beginning of a name
};

/// `key` is the first history's, and then that of all.
Left history(int workers, std::string& key) {
  Pairing pairing(On::postgresql, On::postgresql, kContract);
  write_file(pairing.directory.path() / "abgleich.toml",
             "[primary]\nurl = \"" + pairing.primary.url() +
                 "\"\nfull_every = \"0\"\nworkers = " + std::to_string(workers) +
                 "\n[secondary]\nurl = \"" + pairing.secondary.url() + "\"\n" + kLimits);
  const auto key_file = pairing.directory.path() / "abgleich.key";
  if (key.empty()) {
    key = read_file(key_file);
  } else {
    write_file(key_file, key);
  }
  Left left;
  const auto note = [&] {
    left.outcomes.push_back(pairing.sync()["tables"].dump());
    left.secondaries.push_back(pairing.secondary.rows(
        "SELECT md5(string_agg(p::text, ';' ORDER BY p.id COLLATE \"C\")) FROM person p "
        "UNION ALL SELECT md5(string_agg(b::text, ';' ORDER BY b::text COLLATE \"C\")) "
        "FROM abgleich.base_1 b"));
    auto& sizes = left.caches.emplace_back();
    for (const auto& file :
         std::filesystem::directory_iterator(pairing.directory.path() / "state" / "cache")) {
      // Which rows are looked at twice (touched_…) depends on when other transactions of the
      // server end, those of other tests too.
      if (const auto name = file.path().filename().string(); !name.starts_with("touched_")) {
        sizes[name.substr(0, 4)] += file.file_size();
      }
    }
  };
  pairing.primary.run(
      "CREATE TABLE person (id integer PRIMARY KEY, phone text, status text, note text) "
      "WITH (autovacuum_enabled = off);"
      "INSERT INTO person SELECT i, '0151' || i, 'open', 'note ' || i || repeat('.', 120) "
      "FROM generate_series(1, 60000) i");
  note();
  note();
  pairing.primary.run(
      "UPDATE person SET status = 'case' WHERE id % 500 = 0;"
      "DELETE FROM person WHERE id % 700 = 0 OR id > 59900;"
      "INSERT INTO person SELECT i, '', 'new', '' FROM generate_series(70000, 70100) i");
  note();
  note();
  return left;
}

}  // namespace

TEST_CASE("any number of workers makes the same secondary, and the same cache") {
  std::string key;
  const auto one = history(1, key);
  CHECK(one.outcomes[0].find("\"inserted\":60000") != std::string::npos);
  CHECK(one.outcomes[1].find("\"unchanged\":60000") != std::string::npos);
  CHECK(one.outcomes[2].find("\"inserted\":101") != std::string::npos);
  CHECK(one.caches[0].at("rows") > 1'000'000);
  for (const int workers : {2, 5}) {
    CAPTURE(workers);
    const auto many = history(workers, key);
    CHECK(many.outcomes == one.outcomes);
    CHECK(many.secondaries == one.secondaries);
    for (std::size_t i = 0; i < one.caches.size(); ++i) {
      CAPTURE(i);
      for (const auto& [name, size] : one.caches[i]) {
        CAPTURE(name);
        CHECK(many.caches[i].at(name) == size);
      }
      CHECK(many.caches[i].size() == one.caches[i].size());
    }
  }
}

}  // namespace abgleich::test
