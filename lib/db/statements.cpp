#include "db/statements.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace abgleich::db {

namespace {

/// "a, b, c" of what `item` gives for 0 … count-1.
template <class Item>
std::string list(std::size_t count, const Item& item, std::string_view separator = ", ") {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0) {
      text += separator;
    }
    text += item(i);
  }
  return text;
}

std::string cell(std::size_t column) {
  return fmt::format("c{}", column);
}

std::string columns_of(std::string_view alias, const Relation& relation) {
  return list(relation.columns.size(),
              [&](std::size_t i) { return fmt::format("{}c{}", alias, i); });
}

std::string key_columns(std::string_view alias, const Relation& relation) {
  return list(relation.key.size(),
              [&](std::size_t i) { return fmt::format("{}c{}", alias, relation.key[i]); });
}

/// The key as the base names it: by its place in the key, so that other columns may come and go.
std::string base_key(std::string_view alias, const Relation& relation) {
  return list(relation.key.size(), [&](std::size_t i) { return fmt::format("{}k{}", alias, i); });
}

std::string quoted_key(const Dialect& dialect, std::string_view alias, const Relation& relation) {
  return list(relation.key.size(), [&](std::size_t i) {
    return std::string(alias) + dialect.quote(relation.columns[relation.key[i]].name);
  });
}

/// "s.c0 = b.k0 AND …" over the key: stage or plan on the left, base on the right.
std::string key_equal(std::string_view left, std::string_view base, const Relation& relation) {
  return list(
      relation.key.size(),
      [&](std::size_t i) { return fmt::format("{}.c{} = {}.k{}", left, relation.key[i], base, i); },
      " AND ");
}

/// "b.k0 = t.id AND …" over the key: base on the left, the secondary's own names on the right.
std::string base_equal_data(const Dialect& dialect, std::string_view base, std::string_view data,
                            const Relation& relation) {
  return list(
      relation.key.size(),
      [&](std::size_t i) {
        return fmt::format("{}.k{} = {}.{}", base, i, data,
                           dialect.quote(relation.columns[relation.key[i]].name));
      },
      " AND ");
}

/// "s.c0 = t.id AND …" over the key: stage or plan on the left, the secondary's own names on the
/// right.
std::string key_equal_data(const Dialect& dialect, std::string_view left, std::string_view right,
                           const Relation& relation) {
  return list(
      relation.key.size(),
      [&](std::size_t i) {
        return fmt::format("{}.c{} = {}.{}", left, relation.key[i], right,
                           dialect.quote(relation.columns[relation.key[i]].name));
      },
      " AND ");
}

std::string data_columns(const Dialect& dialect, std::string_view alias, const Relation& relation) {
  return list(relation.columns.size(), [&](std::size_t i) {
    return dialect.select_expression(
        std::string(alias) + "." + dialect.quote(relation.columns[i].name),
        relation.columns[i].held);
  });
}

std::string typed_columns(const Relation& relation) {
  return list(relation.columns.size(), [&](std::size_t i) {
    return fmt::format("c{} {}", i, relation.columns[i].held.native);
  });
}

/// SQLite cannot take NOT NULL back when the vendor does, so there it is for keys only.
bool may_be_null(const Dialect& dialect, const Relation& relation, std::size_t column) {
  return !relation.is_key(column) &&
         (relation.columns[column].nullable || dialect.engine() == Engine::sqlite);
}

std::string_view blob_type(const Dialect& dialect) {
  return dialect.engine() == Engine::postgresql ? "bytea" : "BLOB";
}

std::string_view temporary(Lifetime lifetime) {
  return lifetime == Lifetime::temporary ? "TEMPORARY " : "";
}

/// What closes a CREATE TABLE's list.
std::string_view table_end(const Dialect& dialect, Lifetime lifetime) {
  return lifetime == Lifetime::temporary && dialect.engine() == Engine::postgresql
             ? ") ON COMMIT DROP"
             : ")";
}

