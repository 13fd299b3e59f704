// `where`: what is understood, and that everything else is refused in words.
#include "contract/parse_condition.hpp"

#include "contract/refusal.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace abgleich;
using namespace abgleich::contract;

namespace {

const Place kPlace{.file = "contract.toml", .line = 5, .column = 9};

Condition parsed(const std::string& text) {
  return parse_condition(text, "person", kPlace);
}

std::string told(const std::string& text) {
  const auto error = refusal_of([&] { static_cast<void>(parsed(text)); });
  CHECK(error.message.starts_with("contract.toml:5:9: 'where' of table 'person' "));
  return error.message + " | " + error.hint;
}

}  // namespace

TEST_CASE("a condition is written in one way, however it was given") {
  const std::vector<std::pair<const char*, const char*>> written{
      {"district='08435'", "\"district\" = '08435'"},
      {" \"my \"\"own\" <> 'it''s' ", "\"my \"\"own\" <> 'it''s'"},
      {"a != 1 and b<=-2.5 AND c >= +3", "(\"a\" <> 1) AND (\"b\" <= -2.5) AND (\"c\" >= 3)"},
      {"a < 1 or b > .5 and c = true", "(\"a\" < 1) OR ((\"b\" > .5) AND (\"c\" = true))"},
      {"(a = 1 or b = 2) and not c = FALSE",
       "((\"a\" = 1) OR (\"b\" = 2)) AND (NOT (\"c\" = false))"},
      {"a in ('x' , 'y')", "\"a\" IN ('x', 'y')"},
      {"a NOT IN (1)", "NOT (\"a\" IN (1))"},
      {"a between '1' and '2' and b is null", "(\"a\" BETWEEN '1' AND '2') AND (\"b\" IS NULL)"},
      {"a is not null", "NOT (\"a\" IS NULL)"},
      {"größe like '08\\%%'", "\"größe\" LIKE '08\\%%'"},
      {"a = ';--'", "\"a\" = ';--'"},
  };
  for (const auto& [text, canonical] : written) {
    CAPTURE(text);
    CHECK(text_of(parsed(text)) == canonical);
    CHECK(parsed(canonical) == parsed(text));
  }
  CHECK(columns_of(parsed("b = 1 AND (a = 2 OR b = 3)")) == std::vector<std::string>{"b", "a"});
}

TEST_CASE("what is no condition is refused, with what to write instead and without its values") {
  const std::vector<std::pair<std::string, const char*>> refused{
      {"", "is empty"},
      {"   ", "is empty"},
      {"district", "ends before it says anything of a column"},
      {"district =", "ends where a value is expected"},
      {"district = other", "columns are compared with values only"},
      {"'08435' = district", "a column stands on the left"},
      {"1 = 1", "a column stands on the left"},
      {"true", "has a word of the language where a column is expected"},
      {"a = 1; DELETE FROM person", "has several statements"},
      {"a = 1 -- all", "has a comment"},
      {"a = 1 /* all */", "has a comment"},
      {"a = 'x", "opens a text that does not end"},
      {"\"a = 1", "opens a name that does not end"},
      {"(a) = 1", "is not a condition"},
      {"(a = 1", "opens a bracket that does not close"},
      {"a = 1)", "does not end where the condition does"},
      {"a = 1 b = 2", "does not end where the condition does"},
      {"a = 1 AND", "ends where a column is expected"},
      {"a = now()", "calls a function"},
      {"random() < 0.1", "functions are not understood here: compare columns with values"},
      {"lower(a) = 'x'", "calls a function"},
      {"exists (select 1)", "calls a function"},
      {"a in (select b from c)", "has a subquery"},
      {"a = (select 1)", "has a subquery"},
      {"(select true)", "has a subquery"},
      {"select 1", "has a subquery"},
      {"a = current_timestamp", "columns are compared with values only"},
      {"a = NULL", "write IS NULL or IS NOT NULL"},
      {"a IS TRUE", "has IS without NULL"},
      {"a IN ()", "has something else where a value is expected"},
      {"a IN 'x'", "has IN without a list"},
      {"a IN ('x'", "has a list that does not close"},
      {"a BETWEEN 1 OR 2", "has BETWEEN without AND"},
      {"a LIKE 1", "has LIKE without a text"},
      {"a LIKE 'x\\'", "ends in a backslash"},
      {"a NOT = 1", "is not a condition"},
      {"a = 1::int", "a character that is not understood here"},
      {"a = 1 + 1", "a character that is not understood here"},
      {"a || b = 'x'", "a character that is not understood here"},
      {"a ~ 'x'", "a character that is not understood here"},
      {"a = $1", "a character that is not understood here"},
      {"a = 12a", "has a number that cannot be read"},
      {"a = 1.2.3", "has a number that cannot be read"},
      {"a = 1e5", "has a number that cannot be read"},
      {std::string("a = 'x\0y'", 9), "contains a NUL character"},
      {std::string(80, '(') + "a = 1" + std::string(80, ')'), "is nested too deeply"},
      {"a = '" + std::string(70'000, 'x') + "'", "is longer than 65536 bytes"},
  };
  for (const auto& [text, why] : refused) {
    CAPTURE(text.substr(0, 100));
    CHECK_MESSAGE(contains(told(text), why), told(text));
  }
  CHECK(contains(told("größe = 1 AND lower(a) = 'secret'"), "(at its character 15)"));
  CHECK_FALSE(contains(told("a = 'secret' b"), "secret"));
}

TEST_CASE("the columns that decide have lines in the contract, and may be withheld") {
  const auto contract = [](const std::string& where) {
    return "format = 1\n[tables.person]\nkey = [\"id\"]\nwhere = \"" + where +
           "\"\n[tables.person.columns]\nid = \"plain\"\ndistrict = \"withhold\"\n";
  };
  const auto understood = parse_contract(contract("district = '08435'"), "contract.toml");
  const auto& table = understood.tables.front();
  REQUIRE(table.where.has_value());
  CHECK(table.decides("district"));
  CHECK(table.reads(*table.find_column("district")));
  CHECK(table.exported().size() == 1);
  const auto error = contract_refusal(contract("distrikt = '08435'"));
  CHECK(contains(error.message,
                 "contract.toml:4:9: 'where' of table 'person' names 'distrikt', which is not"));
  CHECK(contains(error.hint, "did you mean 'district'?"));
  CHECK(contains(contract_refusal("format = 1\n[tables.person]\nkey = [\"id\"]\nwhere = true\n"
                                  "[tables.person.columns]\nid = \"plain\"\n")
                     .message,
                 "'where' is true or false, but must be a string"));
}
