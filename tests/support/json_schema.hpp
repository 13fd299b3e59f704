// Checks a document against a schema of schemas/. Knows the words of JSON Schema that these use. If
// a schema names fields of an object and says nothing of others, another field is an error here:
// what the program prints has to be described.
#pragma once

#include "support/places.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <regex>
#include <string>
#include <string_view>

namespace abgleich::test {

class JsonSchemas {
 public:
  using Json = nlohmann::json;

  /// `reference`: a file of schemas/, and perhaps a place in it:
  /// "commands.schema.json#/$defs/rekey". Empty if the value fits, otherwise what is wrong, and
  /// where.
  std::string complaint(const Json& value, const std::string& reference) {
    return follow(value, reference, "", "");
  }

 private:
  const Json& file(const std::string& name) {
    auto found = files_.find(name);
    if (found == files_.end()) {
      std::ifstream in(std::string(kSourceTree) + "/schemas/" + name);
      REQUIRE_MESSAGE(in.good(), name);
      found = files_.emplace(name, Json::parse(in)).first;
    }
    return found->second;
  }

  /// `here`: the file in which the reference stands.
  std::string follow(const Json& value, const std::string& reference, const std::string& here,
                     const std::string& at) {
    const auto hash = reference.find('#');
    const auto name = hash == 0 ? here : reference.substr(0, hash);
    const auto& root = file(name);
    if (hash == std::string::npos) {
      return check(value, root, name, at);
    }
    const Json::json_pointer place(reference.substr(hash + 1));
    REQUIRE_MESSAGE(root.contains(place), reference);
    return check(value, root.at(place), name, at);
  }

  static bool is(const Json& value, const std::string& type) {
    return type == "object"    ? value.is_object()
           : type == "array"   ? value.is_array()
           : type == "string"  ? value.is_string()
           : type == "integer" ? value.is_number_integer()
           : type == "number"  ? value.is_number()
           : type == "boolean" ? value.is_boolean()
                               : type == "null" && value.is_null();
  }

  static bool is_one_of(const Json& value, const Json& types) {
    return types.is_array()
               ? std::ranges::any_of(types, [&](const Json& type) { return is(value, type); })
               : is(value, types);
  }

  /// A word that is not known would check nothing.
  static void expect_known(const Json& schema) {
    static constexpr auto kKnown = std::to_array<std::string_view>({"$schema",
                                                                    "$id",
                                                                    "$defs",
                                                                    "title",
                                                                    "description",
                                                                    "default",
                                                                    "$ref",
                                                                    "oneOf",
                                                                    "anyOf",
                                                                    "const",
                                                                    "enum",
                                                                    "type",
                                                                    "minimum",
                                                                    "maximum",
                                                                    "minLength",
                                                                    "pattern",
                                                                    "required",
                                                                    "properties",
                                                                    "additionalProperties",
                                                                    "propertyNames",
                                                                    "items",
                                                                    "minItems"});
    for (const auto& [word, unused] : schema.items()) {
      REQUIRE_MESSAGE(std::ranges::find(kKnown, std::string_view(word)) != kKnown.end(), word);
    }
  }

  std::string check(const Json& value, const Json& schema, const std::string& here,
                    const std::string& at) {
    if (schema.is_boolean()) {
      return schema.get<bool>() ? "" : at + ": there should be nothing";
    }
    expect_known(schema);
    const auto wrong = [&](const std::string& what) { return at + ": " + what; };
    if (schema.contains("$ref")) {
      if (auto why = follow(value, schema["$ref"], here, at); !why.empty()) {
        return why;
      }
    }
    for (const auto* word : {"oneOf", "anyOf"}) {
      if (schema.contains(word)) {
        std::string why;
        std::size_t fits = 0;
        for (const auto& one : schema[word]) {
          const auto but = check(value, one, here, at);
          fits += but.empty() ? 1 : 0;
          why = but.empty() ? why : but;
        }
        if (fits == 0 || (fits > 1 && std::string_view(word) == "oneOf")) {
          return wrong(std::to_string(fits) + " of " + word + " fit; " + why);
        }
      }
    }
    if (schema.contains("type") && !is_one_of(value, schema["type"])) {
      return wrong("is no " + schema["type"].dump() + ": " + value.dump());
    }
    if (schema.contains("const") && value != schema["const"]) {
      return wrong("is not " + schema["const"].dump() + ": " + value.dump());
    }
    if (schema.contains("enum") &&
        std::ranges::find(schema["enum"], value) == schema["enum"].end()) {
      return wrong("is none of " + schema["enum"].dump() + ": " + value.dump());
    }
    if (value.is_number() && ((schema.contains("minimum") && value < schema["minimum"]) ||
                              (schema.contains("maximum") && value > schema["maximum"]))) {
      return wrong("is too small or too large: " + value.dump());
    }
    if (value.is_string()) {
      return check_text(value.get_ref<const std::string&>(), schema, at);
    }
    if (value.is_array()) {
      return check_items(value, schema, here, at);
    }
    return value.is_object() ? check_fields(value, schema, here, at) : "";
  }

  static std::string check_text(const std::string& text, const Json& schema,
                                const std::string& at) {
    if (text.size() < schema.value("minLength", std::size_t{0})) {
      return at + ": is too short";
    }
    if (schema.contains("pattern") &&
        !std::regex_search(text, std::regex(schema["pattern"].get<std::string>()))) {
      return at + ": is not of the form " + schema["pattern"].dump() + ": " + text;
    }
    return "";
  }

  std::string check_items(const Json& value, const Json& schema, const std::string& here,
                          const std::string& at) {
    if (value.size() < schema.value("minItems", std::size_t{0})) {
      return at + ": has too few items";
    }
    if (!schema.contains("items")) {
      return "";
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
      auto why = check(value[i], schema["items"], here, at + "/" + std::to_string(i));
      if (!why.empty()) {
        return why;
      }
    }
    return "";
  }

  std::string check_fields(const Json& value, const Json& schema, const std::string& here,
                           const std::string& at) {
    for (const auto& name : schema.value("required", Json::array())) {
      if (!value.contains(name.get<std::string>())) {
        return at + ": " + name.dump() + " is not there";
      }
    }
    const bool named = schema.contains("properties");
    for (const auto& [name, field] : value.items()) {
      const auto place = at + "/" + name;
      std::string why;
      if (schema.contains("propertyNames")) {
        why = check(name, schema["propertyNames"], here, place);
      }
      if (why.empty() && named && schema["properties"].contains(name)) {
        why = check(field, schema["properties"][name], here, place);
      } else if (why.empty() && schema.contains("additionalProperties")) {
        why = check(field, schema["additionalProperties"], here, place);
      } else if (why.empty() && named) {
        why = place + ": the schema does not name it";
      }
      if (!why.empty()) {
        return why;
      }
    }
    return "";
  }

  std::map<std::string, Json> files_;
};

}  // namespace abgleich::test
