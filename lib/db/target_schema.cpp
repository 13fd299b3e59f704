// The secondary's tables: which are missing, and what makes them.
#include "db/adaptation.hpp"
#include "db/base_statements.hpp"
#include "db/table_statements.hpp"
#include "db/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace abgleich::db {

namespace {

constexpr std::string_view kByBytes = "\"C\"";

/// The column that would be made for a type: what the catalogue will say of it.
Type made_type(const Dialect& dialect, const Type& type) {
  Type held = type;
  held.engine = dialect.engine();
  held.native = dialect.column_type(type);
  held.labels.clear();
  return held;
}

/// Pseudonyms have no language: a database's collation would only make their order slower.
void make_held(const Dialect& dialect, RelationColumn& column) {
  column.held = made_type(dialect, column.type);
  column.bytewise = dialect.engine() == Engine::postgresql && column.pseudonym &&
                    column.held.family == Family::text;
}

/// Whether the table has a unique key over exactly the relation's, which it calls `holders`.
bool has_key(const CatalogTable& table, const Relation& relation,
             const std::vector<std::string>& holders) {
  std::vector<std::string> wanted;
  for (const auto i : relation.key) {
    wanted.push_back(holders[i]);
  }
  return table.is_unique(std::move(wanted));
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

std::string Target::own_column_type(const std::string& name, const std::string& column) const {
  const Cell cells[] = {text_cell(name), text_cell(column)};
  std::string type;
  if (dialect().engine() == Engine::postgresql) {
    session_.connection->query(
        "SELECT pg_catalog.format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute a "
        "JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n "
        "ON n.oid = c.relnamespace WHERE n.nspname = 'abgleich' AND c.relname = $1 "
        "AND a.attname = $2",
        cells, [&](std::span<const Cell> row) { type = row[0].bytes; });
  }
  return type;
}

std::vector<std::string> Target::widen_base(const Relation& relation) const {
  std::vector<std::string> ddl;
  const auto columns = base_columns(relation);
  for (std::size_t k = 0; k < relation.key.size(); ++k) {
    const auto& column = relation.columns[relation.key[k]];
    const bool by_bytes = column.equality.by == Equality::By::type;
    if (!by_bytes && !column.widened_from) {
      continue;
    }
    const auto type = own_column_type(base_name(relation), columns[k]);
    if (by_bytes) {
      if (!type.empty() && type != "text") {
        ddl.push_back(
            keep_as_text(dialect(), dialect().own_table(base_name(relation)), column, columns[k]));
      }
      continue;
    }
    if (!type.empty() && type != column.held.native &&
        type == dialect().column_type(*column.widened_from)) {
      ddl.push_back(alter_type(dialect(), dialect().own_table(base_name(relation)), columns[k],
                               column.held.native));
    }
  }
  return ddl;
}

Equality Target::equality_of(const std::string& table, const std::string& column) const {
  const auto found = equalities_.find({table, column});
  return found == equalities_.end() ? Equality{} : found->second;
}

Adaptation Target::hold_existing(const CatalogTable& table, Relation& relation) const {
  if (table.kind != TableKind::table && table.kind != TableKind::partitioned) {
    throw Failure(Code::secondary_refuses,
                  fmt::format("'{}' in the secondary is a {}, not a table", relation.name,
                              name_of(table.kind)),
                  fmt::format("give the table another 'target' in the contract's "
                              "[tables.{}]; nothing was changed",
                              relation.source));
  }
  auto adaptation = adapt(dialect(), table, relation);
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    auto& column = relation.columns[i];
    const auto* found = table.find_column(adaptation.holders[i]);
    const bool widens = std::ranges::find(adaptation.widenings, i, &Adaptation::Widening::column) !=
                        adaptation.widenings.end();
    if (found != nullptr && !widens) {
      column.held = found->type;
      column.equality = equality_of(table.name, found->name);
      column.bytewise = dialect().engine() == Engine::postgresql && found->collation == kByBytes;
    } else {
      make_held(dialect(), column);
      column.equality = found == nullptr ? Equality{} : equality_of(table.name, found->name);
    }
    if (found != nullptr && found->generated) {
      throw Failure(Code::secondary_refuses,
                    fmt::format("column '{}' of '{}' in the secondary is computed and cannot be "
                                "written",
                                column.name, relation.name),
                    "set it to \"withhold\" in the contract or give it another name with 'as'; "
                    "nothing was changed");
    }
  }
  if (!has_key(table, relation, adaptation.holders)) {
    throw Failure(Code::secondary_refuses,
                  fmt::format("table '{}' in the secondary has no primary key or unique constraint "
                              "over the contract's key",
                              relation.name),
                  "add the constraint in the secondary, or correct 'key' in the contract; nothing "
                  "was changed");
  }
  return adaptation;
}

const CatalogTable* Target::holding_table(const Relation& relation) const {
  if (relation.name_leaves) {
    return nullptr;
  }
  return catalog_.find_table(relation.renamed_from.empty() ? relation.name : relation.renamed_from);
}

/// A table that was there before may lack the unique key that a foreign key to it needs; then the
/// foreign key is left out. So is one that the primary's own rows need not keep.
Relation Target::with_possible_foreign_keys(const Relation& relation,
                                            const std::vector<Relation>& all) const {
  auto possible = relation;
  std::erase_if(possible.foreign_keys, [&](const RelationForeignKey& key) {
    if (!key.promised) {
      return true;
    }
    const auto parent = std::ranges::find(all, key.table, &Relation::name);
    const auto* table = parent == all.end() ? nullptr : holding_table(*parent);
    if (table == nullptr) {
      return false;
    }
    auto names = key.referenced;
    for (const auto& column : parent->columns) {
      const auto renamed = std::ranges::find(names, column.name);
      if (renamed != names.end() && !column.renamed_from.empty()) {
        *renamed = column.renamed_from;
      }
    }
    return !table->is_unique(names);
  });
  return possible;
}

std::vector<std::string> Target::missing_ddl(std::vector<Relation>& relations) const {
  std::vector<std::string> tables;
  tables.reserve(relations.size());
  const auto renames = table_renames(catalog_, relations);
  for (const auto& [from, to] : renames) {
    tables.push_back(rename_table(dialect(), session_.schema, from, to));
  }
  std::vector<std::string> drops;
  std::vector<std::string> outgrown;
  std::vector<std::string> keys;
  std::vector<std::string> bases;
  for (auto& relation : relations) {
    if (std::ranges::find(renames, relation.name, &Adaptation::Rename::to) == renames.end()) {
      relation.renamed_from.clear();
    }
    relation.name_leaves =
        relation.renamed_from.empty() &&
        std::ranges::find(renames, relation.name, &Adaptation::Rename::from) != renames.end();
    const auto* table = holding_table(relation);
    if (table != nullptr) {
      std::ranges::move(drop_keys(*table, relation), std::back_inserter(drops));
      std::ranges::move(drop_outgrown_key(*table, relation), std::back_inserter(outgrown));
      const auto adaptation = hold_existing(*table, relation);
      std::ranges::move(adaptation_ddl(dialect(), session_.schema, relation, adaptation),
                        std::back_inserter(tables));
    } else {
      for (auto& column : relation.columns) {
        make_held(dialect(), column);
      }
      const auto made = with_possible_foreign_keys(relation, relations);
      tables.push_back(create_data_table(dialect(), dialect().table(session_.schema, relation.name),
                                         made, session_.schema, Lifetime::lasting));
      if (dialect().engine() == Engine::postgresql) {
        for (const auto& key : made.foreign_keys) {
          keys.push_back(add_foreign_key(dialect(), session_.schema, made, key));
        }
      }
    }
    if (own_table_exists(base_name(relation))) {
      std::ranges::move(widen_base(relation), std::back_inserter(bases));
    } else {
      bases.push_back(create_base_table(dialect(), dialect().own_table(base_name(relation)),
                                        relation, Lifetime::lasting));
    }
  }
  drops.insert(drops.end(), outgrown.begin(), outgrown.end());
  tables.insert(tables.begin(), drops.begin(), drops.end());
  tables.insert(tables.end(), keys.begin(), keys.end());
  tables.insert(tables.end(), bases.begin(), bases.end());
  return tables;
}

std::vector<std::string> Target::undo_ddl(const std::vector<Relation>& relations) const {
  std::vector<std::string> ddl;
  for (auto relation = relations.rbegin(); relation != relations.rend(); ++relation) {
    if (const auto* table = holding_table(*relation)) {
      std::ranges::move(
          db::undo_ddl(dialect(), session_.schema, *relation, adapt(dialect(), *table, *relation)),
          std::back_inserter(ddl));
    } else {
      ddl.push_back("DROP TABLE " + dialect().table(session_.schema, relation->name));
    }
  }
  const auto renames = table_renames(catalog_, relations);
  for (auto rename = renames.rbegin(); rename != renames.rend(); ++rename) {
    ddl.push_back(rename_table(dialect(), session_.schema, rename->to, rename->from));
  }
  for (const auto& relation : relations) {
    if (const auto* table = holding_table(relation)) {
      std::ranges::move(put_back_keys(*table, relation), std::back_inserter(ddl));
    }
  }
  return ddl;
}

void Target::execute_ddl(const std::vector<std::string>& statements) {
  // people's checks and index expressions are run for what is rewritten
  session_.connection->edit_definitions([&] {
    for (const auto& sql : statements) {
      write(sql);
    }
  });
  load_catalog();
}

void Target::empty_column(const Relation& relation, const std::string& column) {
  const auto* table = catalog_.find_table(relation.name);
  if (table != nullptr && table->find_column(column) != nullptr) {
    write(db::empty_column(dialect(), dialect().table(session_.schema, relation.name), column));
  }
}

void Target::stand_in(const Relation& relation) {
  const auto name = temporary_name(dialect(), "data", relation.id);
  const auto* table = holding_table(relation);
  if (table == nullptr) {
    session_.connection->execute(
        create_data_table(dialect(), name, relation, session_.schema, Lifetime::temporary));
    stand_in_data_.push_back(relation.id);
  } else if (const auto adaptation = adapt(dialect(), *table, relation);
             adaptation.needed() || table->name != relation.name || !relation.lost_keys.empty() ||
             outgrown_key(*table, relation) != nullptr) {
    session_.connection->execute(create_data_view(dialect(), name, relation,
                                                  dialect().table(session_.schema, table->name),
                                                  adaptation.holders));
    stand_in_data_.push_back(relation.id);
  }
  if (!own_table_exists(base_name(relation))) {
    session_.connection->execute(create_base_table(
        dialect(), temporary_name(dialect(), "base", relation.id), relation, Lifetime::temporary));
    stand_in_base_.push_back(relation.id);
  }
}

}  // namespace abgleich::db
