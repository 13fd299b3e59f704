#include "db/stage_statements.hpp"

#include "db/base_statements.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace abgleich::db {

namespace {

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

std::vector<std::string> finish_stage(const Dialect& dialect, const Names& names,
                                      const Relation& relation) {
  // PostgreSQL joins by hash and needs to know the size, and nothing of what is not joined by;
  // SQLite joins by index only.
  if (dialect.engine() == Engine::postgresql) {
    return {fmt::format("ANALYZE {} ({})", names.stage, key_columns("", relation))};
  }
  return {fmt::format("CREATE INDEX {}_key ON {} ({})", names.stage, unqualified(names.stage),
                      key_columns("", relation))};
}

std::string create_gone(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format("CREATE TEMPORARY TABLE {} ({}, mark {}{}", names.gone,
                     list(relation.key.size(),
                          [&](std::size_t i) {
                            return fmt::format("k{} {}", i,
                                               held_type(relation.columns[relation.key[i]]));
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
    return {fmt::format("ANALYZE {} ({})", names.gone, base_key("", relation))};
  }
  return {fmt::format("CREATE INDEX {}_key ON {} ({})", names.gone, unqualified(names.gone),
                      base_key("", relation))};
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
      selected_columns(dialect, "s", relation),
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
      selected_key(dialect, "s", relation), names.stage, names.base, key_equal("s", "b", relation));
}

std::string select_held(const Dialect& dialect, const Names& names, const Relation& relation) {
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

std::string fill_data(const Dialect& dialect, const Names& names, const Relation& relation) {
  return fmt::format("INSERT{} INTO {} ({}) {}SELECT {} FROM {} WHERE cells IS NOT NULL",
                     or_abort(dialect), names.data, quoted_columns(dialect, relation),
                     overriding(dialect), columns_of("", relation), names.stage);
}

std::string fill_base(const Names& names, const Relation& relation) {
  return fmt::format("INSERT INTO {} ({}, cells) SELECT {}, cells FROM {} WHERE cells IS NOT NULL",
                     names.base, base_key("", relation), key_columns("", relation), names.stage);
}

std::string count_held_and_filled(const Dialect& dialect, const Names& names,
                                  const Relation& relation) {
  return fmt::format("SELECT count(*) FROM {} s JOIN {} t ON {}", names.stage, names.data,
                     key_equal_data(dialect, "s", "t", relation));
}

}  // namespace abgleich::db
