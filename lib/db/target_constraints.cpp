// Constraints that this program made follow the primary's: what it no longer has goes before the
// rows come, what is new comes once they are there, if every row of the secondary keeps it.
#include "db/cell_values.hpp"
#include "db/table_definition.hpp"
#include "db/table_statements.hpp"
#include "db/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace abgleich::db {

namespace {

// Above what other DDL of the same script can count up to meanwhile.
constexpr std::int64_t kNextVersion = 1000;

/// What a change of a table would be refused for, if it is the table's own business: rows, types,
/// rights, a key that is not there to refer to.
bool is_refusal(const Fault& fault) {
  return fault.cause() == Fault::Cause::constraint || fault.cause() == Fault::Cause::data ||
         fault.cause() == Fault::Cause::rights || fault.cause() == Fault::Cause::missing ||
         fault.state() == "42804" || fault.state() == "42830";
}

/// Columns that the primary has made NOT NULL and the secondary still lets be NULL. SQLite's cannot
/// be changed.
std::vector<std::string> loose_columns(const Dialect& dialect, const Catalog& catalog,
                                       const Relation& relation) {
  std::vector<std::string> loose;
  const auto* table = catalog.find_table(relation.name);
  for (const auto& column : relation.columns) {
    const auto* held = table == nullptr ? nullptr : table->find_column(column.name);
    if (column.tightened && held != nullptr && held->nullable &&
        dialect.engine() == Engine::postgresql) {
      loose.push_back(column.name);
    }
  }
  return loose;
}

}  // namespace

std::string Target::definition_of(const std::string& table) const {
  const std::array parameters{text_cell(table)};
  std::string definition;
  session_.connection->query("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = $1",
                             parameters,
                             [&](std::span<const Cell> row) { definition = row[0].bytes; });
  return definition;
}

std::vector<std::string> Target::redefine(const std::string& table, const std::string& definition,
                                          const Relation& relation) const {
  std::int64_t version = 0;
  session_.connection->query("PRAGMA schema_version", {},
                             [&](std::span<const Cell> row) { version = number(row[0]); });
  return redefine_table(table, definition, version + kNextVersion + relation.id);
}

bool Target::is_ours(const std::string& table, const CatalogForeignKey& key) const {
  return dialect().engine() == Engine::postgresql
             ? key.deferrable
             : without_foreign_key(definition_of(table), key).has_value();
}

const CatalogKey* Target::outgrown_key(const CatalogTable& table, const Relation& relation) const {
  if (!table.primary_key) {
    return nullptr;
  }
  const bool postgresql = dialect().engine() == Engine::postgresql;
  const auto old_name = [](const auto& column) {
    return column.renamed_from.empty() ? column.name : column.renamed_from;
  };
  const auto left_empty = [&](const std::string& name) {
    const auto* held = table.find_column(name);
    if (held == nullptr || held->auto_identity || held->generated || !held->default_value.empty()) {
      return false;  // the secondary fills it itself
    }
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
      const auto& column = relation.columns[i];
      if (old_name(column) == name && postgresql && column.loosened && !relation.is_key(i)) {
        return true;
      }
    }
    return std::ranges::any_of(relation.kept,
                               [&](const KeptColumn& kept) { return old_name(kept) == name; });
  };
  return std::ranges::any_of(table.primary_key->columns, left_empty) ? &*table.primary_key
                                                                     : nullptr;
}

std::vector<std::string> Target::drop_keys(const CatalogTable& table,
                                           const Relation& relation) const {
  const auto& keys = relation.lost_keys;
  const auto* outgrown = outgrown_key(table, relation);
  std::vector<std::string> ddl;
  if (dialect().engine() == Engine::postgresql) {
    for (const auto& key : keys) {
      ddl.push_back(drop_constraint(dialect(), session_.schema, table.name, key.name));
    }
    return ddl;
  }
  auto definition = definition_of(table.name);
  bool edited = false;
  const auto edit = [&](std::optional<std::string> without) {
    if (without) {
      definition = std::move(*without);
      edited = true;
    }
  };
  for (const auto& key : keys) {
    edit(without_foreign_key(definition, key));
  }
  if (outgrown != nullptr) {
    edit(with_unique_for_primary_key(definition, *outgrown));
  }
  return edited ? redefine(table.name, definition, relation) : ddl;
}

