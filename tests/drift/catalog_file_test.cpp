#include "drift/catalog_file.hpp"

#include "core/error.hpp"
#include "drift/vendor.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

using namespace abgleich;
using namespace abgleich::drift;
using tests::Vendor;

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// One of everything that a catalogue can hold.
Catalog everything() {
  Vendor vendor;
  vendor.create_table("person", {{"id", "bigint", false},
                                 {"näme \"x\"", "character varying(64)"},
                                 {"size", "numeric(8,2)"},
                                 {"code", "character(3)"},
                                 {"status", "status"},
                                 {"since", "timestamp(3) without time zone"}});
  CatalogTable& person = vendor.table("person");
  person.primary_key = CatalogKey{"person_pkey", {"id"}};
  person.uniques = {{"a_key", {"code"}}, {"b_key", {"näme \"x\"", "size"}}};
  person.row_security = true;
  person.triggers = true;
  person.columns[0].auto_identity = true;
  person.columns[1].collation = "\"de-x-icu\"";
  person.columns[1].folds = true;
  person.columns[2].generated = true;
  person.columns[2].domain = "public.amount";
  person.columns[2].default_value = "(1 + 1)";
  person.columns[3].readable = false;
  person.columns[4].type.labels = {"B", "A"};
  person.columns[5].type.engine = Engine::sqlite;
  vendor.create_table("Visit", {{"id", "bigint"}, {"person_id", "bigint"}});
  vendor.table("Visit").foreign_keys = {{"fk_1", {"person_id"}, "person", {"id"}, true},
                                        {"fk_2", {"id"}, "person", {"id"}, false, false}};
  vendor.create_table("visit_2024", {{"id", "bigint"}});
  vendor.table("visit_2024").kind = TableKind::partition;
  vendor.table("visit_2024").parent = "Visit";
  vendor.table("visit_2024").columns[0].identity = std::numeric_limits<std::int64_t>::max();
  vendor.create_table("nothing", {});
  vendor.table("nothing").kind = TableKind::materialised_view;
  return vendor.catalog();
}

/// The message with which the text is refused.
std::string refusal(const std::string& text) {
  try {
    static_cast<void>(catalog_from_json(text, "catalog.json"));
  } catch (const Failure& failure) {
    CHECK(failure.error().code == Code::configuration);
    CHECK_FALSE(failure.error().hint.empty());
    return failure.error().message;
  }
  return "(taken)";
}

/// The same after a change of the JSON.
std::string refusal_after(const std::function<void(Json&)>& change) {
  Json json = Json::parse(catalog_to_json(everything()));
  change(json);
  return refusal(json.dump());
}

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

struct Directory {
  Directory() {
    std::string name = (fs::temp_directory_path() / "abgleich-catalog-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Directory() { fs::remove_all(path); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  fs::path path;
};

}  // namespace

TEST_CASE("a catalogue survives the way into its file and back") {
  const Catalog catalog = everything();
  CHECK(catalog_from_json(catalog_to_json(catalog), "catalog.json") == catalog);
  const Catalog empty;
  CHECK(catalog_from_json(catalog_to_json(empty), "catalog.json") == empty);
}

TEST_CASE("a catalogue reads like this") {
  Vendor vendor;
  vendor.create_table("visit", {{"id", "bigint", false}, {"note", "character varying(64)"}});
  vendor.table("visit").primary_key = CatalogKey{"visit_pkey", {"id"}};
  vendor.column("visit", "note").readable = false;
  vendor.create_table("kind", {});
  CHECK(catalog_to_json(vendor.catalog()) == R"~({
  "format": "abgleich.catalog/1",
  "engine": "postgresql",
  "system": "7318223344556677889",
  "database": "16400",
  "version": "15.6",
  "schema": "public",
  "tables": [
    {
      "name": "kind",
      "kind": "table",
      "identity": 16385,
      "columns": [],
      "uniques": [],
      "foreign_keys": []
    },
    {
      "name": "visit",
      "kind": "table",
      "identity": 16384,
      "columns": [
        {"name": "id", "identity": 1, "type": "bigint", "family": "integer", "bits": 64, "nullable": false},
        {"name": "note", "identity": 2, "type": "character varying(64)", "family": "text", "length": 64, "nullable": true, "readable": false}
      ],
      "primary_key": {"name": "visit_pkey", "columns": ["id"]},
      "uniques": [],
      "foreign_keys": []
    }
  ]
}
)~");
}

TEST_CASE("the order in which tables and keys were read does not show, that of columns does") {
  const Catalog catalog = everything();
  Catalog shuffled = catalog;
  std::ranges::reverse(shuffled.tables);
  for (CatalogTable& table : shuffled.tables) {
    std::ranges::reverse(table.uniques);
    std::ranges::reverse(table.foreign_keys);
  }
  CHECK(catalog_to_json(shuffled) == catalog_to_json(catalog));
  CHECK(catalog.tables.front().name == "Visit");  // bytes, not letters
  std::ranges::reverse(shuffled.tables.back().columns);
  CHECK(catalog_to_json(shuffled) != catalog_to_json(catalog));
}

