#include "db/secondary/stage_statements.hpp"

#include "db/secondary/base_statements.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace abgleich::db {

namespace {

/// The base's rows with those of the data, as pairs that have only the key of the primary.
std::string base_pairs(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format(
      "SELECT {}, NULL, b.cells, CASE WHEN t.{} IS NULL THEN NULL ELSE 1 END, {} FROM {} b "
      "LEFT JOIN {} t ON {}",
      list(relation.columns.size(),
           [&](std::size_t i) {
             const auto at = static_cast<std::size_t>(std::ranges::find(relation.key, i) -
                                                      relation.key.begin());
             return at < relation.key.size() ? dialect.select_expression(fmt::format("b.k{}", at),
                                                                         relation.columns[i].stored)
                                             : std::string("NULL");
           }),
      dialect.quote(relation.columns[relation.key.front()].name),
      data_columns(dialect, "t", relation), names.base, names.data,
      base_equal_data(dialect, "b", "t", relation));
}

/// The primary's rows that are not held back, with what base and data have of them.
std::string staged(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format(
      "SELECT {}, s.cells, b.cells, CASE WHEN t.{} IS NULL THEN NULL ELSE 1 END, {} FROM {} s "
      "LEFT JOIN {} b ON {} LEFT JOIN {} t ON {} "
      "WHERE s.cells IS NOT NULL",
      selected_columns(dialect, "s", relation),
      dialect.quote(relation.columns[relation.key.front()].name),
      data_columns(dialect, "t", relation), names.stage, names.base, key_equal("s", "b", relation),
      names.data, key_equal_data(dialect, "s", "t", relation));
}

// Pairs come in the order of their keys, so that the plan is numbered and written in that order.
std::string by_staged_key(const Dialect& dialect, const Relation& relation) {
  return " ORDER BY " + key_order(dialect, "s.", relation);
}

std::string by_base_key(const Dialect& dialect, const Relation& relation) {
  return " ORDER BY " + base_key_order(dialect, "b.", relation);
}

/// Rows of the base that the primary no longer has.
std::string missing(const Dialect& dialect, const Names& names, const Relation& relation) {
  return base_pairs(dialect, names, relation) +
         fmt::format(" WHERE NOT EXISTS (SELECT 1 FROM {} s WHERE {})", names.stage,
                     key_equal("s", "b", relation));
}

/// `kRareMark` as the engine writes it.
std::string rare_mark(const Dialect& dialect) {
  return dialect.blob_literal(kRareMark);
}

std::string held_back(const Dialect& dialect, HeldBack which) {
  switch (which) {
    case HeldBack::all:
      return "s.cells IS NULL";
    case HeldBack::rare:
      return "s.cells IS NULL AND s.mark = " + rare_mark(dialect);
    case HeldBack::others:
      break;
  }
  return "s.cells IS NULL AND (s.mark IS NULL OR s.mark <> " + rare_mark(dialect) + ")";
}

/// The condition that a row (alias s) belongs to one that is rare.
std::string belongs(const Dialect& dialect, const Belonging& belonging) {
  return fmt::format("EXISTS (SELECT 1 FROM {} p WHERE p.cells IS NULL AND p.mark = {} AND {})",
                     belonging.parent_stage, rare_mark(dialect),
                     list(
                         belonging.columns.size(),
                         [&](std::size_t i) {
                           const auto& [child, parent] = belonging.columns[i];
                           const auto& stored = belonging.parent->columns[parent].stored;
                           const bool text = stored.family == Family::text && stored.labels.empty();
                           return text ? fmt::format("{} = s.c{}",
                                                     dialect.bytewise(fmt::format("p.c{}", parent)),
                                                     child)
                                       : fmt::format("p.c{} = s.c{}", parent, child);
                         },
                         " AND "));
}

}  // namespace

