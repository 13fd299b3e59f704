#include "db/engine/clauses.hpp"

#include <fmt/format.h>

namespace abgleich::db {

std::string temporary_name(const Dialect& dialect, std::string_view what, std::int64_t relation) {
  return dialect.temporary_table(fmt::format("abgleich_tmp_{}_{}", what, relation));
}

std::string_view unqualified(std::string_view temporary) {
  return temporary.substr(temporary.find('.') + 1);
}

std::string base_name(const Relation& relation) {
  return fmt::format("base_{}", relation.id);
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

template <class Name>
std::string ordered(const Dialect& dialect, const Relation& relation, const Name& name) {
  return list(relation.key.size(), [&](std::size_t i) {
    return name(i) + std::string(dialect.byte_order(relation.columns[relation.key[i]].stored));
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
        relation.columns[i].stored);
  });
}

std::string typed_columns(const Dialect& dialect, const Relation& relation) {
  return list(relation.columns.size(), [&](std::size_t i) {
    const auto& column = relation.columns[i];
    return fmt::format(
        "c{} {}", i, relation.is_key(i) ? key_type(dialect, column) : stored_type(dialect, column));
  });
}

std::string key_type(const Dialect& dialect, const RelationColumn& column) {
  return column.equality.by == Equality::By::type ? std::string(dialect.key_text_type())
                                                  : stored_type(dialect, column);
}

std::string value_for(std::string_view alias, const Relation& relation, std::size_t column) {
  const auto& theirs = relation.columns[column];
  return relation.is_key(column) && theirs.equality.by == Equality::By::type
             ? fmt::format("CAST({}c{} AS {})", alias, column, theirs.stored.native)
             : fmt::format("{}c{}", alias, column);
}

std::string values_for(std::string_view alias, const Relation& relation) {
  return list(relation.columns.size(),
              [&](std::size_t i) { return value_for(alias, relation, i); });
}

std::string equal(const Dialect& dialect) {
  return dialect.operation("=");
}

std::string unequal(const Dialect& dialect) {
  return dialect.operation("<>");
}

std::string taken_for(const Dialect& dialect, const RelationColumn& column, std::string_view ours,
                      std::string_view other) {
  const auto& equality = column.equality;
  if (equality.by == Equality::By::type && !equality.own.empty()) {
    return fmt::format("CAST({} AS {}) {} CAST({} AS {})", ours, column.stored.native, equality.own,
                       other, column.stored.native);
  }
  return dialect.same_collated(ours, other, equality.collate);
}

std::string same_value(const Dialect& dialect, const RelationColumn& column, std::string_view ours,
                       std::string_view theirs) {
  const auto& equality = column.equality;
  if (equality.by == Equality::By::bytes) {
    return fmt::format("{} {} {}", ours, equal(dialect), theirs);
  }
  auto exactly = fmt::format("{} {} {}", dialect.bytes_of(column, theirs), equal(dialect), ours);
  if (equality.own.empty()) {
    return exactly;
  }
  const auto value = equality.by == Equality::By::type
                         ? fmt::format("CAST({} AS {})", ours, column.stored.native)
                         : std::string(ours);
  return fmt::format("{} {} {} AND {}", theirs, equality.own, value, exactly);
}

std::string stored_type(const Dialect& dialect, const RelationColumn& column) {
  return column.stored.native + collate(dialect, column);
}

std::string collate(const Dialect& dialect, const RelationColumn& column) {
  return column.bytewise ? fmt::format(" COLLATE {}", dialect.byte_collation()) : std::string();
}

std::string table_end(const Dialect& dialect, Lifetime lifetime) {
  return fmt::format(
      "){}", lifetime == Lifetime::temporary ? dialect.temporary_end() : std::string_view());
}

std::string quoted_columns(const Dialect& dialect, const Relation& relation) {
  return list(relation.columns.size(),
              [&](std::size_t i) { return dialect.quote(relation.columns[i].name); });
}

std::string selected_columns(const Dialect& dialect, std::string_view alias,
                             const Relation& relation) {
  return list(relation.columns.size(), [&](std::size_t i) {
    return dialect.select_expression(fmt::format("{}.c{}", alias, i), relation.columns[i].stored);
  });
}

std::string selected_key(const Dialect& dialect, std::string_view alias, const Relation& relation) {
  return list(relation.key.size(), [&](std::size_t i) {
    return dialect.select_expression(fmt::format("{}.c{}", alias, relation.key[i]),
                                     relation.columns[relation.key[i]].stored);
  });
}

std::string selected_base_key(const Dialect& dialect, std::string_view alias,
                              const Relation& relation) {
  return list(relation.key.size(), [&](std::size_t i) {
    return dialect.select_expression(fmt::format("{}.k{}", alias, i),
                                     relation.columns[relation.key[i]].stored);
  });
}

std::string in_shared_base(const Dialect& dialect, std::string_view data,
                           const Relation& relation) {
  return list(
      relation.shared_bases.size(),
      [&](std::size_t i) {
        return fmt::format("EXISTS (SELECT 1 FROM {} o WHERE {})", relation.shared_bases[i].base,
                           base_equal_data(dialect, "o", data, relation));
      },
      " OR ");
}

std::string count_to_one(const std::string& table) {
  return fmt::format("SELECT count(*) FROM (SELECT 1 FROM {} LIMIT 1) AS one", table);
}

}  // namespace abgleich::db
