#include "db/primary/source_statements.hpp"

#include "db/engine/clauses.hpp"

#include <fmt/format.h>

namespace abgleich::db {

namespace {

std::string from(const Dialect& dialect, const std::string& schema, const std::string& table,
                 const std::string& where) {
  return fmt::format("FROM {}{}{}", dialect.table(schema, table), where.empty() ? "" : " WHERE ",
                     where);
}

}  // namespace

std::string select_unknown(const Dialect& dialect, const std::string& schema,
                           const std::string& table,
                           const std::vector<const CatalogColumn*>& columns,
                           const std::string& place, const std::string& where) {
  return fmt::format("SELECT {}{}{} {}", place, place.empty() ? "" : ", ",
                     list(columns.size(),
                          [&](std::size_t i) {
                            return dialect.select_expression(dialect.quote(columns[i]->name),
                                                             columns[i]->type);
                          }),
                     from(dialect, schema, table, where));
}

std::string select_some(const Dialect& dialect, const std::string& schema, const std::string& table,
                        const std::vector<const CatalogColumn*>& columns, const std::string& where,
                        std::int64_t rows) {
  return fmt::format("{} LIMIT {}", select_unknown(dialect, schema, table, columns, {}, where),
                     rows);
}

std::string count_all(const Dialect& dialect, const std::string& schema, const std::string& table,
                      const std::string& where) {
  return "SELECT count(*) " + from(dialect, schema, table, where);
}

std::string count_some(const Dialect& dialect, const std::string& schema, const std::string& table,
                       std::int64_t most) {
  return fmt::format("SELECT count(*) FROM (SELECT 1 {} LIMIT {}) AS found",
                     from(dialect, schema, table, {}), most);
}

}  // namespace abgleich::db
