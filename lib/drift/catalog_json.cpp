#include "contract/words.hpp"
#include "core/error.hpp"
#include "drift/catalog_file.hpp"
#include "drift/json_fields.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace abgleich::drift {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "abgleich.catalog/1";

// ---- writing ---------------------------------------------------------------------------------

template <class Things>
auto sorted_by_name(const Things& things) {
  std::vector<const typename Things::value_type*> sorted;
  sorted.reserve(things.size());
  for (const auto& thing : things) {
    sorted.push_back(&thing);
  }
  std::ranges::sort(sorted, {},
                    [](const auto* thing) -> const std::string& { return thing->name; });
  return sorted;
}

void put_number(Json& object, const char* name, const std::optional<int>& number) {
  if (number) {
    object[name] = *number;
  }
}

void put_text(Json& object, const char* name, const std::string& text) {
  if (!text.empty()) {
    object[name] = text;
  }
}

Json column_json(const CatalogColumn& column, Engine engine) {
  Json json;
  json["name"] = column.name;
  json["identity"] = column.identity;
  json["type"] = column.type.native;
  json["family"] = name_of(column.type.family);
  if (column.type.engine != engine) {
    json["engine"] = name_of(column.type.engine);
  }
  put_number(json, "length", column.type.length);
  put_number(json, "precision", column.type.precision);
  put_number(json, "scale", column.type.scale);
  put_number(json, "bits", column.type.bits);
  if (!column.type.labels.empty()) {
    json["labels"] = column.type.labels;
  }
  if (column.type.padded) {
    json["padded"] = true;
  }
  json["nullable"] = column.nullable;
  if (column.generated) {
    json["generated"] = true;
  }
  if (column.auto_identity) {
    json["auto_identity"] = true;
  }
  put_text(json, "default", column.default_value);
  put_text(json, "collation", column.collation);
  if (column.folds) {
    json["folds"] = true;
  }
  put_text(json, "domain", column.domain);
  if (!column.readable) {
    json["readable"] = false;
  }
  return json;
}

Json key_json(const CatalogKey& key) {
  Json json;
  json["name"] = key.name;
  json["columns"] = key.columns;
  return json;
}

Json foreign_key_json(const CatalogForeignKey& key) {
  Json json;
  json["name"] = key.name;
  json["columns"] = key.columns;
  json["table"] = key.table;
  json["referenced"] = key.referenced;
  if (key.deferrable) {
    json["deferrable"] = true;
  }
  if (!key.valid) {
    json["valid"] = false;
  }
  return json;
}

/// On one line, with a space after every comma and colon.
void append_line(const Json& json, std::string& out) {
  if (json.is_object()) {
    out += "{";
    const char* separator = "";
    for (const auto& [name, value] : json.items()) {
      out += separator + Json(name).dump() + ": ";
      append_line(value, out);
      separator = ", ";
    }
    out += "}";
  } else if (json.is_array()) {
    out += "[";
    const char* separator = "";
    for (const Json& value : json) {
      out += separator;
      append_line(value, out);
      separator = ", ";
    }
    out += "]";
  } else {
    out += json.dump();
  }
}

/// Fields of an object, one a line, and lists with one entry a line.
class Lines {
 public:
  Lines(std::string& out, std::string indent) : out_(out), indent_(std::move(indent)) {}

  void field(std::string_view name, const Json& value) {
    begin(name);
    append_line(value, out_);
  }

  void list(std::string_view name, const std::vector<Json>& entries) {
    begin(name);
    out_ += "[";
    const char* separator = "\n";
    for (const Json& entry : entries) {
      out_ += separator + indent_ + "  ";
      append_line(entry, out_);
      separator = ",\n";
    }
    out_ += entries.empty() ? "]" : "\n" + indent_ + "]";
  }

  void begin(std::string_view name) {
    out_ += first_ ? "\n" : ",\n";
    out_ += fmt::format("{}\"{}\": ", indent_, name);
    first_ = false;
  }

 private:
  std::string& out_;
  std::string indent_;
  bool first_ = true;
};

void append_table(const CatalogTable& table, Engine engine, std::string& out) {
  out += "    {";
  Lines lines{out, "      "};
  lines.field("name", table.name);
  lines.field("kind", name_of(table.kind));
  lines.field("identity", table.identity);
  if (!table.parent.empty()) {
    lines.field("parent", table.parent);
  }
  if (table.row_security) {
    lines.field("row_security", true);
  }
  if (table.triggers) {
    lines.field("triggers", true);
  }
  std::vector<Json> entries;
  for (const CatalogColumn& column : table.columns) {
    entries.push_back(column_json(column, engine));
  }
  lines.list("columns", entries);
  if (table.primary_key) {
    lines.field("primary_key", key_json(*table.primary_key));
  }
  entries.clear();
  for (const CatalogKey* key : sorted_by_name(table.uniques)) {
    entries.push_back(key_json(*key));
  }
  lines.list("uniques", entries);
  entries.clear();
  for (const CatalogForeignKey* key : sorted_by_name(table.foreign_keys)) {
    entries.push_back(foreign_key_json(*key));
  }
  lines.list("foreign_keys", entries);
  out += "\n    }";
}

// ---- reading ---------------------------------------------------------------------------------

template <class Enum>
Enum word(const Fields& fields, const char* name, std::optional<Enum> (*from)(std::string_view)) {
  const std::string text = fields.text(name);
  const std::optional<Enum> found = from(text);
  if (!found) {
    fields.refuse(name, fmt::format("holds the unknown word {}", contract::in_quotes(text)));
  }
  return *found;
}

