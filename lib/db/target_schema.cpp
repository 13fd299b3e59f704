// The secondary's tables: which are missing, and what makes them.
#include "db/target.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace abgleich::db {

namespace {

std::string base_name(const Relation& relation) {
  return fmt::format("base_{}", relation.id);
}

/// The column that would be made for a type: what the catalogue will say of it.
Type made_type(const Dialect& dialect, const Type& type) {
  Type held = type;
  held.engine = dialect.engine();
  held.native = dialect.column_type(type);
  held.labels.clear();
  return held;
}

/// Whether the secondary holds this column under its old name still.
bool to_be_renamed(const CatalogTable& table, const RelationColumn& column) {
  return table.find_column(column.name) == nullptr && !column.renamed_from.empty() &&
         table.find_column(column.renamed_from) != nullptr;
}

/// The columns that are not there under their name.
std::vector<const RelationColumn*> missing_columns(const CatalogTable& table,
                                                   const Relation& relation) {
  std::vector<const RelationColumn*> missing;
  for (const auto& column : relation.columns) {
    if (table.find_column(column.name) == nullptr) {
      missing.push_back(&column);
    }
  }
  return missing;
}

/// Whether the table has a unique key over exactly the relation's key columns.
bool has_key(const CatalogTable& table, const Relation& relation) {
  std::vector<std::string> wanted;
  for (const auto i : relation.key) {
    wanted.push_back(relation.columns[i].name);
  }
  std::ranges::sort(wanted);
  const auto matches = [&](const CatalogKey& key) {
    auto columns = key.columns;
    std::ranges::sort(columns);
    return columns == wanted;
  };
  return (table.primary_key && matches(*table.primary_key)) ||
         std::ranges::any_of(table.uniques, matches);
}

}  // namespace

bool Target::own_table_exists(const std::string& name) const {
  const auto text = dialect().engine() == Engine::sqlite ? "abgleich_" + name : name;
  const Cell cells[] = {text_cell(text)};
  bool found = false;
  session_.connection->query(
      dialect().engine() == Engine::postgresql
          ? "SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "
            "ON n.oid = c.relnamespace WHERE n.nspname = 'abgleich' AND c.relname = $1"
          : "SELECT 1 FROM sqlite_schema WHERE name = $1",
      cells, [&](std::span<const Cell>) { found = true; });
  return found;
}

void Target::hold_existing(const CatalogTable& table, Relation& relation) const {
  if (table.kind != TableKind::table && table.kind != TableKind::partitioned) {
    throw Failure(Code::secondary_refuses,
                  fmt::format("'{}' in the secondary is a {}, not a table", relation.name,
                              name_of(table.kind)),
                  fmt::format("give the table another 'target' in the contract's "
                              "[tables.{}]; nothing was changed",
                              relation.source));
  }
  for (auto& column : relation.columns) {
    const auto* found =
        table.find_column(to_be_renamed(table, column) ? column.renamed_from : column.name);
    column.held = found != nullptr ? found->type : made_type(dialect(), column.type);
    if (found != nullptr && found->generated) {
      throw Failure(Code::secondary_refuses,
                    fmt::format("column '{}' of '{}' in the secondary is computed and cannot be "
                                "written",
                                column.name, relation.name),
                    "set it to \"withhold\" in the contract or give it another name with 'as'; "
                    "nothing was changed");
    }
  }
  if (!has_key(table, relation)) {
    throw Failure(Code::secondary_refuses,
                  fmt::format("table '{}' in the secondary has no primary key or unique constraint "
                              "over the contract's key",
                              relation.name),
                  "add the constraint in the secondary, or correct 'key' in the contract; nothing "
                  "was changed");
  }
}

std::vector<std::string> Target::missing_ddl(std::vector<Relation>& relations) const {
  std::vector<std::string> tables;
  std::vector<std::string> keys;
  std::vector<std::string> bases;
  for (auto& relation : relations) {
    const auto* table = catalog_.find_table(relation.name);
    if (table != nullptr) {
      hold_existing(*table, relation);
      for (const auto* column : missing_columns(*table, relation)) {
        tables.push_back(to_be_renamed(*table, *column)
                             ? rename_column(dialect(), session_.schema, relation, *column)
                             : add_column(dialect(), session_.schema, relation, *column));
      }
    } else {
      for (auto& column : relation.columns) {
        column.held = made_type(dialect(), column.type);
      }
      tables.push_back(create_data_table(dialect(), dialect().table(session_.schema, relation.name),
                                         relation, session_.schema, Lifetime::lasting));
      if (dialect().engine() == Engine::postgresql) {
        for (const auto& key : relation.foreign_keys) {
          keys.push_back(add_foreign_key(dialect(), session_.schema, relation, key));
        }
      }
    }
    if (!own_table_exists(base_name(relation))) {
      bases.push_back(create_base_table(dialect(), dialect().own_table(base_name(relation)),
                                        relation, Lifetime::lasting));
    }
  }
  tables.insert(tables.end(), keys.begin(), keys.end());
  tables.insert(tables.end(), bases.begin(), bases.end());
  return tables;
}

void Target::execute_ddl(const std::vector<std::string>& statements) {
  for (const auto& sql : statements) {
    session_.connection->execute(sql);
  }
  load_catalog();
}

void Target::stand_in(const Relation& relation) {
  const auto name = temporary_name("data", relation.id);
  const auto* table = catalog_.find_table(relation.name);
  if (table == nullptr) {
    session_.connection->execute(
        create_data_table(dialect(), name, relation, session_.schema, Lifetime::temporary));
    stand_in_data_.push_back(relation.id);
  } else if (!missing_columns(*table, relation).empty()) {
    session_.connection->execute(
        create_data_view(dialect(), name, relation, session_.schema, *table));
    stand_in_data_.push_back(relation.id);
  }
  if (!own_table_exists(base_name(relation))) {
    session_.connection->execute(create_base_table(dialect(), temporary_name("base", relation.id),
                                                   relation, Lifetime::temporary));
    stand_in_base_.push_back(relation.id);
  }
}

}  // namespace abgleich::db
