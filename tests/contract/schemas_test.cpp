// The JSON Schemas say the same as the parsers: the same keys, the same words.

#include "contract/words.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

using namespace abgleich::contract;
using nlohmann::json;

namespace {

json schema(const std::string& name) {
  std::ifstream file(std::string(abgleich::test::kSourceTree) + "/schemas/" + name);
  REQUIRE(file.good());
  return json::parse(file);
}

std::vector<std::string> sorted(Words words) {
  std::vector<std::string> out(words.begin(), words.end());
  std::ranges::sort(out);
  return out;
}

/// The keys that an object of the schema may have, by name.
std::vector<std::string> keys(const json& object) {
  CHECK(object.at("additionalProperties") == false);
  std::vector<std::string> out;
  for (const auto& [key, value] : object.at("properties").items()) {
    CAPTURE(key);
    CHECK(value.is_object());
    out.push_back(key);
  }
  return out;
}

std::vector<std::string> words(const json& property) {
  auto out = property.at("enum").get<std::vector<std::string>>();
  std::ranges::sort(out);
  return out;
}

/// Every "$ref" points to something in the document.
void check_references(const json& node, const json& root) {
  if (node.is_object() && node.contains("$ref")) {
    const auto reference = node.at("$ref").get<std::string>();
    CAPTURE(reference);
    REQUIRE(reference.starts_with("#/"));
    CHECK(root.contains(json::json_pointer(reference.substr(1))));
  }
  if (node.is_structured()) {
    for (const json& child : node) {
      check_references(child, root);
    }
  }
}

}  // namespace

TEST_CASE("the schema of the configuration has the parser's keys") {
  const json config = schema("config.schema.json");
  CHECK(config.at("$schema") == "https://json-schema.org/draft/2020-12/schema");
  CHECK(keys(config) == sorted(kConfigKeys));
  const json& sections = config.at("properties");
  CHECK(keys(sections.at("primary")) == sorted(kPrimaryKeys));
  CHECK(keys(sections.at("secondary")) == sorted(kSecondaryKeys));
  CHECK(keys(sections.at("keys")) == sorted(kKeysKeys));
  CHECK(keys(sections.at("state")) == sorted(kStateKeys));
  CHECK(keys(sections.at("limits")) == sorted(kLimitsKeys));
  CHECK(keys(sections.at("journal")) == sorted(kJournalKeys));
  CHECK(keys(sections.at("privacy")) == sorted(kPrivacyKeys));
  CHECK(keys(sections.at("alert")) == sorted(kAlertKeys));
  CHECK(keys(sections.at("exchange")) == sorted(kExchangeKeys));
  CHECK(keys(config.at("$defs").at("peer")) == sorted(kPeerKeys));
  CHECK(sections.at("peers").at("additionalProperties") == json({{"$ref", "#/$defs/peer"}}));
  check_references(config, config);
}

TEST_CASE("the schema of the contract has the parser's keys and words") {
  const json contract = schema("contract.schema.json");
  CHECK(contract.at("$schema") == "https://json-schema.org/draft/2020-12/schema");
  CHECK(keys(contract) == sorted(kContractKeys));
  const json& table = contract.at("$defs").at("table");
  CHECK(keys(table) == sorted(kTableKeys));
  CHECK(words(table.at("properties").at("on_delete")) == sorted(kOnDeletes));
  const json& column = contract.at("$defs").at("column_options");
  CHECK(keys(column) == sorted(kColumnKeys));
  const json& options = column.at("properties");
  CHECK(words(options.at("class")) == sorted(kClasses));
  CHECK(words(options.at("owner")) == sorted(kOwners));
  CHECK(words(options.at("format")) == sorted(kFormats));
  CHECK(words(options.at("normalise")) == sorted(kNormalisers));
  for (const std::string_view generalisation : kGeneralisations) {
    CAPTURE(generalisation);
    CHECK(options.at("to").at("pattern").get<std::string>().find(generalisation) !=
          std::string::npos);
  }
  check_references(contract, contract);
}
