// `-vv`: every statement, and no value.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

namespace abgleich::test {

namespace {

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("-vv tells of every statement with rows and time, and never a value") {
  on_every_pairing([](On primary, On secondary) {
    Pairing pairing(
        primary, secondary,
        "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = { class = "
        "\"pseudonym\", identity = \"person\" }\nname = \"plain\"\nnote = \"withhold\"\n");
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, name varchar(40), note varchar(40));"
        "INSERT INTO person VALUES (70417, 'Canary1', 'Canary2'), (70418, 'Canary3', 'Canary4')");
    const auto first = pairing.run({"sync", "-vv", "--json"});
    CHECK(first.exit == 0);
    CHECK(nlohmann::json::parse(first.out)["tables"]["person"]["inserted"] ==
          2);  // stdout is as it was
    pairing.primary.run("UPDATE person SET name = 'Canary5' WHERE id = 70418");
    pairing.secondary.run("UPDATE person SET name = 'Canary6' WHERE name = 'Canary1'");
    const auto second = pairing.run({"sync", "-vv"});
    CHECK(second.exit == 0);
    for (const auto& err : {first.err, second.err}) {
      CHECK_MESSAGE(says(err, "sql: primary: "), err);
      CHECK_MESSAGE(says(err, "sql: secondary: COMMIT: "), err);
      CHECK(says(err, " ms, 2 rows\n"));
      CHECK_MESSAGE(!says(err, "Canary"), err);
      CHECK_MESSAGE(!says(err, "7041"), err);
      CHECK_MESSAGE(!says(err, "p1_"), err);
    }
    CHECK(!says(pairing.run({"sync", "-v"}).err, "sql: "));
    const auto checked = pairing.run({"check", "-vv"});
    CHECK_MESSAGE(says(checked.err, "sql: primary: "), checked.err);
  });
}

}  // namespace abgleich::test
