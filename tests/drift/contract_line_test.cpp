#include "drift/contract_line.hpp"

#include "contract/contract.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <regex>
#include <set>
#include <string>
#include <string_view>

using namespace abgleich;
using namespace abgleich::drift;

namespace {

/// A table whose second column is written like this.
contract::Contract contract_with(const std::string& line) {
  return contract::parse_contract(
      "format = 1\n[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\nid = { class = "
      "\"pseudonym\", identity = \"person\" }\n" +
          line + "\n",
      "contract.toml");
}

std::string renamed(const std::string& line, std::string_view name) {
  const contract::Contract contract = contract_with(line);
  const contract::Column& column = contract.tables[0].columns[1];
  return contract_line(column, name, column.name);
}

}  // namespace

TEST_CASE("the line of a renamed column is ready to paste") {
  CHECK(renamed("sex = \"plain\"", "geschlecht") ==
        "geschlecht = { class = \"plain\", was = \"sex\" }");
}

TEST_CASE("the line of a renamed column keeps all its options") {
  CHECK(renamed("phone = { class = \"pseudonym\", identity = \"phone\", format = \"text\", "
                "normalise = \"phone\" }",
                "telefon") ==
        "telefon = { class = \"pseudonym\", identity = \"phone\", format = \"text\", normalise = "
        "\"phone\", country = \"DE\", was = \"phone\" }");
  CHECK(renamed("state = { class = \"generalise\", to = \"map\", map = { \"a b\" = \"x\" }, "
                "otherwise = \"y\" }",
                "status") ==
        "status = { class = \"generalise\", to = \"map\", map = { \"a b\" = \"x\" }, otherwise = "
        "\"y\", was = \"state\" }");
  CHECK(renamed("name = { class = \"generalise\", to = \"const\", value = \"\" }", "last_name") ==
        "last_name = { class = \"generalise\", to = \"const\", value = \"\", was = \"name\" }");
  CHECK(renamed("sex = { class = \"pseudonym\", identity = \"sex\", accept_low_entropy = \"so\" }",
                "gender") ==
        "gender = { class = \"pseudonym\", identity = \"sex\", accept_low_entropy = \"so\", was = "
        "\"sex\" }");
  CHECK(renamed("age = { class = \"generalise\", to = \"age-band:5\", reference = \"2024-01-01\", "
                "owner = \"primary\" }",
                "alter") ==
        "alter = { class = \"generalise\", to = \"age-band:5\", reference = \"2024-01-01\", owner "
        "= \"primary\", was = \"age\" }");
  CHECK(renamed("zip = { class = \"generalise\", to = \"prefix:3\" }", "plz") ==
        "plz = { class = \"generalise\", to = \"prefix:3\", was = \"zip\" }");
  CHECK(renamed("status = { class = \"plain\", as = \"state\", codes = [\"A\", \"B\"] }", "st") ==
        "st = { class = \"plain\", as = \"state\", codes = [\"A\", \"B\"], was = \"status\" }");
}

TEST_CASE("the line of a renamed column is one that the contract takes") {
  for (const char* line :
       {"x = \"plain\"", "x = { class = \"plain\", as = \"y\", owner = \"secondary\" }",
        "x = { class = \"pseudonym\", identity = \"p\", format = \"integer\", normalise = "
        "\"name\" }",
        "x = { class = \"generalise\", to = \"month\" }",
        "x = { class = \"generalise\", to = \"age-band:10\", reference = \"2020-02-29\" }",
        "x = { class = \"plain\", codes = [\"a\\\"b\", \"ü\"] }", "x = \"withhold\""}) {
    for (const char* name : {"neu", "zwei Worte", "a.b", "\"'\\", "größe", "2024"}) {
      CAPTURE(line);
      CAPTURE(name);
      const contract::Contract before = contract_with(line);
      const contract::Contract after = contract_with(renamed(line, name));
      const contract::Column& was = before.tables[0].columns[1];
      const contract::Column& now = after.tables[0].columns[1];
      CHECK(now.name == name);
      CHECK(now.cls == was.cls);
      CHECK(now.was == (was.exported() ? "x" : ""));
      CHECK(now.as == (was.as == "x" ? name : was.as));
      CHECK(now.owner == was.owner);
      CHECK(now.identity == was.identity);
      CHECK(now.format == was.format);
      CHECK(now.normaliser == was.normaliser);
      CHECK(now.generalisation == was.generalisation);
      CHECK(now.codes == was.codes);
    }
  }
}

TEST_CASE("the line of a renamed column forgets no option that the format has") {
  std::set<std::string> seen;
  for (
      const char* line :
      {R"(x = { class = "plain", because = "so", as = "y", owner = "primary", codes = ["a"], )"
       R"(on_unusable = "null", was = "x" })",
       R"(x = { class = "pseudonym", identity = "p", format = "text", normalise = "phone", )"
       R"(country = "AT", accept_low_entropy = "so", was = "x" })",
       R"(x = { class = "generalise", to = "map", map = { a = "b" }, otherwise = "c", was = "x" })",
       R"(x = { class = "generalise", to = "const", value = "v", was = "x" })",
       R"(x = { class = "generalise", to = "age-band:5", reference = "2024-01-01", )"
       R"(zone = "Europe/Berlin", was = "x" })",
       R"(x = { class = "generalise", to = "shift:30", shift_epoch = 2, )"
       R"(accept_record_date = "so", was = "x" })",
       R"(x = { class = "token", identity = "p", normalise = "name", was = "x" })",
       R"(x = { class = "token", resolves = "a.b", as = "y", was = "x" })",
       R"(x = { class = "withhold", erase = true })"}) {
    CAPTURE(line);
    auto without = std::string(line);
    if (const auto was = without.find(", was = \"x\""); was != std::string::npos) {
      without.erase(was, std::string_view(", was = \"x\"").size());
    }
    const contract::Contract contract = contract_with(without);
    CHECK(contract_line(contract.tables[0].columns[1], "x", "x") == line);
    const std::regex option("([a-z_]+) = ");
    for (std::sregex_iterator at(without.begin(), without.end(), option), end; at != end; ++at) {
      seen.insert(at->str(1));
    }
  }
  std::ifstream schema(std::string(test::kSourceTree) + "/schemas/contract.schema.json");
  const auto options =
      nlohmann::json::parse(schema).at("$defs").at("column_options").at("properties");
  for (const auto& [option, description] : options.items()) {
    CHECK_MESSAGE((seen.contains(option) || option == "was"), option);
  }
}

TEST_CASE("a withheld column stays withheld under its new name") {
  CHECK(renamed("vorname = \"withhold\"", "first name") == "\"first name\" = \"withhold\"");
}

TEST_CASE("the command that names a column is safe to paste into a shell") {
  CHECK(add_command("person", "phone_2") ==
        "abgleich contract add person.phone_2 --class withhold");
  CHECK(add_command("person", "it's") ==
        "abgleich contract add 'person.it'\\''s' --class withhold");
  CHECK(add_command("a b", "$(reboot)") ==
        "abgleich contract add 'a b.$(reboot)' --class withhold");
}