std::string create_stage(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format("CREATE TEMPORARY TABLE {0} ({1}, cells {2}, mark {2}{3}", names.stage,
                     typed_columns(dialect, relation), dialect.blob_type(),
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

std::string finish_stage(const Dialect& dialect, const Names& names, const Relation& relation) {
  const auto key = key_columns("", relation);
  return dialect.ready_to_join(names.stage, key, key);
}

std::string create_gone(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format("CREATE TEMPORARY TABLE {} ({}, mark {}{}", names.gone,
                     list(relation.key.size(),
                          [&](std::size_t i) {
                            return fmt::format(
                                "k{} {}", i, key_type(dialect, relation.columns[relation.key[i]]));
                          }),
                     dialect.blob_type(), table_end(dialect, Lifetime::temporary));
}

std::vector<std::string> gone_columns(const Relation& relation) {
  auto columns = base_columns(relation);
  columns.back() = "mark";
  return columns;
}

std::string finish_gone(const Dialect& dialect, const Names& names, const Relation& relation) {
  const auto key = base_key("", relation);
  return dialect.ready_to_join(names.gone, key, key);
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

std::string select_taken(const Names& names, const Relation& relation, std::string_view base) {
  return fmt::format("SELECT {} FROM {} s JOIN {} o ON {} WHERE s.cells IS NOT NULL",
                     key_columns("s.", relation), names.stage, base, key_equal("s", "o", relation));
}

std::string hold_taken(const Dialect& dialect, const Names& names, const Relation& relation,
                       std::string_view base) {
  return dialect.update_from({.table = names.stage,
                              .alias = "s",
                              .set = "cells = NULL",
                              .from = fmt::format("{} o", base),
                              .where = "s.cells IS NOT NULL AND " + key_equal("s", "o", relation)});
}

std::string select_changed_pairs(const Dialect& dialect, const Names& names,
                                 const Relation& relation) {
  return staged(dialect, names, relation) + " AND " + dialect.distinct("b.cells", "s.cells") +
         by_staged_key(dialect, relation);
}

std::string select_staged_pairs(const Dialect& dialect, const Names& names,
                                const Relation& relation) {
  return staged(dialect, names, relation) + by_staged_key(dialect, relation);
}

std::string select_missing_pairs(const Dialect& dialect, const Names& names,
                                 const Relation& relation) {
  return missing(dialect, names, relation) + by_base_key(dialect, relation);
}

std::string select_gone_pairs(const Dialect& dialect, const Names& names,
                              const Relation& relation) {
  return missing(dialect, names, relation) +
         fmt::format(" AND ({}) IN (SELECT {} FROM {})", base_key("b.", relation),
                     base_key("", relation), names.gone) +
         by_base_key(dialect, relation);
}

std::string select_open(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format(
      "SELECT {}, s.mark, s.cells, b.cells FROM {} s LEFT JOIN {} b ON {} "
      "WHERE s.cells IS NULL OR {}",
      selected_key(dialect, "s", relation), names.stage, names.base, key_equal("s", "b", relation),
      dialect.distinct("b.cells", "s.cells"));
}

std::string select_held_back(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format("SELECT {}, s.mark, NULL, NULL FROM {} s WHERE s.cells IS NULL",
                     selected_key(dialect, "s", relation), names.stage);
}

std::string select_absent(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format(
      "SELECT {}, b.mark FROM {} b WHERE ({}) IN (SELECT {} FROM {}) "
      "AND NOT EXISTS (SELECT 1 FROM {} s WHERE {})",
      selected_base_key(dialect, "b", relation), names.gone, base_key("b.", relation),
      base_key("", relation), names.base, names.stage, key_equal("s", "b", relation));
}

std::string select_missing_keys(const Dialect& dialect, const Names& names,
                                const Relation& relation) {
  return fmt::format("SELECT {}, NULL FROM {} b WHERE NOT EXISTS (SELECT 1 FROM {} s WHERE {})",
                     selected_base_key(dialect, "b", relation), names.base, names.stage,
                     key_equal("s", "b", relation));
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

std::string select_held_back_pairs(const Dialect& dialect, const Names& names,
                                   const Relation& relation, HeldBack which) {
  return base_pairs(dialect, names, relation) +
         fmt::format(" WHERE EXISTS (SELECT 1 FROM {} s WHERE {} AND {})", names.stage,
                     key_equal("s", "b", relation), held_back(dialect, which)) +
         by_base_key(dialect, relation);
}

std::string select_rare(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format(
             "SELECT {}, CASE WHEN EXISTS (SELECT 1 FROM {} b WHERE {}) THEN 1 END, "
             "CASE WHEN EXISTS (SELECT 1 FROM {} t WHERE {}) THEN 1 END FROM {} s WHERE {}",
             selected_key(dialect, "s", relation), names.base, key_equal("s", "b", relation),
             names.data, key_equal_data(dialect, "s", "t", relation), names.stage,
             held_back(dialect, HeldBack::rare)) +
         by_staged_key(dialect, relation);
}

std::string select_secondary_only(const Dialect& dialect, const Names& names,
                                  const Relation& relation) {
  const auto others = in_shared_base(dialect, "t", relation);
  return fmt::format(
      "SELECT {}, NULL, NULL, 1, {} FROM {} t WHERE NOT EXISTS (SELECT 1 FROM {} b WHERE {}) "
      "AND NOT EXISTS (SELECT 1 FROM {} s WHERE {}){} ORDER BY {}",
      list(relation.columns.size(),
           [&](std::size_t i) {
             return relation.is_key(i)
                        ? dialect.select_expression("t." + dialect.quote(relation.columns[i].name),
                                                    relation.columns[i].stored)
                        : std::string("NULL");
           }),
      data_columns(dialect, "t", relation), names.data, names.base,
      base_equal_data(dialect, "b", "t", relation), names.stage,
      key_equal_data(dialect, "s", "t", relation),
      others.empty() ? "" : fmt::format(" AND NOT ({})", others),
      data_key_order(dialect, "t.", relation));
}

std::string hold_with_rare(const Dialect& dialect, const Names& names, const Belonging& belonging) {
  return fmt::format("UPDATE {} AS s SET cells = NULL, mark = {} WHERE s.cells IS NOT NULL AND {}",
                     names.stage, rare_mark(dialect), belongs(dialect, belonging));
}

std::vector<std::string> leave_out_with_rare(const Dialect& dialect, const Names& names,
                                             const Relation& relation, const Belonging& belonging) {
  const auto which = belongs(dialect, belonging);
  return {fmt::format("INSERT INTO {} ({}, mark) SELECT {}, {} FROM {} s WHERE {}", names.stage,
                      key_columns("", relation), key_columns("s.", relation), rare_mark(dialect),
                      names.fill, which),
          fmt::format("DELETE FROM {} s WHERE {}", names.fill, which)};
}

std::string create_rows_to_fill(const Dialect& dialect, const Names& names,
                                const Relation& relation) {
  return fmt::format("CREATE TEMPORARY TABLE {} ({}, cells {}{}", names.fill,
                     typed_columns(dialect, relation), dialect.blob_type(),
                     table_end(dialect, Lifetime::temporary));
}

std::vector<std::string> rows_to_fill_columns(const Relation& relation) {
  auto columns = stage_columns(relation);
  columns.pop_back();  // no mark
  return columns;
}

std::string fill_data(const Dialect& dialect, const Names& names, const Relation& relation,
                      const std::string& from) {
  return fmt::format(
      "INSERT{} INTO {} ({}) {}SELECT {} FROM {} WHERE cells IS NOT NULL ORDER BY {}",
      dialect.conflict_guard(), names.data, quoted_columns(dialect, relation), dialect.overriding(),
      values_for("", relation), from, key_order(dialect, "", relation));
}

std::string fill_base(const Dialect& dialect, const Names& names, const Relation& relation,
                      const std::string& from) {
  return fmt::format(
      "INSERT INTO {} ({}, cells) SELECT {}, cells FROM {} WHERE cells IS NOT NULL ORDER BY {}",
      names.base, base_key("", relation), key_columns("", relation), from,
      key_order(dialect, "", relation));
}

std::string count_held_back_and_filled(const Dialect& dialect, const Names& names,
                                       const Relation& relation) {
  return fmt::format("SELECT count(*) FROM {} s JOIN {} t ON {}", names.stage, names.data,
                     key_equal_data(dialect, "s", "t", relation));
}

}  // namespace abgleich::db
