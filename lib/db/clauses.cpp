#include "db/clauses.hpp"

#include <fmt/format.h>

namespace abgleich::db {

std::string temporary_name(const Dialect& dialect, std::string_view what, std::int64_t relation) {
  return fmt::format("{}.abgleich_tmp_{}_{}",
                     dialect.engine() == Engine::postgresql ? "pg_temp" : "temp", what, relation);
}

std::string_view unqualified(std::string_view temporary) {
  return temporary.substr(temporary.find('.') + 1);
}

std::string base_name(const Relation& relation) {
  return fmt::format("base_{}", relation.id);
}

std::string_view or_abort(const Dialect& dialect) {
  return dialect.engine() == Engine::sqlite ? " OR ABORT" : "";
}

std::string_view overriding(const Dialect& dialect) {
  return dialect.engine() == Engine::postgresql ? "OVERRIDING SYSTEM VALUE " : "";
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

std::string base_key(std::string_view alias, const Relation& relation) {
  return list(relation.key.size(), [&](std::size_t i) { return fmt::format("{}k{}", alias, i); });
}

std::string quoted_key(const Dialect& dialect, std::string_view alias, const Relation& relation) {
  return list(relation.key.size(), [&](std::size_t i) {
    return std::string(alias) + dialect.quote(relation.columns[relation.key[i]].name);
  });
}

std::string key_equal(std::string_view left, std::string_view base, const Relation& relation) {
  return list(
      relation.key.size(),
      [&](std::size_t i) { return fmt::format("{}.c{} = {}.k{}", left, relation.key[i], base, i); },
      " AND ");
}

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
    return fmt::format("c{} {}", i, held_type(relation.columns[i]));
  });
}

std::string held_type(const RelationColumn& column) {
  return column.held.native + collate(column);
}

std::string collate(const RelationColumn& column) {
  return column.bytewise ? " COLLATE \"C\"" : "";
}

std::string_view blob_type(const Dialect& dialect) {
  return dialect.engine() == Engine::postgresql ? "bytea" : "BLOB";
}

std::string_view table_end(const Dialect& dialect, Lifetime lifetime) {
  return lifetime == Lifetime::temporary && dialect.engine() == Engine::postgresql
             ? ") ON COMMIT DROP"
             : ")";
}

std::string quoted_columns(const Dialect& dialect, const Relation& relation) {
  return list(relation.columns.size(),
              [&](std::size_t i) { return dialect.quote(relation.columns[i].name); });
}

std::string selected_columns(const Dialect& dialect, std::string_view alias,
                             const Relation& relation) {
  return list(relation.columns.size(), [&](std::size_t i) {
    return dialect.select_expression(fmt::format("{}.c{}", alias, i), relation.columns[i].held);
  });
}

std::string selected_key(const Dialect& dialect, std::string_view alias, const Relation& relation) {
  return list(relation.key.size(), [&](std::size_t i) {
    return dialect.select_expression(fmt::format("{}.c{}", alias, relation.key[i]),
                                     relation.columns[relation.key[i]].held);
  });
}

std::string selected_base_key(const Dialect& dialect, std::string_view alias,
                              const Relation& relation) {
  return list(relation.key.size(), [&](std::size_t i) {
    return dialect.select_expression(fmt::format("{}.k{}", alias, i),
                                     relation.columns[relation.key[i]].held);
  });
}

}  // namespace abgleich::db