CatalogColumn read_column(const Fields& fields, Engine engine) {
  fields.expect_only({"name", "identity", "type", "family", "engine", "length", "precision",
                      "scale", "bits", "labels", "padded", "nullable", "generated", "auto_identity",
                      "default", "collation", "folds", "domain", "readable"});
  CatalogColumn column;
  column.name = fields.name("name");
  column.identity = fields.number("identity");
  column.type.native = fields.text("type");
  column.type.family = word<Family>(fields, "family", family_from);
  column.type.engine = fields.has("engine") ? word<Engine>(fields, "engine", engine_from) : engine;
  column.type.length = fields.optional_number("length");
  column.type.precision = fields.optional_number("precision");
  column.type.scale = fields.optional_number("scale");
  column.type.bits = fields.optional_number("bits");
  if (fields.has("labels")) {
    column.type.labels = fields.texts("labels");
  }
  column.type.padded = fields.truth_or("padded", false);
  column.nullable = fields.truth("nullable");
  column.generated = fields.truth_or("generated", false);
  column.auto_identity = fields.truth_or("auto_identity", false);
  column.default_value = fields.has("default") ? fields.text("default") : "";
  column.collation = fields.has("collation") ? fields.text("collation") : "";
  column.folds = fields.truth_or("folds", false);
  column.domain = fields.has("domain") ? fields.text("domain") : "";
  column.readable = fields.truth_or("readable", true);
  return column;
}

CatalogKey read_key(const Fields& fields) {
  fields.expect_only({"name", "columns"});
  return {fields.text("name"), fields.texts("columns")};
}

CatalogForeignKey read_foreign_key(const Fields& fields) {
  fields.expect_only({"name", "columns", "table", "referenced", "deferrable", "valid"});
  CatalogForeignKey key;
  key.name = fields.text("name");
  key.columns = fields.texts("columns");
  key.table = fields.name("table");
  key.referenced = fields.texts("referenced");
  key.deferrable = fields.truth_or("deferrable", false);
  key.valid = fields.truth_or("valid", true);
  if (key.columns.size() != key.referenced.size()) {
    fields.refuse("referenced", "has another number of columns than 'columns'");
  }
  return key;
}

/// Two things of one name would hide each other in every comparison.
template <class Thing>
void expect_distinct(const Fields& fields, const char* list, const std::vector<Thing>& things) {
  std::set<std::string_view> seen;
  for (const Thing& thing : things) {
    if (!seen.insert(thing.name).second) {
      fields.refuse(list, fmt::format("has {} twice", contract::in_quotes(thing.name)));
    }
  }
}

CatalogTable read_table(const Fields& fields, Engine engine) {
  fields.expect_only({"name", "kind", "identity", "parent", "row_security", "triggers", "columns",
                      "primary_key", "uniques", "foreign_keys"});
  CatalogTable table;
  table.name = fields.name("name");
  table.kind = word<TableKind>(fields, "kind", table_kind_from);
  table.identity = fields.number("identity");
  table.parent = fields.has("parent") ? fields.text("parent") : "";
  table.row_security = fields.truth_or("row_security", false);
  table.triggers = fields.truth_or("triggers", false);
  for (const Fields& column : fields.objects("columns")) {
    table.columns.push_back(read_column(column, engine));
  }
  expect_distinct(fields, "columns", table.columns);
  if (fields.has("primary_key")) {
    table.primary_key = read_key(fields.object("primary_key"));
  }
  for (const Fields& key : fields.objects("uniques")) {
    table.uniques.push_back(read_key(key));
  }
  for (const Fields& key : fields.objects("foreign_keys")) {
    table.foreign_keys.push_back(read_foreign_key(key));
  }
  std::ranges::sort(table.uniques, {}, &CatalogKey::name);
  std::ranges::sort(table.foreign_keys, {}, &CatalogForeignKey::name);
  return table;
}

}  // namespace

std::string catalog_to_json(const Catalog& catalog) {
  try {
    std::string out = "{";
    Lines lines{out, "  "};
    lines.field("format", kFormat);
    lines.field("engine", name_of(catalog.identity.engine));
    lines.field("system", catalog.identity.system);
    lines.field("database", catalog.identity.database);
    lines.field("version", catalog.identity.version);
    lines.field("schema", catalog.schema);
    lines.begin("tables");
    out += "[";
    const char* separator = "\n";
    for (const CatalogTable* table : sorted_by_name(catalog.tables)) {
      out += separator;
      append_table(*table, catalog.identity.engine, out);
      separator = ",\n";
    }
    out += catalog.tables.empty() ? "]\n}\n" : "\n  ]\n}\n";
    return out;
  } catch (const nlohmann::json::type_error&) {
    throw Failure{Code::configuration, "a name in the catalogue is not valid UTF-8",
                  "rename it in the primary, or choose a database whose encoding is UTF-8"};
  }
}

Catalog catalog_from_json(std::string_view text, const std::filesystem::path& file) {
  const JsonDocument document{text, file};
  const Fields fields = document.root();
  const std::string format = fields.text("format");
  if (format != kFormat) {
    fields.refuse("format", fmt::format("is {}, and this version reads '{}' only",
                                        contract::in_quotes(format), kFormat));
  }
  fields.expect_only({"format", "engine", "system", "database", "version", "schema", "tables"});
  Catalog catalog;
  catalog.identity.engine = word<Engine>(fields, "engine", engine_from);
  catalog.identity.system = fields.text("system");
  catalog.identity.database = fields.text("database");
  catalog.identity.version = fields.text("version");
  catalog.schema = fields.text("schema");
  for (const Fields& table : fields.objects("tables")) {
    catalog.tables.push_back(read_table(table, catalog.identity.engine));
  }
  expect_distinct(fields, "tables", catalog.tables);
  std::ranges::sort(catalog.tables, {}, &CatalogTable::name);
  return catalog;
}

}  // namespace abgleich::drift