std::string foreign_key(const Dialect& dialect, const std::string& schema, const Relation& relation,
                        const RelationForeignKey& key) {
  return fmt::format(
      "FOREIGN KEY ({}) REFERENCES {} ({}) DEFERRABLE INITIALLY IMMEDIATE",
      list(key.columns.size(),
           [&](std::size_t i) { return dialect.quote(relation.columns[key.columns[i]].name); }),
      dialect.table(schema, key.table),
      list(key.referenced.size(), [&](std::size_t i) { return dialect.quote(key.referenced[i]); }));
}

/// The base's rows with their data, in the shape of a pair without a primary.
std::string base_pairs(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format(
      "SELECT {}, NULL, b.cells, CASE WHEN t.{} IS NULL THEN NULL ELSE 1 END, {} FROM {} b "
      "LEFT JOIN {} t ON {}",
      list(relation.columns.size(),
           [&](std::size_t i) {
             const auto at = static_cast<std::size_t>(std::ranges::find(relation.key, i) -
                                                      relation.key.begin());
             return at < relation.key.size() ? dialect.select_expression(fmt::format("b.k{}", at),
                                                                         relation.columns[i].held)
                                             : std::string("NULL");
           }),
      dialect.quote(relation.columns[relation.key.front()].name),
      data_columns(dialect, "t", relation), names.base, names.data,
      base_equal_data(dialect, "b", "t", relation));
}

}  // namespace

std::string_view or_abort(const Dialect& dialect) {
  return dialect.engine() == Engine::sqlite ? " OR ABORT" : "";
}

std::string_view overriding(const Dialect& dialect) {
  return dialect.engine() == Engine::postgresql ? "OVERRIDING SYSTEM VALUE " : "";
}

std::string temporary_name(std::string_view what, std::int64_t relation) {
  return fmt::format("abgleich_tmp_{}_{}", what, relation);
}

std::string select_columns(const Dialect& dialect, const std::string& schema,
                           const std::string& table,
                           const std::vector<const CatalogColumn*>& columns) {
  return fmt::format("SELECT {} FROM {}",
                     list(columns.size(),
                          [&](std::size_t i) {
                            return dialect.select_expression(dialect.quote(columns[i]->name),
                                                             columns[i]->type);
                          }),
                     dialect.table(schema, table));
}

std::string select_unknown(const Dialect& dialect, const std::string& schema,
                           const std::string& table,
                           const std::vector<const CatalogColumn*>& columns,
                           const std::string& place, const std::string& where) {
  return fmt::format("SELECT {}{}{} FROM {}{}{}", place, place.empty() ? "" : ", ",
                     list(columns.size(),
                          [&](std::size_t i) {
                            return dialect.select_expression(dialect.quote(columns[i]->name),
                                                             columns[i]->type);
                          }),
                     dialect.table(schema, table), where.empty() ? "" : " WHERE ", where);
}

std::string create_data_table(const Dialect& dialect, const std::string& name,
                              const Relation& relation, const std::string& schema,
                              Lifetime lifetime) {
  auto sql =
      fmt::format("CREATE {}TABLE {} ({}, PRIMARY KEY ({})", temporary(lifetime), name,
                  list(relation.columns.size(),
                       [&](std::size_t i) {
                         const auto& column = relation.columns[i];
                         return fmt::format("{} {}{}", dialect.quote(column.name),
                                            dialect.column_type(column.type),
                                            may_be_null(dialect, relation, i) ? "" : " NOT NULL");
                       }),
                  quoted_key(dialect, "", relation));
  // SQLite cannot add a foreign key later; it does not mind a table that is not there yet.
  if (dialect.engine() == Engine::sqlite && lifetime == Lifetime::lasting) {
    for (const auto& key : relation.foreign_keys) {
      sql += ", " + foreign_key(dialect, schema, relation, key);
    }
  }
  return sql + std::string(table_end(dialect, lifetime));
}

