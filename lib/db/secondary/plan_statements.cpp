#include "db/secondary/plan_statements.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace abgleich::db {

namespace {

/// The condition for rows `p` of the plan with this action, joined with the rows `t` of the data
/// that they are about.
std::string which(const Dialect& dialect, const Relation& relation, PlanAction action,
                  const PlanRows& rows) {
  return fmt::format("p.action {} '{}' AND {} AND {}", equal(dialect), static_cast<char>(action),
                     rows.have(dialect, "p.n"), key_equal_data(dialect, "p", "t", relation));
}

}  // namespace

std::string PlanRows::have(const Dialect& dialect, std::string_view number) const {
  return only.empty() ? dialect.between(number, first, last) : dialect.among(number, only);
}

std::string not_refused(std::string_view alias) {
  // a list instead of a comparison with lower(action): so the server can estimate the
  // number of rows
  return fmt::format("{}action IN ('i', 'u', 'd', 'r', 'a', 'f')", alias);
}

std::string create_plan(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format(
      "CREATE TEMPORARY TABLE {0} (n bigint PRIMARY KEY, action text NOT NULL, mask text NOT NULL, "
      "{1}, cells {2}, fate text NOT NULL, key_text text NOT NULL, before text, after text, moved "
      "text, "
      "base_before {2}, base_after {2}, mac {2}{3}",
      names.plan, typed_columns(dialect, relation), dialect.blob_type(),
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
      dialect.conflict_guard(), names.data, quoted_columns(dialect, relation), dialect.overriding(),
      values_for("", relation), names.plan, equal(dialect), static_cast<char>(action),
      rows.have(dialect, "n"));
}

std::string apply_update(const Dialect& dialect, const Names& names, const Relation& relation,
                         const std::vector<std::size_t>& columns, const PlanRows& rows) {
  const auto set = list(columns.size(), [&](std::size_t i) {
    const auto column = columns[i];
    const auto name = dialect.quote(relation.columns[column].name);
    return fmt::format("{} = CASE WHEN {} THEN p.c{} ELSE t.{} END", name,
                       is_written(dialect, column), column, name);
  });
  return dialect.update_from({.table = names.data,
                              .alias = "t",
                              .set = set,
                              .from = names.plan + " p",
                              .where = which(dialect, relation, PlanAction::update, rows),
                              .of_people = true});
}

std::string apply_delete(const Dialect& dialect, const Names& names, const Relation& relation,
                         const PlanRows& rows, PlanAction action) {
  if (auto joined =
          dialect.delete_joined(names.data, names.plan, which(dialect, relation, action, rows));
      !joined.empty()) {
    return joined;
  }
  const auto going =
      fmt::format("(SELECT {} FROM {} WHERE action = '{}' AND {})", key_columns("", relation),
                  names.plan, static_cast<char>(action), rows.have(dialect, "n"));
  auto sql = fmt::format("DELETE FROM {} WHERE ({}) IN {}", names.data,
                         list(relation.key.size(),
                              [&](std::size_t i) {
                                const auto& column = relation.columns[relation.key[i]];
                                return dialect.bytes_of(column, dialect.quote(column.name));
                              }),
                         going);
  // compared by the columns' own collations as well, so that an index can be used
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
  return fmt::format("{}(p.mask, {}, 1) {} '0'", dialect.function("substr"), column + 1,
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

// Two statements over sets take half the time of one that looks for a conflict row by row. The plan
// already knows which rows the base has; to look again would cost more than to write.
std::string update_base(const Dialect& dialect, const Names& names, const Relation& relation) {
  const auto where = fmt::format(
      "p.cells IS NOT NULL AND (p.moved IS NOT NULL OR p.base_before IS NOT NULL) AND {} AND {}",
      not_refused("p."), key_equal("p", "b", relation));
  return dialect.update_from({.table = names.base,
                              .alias = "b",
                              .set = "cells = p.cells",
                              .from = names.plan + " p",
                              .where = where});
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

std::string analyze_plan(const Dialect& dialect, const Names& names, const Relation& relation) {
  return dialect.analyze(names.plan, "n, action, " + key_columns("", relation));
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
