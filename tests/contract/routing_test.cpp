// `route`, `follows` and `takes`: what is understood, what it means as conditions, and what cannot
// be meant.
#include "contract/routing.hpp"

#include "contract/refusal.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace abgleich::contract {

namespace {

const std::string kStart = "format = 1\n";
const std::string kVisit = "[tables.visit]\nkey = [\"id\"]\n";
const std::string kColumns =
    "[tables.visit.columns]\nid = \"plain\"\ndistrict = \"withhold\"\nstate = \"plain\"\n";
const std::string kGuest = "[tables.guest]\nkey = [\"id\"]\n";
const std::string kGuestColumns = "[tables.guest.columns]\nid = \"plain\"\nvisit_id = \"plain\"\n";
const std::string kFollows = "follows = { table = \"visit\", by = \"visit_id\" }\n";

Contract parsed(const std::string& text) {
  return parse_contract(kStart + text, "contract.toml");
}

Contract usual(const std::string& more = "") {
  return parsed(kVisit + "route = \"district\"\n" + more + kColumns + kGuest + kFollows +
                kGuestColumns);
}

Takes takes_of(const std::string& text) {
  const auto config = parse_config(
      "[primary]\nurl = \"sqlite:a.db\"\n[secondary]\nurl = \"sqlite:b.db\"\n[exchange]\n"
      "mailbox = \"/srv\"\n[peers.a]\nsends = \"c.toml\"\ntakes = " +
          text + "\n",
      "/etc/abgleich.toml");
  return config.exchange.peers.front().takes;
}

std::string where(const Contract& contract, const std::string& table) {
  const auto& condition = contract.find_table(table)->where;
  return condition ? text_of(*condition) : "";
}

Routes routes(const std::string& own, const std::vector<std::string>& others = {}) {
  Routes made{.own = takes_of(own), .header = "[peers.a]"};
  for (const auto& other : others) {
    made.others.push_back(takes_of(other));
  }
  return made;
}

}  // namespace

TEST_CASE("routing: a peer gets the rows whose value it alone takes") {
  struct Case {
    std::string own;
    std::vector<std::string> others;
    std::string where;
  };
  const std::vector<Case> cases{
      {"{ district = [\"08435\"] }", {}, "\"district\" IN ('08435')"},
      {"{ district = [8435, -1] }", {}, "\"district\" IN (8435, -1)"},
      {"{ district = [\"b*\", \"a\", \"a\"] }",
       {},
       "(\"district\" IN ('a')) OR (\"district\" LIKE 'b%')"},
      {"{ district = [\"a_%\\\\*\"] }", {}, "\"district\" LIKE 'a\\_\\%\\\\%'"},
      {"{ district = [\"it's\"] }", {}, "\"district\" IN ('it''s')"},
      // what another takes as well goes to nobody
      {"{ district = [\"084*\"] }",
       {"{ district = [\"08435\", \"09\"] }"},
       "(\"district\" LIKE '084%') AND (NOT (\"district\" IN ('08435')))"},
      {"{ district = [\"08435\", \"1\"] }",
       {"{ district = [\"084*\"] }"},
       "(\"district\" IN ('08435', '1')) AND (NOT (\"district\" IN ('08435')))"},
      {"{ district = [\"08*\"] }",
       {"{ district = [\"084*\"] }", "{ district = [\"0*\"] }"},
       "(\"district\" LIKE '08%') AND (NOT ((\"district\" LIKE '084%') OR (\"district\" LIKE "
       "'08%')))"},
      {"{ district = [\"1\"] }", {"{ district = [1] }"}, "\"district\" IN ('1')"},
      {"{ district = [\"1\"] }", {"{ state = [\"1\"] }"}, "\"district\" IN ('1')"},
  };
  for (const auto& [own, others, expected] : cases) {
    CAPTURE(own);
    CHECK(where(routed(usual(), routes(own, others)), "visit") == expected);
  }
}

TEST_CASE("routing: a shared row goes to every peer that takes it, and no row is disputed") {
  const auto contract = usual("shared = true\n");
  CHECK(where(routed(contract, routes("{ district = [\"08*\"] }", {"{ district = [\"084*\"] }"})),
              "visit") == "\"district\" LIKE '08%'");
  const auto rows = routed_rows(contract, {.takes = {takes_of("{ district = [\"08*\"] }"),
                                                     takes_of("{ district = [\"084*\"] }")}});
  REQUIRE(rows.size() == 2);
  CHECK_FALSE(rows[0].disputed.has_value());
  REQUIRE(rows[0].going.has_value());
  CHECK(text_of(*rows[0].going) == "(\"district\" LIKE '08%') OR (\"district\" LIKE '084%')");
  CHECK_FALSE(usual("shared = false\n").find_table("visit")->shared);
}

