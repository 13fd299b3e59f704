// `diff --stat`: what its numbers count.
#include "support/pairing.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace abgleich::test {

TEST_CASE("stat: rows that the contract keeps are a difference, and are counted as one") {
  for (const auto secondary : kEngines) {
    CAPTURE(name_of(secondary));
    Pairing pairing(On::sqlite, secondary,
                    "[tables.person]\nkey = [\"id\"]\non_delete = \"keep\"\n"
                    "[tables.person.columns]\nid = \"plain\"\nnote = \"plain\"\n",
                    "[limits]\nmax_deleted = \"100%\"\n");
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, note text);"
        "INSERT INTO person VALUES (1, 'a'), (2, 'b'), (3, 'c')");
    REQUIRE(pairing.sync()["exit"] == 0);
    CHECK(pairing.run({"diff", "--stat", "--exit-code"}).exit == 0);
    pairing.primary.run("DELETE FROM person WHERE id > 1");
    const auto ran = pairing.run({"diff", "--stat", "--exit-code"});
    CHECK(ran.exit == 1);
    CHECK(ran.out == "person  +0  ~0  -0  !0  =2\n");
    const auto line = nlohmann::json::parse(pairing.run({"diff", "--stat", "--json"}).out);
    CHECK(line["kept"] == 2);
    CHECK(line["deleted"] == 0);
  }
}

}  // namespace abgleich::test