std::string create_data_view(const Dialect& dialect, const std::string& name,
                             const Relation& relation, const std::string& schema,
                             const std::vector<std::string>& holders) {
  return fmt::format("CREATE TEMPORARY VIEW {} AS SELECT {} FROM {}", name,
                     list(relation.columns.size(),
                          [&](std::size_t i) {
                            const auto& column = relation.columns[i];
                            const auto quoted = dialect.quote(column.name);
                            if (!holders[i].empty()) {
                              return fmt::format("{} AS {}", dialect.quote(holders[i]), quoted);
                            }
                            return column.held.native.empty()
                                       ? "NULL AS " + quoted
                                       : fmt::format("CAST(NULL AS {}) AS {}", column.held.native,
                                                     quoted);
                          }),
                     dialect.table(schema, relation.name));
}

std::string add_foreign_key(const Dialect& dialect, const std::string& schema,
                            const Relation& relation, const RelationForeignKey& key) {
  return fmt::format("ALTER TABLE {} ADD {}", dialect.table(schema, relation.name),
                     foreign_key(dialect, schema, relation, key));
}

std::string add_column(const Dialect& dialect, const std::string& schema, const Relation& relation,
                       const RelationColumn& column) {
  return fmt::format("ALTER TABLE {} ADD COLUMN {} {}", dialect.table(schema, relation.name),
                     dialect.quote(column.name), dialect.column_type(column.type));
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

std::string empty_column(const Dialect& dialect, const std::string& table,
                         std::string_view column) {
  const auto quoted = dialect.quote(column);
  return fmt::format("UPDATE {} SET {} = NULL WHERE {} IS NOT NULL", table, quoted, quoted);
}

std::string create_base_table(const Dialect& dialect, const std::string& name,
                              const Relation& relation, Lifetime lifetime) {
  return fmt::format("CREATE {}TABLE {} ({}, cells {} NOT NULL, PRIMARY KEY ({}){}",
                     temporary(lifetime), name,
                     list(relation.key.size(),
                          [&](std::size_t i) {
                            return fmt::format("k{} {} NOT NULL", i,
                                               relation.columns[relation.key[i]].held.native);
                          }),
                     blob_type(dialect), base_key("", relation), table_end(dialect, lifetime));
}

std::string create_stage(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format("CREATE TEMPORARY TABLE {0} ({1}, cells {2}, mark {2}{3}", names.stage,
                     typed_columns(relation), blob_type(dialect),
                     table_end(dialect, Lifetime::temporary));
}

std::vector<std::string> stage_columns(const Relation& relation) {
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    columns.push_back(cell(i));
  }
  columns.emplace_back("cells");
  columns.emplace_back("mark");
  return columns;
}

std::string create_gone(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format("CREATE TEMPORARY TABLE {} ({}, mark {}{}", names.gone,
                     list(relation.key.size(),
                          [&](std::size_t i) {
                            return fmt::format("k{} {}", i,
                                               relation.columns[relation.key[i]].held.native);
                          }),
                     blob_type(dialect), table_end(dialect, Lifetime::temporary));
}

std::vector<std::string> gone_columns(const Relation& relation) {
  auto columns = base_columns(relation);
  columns.back() = "mark";
  return columns;
}

std::vector<std::string> finish_gone(const Dialect& dialect, const Names& names,
                                     const Relation& relation) {
  if (dialect.engine() == Engine::postgresql) {
    return {"ANALYZE " + names.gone};
  }
  return {
      fmt::format("CREATE INDEX temp.{0}_key ON {0} ({1})", names.gone, base_key("", relation))};
}

std::vector<std::string> finish_stage(const Dialect& dialect, const Names& names,
                                      const Relation& relation) {
  // PostgreSQL joins by hash and needs to know the size; SQLite joins by index only.
  if (dialect.engine() == Engine::postgresql) {
    return {"ANALYZE " + names.stage};
  }
  return {fmt::format("CREATE INDEX temp.{0}_key ON {0} ({1})", names.stage,
                      key_columns("", relation))};
}

std::string select_duplicates(const Names& names, const Relation& relation) {
  return fmt::format("SELECT {0} FROM {1} GROUP BY {0} HAVING count(*) > 1 AND count(cells) > 0",
                     key_columns("", relation), names.stage);
}

