// schemas/pseudonyms.md is what others implement: its lines of vectors are read from the page.
#include "mask/canonical_form.hpp"
#include "mask/known_keyring.hpp"
#include "mask/normalise.hpp"
#include "mask/pseudonym.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <optional>
#include <string>

namespace abgleich::mask {

namespace {

using Json = nlohmann::json;

contract::Normaliser normaliser_of(const Json& line) {
  const auto word = line.value("normalise", "none");
  for (int i = 0; i < 5; ++i) {
    if (name_of(static_cast<contract::Normaliser>(i)) == word) {
      return static_cast<contract::Normaliser>(i);
    }
  }
  FAIL("no such normaliser: ", word);
  return {};
}

contract::Format format_of(const Json& line) {
  const auto word = line.at("format").get<std::string>();
  return word == "uuid"      ? contract::Format::uuid
         : word == "integer" ? contract::Format::integer
                             : contract::Format::text;
}

std::optional<std::string> computed(const Json& line, const std::string& of) {
  const auto form = contract::canonical_form_from(line.value("form", "written"));
  REQUIRE(form);
  if (line.contains("identity")) {
    const auto identity = line.at("identity").get<std::string>();
    Pseudonymiser pseudonymiser(known_keyring(), {.identity = identity,
                                                  .format = format_of(line),
                                                  .normaliser = normaliser_of(line),
                                                  .form = *form});
    Value out;
    return pseudonymiser.make(value_from_text(of), out) ? std::nullopt : std::optional(out.bytes());
  }
  std::string out;
  if (line.contains("form")) {
    return std::string(in_form(*form, 64, value_from_text(of), out));
  }
  NormaliseScratch scratch;
  return normalise(normaliser_of(line), of, out, scratch) ? std::nullopt : std::optional(out);
}

}  // namespace

TEST_CASE("every vector on the page of pseudonyms is what the program computes") {
  std::ifstream page(std::string(test::kSourceTree) + "/schemas/pseudonyms.md");
  int vectors = 0;
  for (std::string text; std::getline(page, text);) {
    if (!text.starts_with("{\"")) {
      continue;
    }
    CAPTURE(text);
    const auto line = Json::parse(text);
    const auto is = computed(line, line.at("of").get<std::string>());
    CHECK(is.has_value() == !line.at("is").is_null());
    if (is && line.at("is").is_string()) {
      CHECK(*is == line.at("is").get<std::string>());
    }
    ++vectors;
  }
  CHECK(vectors >= 45);
}

}  // namespace abgleich::mask
