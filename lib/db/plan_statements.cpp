#include "db/plan_statements.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace abgleich::db {

std::string PlanRows::have(const Dialect& dialect, std::string_view number) const {
  if (dialect.engine() == Engine::sqlite) {
    return only.empty() ? fmt::format("{} BETWEEN {} AND {}", number, first, last)
                        : fmt::format("{} IN ({})", number, fmt::join(only, ", "));
  }
  return only.empty()
             ? fmt::format("{0} OPERATOR(pg_catalog.>=) {1} AND {0} OPERATOR(pg_catalog.<=) {2}",
                           number, first, last)
             : fmt::format("{} OPERATOR(pg_catalog.=) ANY (CAST('{{{}}}' AS bigint[]))", number,
                           fmt::join(only, ","));
}

std::string not_refused(std::string_view alias) {
  // a list, and not a comparison with lower(action): the server can tell how many rows these are
  return fmt::format("{}action IN ('i', 'u', 'd', 'r', 'a', 'f')", alias);
}

std::string create_plan(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format(
      "CREATE TEMPORARY TABLE {0} (n bigint PRIMARY KEY, action text NOT NULL, mask text NOT NULL, "
      "{1}, cells {2}, fate text NOT NULL, key_text text NOT NULL, before text, after text, moved "
      "text, "
      "base_before {2}, base_after {2}, mac {2}{3}",
      names.plan, typed_columns(relation), blob_type(dialect),
      table_end(dialect, Lifetime::temporary));
}

std::vector<std::string> plan_columns(const Relation& relation) {
  std::vector<std::string> columns{"n", "action", "mask"};
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    columns.push_back(cell(i));
  }
  for (const auto* name : {"cells", "fate", "key_text", "before", "after", "moved", "base_before",
                           "base_after", "mac"}) {
    columns.emplace_back(name);
  }
  return columns;
}

std::string apply_insert(const Dialect& dialect, const Names& names, const Relation& relation,
                         const PlanRows& rows, PlanAction action) {
  return fmt::format(
      "INSERT{} INTO {} ({}) {}SELECT {} FROM {} WHERE action {} '{}' AND {} ORDER BY n",
      or_abort(dialect), names.data, quoted_columns(dialect, relation), overriding(dialect),
      values_for("", relation), names.plan, equal(dialect), static_cast<char>(action),
      rows.have(dialect, "n"));
}

std::string apply_update(const Dialect& dialect, const Names& names, const Relation& relation,
                         const std::vector<std::size_t>& columns, const PlanRows& rows) {
  return fmt::format("UPDATE{} {} AS t SET {} FROM {} p WHERE p.action {} 'u' AND {} AND {}",
                     or_abort(dialect), names.data,
                     list(columns.size(),
                          [&](std::size_t i) {
                            const auto column = columns[i];
                            const auto name = dialect.quote(relation.columns[column].name);
                            return fmt::format("{} = CASE WHEN {} THEN p.c{} ELSE t.{} END", name,
                                               is_written(dialect, column), column, name);
                          }),
                     names.plan, equal(dialect), rows.have(dialect, "p.n"),
                     key_equal_data(dialect, "p", "t", relation));
}

std::string apply_delete(const Dialect& dialect, const Names& names, const Relation& relation,
                         const PlanRows& rows, PlanAction action) {
  if (dialect.engine() == Engine::postgresql) {
    return fmt::format("DELETE FROM {} AS t USING {} p WHERE p.action {} '{}' AND {} AND {}",
                       names.data, names.plan, equal(dialect), static_cast<char>(action),
                       rows.have(dialect, "p.n"), key_equal_data(dialect, "p", "t", relation));
  }
  const auto going =
      fmt::format("(SELECT {} FROM {} WHERE action = '{}' AND {})", key_columns("", relation),
                  names.plan, static_cast<char>(action), rows.have(dialect, "n"));
  auto sql = fmt::format("DELETE FROM {} WHERE ({}) IN {}", names.data,
                         list(relation.key.size(),
                              [&](std::size_t i) {
                                const auto& column = relation.columns[relation.key[i]];
                                return bytes_of(dialect, column, dialect.quote(column.name));
                              }),
                         going);
  // with the column's own collation, the index finds them
  const bool indexed = std::ranges::all_of(relation.key, [&](std::size_t i) {
    const auto& equality = relation.columns[i].equality;
    return !equality.own.empty();
  });
  const bool folds = std::ranges::any_of(relation.key, [&](std::size_t i) {
    return relation.columns[i].equality.by != Equality::By::bytes;
  });
  if (folds && indexed) {
    sql += fmt::format(" AND ({}) IN {}", quoted_key(dialect, "", relation), going);
  }
  return sql;
}

std::string is_written(const Dialect& dialect, std::size_t column) {
  return fmt::format("{}(p.mask, {}, 1) {} '0'", own(dialect, "substr"), column + 1,
                     unequal(dialect));
}