TEST_CASE("a file of another format version is said to be one") {
  CHECK(refusal_after([](Json& json) { json["format"] = "abgleich.catalog/2"; }) ==
        "'catalog.json': format is 'abgleich.catalog/2', and this version reads "
        "'abgleich.catalog/1' only");
  CHECK(refusal("{\"format\": \"abgleich.catalog/2\", \"moon\": []}")
            .find("format is 'abgleich.catalog/2'") != std::string::npos);
}

TEST_CASE("what is wrong in a catalogue file is said with its path") {
  CHECK(refusal_after([](Json& json) { json["moon"] = 1; }) ==
        "'catalog.json': unknown field 'moon'");
  CHECK(refusal_after([](Json& json) { json.erase("schema"); }) ==
        "'catalog.json': schema is missing");
  CHECK(refusal_after([](Json& json) { json["tables"][2]["columns"][1]["nulable"] = true; }) ==
        "'catalog.json': unknown field 'nulable' in tables[2].columns[1]");
  CHECK(refusal_after([](Json& json) { json["tables"][2]["columns"][1]["nullable"] = "yes"; }) ==
        "'catalog.json': tables[2].columns[1].nullable is neither true nor false");
  CHECK(refusal_after([](Json& json) { json["tables"][2]["columns"][0]["identity"] = 1.5; }) ==
        "'catalog.json': tables[2].columns[0].identity is not a whole number");
  CHECK(refusal_after([](Json& json) {
          json["tables"][2]["columns"][0]["identity"] = std::numeric_limits<std::uint64_t>::max();
        }) == "'catalog.json': tables[2].columns[0].identity is not a whole number");
  CHECK(refusal_after([](Json& json) { json["tables"][2]["columns"][1]["length"] = 1LL << 40; }) ==
        "'catalog.json': tables[2].columns[1].length is out of range");
  CHECK(refusal_after([](Json& json) { json["tables"][2]["columns"][0]["family"] = "int"; }) ==
        "'catalog.json': tables[2].columns[0].family holds the unknown word 'int'");
  CHECK(refusal_after([](Json& json) { json["tables"][0]["kind"] = 7; }) ==
        "'catalog.json': tables[0].kind is not a text");
  CHECK(refusal_after([](Json& json) { json["tables"][0]["name"] = ""; }) ==
        "'catalog.json': tables[0].name is empty");
  CHECK(refusal_after([](Json& json) { json["engine"] = "oracle"; }) ==
        "'catalog.json': engine holds the unknown word 'oracle'");
  CHECK(refusal_after([](Json& json) { json["tables"] = Json::object(); }) ==
        "'catalog.json': tables is not a list");
  CHECK(refusal_after([](Json& json) { json["tables"][1] = 3; }) ==
        "'catalog.json': tables[1] is not an object");
  CHECK(refusal_after([](Json& json) { json["tables"][2]["primary_key"]["columns"] = "id"; }) ==
        "'catalog.json': tables[2].primary_key.columns is not a list of texts");
  CHECK(refusal_after([](Json& json) {
          json["tables"][2]["uniques"][0]["columns"] = Json::array();
        }) == "'catalog.json': tables[2].uniques[0].columns is not a list of texts");
  CHECK(refusal_after([](Json& json) {
          json["tables"][0]["foreign_keys"][0]["referenced"] = {"a", "b"};
        }) ==
        "'catalog.json': tables[0].foreign_keys[0].referenced has another number of columns than "
        "'columns'");
}

TEST_CASE("a name that is there twice is refused, since one would hide the other") {
  CHECK(refusal_after([](Json& json) { json["tables"].push_back(json["tables"][0]); }) ==
        "'catalog.json': tables has 'Visit' twice");
  CHECK(refusal_after([](Json& json) {
          json["tables"][0]["columns"].push_back(json["tables"][0]["columns"][0]);
        }) == "'catalog.json': tables[0].columns has 'id' twice");
  CHECK(refusal("{\"format\": \"abgleich.catalog/1\", \"schema\": \"a\", \"schema\": \"b\"}") ==
        "'catalog.json': the field 'schema' is there twice");
}

