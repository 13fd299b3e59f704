#include "sync/run/other_books.hpp"

#include "contract/toml_text.hpp"
#include "contract/words.hpp"
#include "core/engine.hpp"
#include "core/error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace abgleich::sync {

namespace {

bool is_same(Engine engine, std::string_view a, std::string_view b) {
  return traits(engine).folds_names ? contract::same_name(a, b) : a == b;
}

/// The value of the fact; empty where the engine has no schemas.
std::string fact_of(const Endpoint& secondary) {
  return secondary.schema.empty() ? std::string() : nlohmann::json(secondary.schema).dump();
}

[[noreturn]] void refuse_table(const ExportedTable& exported, const db::BooksBeside& other,
                               bool has_schemas) {
  const auto& name = exported.relation.name;
  throw Failure(
      Code::configuration,
      fmt::format("table '{}' of the secondary belongs to another pairing, whose bookkeeping is "
                  "'{}'",
                  name, other.name),
      fmt::format("give this pairing a table of its own: write target = {} below [tables.{}] in "
                  "the contract{}; or, if no pairing uses that bookkeeping any more, drop it, or "
                  "give it a name that does not begin with abgleich. Nothing was changed",
                  contract::toml_string(name + "_2"), contract::toml_key(exported.table->name),
                  has_schemas ? ", or another schema below [secondary]" : ""));
}

}  // namespace

void refuse_shared_tables(const Pairing& pairing, db::Target& target,
                          const std::vector<ExportedTable>& tables) {
  const auto& secondary = pairing.config.secondary;
  const auto schema = fact_of(secondary);
  for (const auto& other : target.books().beside()) {
    if (other.name == secondary.schema) {
      throw Failure(
          Code::configuration,
          fmt::format("schema '{}' of the secondary is the bookkeeping of another pairing",
                      other.name),
          "write another schema below [secondary]. Nothing was changed");
    }
    if (!other.schema.empty() && other.schema != schema) {
      continue;
    }
    if (is_books_of_peer(secondary.books) && is_books_of_peer(other.name)) {
      continue;  // they share it: db::find_shared_bases
    }
    for (const auto& exported : tables) {
      const auto is_it = [&](std::string_view there) {
        return is_same(secondary.engine, there, exported.relation.name);
      };
      // one that they have given up, and somebody has dropped, is free
      if (std::ranges::any_of(target.catalog().tables, is_it, &CatalogTable::name) &&
          std::ranges::any_of(other.tables, is_it, &db::TableBeside::target)) {
        refuse_table(exported, other, !schema.empty());
      }
    }
  }
}

void remember_schema(const Pairing& pairing, db::Books& books, std::int64_t epoch) {
  const auto value = fact_of(pairing.config.secondary);
  const auto known = books.facts(db::kSchemaFact);
  if (value.empty() || (known.size() == 1 && known.front().value == value)) {
    return;
  }
  books.put_fact(
      {.kind = std::string(db::kSchemaFact), .name = "data", .value = value, .epoch = epoch});
}

}  // namespace abgleich::sync
