#include "db/secondary/base_statements.hpp"

#include "db/secondary/plan_statements.hpp"

#include <fmt/format.h>

namespace abgleich::db {

std::string select_sealed(const Names& names, const Relation& relation) {
  return fmt::format("SELECT {}, b.cells FROM {} b", base_key("b.", relation), names.base);
}

std::string select_sealed_of_plan(const Names& names, const Relation& relation) {
  return select_sealed(names, relation) +
         fmt::format(" WHERE ({}) IN (SELECT {} FROM {} WHERE {})", base_key("b.", relation),
                     key_columns("", relation), names.plan, not_refused(""));
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
  return fmt::format("SELECT {}, b.cells FROM {} b", selected_base_key(dialect, "b", relation),
                     names.base);
}

std::vector<std::string> analyze_keys(const Dialect& dialect, const Names& names,
                                      const Relation& relation) {
  return {dialect.analyze(names.base, base_key("", relation)),
          dialect.analyze(names.data, quoted_key(dialect, "", relation))};
}

std::string keep_as_text(const Dialect& dialect, const std::string& base,
                         const RelationColumn& column, std::string_view name) {
  return fmt::format("ALTER TABLE {} ALTER COLUMN {} TYPE {} USING {}", base, name,
                     key_type(dialect, column), dialect.bytes_of(column, name));
}

std::string replace_base(const Dialect& dialect, const Names& names, const std::string& by,
                         const Relation& relation) {
  const auto same = list(
      relation.key.size(), [](std::size_t i) { return fmt::format("r.k{0} = b.k{0}", i); },
      " AND ");
  return dialect.update_from({.table = names.base,
                              .alias = "b",
                              .set = "cells = r.cells",
                              .from = by + " r",
                              .where = same});
}

std::string select_data(const Dialect& dialect, const Names& names, const Relation& relation) {
  const auto order = relation.key_first();
  const auto others = in_shared_base(dialect, "t", relation);
  return fmt::format("SELECT {} FROM {} t{}",
                     list(order.size(),
                          [&](std::size_t i) {
                            const auto& column = relation.columns[order[i]];
                            return dialect.select_expression("t." + dialect.quote(column.name),
                                                             column.stored);
                          }),
                     names.data, others.empty() ? "" : fmt::format(" WHERE NOT ({})", others));
}

std::string select_base_row(const Names& names, const Relation& relation) {
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
            const auto& column = relation.columns[relation.key[i]];
            const auto parameter = fmt::format("${}", i + 1);
            return same_value(dialect, column,
                              column.equality.by == Equality::By::type
                                  ? fmt::format("CAST({} AS pg_catalog.text)", parameter)
                                  : parameter,
                              "t." + dialect.quote(column.name));
          },
          " AND "));
}

}  // namespace abgleich::db