std::string hold_duplicates(const Names& names, const Relation& relation) {
  return fmt::format(
      "UPDATE {1} SET cells = NULL WHERE ({0}) IN "
      "(SELECT {0} FROM {1} GROUP BY {0} HAVING count(*) > 1)",
      key_columns("", relation), names.stage);
}

std::string select_changed_pairs(const Dialect& dialect, const Names& names,
                                 const Relation& relation) {
  return select_staged_pairs(dialect, names, relation) + " AND b.cells IS DISTINCT FROM s.cells";
}

std::string select_staged_pairs(const Dialect& dialect, const Names& names,
                                const Relation& relation) {
  return fmt::format(
      "SELECT {}, s.cells, b.cells, CASE WHEN t.{} IS NULL THEN NULL ELSE 1 END, {} FROM {} s "
      "LEFT JOIN {} b ON {} LEFT JOIN {} t ON {} "
      "WHERE s.cells IS NOT NULL",
      list(relation.columns.size(),
           [&](std::size_t i) {
             return dialect.select_expression(fmt::format("s.c{}", i), relation.columns[i].held);
           }),
      dialect.quote(relation.columns[relation.key.front()].name),
      data_columns(dialect, "t", relation), names.stage, names.base, key_equal("s", "b", relation),
      names.data, key_equal_data(dialect, "s", "t", relation));
}

std::string select_missing_pairs(const Dialect& dialect, const Names& names,
                                 const Relation& relation) {
  return base_pairs(dialect, names, relation) +
         fmt::format(" WHERE NOT EXISTS (SELECT 1 FROM {} s WHERE {})", names.stage,
                     key_equal("s", "b", relation));
}

std::string select_gone_pairs(const Dialect& dialect, const Names& names,
                              const Relation& relation) {
  return select_missing_pairs(dialect, names, relation) +
         fmt::format(" AND ({}) IN (SELECT {} FROM {})", base_key("b.", relation),
                     base_key("", relation), names.gone);
}

std::string select_open(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format(
      "SELECT {}, s.mark, s.cells, b.cells FROM {} s LEFT JOIN {} b ON {} "
      "WHERE s.cells IS NULL OR b.cells IS DISTINCT FROM s.cells",
      list(relation.key.size(),
           [&](std::size_t i) {
             return dialect.select_expression(fmt::format("s.c{}", relation.key[i]),
                                              relation.columns[relation.key[i]].held);
           }),
      names.stage, names.base, key_equal("s", "b", relation));
}

std::string select_held(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format("SELECT {}, s.mark, NULL, NULL FROM {} s WHERE s.cells IS NULL",
                     list(relation.key.size(),
                          [&](std::size_t i) {
                            return dialect.select_expression(
                                fmt::format("s.c{}", relation.key[i]),
                                relation.columns[relation.key[i]].held);
                          }),
                     names.stage);
}

std::string select_absent(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format(
      "SELECT {}, b.mark FROM {} b WHERE ({}) IN (SELECT {} FROM {}) "
      "AND NOT EXISTS (SELECT 1 FROM {} s WHERE {})",
      list(relation.key.size(),
           [&](std::size_t i) {
             return dialect.select_expression(fmt::format("b.k{}", i),
                                              relation.columns[relation.key[i]].held);
           }),
      names.gone, base_key("b.", relation), base_key("", relation), names.base, names.stage,
      key_equal("s", "b", relation));
}

std::string select_missing_keys(const Dialect& dialect, const Names& names,
                                const Relation& relation) {
  return fmt::format("SELECT {}, NULL FROM {} b WHERE NOT EXISTS (SELECT 1 FROM {} s WHERE {})",
                     list(relation.key.size(),
                          [&](std::size_t i) {
                            return dialect.select_expression(
                                fmt::format("b.k{}", i), relation.columns[relation.key[i]].held);
                          }),
                     names.base, names.stage, key_equal("s", "b", relation));
}

