#include "db/source_statements.hpp"

#include "db/clauses.hpp"

#include <fmt/format.h>

namespace abgleich::db {

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

std::string select_some(const Dialect& dialect, const std::string& schema, const std::string& table,
                        const std::vector<const CatalogColumn*>& columns, std::int64_t rows) {
  return fmt::format("{} LIMIT {}", select_columns(dialect, schema, table, columns), rows);
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

}  // namespace abgleich::db