std::string refuse_rows(const Dialect& dialect, const Names& names, const PlanRows& rows) {
  return fmt::format("UPDATE {} SET action = upper(action) WHERE {}", names.plan,
                     rows.have(dialect, "n"));
}

std::string journal_plan(const Names& names, const Relation& relation, const std::string& journal,
                         std::int64_t epoch, BeforeImages images) {
  const std::string_view kept =
      images == BeforeImages::not_of_deleted ? "p.action NOT IN ('d', 'r', 'f')" : "1 = 1";
  return fmt::format(
      "INSERT INTO {0} (epoch, tracked, n, key_text, fate, before, after, moved, base_before, "
      "base_after, mac) SELECT {1}, {2}, p.n, p.key_text, p.fate, "
      "CASE WHEN {3} AND p.action IN ('u', 'd', 'r') THEN p.before END, "
      "CASE WHEN p.action IN ('i', 'u', 'r') THEN p.after END, "
      "p.moved, CASE WHEN {3} THEN p.base_before END, "
      "CASE WHEN p.moved IS NULL THEN p.cells ELSE p.base_after END, p.mac "
      "FROM {4} p WHERE {5} ORDER BY p.n",
      journal, epoch, relation.id, kept, names.plan, not_refused("p."));
}

std::string select_leaving(const Names& names) {
  return fmt::format("SELECT key_text FROM {} WHERE action IN ('d', 'r', 'f')", names.plan);
}

// Two statements over sets cost half of one that looks for a conflict row by row. The plan knows
// which rows the base has: it would be the dearer half to look again.
std::string update_base(const Names& names, const Relation& relation) {
  return fmt::format(
      "UPDATE {} AS b SET cells = p.cells FROM {} p WHERE p.cells IS NOT NULL "
      "AND (p.moved IS NOT NULL OR p.base_before IS NOT NULL) "
      "AND {} AND {}",
      names.base, names.plan, not_refused("p."), key_equal("p", "b", relation));
}

std::string insert_base(const Names& names, const Relation& relation) {
  return fmt::format(
      "INSERT INTO {} ({}, cells) SELECT {}, p.cells FROM {} p WHERE p.cells IS NOT NULL "
      "AND p.moved IS NULL AND p.base_before IS NULL AND {} ORDER BY p.n",
      names.base, base_key("", relation), key_columns("p.", relation), names.plan,
      not_refused("p."));
}

std::string forget_base(const Names& names, const Relation& relation) {
  return fmt::format(
      "DELETE FROM {} WHERE ({}) IN (SELECT {} FROM {} WHERE cells IS NULL AND "
      "base_before IS NOT NULL AND {})",
      names.base, base_key("", relation), key_columns("", relation), names.plan, not_refused(""));
}

std::string analyze_plan(const Names& names, const Relation& relation) {
  return fmt::format("ANALYZE {} (n, action, {})", names.plan, key_columns("", relation));
}

std::string select_plan(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format("SELECT action, key_text, before, after FROM {} WHERE {} ORDER BY {}, n",
                     names.plan, not_refused(""), key_order(dialect, "", relation));
}

std::string select_refused(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format(
      "SELECT p.n, p.action, p.mask, p.cells, p.key_text, {} FROM {} p "
      "WHERE p.action IN ('I', 'U', 'D', 'R') ORDER BY p.n",
      selected_columns(dialect, "p", relation), names.plan);
}

std::string select_written(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format(
      "SELECT p.mask, p.cells, {} FROM {} p JOIN {} t ON {} WHERE p.action IN ('i', 'u', 'r')",
      data_columns(dialect, "t", relation), names.plan, names.data,
      key_equal_data(dialect, "p", "t", relation));
}

std::string count_to_one(const std::string& table) {
  return fmt::format("SELECT count(*) FROM (SELECT 1 FROM {} LIMIT 1) AS one", table);
}

std::string count_heirs(std::int64_t oid) {
  return fmt::format("SELECT count(*) FROM pg_inherits WHERE inhparent = {}", oid);
}

std::string count_astray(const Dialect& dialect, const Names& names, const Relation& relation) {
  const auto there =
      fmt::format("SELECT count(*) FROM {} p JOIN {} t ON {} WHERE p.action", names.plan,
                  names.data, key_equal_data(dialect, "p", "t", relation));
  return fmt::format(
      "SELECT (SELECT count(*) FROM {0} WHERE action IN ('i', 'u', 'r')) - "
      "({1} IN ('i', 'u', 'r')) + "
      "({1} = 'd')",
      names.plan, there);
}

std::string count_growth(const Names& names) {
  return fmt::format(
      "SELECT coalesce(sum(CASE action WHEN 'i' THEN 1 WHEN 'd' THEN -1 ELSE 0 END), 0) FROM {}",
      names.plan);
}

}  // namespace abgleich::db
