#include "db/engine/dialect.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace abgleich::db {

std::string Dialect::quote(std::string_view name) const {
  std::string quoted;
  quoted.reserve(name.size() + 2);
  quoted += '"';
  for (const char c : name) {
    if (c == '"') {
      quoted += '"';
    }
    quoted += c;
  }
  quoted += '"';
  return quoted;
}

std::string Dialect::operation(std::string_view symbol) const {
  return std::string(symbol);
}

std::string Dialect::function(std::string_view name) const {
  return std::string(name);
}

std::string Dialect::cast(std::string_view value, std::string_view native) const {
  return fmt::format("CAST({} AS {})", value, native);
}

std::string Dialect::as_text(std::string_view value) const {
  return fmt::format("CAST({} AS text)", value);
}

std::string Dialect::text_literal(std::string_view text, const Type& /*type*/) const {
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c == '\'' ? "''" : std::string(1, c);
  }
  return quoted + "'";
}

std::string Dialect::like(std::string_view text, std::string_view pattern) const {
  return fmt::format("{} LIKE {}", text, text_literal(pattern, {}));
}

std::string Dialect::distinct(std::string_view one, std::string_view other) const {
  return fmt::format("{} IS DISTINCT FROM {}", one, other);
}

std::string Dialect::same_collated(std::string_view one, std::string_view other,
                                   std::string_view collate) const {
  return fmt::format("{} = {}{}", one, other, collate);
}

std::string Dialect::between(std::string_view number, std::int64_t first, std::int64_t last) const {
  return fmt::format("{} BETWEEN {} AND {}", number, first, last);
}

std::string Dialect::among(std::string_view number, std::span<const std::int64_t> numbers) const {
  return fmt::format("{} IN ({})", number, fmt::join(numbers, ", "));
}

std::string Dialect::update_from(const JoinedUpdate& update) const {
  return fmt::format("UPDATE{} {} AS {} SET {} FROM {} WHERE {}",
                     update.of_people ? conflict_guard() : std::string_view(), update.table,
                     update.alias, update.set, update.from, update.where);
}

std::string Dialect::delete_where(std::string_view table, std::string_view alias,
                                  std::string_view condition) const {
  return fmt::format("DELETE FROM {} AS {} WHERE {}", table, alias, condition);
}

std::string Dialect::upsert(const Upsert& row) const {
  const std::span<const std::string_view> columns(row.columns);
  std::string set;
  for (const auto column : columns.subspan(row.key)) {
    set += fmt::format("{}{} = excluded.{}", set.empty() ? "" : ", ", column, column);
  }
  return fmt::format("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {}", row.table,
                     fmt::join(columns, ", "), row.values, fmt::join(columns.first(row.key), ", "),
                     set);
}

std::string Dialect::add_unique(std::string_view schema, std::string_view table_name,
                                const std::vector<std::string>& columns) const {
  std::string list;
  for (const auto& column : columns) {
    list += (list.empty() ? "" : ", ") + quote(column);
  }
  return fmt::format("ALTER TABLE {} ADD UNIQUE ({})", table(schema, table_name), list);
}

std::string_view packed(const Dialect& dialect, const Cell& cell, std::string& scratch) {
  static const Type kBytes = [] {
    Type type;
    type.family = Family::bytes;
    type.native = "bytea";
    return type;
  }();
  return dialect.decode(kBytes, cell, scratch).bytes;
}

}  // namespace abgleich::db