TEST_CASE("routing: rows that follow others have a condition on the others' table") {
  const auto contract =
      routed(usual("where = \"state = 'open'\"\n"), routes("{ district = [\"a\"] }"));
  CHECK(where(contract, "visit") == "(\"state\" = 'open') AND (\"district\" IN ('a'))");
  CHECK(where(contract, "guest") ==
        "\"visit_id\" IN (SELECT \"id\" FROM \"visit\" WHERE (\"state\" = 'open') AND "
        "(\"district\" IN ('a')))");
  const auto& guest = *contract.find_table("guest");
  CHECK(guest.decides("visit_id"));
  CHECK_FALSE(guest.decides("district"));
  CHECK(contract.find_table("visit")->decides("district"));
  CHECK(reaches_beyond(*guest.where));
  CHECK_FALSE(reaches_beyond(*contract.find_table("visit")->where));
  CHECK(contract.find_table("visit")->choice() == "'where' and 'route'");
  CHECK(contract.find_table("visit")->choice_by("state") == "'where'");
  CHECK(contract.find_table("visit")->choice_by("district") == "'route'");
  CHECK(guest.choice() == "'follows'");
  CHECK(guest.never_leaves_without(*contract.find_table("visit"), "visit_id"));
  const auto now = renamed(*guest.where, "visit_id", "visit");
  CHECK(text_of(now).starts_with("\"visit\" IN (SELECT \"id\" FROM \"visit\""));
  // the other table's columns have names of their own
  CHECK(renamed(*guest.where, "district", "x") == *guest.where);
}

TEST_CASE("routing: what a section lacks, or has too much, is refused") {
  const auto message = [](const Contract& contract, const Routes& of) {
    return refusal_of([&] { static_cast<void>(routed(contract, of)); }).message;
  };
  CHECK(contains(message(usual(), routes("{ state = [\"a\"] }")),
                 "[peers.a] does not say which rows of table 'visit' the peer gets"));
  CHECK(contains(message(usual(), routes("{ district = [\"a\"], state = [\"a\"] }")),
                 "takes rows by 'state', and no table of its contract is routed by that"));
  CHECK(contains(refusal_of([] { expect_not_routed(usual()); }).message,
                 "table 'visit' has 'route', which only a contract has that peers get"));
}

TEST_CASE("routing: a contract whose routes lead nowhere is refused") {
  const auto told = [](const std::string& text) { return contract_refusal(kStart + text).message; };
  const auto guest = [&](const std::string& line) {
    return told(kVisit + "route = \"district\"\n" + kColumns + kGuest + line + kGuestColumns);
  };
  CHECK(contains(told(kVisit + "route = \"distrct\"\n" + kColumns),
                 "'route' of table 'visit' names 'distrct', which is not among the columns"));
  CHECK(contains(guest("follows = { table = \"visit\", by = \"id_visit\" }\n"),
                 "'follows' of table 'guest' names 'id_visit'"));
  CHECK(contains(guest("follows = { table = \"vist\", by = \"visit_id\" }\n"),
                 "follows 'vist', which is not in the contract"));
  CHECK(contains(guest("follows = []\n"), "'follows' is empty"));
  CHECK(contains(guest(kFollows + "shared = true\n"), "has 'shared' and no 'route'"));
  CHECK(contains(told(kVisit + "shared = true\n" + kColumns), "has 'shared' and no 'route'"));
  CHECK(contains(told(kVisit + "route = \"district\"\nshared = 1\n" + kColumns), "'shared'"));
  CHECK(contains(guest("follows = \"visit\"\n"), "'follows' must be a list of tables"));
  CHECK(contains(guest("follows = { table = \"visit\" }\n"), "'follows' has no 'by'"));
  CHECK(contains(guest("follows = { table = \"visit\", by = \"visit_id\", on = 1 }\n"), "'on'"));
  CHECK(contains(guest("route = \"id\"\n" + kFollows), "has 'route' and 'follows'"));
  CHECK(contains(told(kVisit + kColumns + kGuest + kFollows + kGuestColumns),
                 "follows 'visit', which goes to every peer"));
  CHECK(contains(guest("follows = { table = \"guest\", by = \"visit_id\" }\n"),
                 "table 'guest' follows itself, by guest"));
  CHECK(contains(told("[tables.visit]\nkey = [\"id\", \"state\"]\nroute = \"district\"\n" +
                      kColumns + kGuest + kFollows + kGuestColumns),
                 "whose key has 2 columns"));
}

