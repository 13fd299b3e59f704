// Most of a table changes at once: its base is rewritten without its key, which is back afterwards;
// and where the key cannot be taken off, nothing is lost but time.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <string>

namespace abgleich::test {

namespace {

const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
    "id = { class = \"pseudonym\", identity = \"person\" }\n"
    "status = \"plain\"\nnote = \"plain\"\n";

/// 21,000 persons: more than a base has to have before its key is worth the while.
struct Scene : Pairing {
  Scene()
      : Pairing(On::postgresql, On::postgresql, kContract,
                "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n") {
    primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, status text, note text);"
        "INSERT INTO person SELECT i, 'open', 'note ' || i FROM generate_series(1, 21000) i");
    REQUIRE(sync()["tables"]["person"]["inserted"] == 21'000);
    key = base_key();
    REQUIRE(!key.empty());
  }

  /// Changes most rows, deletes and inserts some, and edits one in the secondary.
  void change() {
    secondary.run("UPDATE person SET note = 'edited' WHERE note = 'note 7'");
    primary.run(
        "UPDATE person SET status = 'case' WHERE id > 100;"
        "DELETE FROM person WHERE id BETWEEN 101 AND 200;"
        "INSERT INTO person SELECT i, 'new', NULL FROM generate_series(30001, 30050) i");
  }
  void check_changed() {
    const auto line = sync();
    CHECK(line["exit"] == 0);
    CHECK(line["tables"]["person"]["updated"] == 20'800);
    CHECK(line["tables"]["person"]["deleted"] == 100);
    CHECK(line["tables"]["person"]["inserted"] == 50);
    const std::string counts = "SELECT count(*) FROM person WHERE status = ";
    CHECK(secondary.rows(counts + "'case'") == "20800");
    CHECK(secondary.rows(counts + "'new'") == "50");
    CHECK(secondary.rows("SELECT count(*) FROM person WHERE note = 'edited'") == "1");
    CHECK(base_key() == key);
    CHECK(run({"verify", "--exit-code"}).exit == 0);
    CHECK(sync()["run"].is_null());
  }
  std::string base_key() {
    return secondary.rows(
        "SELECT conname, pg_get_constraintdef(oid), conindid FROM pg_constraint "
        "WHERE conrelid = 'abgleich.base_1'::regclass AND contype = 'p'");
  }

  std::string key;  // with the index that it is held by
};

}  // namespace

TEST_CASE("a mass change: the base's key is made anew, and the run can be taken back") {
  Scene pairing;
  const std::string state = "SELECT string_agg(p::text, ',' ORDER BY id) FROM person p";
  pairing.change();
  const auto before = pairing.secondary.rows(state);
  const auto base = "SELECT string_agg(b::text, ',' ORDER BY k0) FROM abgleich.base_1 b";
  const auto base_before = pairing.secondary.rows(base);
  const auto line = pairing.sync();
  CHECK(line["exit"] == 0);
  CHECK(line["tables"]["person"]["updated"] == 20'800);
  const auto key = pairing.base_key();
  CHECK(key != pairing.key);  // another index
  CHECK(key.substr(0, key.rfind('|')) == pairing.key.substr(0, pairing.key.rfind('|')));
  CHECK(pairing.run({"verify", "--exit-code"}).exit == 0);
  CHECK(pairing.run({"revert", line["run"], "--reason", "a bad batch"}).exit == 0);
  CHECK(pairing.secondary.rows(state) == before);
  CHECK(pairing.secondary.rows(base) == base_before);
}

TEST_CASE("a mass change while somebody reads the base: the key stays, and nobody waits long") {
  Scene pairing;
  PlainConnection reader(pairing.secondary.url());
  reader.run("BEGIN; SELECT count(*) FROM abgleich.base_1");
  pairing.change();
  pairing.check_changed();
}

TEST_CASE("a mass change of a base whose key is needed: it is moved with its key on") {
  Scene pairing;
  pairing.secondary.run("CREATE PUBLICATION bases FOR TABLE abgleich.base_1");
  pairing.change();
  pairing.check_changed();
}

}  // namespace abgleich::test