std::string select_new_marks(const Names& names, const Relation& relation) {
  return fmt::format("SELECT s.mark FROM {} s WHERE NOT EXISTS (SELECT 1 FROM {} b WHERE {})",
                     names.stage, names.base, key_equal("s", "b", relation));
}

std::string count_doubtful(const Names& names, const Relation& relation) {
  return fmt::format(
      "SELECT count(*) FROM {} s WHERE EXISTS (SELECT 1 FROM {} b WHERE {}) "
      "AND NOT EXISTS (SELECT 1 FROM {} g WHERE {})",
      names.stage, names.base, key_equal("s", "b", relation), names.gone,
      key_equal("s", "g", relation));
}

std::string select_held_pairs(const Dialect& dialect, const Names& names,
                              const Relation& relation) {
  return base_pairs(dialect, names, relation) +
         fmt::format(" WHERE EXISTS (SELECT 1 FROM {} s WHERE {} AND s.cells IS NULL)", names.stage,
                     key_equal("s", "b", relation));
}

std::string select_secondary_only(const Dialect& dialect, const Names& names,
                                  const Relation& relation) {
  return fmt::format(
      "SELECT {}, NULL, NULL, 1, {} FROM {} t WHERE NOT EXISTS (SELECT 1 FROM {} b WHERE {}) "
      "AND NOT EXISTS (SELECT 1 FROM {} s WHERE {})",
      list(relation.columns.size(),
           [&](std::size_t i) {
             return relation.is_key(i)
                        ? dialect.select_expression("t." + dialect.quote(relation.columns[i].name),
                                                    relation.columns[i].held)
                        : std::string("NULL");
           }),
      data_columns(dialect, "t", relation), names.data, names.base,
      base_equal_data(dialect, "b", "t", relation), names.stage,
      key_equal_data(dialect, "s", "t", relation));
}

std::string select_sealed(const Names& names, const Relation& relation) {
  return fmt::format("SELECT {}, b.cells FROM {} b", base_key("b.", relation), names.base);
}

std::string select_sealed_of_plan(const Names& names, const Relation& relation) {
  return select_sealed(names, relation) +
         fmt::format(" WHERE ({}) IN (SELECT {} FROM {} WHERE action = lower(action))",
                     base_key("b.", relation), key_columns("", relation), names.plan);
}

std::vector<std::string> base_columns(const Relation& relation) {
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < relation.key.size(); ++i) {
    columns.push_back(fmt::format("k{}", i));
  }
  columns.emplace_back("cells");
  return columns;
}

std::string select_base(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format("SELECT {}, b.cells FROM {} b",
                     list(relation.key.size(),
                          [&](std::size_t i) {
                            return dialect.select_expression(
                                fmt::format("b.k{}", i), relation.columns[relation.key[i]].held);
                          }),
                     names.base);
}

std::string replace_base(const Names& names, const std::string& by, const Relation& relation) {
  return fmt::format("UPDATE {} AS b SET cells = r.cells FROM {} r WHERE {}", names.base, by,
                     list(
                         relation.key.size(),
                         [](std::size_t i) { return fmt::format("r.k{0} = b.k{0}", i); }, " AND "));
}

std::string select_base_row(const Dialect& dialect, const Names& names, const Relation& relation) {
  (void)dialect;
  return fmt::format(
      "SELECT b.cells FROM {} b WHERE {}", names.base,
      list(
          relation.key.size(), [](std::size_t i) { return fmt::format("b.k{} = ${}", i, i + 1); },
          " AND "));
}

std::string select_row(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format(
      "SELECT {} FROM {} t WHERE {}", data_columns(dialect, "t", relation), names.data,
      list(
          relation.key.size(),
          [&](std::size_t i) {
            return fmt::format("t.{} = ${}", dialect.quote(relation.columns[relation.key[i]].name),
                               i + 1);
          },
          " AND "));
}

std::string fill_data(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format("INSERT{} INTO {} ({}) {}SELECT {} FROM {} WHERE cells IS NOT NULL",
                     or_abort(dialect), names.data,
                     list(relation.columns.size(),
                          [&](std::size_t i) { return dialect.quote(relation.columns[i].name); }),
                     overriding(dialect), columns_of("", relation), names.stage);
}

