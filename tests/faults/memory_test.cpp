// Memory does not grow with the rows.
#include "support/pairing.hpp"
#include "support/sanitized.hpp"

#include <doctest/doctest.h>

namespace abgleich::test {

namespace {

constexpr long kLimitKib = kSanitized ? 4L * 1024 * 1024 : 64L * 1024;

std::string series(int count) {
  return "(WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < " +
         std::to_string(count) + ") SELECT i FROM s) AS series";
}

const char* const kContract = R"(
[tables.person]
key = ["id"]
[tables.person.columns]
id = { class = "pseudonym", identity = "person" }
name = "withhold"
birth_date = { class = "generalise", to = "year" }
status = "plain"
score = "plain"
seen = "plain"
)";

void fill(Database& primary, int rows) {
  primary.run(
      "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, birth_date DATE, status TEXT, "
      "score INTEGER, seen TEXT)");
  primary.run(
      "INSERT INTO person SELECT i, 'name ' || i, date('1950-01-01', '+' || (i % 20000) || "
      "' days'), 'status ' || (i % 5), i * 7, '2026-11-' || (i % 30 + 1) FROM " +
      series(rows));
}

}  // namespace

TEST_CASE("a million rows from SQLite to SQLite take less than 64 MiB, first run and second") {
  Pairing pairing(On::sqlite, On::sqlite, kContract);
  fill(pairing.primary, 1'000'000);
  const auto first = pairing.run({"sync", "--json"});
  REQUIRE_MESSAGE(first.exit == 0, first.err);
  CHECK(pairing.secondary.rows("SELECT count(*) FROM person") == "1000000");
  CHECK(first.peak_kib < kLimitKib);
  const auto second = pairing.run({"sync", "--json"});
  CHECK(second.exit == 0);
  CHECK(second.out.find("\"unchanged\"") != std::string::npos);
  CHECK(second.peak_kib < kLimitKib);
  const auto proof = pairing.run({"verify", "--exit-code"});
  CHECK(proof.exit == 0);
  CHECK(proof.peak_kib < kLimitKib);
}

TEST_CASE("ten thousand conflicts in many rows are found, listed, decided in less than 64 MiB") {
  Pairing pairing(On::sqlite, On::sqlite, kContract, "[limits]\nmax_updated = \"100%\"\n");
  fill(pairing.primary, 100'000);
  REQUIRE(pairing.run({"sync", "-q"}).exit == 0);
  pairing.primary.run("UPDATE person SET status = 'theirs' WHERE id <= 10000");
  pairing.secondary.run("UPDATE person SET status = 'ours' WHERE score <= 70000");
  const auto sync = pairing.run({"sync", "--json"});
  CHECK(sync.exit == 10);
  CHECK(pairing.secondary.rows("SELECT count(*) FROM abgleich_conflict") == "10000");
  const auto list = pairing.run({"conflicts", "--json"});
  CHECK(list.exit == 0);
  const auto resolve = pairing.run({"resolve", "--all", "--take", "primary", "--json"});
  CHECK_MESSAGE(resolve.exit == 0, resolve.err);
  CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE status = 'theirs'") == "10000");
  CHECK(pairing.secondary.rows("SELECT count(*) FROM abgleich_conflict") == "0");
  CHECK(pairing.run({"sync", "-q"}).exit == 0);
  pairing.secondary.run("UPDATE abgleich_base_1 SET cells = zeroblob(length(cells))");
  const auto damaged = pairing.run({"verify", "--json"});
  CHECK(damaged.exit == 41);
  const auto repair = pairing.run({"verify", "--repair-base", "--reason", "test"});
  CHECK_MESSAGE(repair.exit == 0, repair.err);
  CHECK(pairing.run({"sync", "-q"}).exit == 0);
  for (const auto* ran : {&sync, &list, &resolve, &damaged, &repair}) {
    CHECK(ran->peak_kib < kLimitKib);
  }
}

}  // namespace abgleich::test
