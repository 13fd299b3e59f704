#include "db/secondary/table_statements.hpp"

#include <fmt/format.h>

namespace abgleich::db {

namespace {

/// Where the engine cannot drop NOT NULL later, as the vendor may do in the primary, only the key's
/// columns get it.
bool may_be_null(const Dialect& dialect, const Relation& relation, std::size_t column) {
  return !relation.is_key(column) &&
         (relation.columns[column].nullable || !dialect.traits().alters_columns);
}

std::string_view temporary(Lifetime lifetime) {
  return lifetime == Lifetime::temporary ? "TEMPORARY " : "";
}

}  // namespace

std::string foreign_key(const Dialect& dialect, const std::string& schema,
                        const std::vector<std::string>& columns, const std::string& parent,
                        const std::vector<std::string>& referenced) {
  const auto names = [&](const std::vector<std::string>& all) {
    return list(all.size(), [&](std::size_t i) { return dialect.quote(all[i]); });
  };
  return fmt::format("FOREIGN KEY ({}) REFERENCES {} ({}) {}", names(columns),
                     dialect.table(schema, parent), names(referenced), kOurKeys);
}

std::string foreign_key(const Dialect& dialect, const std::string& schema, const Relation& relation,
                        const RelationForeignKey& key) {
  std::vector<std::string> columns;
  for (const auto i : key.columns) {
    columns.push_back(relation.columns[i].name);
  }
  return foreign_key(dialect, schema, columns, key.table, key.referenced);
}

std::string create_data_table(const Dialect& dialect, const std::string& name,
                              const Relation& relation, const std::string& schema,
                              Lifetime lifetime) {
  auto sql = fmt::format("CREATE {}TABLE {} ({}, PRIMARY KEY ({})", temporary(lifetime), name,
                         list(relation.columns.size(),
                              [&](std::size_t i) {
                                const auto& column = relation.columns[i];
                                return fmt::format(
                                    "{} {}{}{}", dialect.quote(column.name),
                                    dialect.column_type(column.type), collate(dialect, column),
                                    may_be_null(dialect, relation, i) ? "" : " NOT NULL");
                              }),
                         quoted_key(dialect, "", relation));
  if (lifetime == Lifetime::lasting) {
    for (const auto& unique : relation.uniques) {
      sql += fmt::format(", UNIQUE ({})", list(unique.size(), [&](std::size_t i) {
                           return dialect.quote(relation.columns[unique[i]].name);
                         }));
    }
  }
  if (!dialect.adds_foreign_keys() && lifetime == Lifetime::lasting) {
    for (const auto& key : relation.foreign_keys) {
      sql += ", " + foreign_key(dialect, schema, relation, key);
    }
  }
  return sql + table_end(dialect, lifetime);
}

std::string create_data_view(const Dialect& dialect, const std::string& name,
                             const Relation& relation, const std::string& table,
                             const std::vector<std::string>& holders) {
  return fmt::format("CREATE TEMPORARY VIEW {} AS SELECT {} FROM {}", name,
                     list(relation.columns.size(),
                          [&](std::size_t i) {
                            const auto& column = relation.columns[i];
                            const auto quoted = dialect.quote(column.name);
                            if (!holders[i].empty()) {
                              return fmt::format("{} AS {}", dialect.quote(holders[i]), quoted);
                            }
                            return column.stored.native.empty()
                                       ? "NULL AS " + quoted
                                       : fmt::format("CAST(NULL AS {}) AS {}", column.stored.native,
                                                     quoted);
                          }),
                     table);
}

std::string rename_table(const Dialect& dialect, const std::string& schema, std::string_view from,
                         std::string_view to) {
  return fmt::format("ALTER TABLE {} RENAME TO {}", dialect.table(schema, from), dialect.quote(to));
}

std::string add_foreign_key(const Dialect& dialect, const std::string& schema,
                            const Relation& relation, const RelationForeignKey& key) {
  return fmt::format("ALTER TABLE {} ADD {}", dialect.table(schema, relation.name),
                     foreign_key(dialect, schema, relation, key));
}

std::string add_constraint(const Dialect& dialect, const std::string& schema,
                           const std::string& table, std::string_view name,
                           const std::string& clause) {
  return fmt::format("ALTER TABLE {} ADD CONSTRAINT {} {}", dialect.table(schema, table),
                     dialect.quote(name), clause);
}

std::string drop_constraint(const Dialect& dialect, const std::string& schema,
                            const std::string& table, std::string_view name) {
  return fmt::format("ALTER TABLE {} DROP CONSTRAINT {}", dialect.table(schema, table),
                     dialect.quote(name));
}

std::string count_orphans(const Dialect& dialect, const std::string& schema,
                          const Relation& relation, const RelationForeignKey& key) {
  std::string there;
  std::string same;
  for (std::size_t i = 0; i < key.columns.size(); ++i) {
    const auto column = "c." + dialect.quote(relation.columns[key.columns[i]].name);
    there += fmt::format("{}{} IS NOT NULL", i == 0 ? "" : " AND ", column);
    same +=
        fmt::format("{}p.{} = {}", i == 0 ? "" : " AND ", dialect.quote(key.referenced[i]), column);
  }
  return fmt::format(
      "SELECT count(*) FROM (SELECT 1 FROM {} c WHERE {} AND NOT EXISTS (SELECT 1 FROM {} p WHERE "
      "{}) LIMIT 1) o",
      dialect.table(schema, relation.name), there, dialect.table(schema, key.table), same);
}

std::string add_column(const Dialect& dialect, const std::string& schema, const Relation& relation,
                       const RelationColumn& column) {
  return fmt::format("ALTER TABLE {} ADD COLUMN {} {}{}", dialect.table(schema, relation.name),
                     dialect.quote(column.name), dialect.column_type(column.type),
                     collate(dialect, column));
}

std::string rename_column(const Dialect& dialect, const std::string& schema,
                          const Relation& relation, std::string_view from, std::string_view to) {
  return fmt::format("ALTER TABLE {} RENAME COLUMN {} TO {}", dialect.table(schema, relation.name),
                     dialect.quote(from), dialect.quote(to));
}

std::string alter_type(const Dialect& dialect, const std::string& table, std::string_view column,
                       std::string_view type) {
  return fmt::format("ALTER TABLE {} ALTER COLUMN {} TYPE {}", table, dialect.quote(column), type);
}

std::string drop_not_null(const Dialect& dialect, const std::string& table,
                          std::string_view column) {
  return fmt::format("ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL", table, dialect.quote(column));
}

std::string set_not_null(const Dialect& dialect, const std::string& table,
                         std::string_view column) {
  return fmt::format("ALTER TABLE {} ALTER COLUMN {} SET NOT NULL", table, dialect.quote(column));
}

std::string drop_column(const Dialect& dialect, const std::string& table, std::string_view column) {
  return fmt::format("ALTER TABLE {} DROP COLUMN {}", table, dialect.quote(column));
}

std::string empty_column(const Dialect& dialect, const std::string& table, std::string_view column,
                         const Relation& relation) {
  const auto quoted = dialect.quote(column);
  const auto others = in_shared_base(dialect, "t", relation);
  return fmt::format("UPDATE {0} AS t SET {1} = NULL WHERE t.{1} IS NOT NULL{2}", table, quoted,
                     others.empty() ? "" : fmt::format(" AND NOT ({})", others));
}

std::string create_base_table(const Dialect& dialect, const std::string& name,
                              const Relation& relation, Lifetime lifetime) {
  return fmt::format(
      "CREATE {}TABLE {} ({}, cells {} NOT NULL, PRIMARY KEY ({}){}", temporary(lifetime), name,
      list(relation.key.size(),
           [&](std::size_t i) {
             return fmt::format("k{} {} NOT NULL", i,
                                key_type(dialect, relation.columns[relation.key[i]]));
           }),
      dialect.blob_type(), base_key("", relation), table_end(dialect, lifetime));
}

}  // namespace abgleich::db