std::string fill_base(const Names& names, const Relation& relation) {
  return fmt::format("INSERT INTO {} ({}, cells) SELECT {}, cells FROM {} WHERE cells IS NOT NULL",
                     names.base, base_key("", relation), key_columns("", relation), names.stage);
}

std::string PlanRows::have(std::string_view number) const {
  return only.empty() ? fmt::format("{} BETWEEN {} AND {}", number, first, last)
                      : fmt::format("{} IN ({})", number, fmt::join(only, ", "));
}

std::string select_constraints(bool foreign) {
  return fmt::format(
      "SELECT k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint k "
      "JOIN pg_class c ON c.oid = k.conrelid WHERE c.oid = CAST($1 AS regclass) "
      "AND k.contype = '{}' "
      "AND CAST(CAST(c.xmin AS text) AS bigint) = txid_current() % 4294967296 ORDER BY k.conname",
      foreign ? 'f' : 'p');
}

std::string count_held_and_filled(const Dialect& dialect, const Names& names,
                                  const Relation& relation) {
  return fmt::format("SELECT count(*) FROM {} s JOIN {} t ON {}", names.stage, names.data,
                     key_equal_data(dialect, "s", "t", relation));
}

std::string create_plan(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format(
      "CREATE TEMPORARY TABLE {} (n bigint PRIMARY KEY, action text NOT NULL, mask text NOT NULL, "
      "{}, cells {}, fate text NOT NULL, key_text text NOT NULL, before text, after text{}",
      names.plan, typed_columns(relation), blob_type(dialect),
      table_end(dialect, Lifetime::temporary));
}

std::vector<std::string> plan_columns(const Relation& relation) {
  std::vector<std::string> columns{"n", "action", "mask"};
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    columns.push_back(cell(i));
  }
  for (const auto* name : {"cells", "fate", "key_text", "before", "after"}) {
    columns.emplace_back(name);
  }
  return columns;
}

std::string apply_insert(const Dialect& dialect, const Names& names, const Relation& relation,
                         const PlanRows& rows) {
  return fmt::format("INSERT{} INTO {} ({}) {}SELECT {} FROM {} WHERE action = 'i' AND {}",
                     or_abort(dialect), names.data,
                     list(relation.columns.size(),
                          [&](std::size_t i) { return dialect.quote(relation.columns[i].name); }),
                     overriding(dialect), columns_of("", relation), names.plan, rows.have("n"));
}

std::string apply_update(const Dialect& dialect, const Names& names, const Relation& relation,
                         const std::vector<std::size_t>& columns, const PlanRows& rows) {
  return fmt::format(
      "UPDATE{} {} AS t SET {} FROM {} p WHERE p.action = 'u' AND {} AND {}", or_abort(dialect),
      names.data,
      list(columns.size(),
           [&](std::size_t i) {
             const auto column = columns[i];
             const auto name = dialect.quote(relation.columns[column].name);
             return fmt::format(
                 "{} = CASE WHEN substr(p.mask, {}, 1) <> '0' THEN p.c{} ELSE t.{} END", name,
                 column + 1, column, name);
           }),
      names.plan, rows.have("p.n"), key_equal_data(dialect, "p", "t", relation));
}

std::string apply_delete(const Dialect& dialect, const Names& names, const Relation& relation,
                         const PlanRows& rows) {
  return fmt::format("DELETE FROM {} WHERE ({}) IN (SELECT {} FROM {} WHERE action = 'd' AND {})",
                     names.data, quoted_key(dialect, "", relation), key_columns("", relation),
                     names.plan, rows.have("n"));
}

std::string refuse_rows(const Names& names, const PlanRows& rows) {
  return fmt::format("UPDATE {} SET action = upper(action) WHERE {}", names.plan, rows.have("n"));
}

