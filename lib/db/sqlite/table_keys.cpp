#include "db/sqlite/table_keys.hpp"

#include "db/engine/cell_values.hpp"
#include "db/secondary/table_statements.hpp"
#include "db/sqlite/table_definition.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace abgleich::db::sqlite {

namespace {

// Added to schema_version: other DDL in the same script cannot increment it by as much.
constexpr std::int64_t kNextVersion = 1000;

/// Gives a table another definition, for which its stored rows need not change. `version`: a
/// version of the schema that was not used before, so that other connections read the schema again.
std::vector<std::string> redefine_table(std::string_view table, std::string_view definition,
                                        std::int64_t version) {
  const auto text = [](std::string_view bytes) {
    std::string quoted = "'";
    for (const char c : bytes) {
      quoted += c == '\'' ? std::string("''") : std::string(1, c);
    }
    return quoted + "'";
  };
  return {"PRAGMA writable_schema = ON",
          fmt::format("UPDATE sqlite_schema SET sql = {} WHERE type = 'table' AND name = {}",
                      text(definition), text(table)),
          fmt::format("PRAGMA schema_version = {}", version), "PRAGMA writable_schema = RESET"};
}

std::string definition_of(const Session& session, const std::string& table) {
  const std::array parameters{text_cell(table)};
  std::string definition;
  session.connection->query("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = $1",
                            parameters,
                            [&](std::span<const Cell> row) { definition = row[0].bytes; });
  return definition;
}

std::vector<std::string> redefine(const Session& session, const std::string& table,
                                  const std::string& definition, const Relation& relation) {
  std::int64_t version = 0;
  session.connection->query("PRAGMA schema_version", {},
                            [&](std::span<const Cell> row) { version = number(row[0]); });
  return redefine_table(table, definition, version + kNextVersion + relation.id);
}

}  // namespace

bool is_ours(const Session& session, const std::string& table, const CatalogForeignKey& key) {
  return without_foreign_key(definition_of(session, table), key).has_value();
}

std::vector<std::string> add_key(const Session& session, const Relation& relation,
                                 const RelationForeignKey& key) {
  const auto definition = with_clause(definition_of(session, relation.name),
                                      foreign_key(*session.dialect, session.schema, relation, key));
  return definition ? redefine(session, relation.name, *definition, relation)
                    : std::vector<std::string>{};
}

std::vector<std::string> drop_keys(const Session& session, const TableKeys& keys) {
  const auto& table = keys.table->name;
  auto definition = definition_of(session, table);
  bool edited = false;
  const auto edit = [&](std::optional<std::string> without) {
    if (without) {
      definition = std::move(*without);
      edited = true;
    }
  };
  for (const auto& key : keys.relation->lost_keys) {
    edit(without_foreign_key(definition, key));
  }
  if (keys.outgrown != nullptr) {
    edit(with_unique_for_primary_key(definition, *keys.outgrown));
  }
  return edited ? redefine(session, table, definition, *keys.relation) : std::vector<std::string>{};
}

std::vector<std::string> put_back_keys(const Session& session, const TableKeys& keys) {
  const auto& table = keys.table->name;
  return keys.relation->lost_keys.empty() && keys.outgrown == nullptr
             ? std::vector<std::string>{}
             : redefine(session, table, definition_of(session, table), *keys.relation);
}

}  // namespace abgleich::db::sqlite