TEST_CASE("routing: what `takes` cannot mean is refused") {
  const auto told = [](const std::string& section) {
    return config_refusal(
               "[primary]\nurl = \"sqlite:a.db\"\n[secondary]\nurl = \"sqlite:b.db\"\n[exchange]\n"
               "mailbox = \"/srv\"\n" +
               section)
        .message;
  };
  const std::string peer = "[peers.a]\nsends = \"c.toml\"\ntakes = ";
  CHECK(contains(told(peer + "{ district = \"a\" }\n"), "'takes' of 'district' must be a list"));
  CHECK(contains(told(peer + "{ district = [] }\n"), "'takes' of 'district' must be a list"));
  CHECK(contains(told(peer + "{ district = [true] }\n"), "texts or whole numbers"));
  CHECK(contains(told(peer + "{ district = [\"a*b\"] }\n"), "'*' stands for any end of a text"));
  CHECK(contains(told(peer + "{ district = [\"*\"] }\n"), "'*' stands for any end of a text"));
  CHECK(contains(told(peer + "{ district = [\"\"] }\n"), "'district'"));
  CHECK(contains(told("[peers.\"a*\"]\nsends = \"c.toml\"\ntakes = { district = [\"a\"] }\n"),
                 "would be the same for several peers"));
  CHECK(contains(told("[peers.a]\naccepts = \"c.toml\"\ntakes = { district = [\"a\"] }\n"),
                 "has no 'sends'"));
}

TEST_CASE("routing: a token says itself whose it is") {
  const auto contract = parse_contract(
      "format = 1\n[tables.visit]\nkey = [\"id\"]\nroute = \"request\"\n"
      "[tables.visit.columns]\nid = \"plain\"\nrequest = \"token\"\n",
      "sends.toml");
  CHECK(where(routed(contract, {.issuer = "abcdef", .header = "[peers.a]"}), "visit") ==
        "\"request\" LIKE 't%\\_abcdef\\_%'");
  const auto rows = routed_rows(contract, {.issuers = {"abcdef", "ghijkl"}});
  REQUIRE(rows.size() == 1);
  CHECK(text_of(*rows[0].going) ==
        "(\"request\" LIKE 't%\\_abcdef\\_%') OR (\"request\" LIKE 't%\\_ghijkl\\_%')");
  CHECK_FALSE(rows[0].disputed.has_value());
  CHECK_FALSE(routed_rows(contract, {}).front().going.has_value());
}

TEST_CASE("routing: the rows that go nowhere are those between all and going") {
  const auto rows = routed_rows(usual("where = \"state = 'open'\"\n"),
                                {.takes = {takes_of("{ district = [\"a\", \"b*\"] }"),
                                           takes_of("{ district = [\"ba\"] }"), Takes{}}});
  REQUIRE(rows.size() == 2);
  CHECK(text_of(*rows[0].all) == "\"state\" = 'open'");
  CHECK(text_of(*rows[0].going) ==
        "(\"state\" = 'open') AND (((\"district\" IN ('a', 'ba')) OR (\"district\" LIKE 'b%')) AND "
        "(NOT (\"district\" IN ('ba'))))");
  CHECK(text_of(*rows[0].disputed) == "(\"state\" = 'open') AND (\"district\" IN ('ba'))");
  CHECK(rows[1].table == "guest");
  CHECK(rows[1].column == "visit_id");
  CHECK_FALSE(rows[1].all.has_value());
  CHECK(
      text_of(*rows[1].going).starts_with("\"visit_id\" IN (SELECT \"id\" FROM \"visit\" WHERE "));
  CHECK_FALSE(rows[1].disputed.has_value());
  const auto none = routed_rows(usual(), {.takes = {Takes{}}});
  CHECK_FALSE(none[0].going.has_value());
  CHECK_FALSE(none[1].going.has_value());
}

}  // namespace abgleich::contract
