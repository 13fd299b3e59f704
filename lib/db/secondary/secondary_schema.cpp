#include "db/secondary/secondary_schema.hpp"

#include "db/engine/engine.hpp"
#include "db/secondary/base_statements.hpp"
#include "db/secondary/table_statements.hpp"
#include "db/secondary/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace abgleich::db {

namespace {

/// The type that the catalogue will show for a column that is made for `type`.
Type made_type(const Dialect& dialect, const Type& type) {
  Type stored = type;
  stored.engine = dialect.engine();
  stored.native = dialect.column_type(type);
  stored.labels.clear();
  return stored;
}

/// The order of pseudonyms means nothing, so their columns are compared by bytes: a database's
/// collation would only be slower.
void make_stored(const Dialect& dialect, RelationColumn& column) {
  column.stored = made_type(dialect, column.type);
  column.bytewise =
      !dialect.byte_collation().empty() && column.pseudonym && column.stored.family == Family::text;
}

/// Whether the table has a unique key over exactly the columns of the relation's key. `holders`:
/// the relation's columns as the table calls them.
bool has_key(const CatalogTable& table, const Relation& relation,
             const std::vector<std::string>& holders) {
  std::vector<std::string> wanted;
  for (const auto i : relation.key) {
    wanted.push_back(holders[i]);
  }
  return table.is_unique(std::move(wanted));
}

/// The primary key of the table where it was the relation's key before (`abgleich rekey`) and new
/// rows have no values for it any more; null otherwise.
const CatalogKey* outgrown_key(const Dialect& dialect, const CatalogTable& table,
                               const Relation& relation) {
  if (!table.primary_key) {
    return nullptr;
  }
  const bool loosens = dialect.traits().alters_columns;
  const auto old_name = [](const auto& column) {
    return column.renamed_from.empty() ? column.name : column.renamed_from;
  };
  const auto left_empty = [&](const std::string& name) {
    const auto* there = table.find_column(name);
    if (there == nullptr || there->auto_identity || there->generated ||
        !there->default_value.empty()) {
      return false;  // the secondary fills it itself
    }
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
      const auto& column = relation.columns[i];
      if (old_name(column) == name && loosens && column.loosened && !relation.is_key(i)) {
        return true;
      }
    }
    return std::ranges::any_of(relation.kept,
                               [&](const KeptColumn& kept) { return old_name(kept) == name; });
  };
  return std::ranges::any_of(table.primary_key->columns, left_empty) ? &*table.primary_key
                                                                     : nullptr;
}

/// The constraints of the table that are to be dropped.
TableKeys leaving_keys(const Dialect& dialect, const CatalogTable& table,
                       const Relation& relation) {
  return {
      .table = &table, .relation = &relation, .outgrown = outgrown_key(dialect, table, relation)};
}

}  // namespace

std::vector<std::string> SecondarySchema::widen_base(const Relation& relation) const {
  const auto& dialect = target_.dialect();
  const auto& backend = target_.backend();
  const auto& session = target_.session();
  std::vector<std::string> ddl;
  const auto columns = base_columns(relation);
  for (std::size_t k = 0; k < relation.key.size(); ++k) {
    const auto& column = relation.columns[relation.key[k]];
    const bool by_bytes = column.equality.by == Equality::By::type;
    if (!by_bytes && !column.widened_from) {
      continue;
    }
    const auto type = backend.own_column_type(session, base_name(relation), columns[k]);
    if (by_bytes) {
      if (!type.empty() && type != "text") {
        ddl.push_back(
            keep_as_text(dialect, session.own_table(base_name(relation)), column, columns[k]));
      }
      continue;
    }
    if (!type.empty() && type != column.stored.native &&
        type == dialect.column_type(*column.widened_from)) {
      ddl.push_back(alter_type(dialect, session.own_table(base_name(relation)), columns[k],
                               column.stored.native));
    }
  }
  return ddl;
}

