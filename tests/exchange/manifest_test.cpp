#include "exchange/manifest.hpp"

#include "exchange/manifest_rules.hpp"
#include "exchange/not_applied.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace abgleich::exchange {
namespace {

using Why = NotApplied::Why;
using Json = nlohmann::ordered_json;

seal::Recipient some_key() {
  return seal::Identity::generate().recipient();
}

Manifest full_manifest() {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  Manifest manifest{.from = {1}, .to = {2}, .serial = 4'294'967'295, .box = BoxName{3}};
  auto& message = manifest.message;
  message = {.mark = {.line = {.number = kMost, .random = {4, 5}}, .seq = kMost, .id = {6}},
             .line_is_new = true,
             .trail = {{kMost - 1, {7}}, {kMost, {6}}},
             .seen = Mark{.line = {.number = 8}, .seq = 9, .id = {10}},
             .applied = Mark{.line = {.number = 11}, .seq = 12, .id = {13}},
             .grants = {{14}, {15}},
             .lacks_grants = true,
             .rows = Message::Rows::changes,
             .from = kMost - 2};
  manifest.grants = {{.box = {14}, .key = some_key()}, {.box = {15}, .key = some_key()}};
  manifest.tables = {{.name = "Ärzte \"x\"",
                      .columns = {{.name = "id", .type = "numeric(10,2)", .in_key = true},
                                  {.name = "sqlite_", .type = ""}},
                      .rows = 1'000'000'000'000,
                      .gone = 3}};
  manifest.sent = 253'402'300'799;
  return manifest;
}

Json full_json() {
  return Json::parse(manifest_text(full_manifest()));
}

std::optional<Why> refusal(std::string_view text) {
  try {
    (void)parse_manifest(text);
    return std::nullopt;
  } catch (const NotApplied& refused) {
    return refused.why();
  }
}

/// The full manifest with one value replaced; `path` is a JSON pointer.
std::optional<Why> refusal_with(const std::string& path, const Json& value) {
  auto json = full_json();
  json[Json::json_pointer(path)] = value;
  return refusal(json.dump());
}

std::optional<Why> refusal_without(const std::string& path) {
  auto json = full_json();
  const Json::json_pointer pointer(path);
  json[pointer.parent_pointer()].erase(pointer.back());
  return refusal(json.dump());
}

TEST_CASE("manifest: it is read as it was written, whatever the numbers") {
  const auto manifest = full_manifest();
  const auto read = parse_manifest(manifest_text(manifest));
  CHECK(manifest_text(read) == manifest_text(manifest));
  CHECK(read.from == manifest.from);
  CHECK(read.to == manifest.to);
  CHECK(read.serial == manifest.serial);
  CHECK(read.box == manifest.box);
  CHECK(read.grants == manifest.grants);
  CHECK(read.tables == manifest.tables);
  CHECK(read.sent == manifest.sent);
  const auto& message = read.message;
  CHECK(message.mark == manifest.message.mark);
  CHECK(message.line_is_new);
  CHECK(message.trail == manifest.message.trail);
  CHECK(message.seen == manifest.message.seen);
  CHECK(message.applied == manifest.message.applied);
  CHECK(message.grants == manifest.message.grants);
  CHECK(message.lacks_grants);
  CHECK(message.rows == Message::Rows::changes);
  CHECK(message.from == manifest.message.from);
}

TEST_CASE("manifest: what is not said is none, no, or zero") {
  const Manifest least{.from = {1}, .to = {2}, .message = {.mark = {.seq = 1}}};
  const auto text = manifest_text(least);
  CHECK(text ==
        R"({"format":1,"from":"aeaaaaaaaaaaaaaaaaaaaaaaaa","serial":1,)"
        R"("to":"aiaaaaaaaaaaaaaaaaaaaaaaaa",)"
        R"("line":{"number":"1","random":"0000000000000000"},"seq":"1",)"
        R"("id":"aaaaaaaaaaaaaaaaaaaaaaaaaa","trail":[],"rows":"none","grants":[],"tables":[],)"
        R"("sent":0})");
  const auto read = parse_manifest(text);
  CHECK_FALSE(read.box);
  CHECK_FALSE(read.message.seen);
  CHECK_FALSE(read.message.applied);
  CHECK_FALSE(read.message.line_is_new);
  CHECK_FALSE(read.message.lacks_grants);
  CHECK(read.message.from == 0);
  CHECK(manifest_text(read) == text);
  for (const auto* name : {"box", "line_is_new", "seen", "applied", "lacks_grants", "since"}) {
    CAPTURE(name);
    // without its box it is a hello, which has no rows
    CHECK(refusal_without("/" + std::string(name)) ==
          (name == std::string("box") ? std::optional(Why::malformed) : std::nullopt));
  }
}

TEST_CASE("manifest: keys that are not known are passed over, wherever they stand") {
  for (const auto* path : {"/more", "/line/more", "/seen/line/more", "/grants/0/more",
                           "/tables/0/more", "/tables/0/columns/0/more"}) {
    CAPTURE(path);
    CHECK_FALSE(refusal_with(path, {{"a", {1, 2.5, nullptr}}}));
  }
}

TEST_CASE("manifest: a later format is told as such, whatever else stands there") {
  CHECK(refusal(R"({"format":2})") == Why::another_format);
  CHECK(refusal(R"({"format":18446744073709551615,"from":1})") == Why::another_format);
  CHECK(refusal_with("/format", 2) == Why::another_format);
  for (const auto& wrong : {Json(0), Json("1"), Json(1.0), Json(-1), Json(true), Json(nullptr)}) {
    CHECK(refusal_with("/format", wrong) == Why::malformed);
  }
}

TEST_CASE("manifest: a field that is missing or of another kind is refused") {
  for (const auto* path : {"/format",
                           "/from",
                           "/serial",
                           "/to",
                           "/line",
                           "/line/number",
                           "/line/random",
                           "/seq",
                           "/id",
                           "/trail",
                           "/rows",
                           "/grants",
                           "/grants/0/box",
                           "/grants/0/key",
                           "/tables",
                           "/tables/0/name",
                           "/tables/0/rows",
                           "/tables/0/gone",
                           "/tables/0/columns",
                           "/tables/0/columns/0/name",
                           "/tables/0/columns/0/type",
                           "/sent",
                           "/seen/line",
                           "/seen/seq",
                           "/seen/id"}) {
    CAPTURE(path);
    CHECK(refusal_without(path) == Why::malformed);
  }
  const auto flat = full_json().flatten();
  for (const auto& [path, value] : flat.items()) {
    CAPTURE(path);
    for (const auto& wrong : {Json(-1), Json(0.5), Json(nullptr), Json::object(), Json::array()}) {
      CHECK(refusal_with(path, wrong) == Why::malformed);
    }
    CHECK(refusal_with(path, value.is_string() ? Json(7) : Json("7")) == Why::malformed);
  }
}

TEST_CASE("manifest: every value has its limits") {
  using namespace std::string_literals;
  const auto key = full_json()["grants"][0]["key"].get<std::string>();
  const std::vector<std::pair<std::string, Json>> wrong{
      {"/from", "aeaaaaaaaaaaaaaaaaaaaaaaa"},
      {"/from", "AEAAAAAAAAAAAAAAAAAAAAAAAA"},
      {"/from", "aeaaaaaaaaaaaaaaaaaaaaaaab"},  // bits behind the last byte
      {"/to", "aeaaaaaaaaaaaaaaaaaaaaaaaaa"},
      {"/serial", 0},
      {"/serial", 4'294'967'296},
      {"/box", ""},
      {"/line/number", "0"},
      {"/line/number", "01"},
      {"/line/number", "+1"},
      {"/line/number", "1 "},
      {"/line/number", "18446744073709551616"},
      {"/line/random", "000000000000000"},
      {"/line/random", "000000000000000G"},
      {"/line/random", "00000000000000AB"},
      {"/seq", "0"},
      {"/seq", ""},
      {"/seen/seq", "0"},
      {"/applied/line/number", "0"},
      {"/trail/0", {"0", "a4aaaaaaaaaaaaaaaaaaaaaaaa"}},
      {"/trail/0/0", "18446744073709551615"},        // that of the second
      {"/trail/1/1", "a4aaaaaaaaaaaaaaaaaaaaaaaa"},  // another id for this message
      {"/trail/0", {"1"}},
      {"/trail/0", {"1", "a4aaaaaaaaaaaaaaaaaaaaaaaa", "2"}},
      {"/rows", "all"},
      {"/rows", "none"},                   // with tables
      {"/rows", "whole"},                  // with a key that is gone
      {"/since", "18446744073709551615"},  // not before this message
      {"/since", "-1"},
      {"/sent", 253'402'300'800},
      {"/grants/0/key", key + "q"},
      {"/grants/1/box", full_json()["grants"][0]["box"]},
      {"/tables/0/name", ""},
      {"/tables/0/name", "a\0b"s},
      {"/tables/0/name", "abgleich_run"},
      {"/tables/0/name", "ABGLEICH_run"},
      {"/tables/0/name", "sqlite_master"},
      {"/tables/0/name", "Sqlite_"},
      {"/tables/0/rows", 1'000'000'000'001},
      {"/tables/0/gone", 1'000'000'000'001},
      {"/tables/0/columns", Json::array()},
      {"/tables/0/columns/0/key", false},  // no key left
      {"/tables/0/columns/1/name", "ID"},
      {"/tables/0/columns/1/name", ""},
      {"/tables/0/columns/1/name", "\0"s},
      {"/tables/0/columns/1/type", "text;"},
      {"/tables/0/columns/1/type", "text\n"},
      {"/tables/0/columns/1/type", "täxt"},
  };
  for (const auto& [path, value] : wrong) {
    CAPTURE(path);
    CAPTURE(value.dump());
    CHECK(refusal_with(path, value) == Why::malformed);
  }
  CHECK_FALSE(refusal_with("/tables/0/name", "abgleich"));
  CHECK_FALSE(refusal_with("/tables/0/columns/1/name", "abgleich_run"));
}

TEST_CASE("manifest: a trail ascends, and ends with the message at the latest") {
  const Manifest least{.from = {1}, .to = {2}, .message = {.mark = {.seq = 7}}};
  const auto with = [&](const std::vector<std::string>& numbers) {
    auto json = Json::parse(manifest_text(least));
    for (const auto& number : numbers) {
      json["trail"].push_back({number, "aaaaaaaaaaaaaaaaaaaaaaaaaa"});
    }
    return refusal(json.dump());
  };
  CHECK_FALSE(with({}));
  CHECK_FALSE(with({"5", "6", "7"}));
  CHECK_FALSE(with({"3"}));
  CHECK(with({"6", "5"}) == Why::malformed);
  CHECK(with({"6", "6"}) == Why::malformed);
  CHECK(with({"7", "8"}) == Why::malformed);
}

TEST_CASE("manifest: there is a most of everything, and one more is refused") {
  const auto filled = [](std::size_t tables, std::size_t columns, std::size_t trail,
                         std::size_t name, std::size_t type) {
    auto manifest = full_manifest();
    manifest.tables.clear();
    for (std::size_t i = 0; i < tables; ++i) {
      manifest.tables.push_back(
          {.name = "t" + std::to_string(i), .columns = {{.name = "id", .in_key = true}}});
    }
    auto& first = manifest.tables.front();
    first.name = std::string(name, 'n');
    first.columns.front().type = std::string(type, 't');
    for (std::size_t i = 1; i < columns; ++i) {
      first.columns.push_back({.name = "c" + std::to_string(i)});
    }
    manifest.message.trail.clear();
    for (std::size_t i = 1; i <= trail; ++i) {
      manifest.message.trail[i] = {static_cast<std::uint8_t>(i)};
    }
    return refusal(manifest_text(manifest));
  };
  CHECK_FALSE(filled(1'000, 2'000, 1'001, 255, 64));
  CHECK(filled(1'001, 1, 1, 1, 1) == Why::malformed);
  CHECK(filled(1, 2'001, 1, 1, 1) == Why::malformed);
  CHECK(filled(1, 1, 1'002, 1, 1) == Why::malformed);
  CHECK(filled(1, 1, 1, 256, 1) == Why::malformed);
  CHECK(filled(1, 1, 1, 1, 65) == Why::malformed);

  auto json = full_json();
  const auto grant = json["grants"][0]["key"];
  json["grants"].clear();
  for (std::size_t i = 0; i < 16; ++i) {
    json["grants"].push_back(
        {{"box", "aeaaaaaaaaaaaaaaaaaaaaaaa" + std::string(1, i < 8 ? 'a' : 'e')}, {"key", grant}});
    json["grants"].back()["box"].get_ref<std::string&>()[5] = static_cast<char>('a' + i);
  }
  CHECK_FALSE(refusal(json.dump()));
  json["grants"].push_back({{"box", "beaaaaaaaaaaaaaaaaaaaaaaaa"}, {"key", grant}});
  CHECK(refusal(json.dump()) == Why::malformed);

  const auto text = manifest_text(full_manifest());
  CHECK_FALSE(refusal(text + std::string(kMostManifest - text.size(), ' ')));
  CHECK(refusal(text + std::string(kMostManifest - text.size() + 1, ' ')) == Why::too_large);
}

TEST_CASE("manifest: a hello has no rows, and rows without tables are none") {
  auto manifest = full_manifest();
  manifest.box.reset();
  CHECK(refusal(manifest_text(manifest)) == Why::malformed);
  manifest.tables.clear();
  CHECK(refusal(manifest_text(manifest)) == Why::malformed);
  manifest.message.rows = Message::Rows::whole;
  CHECK(refusal(manifest_text(manifest)) == Why::malformed);
  manifest.message.rows = Message::Rows::none;
  CHECK_FALSE(refusal(manifest_text(manifest)));
  manifest.box = BoxName{3};
  CHECK_FALSE(refusal(manifest_text(manifest)));
  manifest.message.rows = Message::Rows::whole;  // of a database without tables
  CHECK_FALSE(refusal(manifest_text(manifest)));
}

TEST_CASE("manifest: a grant of a key of small order is refused, since nothing seals to it") {
  for (const auto first : {std::uint8_t{0}, std::uint8_t{1}}) {
    auto manifest = full_manifest();
    manifest.grants.front().key = {first};
    CHECK(refusal(manifest_text(manifest)) == Why::malformed);
  }
}

TEST_CASE("manifest: what is no JSON object, or has a key twice, is refused") {
  const auto text = manifest_text(full_manifest());
  REQUIRE_FALSE(refusal(text));
  const auto with = [&](const std::string& from, const std::string& to) {
    auto changed = text;
    return refusal(changed.replace(changed.find(from), from.size(), to));
  };
  CHECK(with("{", "{\"seq\":\"1\",") == Why::malformed);
  CHECK(with("{", "{\"more\":1,\"more\":1,") == Why::malformed);
  CHECK(with("\"number\":", "\"number\":\"2\",\"number\":") == Why::malformed);
  CHECK(with("\xc3\x84", "\xc3") == Why::malformed);
  CHECK(with("\xc3\x84", "\\ud800") == Why::malformed);
  CHECK_FALSE(with("\xc3\x84", "\\u00c4"));
  for (const auto& other :
       {std::string(), std::string("{}"), std::string("[]"), "\xef\xbb\xbf" + text, " " + text,
        text + "x", text.substr(1), text.substr(0, text.size() - 1), "[" + text + "]",
        std::string(100'000, '['), "{\"a\":" + std::string(100'000, '['),
        "{\"a\":" + std::string(65, '[') + std::string(65, ']') + "," + text.substr(1)}) {
    CHECK(refusal(other) == Why::malformed);
  }
}

TEST_CASE("manifest: what is wrong with tables is said in words, before they are sent") {
  std::vector<SentTable> tables{
      {.name = "visit", .columns = {{.name = "id", .in_key = true}, {.name = "note"}}}};
  const auto flaw = [&](auto change) {
    auto changed = tables;
    change(changed);
    return flaw_of(changed);
  };
  CHECK(flaw_of({}) == "");
  CHECK(flaw_of(tables) == "");
  CHECK(flaw([](auto& all) { all[0].name = "Abgleich_x"; }) ==
        "table 'Abgleich_x' has a name that begins with 'abgleich_'");
  CHECK(flaw([](auto& all) { all[0].name = std::string(256, 'x'); }) ==
        "a table has a name of more than 255 bytes");
  CHECK(flaw([](auto& all) { all[0].name = "\xff"; }) == "a table has a name that is no text");
  CHECK(flaw([](auto& all) { all[0].name = ""; }) == "a table has no name");
  CHECK(flaw([](auto& all) {
          all.push_back(all[0]);
          all[1].name = "Visit";
        }) == "there are two tables 'Visit', however they are capitalised");
  CHECK(flaw([](auto& all) { all.resize(1'001, all[0]); }) == "there are more than 1000 tables");
  CHECK(flaw([](auto& all) { all[0].columns[0].in_key = false; }) == "table 'visit' has no key");
  CHECK(flaw([](auto& all) { all[0].columns[1].name = "ID"; }) ==
        "table 'visit' has two columns 'ID', however they are capitalised");
  CHECK(flaw([](auto& all) { all[0].columns[1].name = ""; }) ==
        "table 'visit' has a column that has no name");
  CHECK(flaw([](auto& all) { all[0].columns.resize(2'001); }) ==
        "table 'visit' has more than 2000 columns");
  CHECK(flaw([](auto& all) { all[0].columns[1].type = "enum('a')"; }) ==
        "table 'visit' has a column 'note' of a type with other signs than letters, digits, blanks "
        "and '(),_', or more than 64 of them");
}

TEST_CASE("manifest: each reason has its word") {
  CHECK(name_of(Why::altered) == "altered");
  CHECK(name_of(Why::not_for_us) == "not_for_us");
  CHECK(name_of(Why::another_format) == "another_format");
  CHECK(name_of(Why::malformed) == "malformed");
  CHECK(name_of(Why::too_large) == "too_large");
  CHECK(std::string(NotApplied(Why::too_large).what()) == "a bundle is not applied: too_large");
}

}  // namespace
}  // namespace abgleich::exchange