TEST_CASE("a damaged file is said to be no JSON, with line and column") {
  CHECK(refusal("") == "'catalog.json:1:1' is not JSON");
  CHECK(refusal("{\n  \"format\": \"abgleich.catalog/1\",\n<<<<<<< mine\n") ==
        "'catalog.json:3:1' is not JSON");
  CHECK(refusal("[]") == "'catalog.json': is not a JSON object");
  std::string text = catalog_to_json(everything());
  text.resize(text.size() / 2);
  CHECK(refusal(text).find("is not JSON") != std::string::npos);
  CHECK(refusal(std::string(100'000, '[')).find("is not JSON") != std::string::npos);
}

TEST_CASE("a catalogue file cut anywhere is refused and never crashes") {
  const std::string text = catalog_to_json(everything());
  for (std::size_t size = 0; size + 2 < text.size(); size += 7) {
    CHECK(refusal(text.substr(0, size)) != "(taken)");
  }
}

TEST_CASE("a name that is no UTF-8 is refused when the file is written") {
  Catalog catalog = everything();
  catalog.tables[0].columns[0].name = "caf\xe9";
  try {
    static_cast<void>(catalog_to_json(catalog));
    FAIL("was written");
  } catch (const Failure& failure) {
    CHECK(failure.error().message == "a name in the catalogue is not valid UTF-8");
  }
}

TEST_CASE("a catalogue is written whole or not at all") {
  const Directory directory;
  const fs::path file = directory.path / "catalog.json";
  const Catalog catalog = everything();
  write_catalog(catalog, file);
  CHECK(read_catalog(file) == catalog);
  CHECK(read(file) == catalog_to_json(catalog));

  SUBCASE("over an old one, whose mode stays") {
    fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
    write_catalog(Catalog{}, file);
    CHECK(read_catalog(file) == Catalog{});
    CHECK((fs::status(file).permissions() & fs::perms::mask) ==
          (fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read));
  }
  SUBCASE("through a link, which stays one") {
    const fs::path link = directory.path / "link.json";
    fs::create_symlink("catalog.json", link);
    write_catalog(Catalog{}, link);
    CHECK(fs::is_symlink(link));
    CHECK(read_catalog(file) == Catalog{});
    fs::remove(link);
  }
  SUBCASE("not over the old one where a name cannot be written") {
    Catalog broken = catalog;
    broken.schema = "\xff";
    CHECK_THROWS_AS(write_catalog(broken, file), Failure);
    CHECK(read_catalog(file) == catalog);
  }
  CHECK(std::distance(fs::directory_iterator(directory.path), fs::directory_iterator()) == 1);
}

TEST_CASE("a file that cannot be read or written is named") {
  const Directory directory;
  const fs::path absent = directory.path / "absent" / "catalog.json";
  const auto message = [](const std::function<void()>& action) {
    try {
      action();
    } catch (const Failure& failure) {
      CHECK(failure.error().code == Code::configuration);
      CHECK_FALSE(failure.error().hint.empty());
      return failure.error().message;
    }
    return std::string{"(done)"};
  };
  CHECK(message([&] { static_cast<void>(read_catalog(absent)); }) ==
        "cannot read '" + absent.string() + "': No such file or directory");
  CHECK(message([&] { static_cast<void>(read_catalog(directory.path)); }) ==
        "cannot read '" + directory.path.string() + "': Is a directory");
  CHECK(message([&] { write_catalog(Catalog{}, absent); }) ==
        "cannot write '" + absent.string() + "': No such file or directory");
}

TEST_CASE("every field of a catalogue is in its schema, and none that it does not write") {
  const Json schema =
      Json::parse(read(fs::path{abgleich::test::kSourceTree} / "schemas/catalog.schema.json"));
  const Json json = Json::parse(catalog_to_json(everything()));
  const auto covers = [](const Json& properties, const Json& objects) {
    Json seen = Json::object();
    for (const Json& object : objects) {
      seen.update(object);
    }
    for (const auto& [name, value] : seen.items()) {
      CAPTURE(name);
      CHECK(properties.contains(name));
    }
    for (const auto& [name, value] : properties.items()) {
      CAPTURE(name);
      CHECK(seen.contains(name));
    }
  };
  Json columns = Json::array();
  Json keys = Json::array();
  Json foreign_keys = Json::array();
  for (const Json& table : json["tables"]) {
    columns.insert(columns.end(), table["columns"].begin(), table["columns"].end());
    keys.insert(keys.end(), table["uniques"].begin(), table["uniques"].end());
    foreign_keys.insert(foreign_keys.end(), table["foreign_keys"].begin(),
                        table["foreign_keys"].end());
  }
  covers(schema["properties"], Json::array({json}));
  covers(schema["$defs"]["table"]["properties"], json["tables"]);
  covers(schema["$defs"]["column"]["properties"], columns);
  covers(schema["$defs"]["key"]["properties"], keys);
  covers(schema["$defs"]["foreign_key"]["properties"], foreign_keys);
  CHECK(schema["properties"]["format"]["const"] == "abgleich.catalog/1");
  for (const Json& word : schema["$defs"]["column"]["properties"]["family"]["enum"]) {
    CHECK(family_from(word.get<std::string>()));
  }
  for (const Json& word : schema["$defs"]["table"]["properties"]["kind"]["enum"]) {
    CHECK(table_kind_from(word.get<std::string>()));
  }
}
