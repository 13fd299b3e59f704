#include "db/clauses.hpp"

#include "db/file_collation.hpp"

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

namespace {

/// ` COLLATE …` where the engine would order the column by anything but its bytes.
std::string_view by_bytes(const Dialect& dialect, const RelationColumn& column) {
  if (dialect.engine() == Engine::sqlite) {
    return " COLLATE BINARY";
  }
  return column.held.family == Family::text && column.held.labels.empty() ? " COLLATE \"C\"" : "";
}

template <class Name>
std::string ordered(const Dialect& dialect, const Relation& relation, const Name& name) {
  return list(relation.key.size(), [&](std::size_t i) {
    return name(i) + std::string(by_bytes(dialect, relation.columns[relation.key[i]]));
  });
}

}  // namespace

std::string key_order(const Dialect& dialect, std::string_view alias, const Relation& relation) {
  return ordered(dialect, relation,
                 [&](std::size_t i) { return fmt::format("{}c{}", alias, relation.key[i]); });
}

std::string base_key_order(const Dialect& dialect, std::string_view alias,
                           const Relation& relation) {
  return ordered(dialect, relation, [&](std::size_t i) { return fmt::format("{}k{}", alias, i); });
}

std::string data_key_order(const Dialect& dialect, std::string_view alias,
                           const Relation& relation) {
  return ordered(dialect, relation, [&](std::size_t i) {
    return std::string(alias) + dialect.quote(relation.columns[relation.key[i]].name);
  });
}

std::string bytewise(const Dialect& dialect, std::string_view column) {
  return fmt::format("{} COLLATE {}", column,
                     dialect.engine() == Engine::postgresql ? "\"C\"" : "BINARY");
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
        const auto& column = relation.columns[relation.key[i]];
        return same_value(dialect, column, fmt::format("{}.k{}", base, i),
                          fmt::format("{}.{}", data, dialect.quote(column.name)));
      },
      " AND ");
}

std::string key_equal_data(const Dialect& dialect, std::string_view left, std::string_view right,
                           const Relation& relation) {
  return list(
      relation.key.size(),
      [&](std::size_t i) {
        const auto& column = relation.columns[relation.key[i]];
        return same_value(dialect, column, fmt::format("{}.c{}", left, relation.key[i]),
                          fmt::format("{}.{}", right, dialect.quote(column.name)));
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
    const auto& column = relation.columns[i];
    return fmt::format("c{} {}", i, relation.is_key(i) ? key_type(column) : held_type(column));
  });
}

std::string key_type(const RelationColumn& column) {
  return column.equality.by == Equality::By::type ? "text COLLATE \"C\"" : held_type(column);
}

std::string value_for(std::string_view alias, const Relation& relation, std::size_t column) {
  const auto& held = relation.columns[column];
  return relation.is_key(column) && held.equality.by == Equality::By::type
             ? fmt::format("CAST({}c{} AS {})", alias, column, held.held.native)
             : fmt::format("{}c{}", alias, column);
}

std::string values_for(std::string_view alias, const Relation& relation) {
  return list(relation.columns.size(),
              [&](std::size_t i) { return value_for(alias, relation, i); });
}

std::string_view equal(const Dialect& dialect) {
  return dialect.engine() == Engine::postgresql ? "OPERATOR(pg_catalog.=)" : "=";
}

std::string_view unequal(const Dialect& dialect) {
  return dialect.engine() == Engine::postgresql ? "OPERATOR(pg_catalog.<>)" : "<>";
}

std::string own(const Dialect& dialect, std::string_view function) {
  return fmt::format("{}{}", dialect.engine() == Engine::postgresql ? "pg_catalog." : "", function);
}

std::string bytes_of(const Dialect& dialect, const RelationColumn& column,
                     std::string_view theirs) {
  if (column.equality.by == Equality::By::bytes) {
    return std::string(theirs);
  }
  if (dialect.engine() == Engine::sqlite) {
    return fmt::format("{} COLLATE BINARY", theirs);
  }
  if (column.equality.by == Equality::By::collation) {
    return fmt::format("{} COLLATE pg_catalog.\"C\"", theirs);
  }
  // a cast would take the blanks from the end
  const auto text = column.held.native == "bpchar"
                        ? fmt::format("pg_catalog.textin(pg_catalog.bpcharout({}))", theirs)
                        : fmt::format("CAST({} AS pg_catalog.text)", theirs);
  return fmt::format("{} COLLATE pg_catalog.\"C\"", text);
}

std::string taken_for(const RelationColumn& column, std::string_view ours, std::string_view other) {
  const auto& equality = column.equality;
  if (equality.by == Equality::By::type && !equality.own.empty()) {
    return fmt::format("CAST({} AS {}) {} CAST({} AS {})", ours, column.held.native, equality.own,
                       other, column.held.native);
  }
  return equality.collate == kTrims ? fmt::format("rtrim({}, ' ') = rtrim({}, ' ')", ours, other)
                                    : fmt::format("{} = {}{}", ours, other, equality.collate);
}

std::string same_value(const Dialect& dialect, const RelationColumn& column, std::string_view ours,
                       std::string_view theirs) {
  const auto& equality = column.equality;
  if (equality.by == Equality::By::bytes) {
    return fmt::format("{} {} {}", ours, equal(dialect), theirs);
  }
  const auto exactly =
      fmt::format("{} {} {}", bytes_of(dialect, column, theirs), equal(dialect), ours);
  if (equality.own.empty()) {
    return exactly;
  }
  const auto value = equality.by == Equality::By::type
                         ? fmt::format("CAST({} AS {})", ours, column.held.native)
                         : std::string(ours);
  return fmt::format("{} {} {} AND {}", theirs, equality.own, value, exactly);
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