std::string journal_plan(const Names& names, const Relation& relation, const std::string& journal,
                         std::int64_t epoch, BeforeImages images) {
  const std::string_view erased =
      images == BeforeImages::not_of_deleted ? "p.action NOT IN ('d', 'f') AND " : "";
  return fmt::format(
      "INSERT INTO {0} (epoch, tracked, n, key_text, fate, before, after, base_before, base_after) "
      "SELECT {1}, {2}, p.n, p.key_text, p.fate, "
      "CASE WHEN {3}p.action IN ('u', 'd') THEN p.before END, "
      "CASE WHEN p.action IN ('i', 'u') THEN p.after END, "
      "CASE WHEN {3}b.cells IS NOT NULL THEN b.cells END, "
      "p.cells "
      "FROM {4} p LEFT JOIN {5} b ON {6} WHERE p.action = lower(p.action)",
      journal, epoch, relation.id, erased, names.plan, names.base, key_equal("p", "b", relation));
}

std::string erase_images(const Names& names, const Relation& relation, const std::string& journal) {
  return fmt::format(
      "UPDATE {} SET before = NULL, after = NULL, base_before = NULL, base_after = NULL WHERE "
      "tracked = {} AND key_text IN (SELECT key_text FROM {} WHERE action IN ('d', 'f'))",
      journal, relation.id, names.plan);
}

std::string advance_base(const Dialect& dialect, const Names& names, const Relation& relation) {
  (void)dialect;
  return fmt::format(
      "INSERT INTO {} ({}, cells) SELECT {}, cells FROM {} WHERE cells IS NOT NULL "
      "AND action = lower(action) ON CONFLICT ({}) DO UPDATE SET cells = excluded.cells",
      names.base, base_key("", relation), key_columns("", relation), names.plan,
      base_key("", relation));
}

std::string forget_base(const Dialect& dialect, const Names& names, const Relation& relation) {
  (void)dialect;
  return fmt::format(
      "DELETE FROM {} WHERE ({}) IN (SELECT {} FROM {} WHERE cells IS NULL AND "
      "action = lower(action))",
      names.base, base_key("", relation), key_columns("", relation), names.plan);
}

std::string select_written(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format(
      "SELECT p.mask, p.cells, {} FROM {} p JOIN {} t ON {} WHERE p.action IN ('i', 'u')",
      data_columns(dialect, "t", relation), names.plan, names.data,
      key_equal_data(dialect, "p", "t", relation));
}

std::string count_astray(const Dialect& dialect, const Names& names, const Relation& relation) {
  const auto there =
      fmt::format("SELECT count(*) FROM {} p JOIN {} t ON {} WHERE p.action", names.plan,
                  names.data, key_equal_data(dialect, "p", "t", relation));
  return fmt::format(
      "SELECT (SELECT count(*) FROM {0} WHERE action IN ('i', 'u')) - ({1} IN ('i', 'u')) + "
      "({1} = 'd')",
      names.plan, there);
}

std::string count_growth(const Names& names) {
  return fmt::format(
      "SELECT coalesce(sum(CASE action WHEN 'i' THEN 1 WHEN 'd' THEN -1 ELSE 0 END), 0) FROM {}",
      names.plan);
}

std::string select_plan(const Dialect& dialect, const Names& names, const Relation& relation) {
  // Not in the order in which pairs came: that is the server's affair, and another one every day.
  return fmt::format(
      "SELECT action, key_text, before, after FROM {} WHERE action = lower(action) ORDER BY {}, n",
      names.plan, list(relation.key.size(), [&](std::size_t i) {
        const bool collates = dialect.engine() == Engine::postgresql &&
                              relation.columns[relation.key[i]].held.family == Family::text;
        return fmt::format("c{}{}", relation.key[i], collates ? " COLLATE \"C\"" : "");
      }));
}

std::string select_refused(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format(
      "SELECT p.n, p.action, p.mask, p.cells, p.key_text, {} FROM {} p "
      "WHERE p.action IN ('I', 'U', 'D')",
      list(relation.columns.size(),
           [&](std::size_t i) {
             return dialect.select_expression(fmt::format("p.c{}", i), relation.columns[i].held);
           }),
      names.plan);
}

}  // namespace abgleich::db