Adaptation SecondarySchema::hold_existing(const CatalogTable& table, Relation& relation) const {
  if (table.kind != TableKind::table && table.kind != TableKind::partitioned) {
    throw Failure(Code::secondary_refuses,
                  fmt::format("'{}' in the secondary is a {}, not a table", relation.name,
                              name_of(table.kind)),
                  fmt::format("give the table another 'target' in the contract's "
                              "[tables.{}]; nothing was changed",
                              relation.source));
  }
  const auto& dialect = target_.dialect();
  auto adaptation = adapt(dialect, table, relation);
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    auto& column = relation.columns[i];
    const auto* found = table.find_column(adaptation.holders[i]);
    const bool widens = std::ranges::find(adaptation.widenings, i, &Adaptation::Widening::column) !=
                        adaptation.widenings.end();
    if (found != nullptr && !widens) {
      column.stored = found->type;
      column.equality = target_.equality_of(table.name, found->name);
      const auto bytes = dialect.byte_collation();
      column.bytewise = !bytes.empty() && found->collation == bytes;
    } else {
      make_stored(dialect, column);
      column.equality =
          found == nullptr ? Equality{} : target_.equality_of(table.name, found->name);
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

const CatalogTable* SecondarySchema::holding_table(const Relation& relation) const {
  if (relation.name_leaves) {
    return nullptr;
  }
  return target_.catalog().find_table(relation.renamed_from.empty() ? relation.name
                                                                    : relation.renamed_from);
}

/// Without the foreign keys that are not made: those that the primary does not promise to keep, and
/// those to a table that is there already without the unique key that they need.
Relation SecondarySchema::with_possible_foreign_keys(const Relation& relation,
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

LocatedRelations SecondarySchema::locate(std::vector<Relation> relations, OthersBases which) const {
  find_shared_bases(target_, which, relations);
  const auto& dialect = target_.dialect();
  const auto& backend = target_.backend();
  auto& session = target_.session();
  std::vector<std::string> tables;
  const auto renames = table_renames(target_.catalog(), relations);
  for (const auto& [from, to] : renames) {
    tables.push_back(rename_table(dialect, session.schema, from, to));
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
      const auto leaving = leaving_keys(dialect, *table, relation);
      std::ranges::move(backend.drop_keys(session, leaving), std::back_inserter(drops));
      std::ranges::move(backend.drop_outgrown_key(session, leaving), std::back_inserter(outgrown));
      const auto adaptation = hold_existing(*table, relation);
      std::ranges::move(adaptation_ddl(dialect, session.schema, relation, adaptation),
                        std::back_inserter(tables));
    } else {
      for (auto& column : relation.columns) {
        make_stored(dialect, column);
      }
      const auto made = with_possible_foreign_keys(relation, relations);
      tables.push_back(create_data_table(dialect, dialect.table(session.schema, relation.name),
                                         made, session.schema, Lifetime::lasting));
      if (dialect.adds_foreign_keys()) {
        for (const auto& key : made.foreign_keys) {
          keys.push_back(add_foreign_key(dialect, session.schema, made, key));
        }
      }
    }
    if (target_.books().has_table(base_name(relation))) {
      std::ranges::move(widen_base(relation), std::back_inserter(bases));
    } else {
      bases.push_back(create_base_table(dialect, session.own_table(base_name(relation)), relation,
                                        Lifetime::lasting));
    }
  }
  drops.insert(drops.end(), outgrown.begin(), outgrown.end());
  tables.insert(tables.begin(), drops.begin(), drops.end());
  tables.insert(tables.end(), keys.begin(), keys.end());
  tables.insert(tables.end(), bases.begin(), bases.end());
  LocatedRelations located{.relations = {}, .missing_ddl = std::move(tables)};
  located.relations.reserve(relations.size());
  for (auto& relation : relations) {
    located.relations.push_back(LocatedRelation(std::move(relation)));
  }
  return located;
}

LocatedRelation SecondarySchema::locate(const Relation& relation) const {
  return std::move(locate(std::vector{relation}).relations.front());
}

LocatedRelation SecondarySchema::by_another_key(const LocatedRelation& before, Relation now) const {
  now.shared_bases = before.shared_bases;
  for (std::size_t i = 0; i < now.columns.size(); ++i) {
    now.columns[i].stored = before.columns[i].stored;
    now.columns[i].equality = before.columns[i].equality;
    now.columns[i].bytewise = before.columns[i].bytewise;
  }
  return LocatedRelation(std::move(now));
}

std::vector<std::string> SecondarySchema::undo_ddl(const LocatedRelations& located) const {
  const auto& dialect = target_.dialect();
  const auto& backend = target_.backend();
  auto& session = target_.session();
  const auto& relations = located.relations;
  std::vector<std::string> ddl;
  for (auto relation = relations.rbegin(); relation != relations.rend(); ++relation) {
    if (const auto* table = holding_table(*relation)) {
      std::ranges::move(
          db::undo_ddl(dialect, session.schema, *relation, adapt(dialect, *table, *relation)),
          std::back_inserter(ddl));
    } else {
      ddl.push_back("DROP TABLE " + dialect.table(session.schema, relation->name));
    }
  }
  const auto renames =
      table_renames(target_.catalog(), std::vector<Relation>(relations.begin(), relations.end()));
  for (auto rename = renames.rbegin(); rename != renames.rend(); ++rename) {
    ddl.push_back(rename_table(dialect, session.schema, rename->to, rename->from));
  }
  for (const auto& relation : relations) {
    if (const auto* table = holding_table(relation)) {
      std::ranges::move(backend.put_back_keys(session, leaving_keys(dialect, *table, relation)),
                        std::back_inserter(ddl));
    }
  }
  return ddl;
}

void SecondarySchema::stand_in(const LocatedRelation& relation, bool released) {
  const auto& dialect = target_.dialect();
  auto& session = target_.session();
  const auto name = temporary_name(dialect, "data", relation.id);
  const auto* table = holding_table(relation);
  if (table == nullptr) {
    session.connection->execute(
        create_data_table(dialect, name, relation, session.schema, Lifetime::temporary));
    target_.stand_ins().add_data(relation);
  } else if (const auto adaptation = adapt(dialect, *table, relation);
             adaptation.needed() || table->name != relation.name || !relation.lost_keys.empty() ||
             released || outgrown_key(dialect, *table, relation) != nullptr) {
    session.connection->execute(create_data_view(
        dialect, name, relation, dialect.table(session.schema, table->name), adaptation.holders));
    target_.stand_ins().add_data(relation);
  }
  if (!target_.books().has_table(base_name(relation))) {
    session.connection->execute(create_base_table(
        dialect, temporary_name(dialect, "base", relation.id), relation, Lifetime::temporary));
    target_.stand_ins().add_base(relation);
  }
}

}  // namespace abgleich::db
