#include "contract/guess_again.hpp"

#include "contract/refusal.hpp"

#include <doctest/doctest.h>

using namespace abgleich;
using namespace abgleich::contract;

namespace {

CatalogColumn column(const std::string& name, Family family = Family::text) {
  CatalogColumn out;
  out.name = name;
  out.type.family = family;
  out.type.native = std::string(name_of(family));
  return out;
}

CatalogTable table(const std::string& name, std::vector<CatalogColumn> columns) {
  CatalogTable out;
  out.name = name;
  out.primary_key = CatalogKey{.name = "pk", .columns = {columns.front().name}};
  out.columns = std::move(columns);
  return out;
}

CatalogForeignKey to_person(const std::string& from) {
  return {.name = "fk",
          .columns = {from},
          .table = "person",
          .referenced = {"id"},
          .deferrable = false};
}

constexpr std::string_view kText = R"(# ours
format = 1

[tables.person]  # people
key = ["id"]
[tables.person.columns]
id = { class = "pseudonym", identity = "subject" }
alive = "withhold"  # decided
fax = "withhold"
)";

CatalogTable person() {
  return table("person",
               {column("id", Family::integer), column("alive", Family::boolean), column("fax")});
}

Catalog catalog(std::vector<CatalogTable> tables) {
  Catalog out;
  out.tables = std::move(tables);
  return out;
}

GuessedAgain again(const Catalog& live, const Catalog* accepted, std::string_view text = kText) {
  return guess_again(text, parse_contract(text, "contract.toml"), live, accepted);
}

}  // namespace

TEST_CASE("guess again: where nothing is new, the contract stays byte for byte as it is") {
  const auto live = catalog({person()});
  const auto made = again(live, &live);
  CHECK(made.text == kText);
  CHECK(made.tables.empty());
  CHECK(made.columns.empty());
  CHECK(made.gone.empty());
}

TEST_CASE(
    "guess again: new columns and tables are guessed, and join by the contract's identities") {
  const auto accepted = catalog({person()});
  auto now = person();
  now.columns.push_back(column("vaccinated", Family::boolean));
  now.columns.push_back(column("mother_id", Family::integer));
  now.foreign_keys = {to_person("mother_id")};
  auto visit =
      table("visit", {column("nr", Family::integer), column("person_id", Family::integer)});
  visit.foreign_keys = {to_person("person_id")};
  const auto live = catalog({now, visit});
  const auto made = again(live, &accepted);
  CHECK(made.columns == std::vector<std::string>{"person.vaccinated", "person.mother_id"});
  CHECK(made.tables == std::vector<std::string>{"visit"});
  CHECK(made.text == std::string(kText) +
                         R"(vaccinated = "plain"  # boolean
mother_id = { class = "pseudonym", identity = "subject" }  # integer

[tables.visit]
key = ["nr"]

[tables.visit.columns]
nr        = { class = "pseudonym", identity = "visit" }  # integer
person_id = { class = "pseudonym", identity = "subject" }  # integer
)");
  const auto twice = again(live, &accepted, made.text);
  CHECK(twice.text == made.text);
  CHECK(twice.tables.empty());
  CHECK(twice.columns.empty());
}

TEST_CASE("guess again: what was known and not named is a decision: withheld, or left out") {
  auto known = person();
  known.columns.push_back(column("vaccinated", Family::boolean));
  const auto accepted = catalog({known, table("visit", {column("nr", Family::integer)})});
  const auto made = again(accepted, &accepted);
  CHECK(made.text == std::string(kText) + "vaccinated = \"withhold\"  # boolean\n");
  CHECK(made.tables.empty());
}

TEST_CASE("guess again: what is gone is noted, and its line stays") {
  auto now = person();
  now.columns.pop_back();
  const auto accepted = catalog({person()});
  const auto less = again(catalog({now}), &accepted);
  CHECK(less.gone == std::vector<std::string>{"person.fax"});
  CHECK(less.text == kText);
  const auto none = again(catalog({}), &accepted);
  CHECK(none.gone == std::vector<std::string>{"person"});
  CHECK(none.text == kText);
}

TEST_CASE("guess again: a new table without a key is told of once, as a comment") {
  auto view = table("report", {column("n", Family::integer)});
  view.primary_key.reset();
  view.kind = TableKind::view;
  const auto accepted = catalog({person()});
  const auto live = catalog({person(), view});
  const auto made = again(live, &accepted);
  CHECK(made.tables.empty());
  CHECK(made.text.find("\n# Left out: a view has no key of its own") != std::string::npos);
  CHECK(again(live, &accepted, made.text).text == made.text);
}

TEST_CASE("guess again: a rename that the contract names is nothing new") {
  const std::string text = R"(format = 1
[tables.person]
key = ["id"]
[tables.person.columns]
id = { class = "pseudonym", identity = "subject" }
living = { class = "plain", was = "alive" }
fax = "withhold"
)";
  const auto live = catalog({person()});
  CHECK(again(live, &live, text).text == text);
}

TEST_CASE("guess again: a new table whose guess does not go with the contract is told, not added") {
  std::vector<CatalogColumn> columns{column("nr", Family::integer)};
  for (int i = 0; i < 2000; ++i) {  // more than a table may export
    columns.push_back(column("answer_" + std::to_string(i), Family::boolean));
  }
  const auto accepted = catalog({person()});
  const auto made = again(catalog({person(), table("answers", columns)}), &accepted);
  CHECK(made.unfit == std::vector<std::string>{"answers"});
  CHECK(made.tables.empty());
  CHECK(made.text == kText);
}