std::vector<std::string> Target::drop_outgrown_key(const CatalogTable& table,
                                                   const Relation& relation) const {
  const auto* outgrown = outgrown_key(table, relation);
  if (outgrown == nullptr || dialect().engine() != Engine::postgresql) {
    return {};
  }
  return {drop_constraint(dialect(), session_.schema, table.name, outgrown->name)};
}

std::vector<std::string> Target::put_back_keys(const CatalogTable& table,
                                               const Relation& relation) const {
  const auto& keys = relation.lost_keys;
  const auto* outgrown = outgrown_key(table, relation);
  std::vector<std::string> ddl;
  const auto clause = [&](const CatalogForeignKey& key) {
    return foreign_key(dialect(), session_.schema, key.columns, key.table, key.referenced);
  };
  if (dialect().engine() == Engine::postgresql) {
    if (outgrown != nullptr) {
      const auto& columns = outgrown->columns;
      ddl.push_back(
          add_constraint(dialect(), session_.schema, table.name, outgrown->name,
                         fmt::format("PRIMARY KEY ({})", list(columns.size(), [&](std::size_t i) {
                                       return dialect().quote(columns[i]);
                                     }))));
    }
    for (const auto& key : keys) {
      ddl.push_back(add_constraint(dialect(), session_.schema, table.name, key.name, clause(key)));
    }
    return ddl;
  }
  return keys.empty() && outgrown == nullptr
             ? ddl
             : redefine(table.name, definition_of(table.name), relation);
}

std::vector<std::string> Target::new_key_ddl(const Relation& relation, std::size_t key) const {
  const auto& foreign = relation.foreign_keys[key];
  if (dialect().engine() == Engine::postgresql) {
    return {add_foreign_key(dialect(), session_.schema, relation, foreign)};
  }
  const auto definition = with_clause(definition_of(relation.name),
                                      foreign_key(dialect(), session_.schema, relation, foreign));
  return definition ? redefine(relation.name, *definition, relation) : std::vector<std::string>{};
}

bool Target::keeps(const Relation& relation, const RelationForeignKey& key) {
  return catalog_.find_table(relation.name) != nullptr &&
         catalog_.find_table(key.table) != nullptr &&
         count(count_orphans(dialect(), session_.schema, relation, key)) == 0;
}

std::vector<std::string> Target::lacking_constraints(const std::vector<Relation>& relations) {
  std::vector<std::string> ddl;
  for (const auto& relation : relations) {
    for (const auto key : relation.new_keys) {
      if (keeps(relation, relation.foreign_keys[key])) {
        std::ranges::move(new_key_ddl(relation, key), std::back_inserter(ddl));
      }
    }
    const auto table = dialect().table(session_.schema, relation.name);
    for (const auto& column : loose_columns(dialect(), catalog_, relation)) {
      if (count(fmt::format("SELECT count(*) FROM {} WHERE {} IS NULL", table,
                            dialect().quote(column))) == 0) {
        ddl.push_back(set_not_null(dialect(), table, column));
      }
    }
  }
  return ddl;
}

bool Target::try_ddl(const std::vector<std::string>& statements) {
  auto& connection = *session_.connection;
  connection.execute("SAVEPOINT ddl");
  bool done = !statements.empty();
  try {
    connection.edit_definitions([&] {
      for (const auto& sql : statements) {
        connection.execute(sql);
      }
    });
  } catch (const Fault& fault) {
    if (!is_refusal(fault)) {
      throw;
    }
    connection.execute("ROLLBACK TO SAVEPOINT ddl");
    done = false;
  }
  connection.execute("RELEASE SAVEPOINT ddl");
  return done;
}

std::vector<std::string> Target::add_constraints(const std::vector<Relation>& relations) {
  std::vector<std::string> executed;
  const auto execute = [&](const std::vector<std::string>& statements) {
    if (try_ddl(statements)) {
      executed.insert(executed.end(), statements.begin(), statements.end());
    }
  };
  for (const auto& relation : relations) {
    for (const auto key : relation.new_keys) {
      if (keeps(relation, relation.foreign_keys[key])) {
        execute(new_key_ddl(relation, key));
      }
    }
    for (const auto& column : loose_columns(dialect(), catalog_, relation)) {
      execute({set_not_null(dialect(), dialect().table(session_.schema, relation.name), column)});
    }
  }
  if (!executed.empty()) {
    load_catalog();
  }
  return executed;
}

}  // namespace abgleich::db
