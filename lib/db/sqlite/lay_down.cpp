#include "db/sqlite/lay_down.hpp"

#include "db/engine/clauses.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

namespace abgleich::db::sqlite {

namespace {

/// Gives the rows of `table` new numbers, greater than all old ones, in the order of `key`. `rowid`
/// is a name of the row number that no column has; `order` a name for a temporary table.
std::vector<std::string> renumber_statements(const std::string& table, std::string_view rowid,
                                             const std::string& key, const std::string& order) {
  // greater than all old numbers, so that none is in use; by a temporary table, since a statement
  // must not read the rows that it renumbers
  return {fmt::format("CREATE TEMPORARY TABLE {} AS SELECT {} AS was, row_number() OVER (ORDER BY "
                      "{}) + (SELECT max({}) FROM {}) AS becomes FROM {}",
                      order, rowid, key, rowid, table, table),
          fmt::format("CREATE UNIQUE INDEX {}_was ON {} (was)", order, unqualified(order)),
          fmt::format("UPDATE OR ABORT {0} SET {1} = (SELECT becomes FROM {2} WHERE was = {0}.{1})",
                      table, rowid, order),
          fmt::format("DROP TABLE {}", order)};
}

/// SQL: not 0 where the rows of the table ($1, not quoted) have no numbers of their own, since they
/// lie in the order of their primary key.
std::string count_by_key() {
  return "SELECT (SELECT count(*) FROM pragma_table_list($1) WHERE wr = 1 AND schema = 'main') + "
         "(SELECT CASE WHEN count(*) = 1 AND max(upper(type)) = 'INTEGER' THEN 1 ELSE 0 END "
         "FROM pragma_table_info($1, 'main') WHERE pk > 0)";
}

/// A name of SQLite's row number that no column hides.
std::optional<std::string_view> rowid_of(const CatalogTable& table) {
  constexpr std::array<std::string_view, 3> names{"rowid", "_rowid_", "oid"};
  const auto same = [](std::string_view one, std::string_view other) {
    return std::ranges::equal(one, other, [](char a, char b) {
      return a == b || (b >= 'A' && b <= 'Z' && a == b - 'A' + 'a');
    });
  };
  const auto found = std::ranges::find_if(names, [&](std::string_view name) {
    return std::ranges::none_of(
        table.columns, [&](const CatalogColumn& column) { return same(name, column.name); });
  });
  return found == names.end() ? std::nullopt : std::optional(*found);
}

/// Whether its rows have no numbers of their own.
bool lies_by_key(Connection& connection, const std::string& table) {
  const Cell cell = text_cell(table);
  bool by_key = false;
  connection.query(count_by_key(), {&cell, 1},
                   [&](std::span<const Cell> row) { by_key = row[0].bytes != "0"; });
  return by_key;
}

}  // namespace

std::string lay_down(Session& session, const RowsToLayDown& rows) {
  const auto rowid = rows.people_have == nullptr ? std::optional<std::string_view>("rowid")
                                                 : rowid_of(*rows.people_have);
  auto& connection = *session.connection;
  if (!rowid || lies_by_key(connection, rows.name)) {
    return {};
  }
  const auto statements = renumber_statements(rows.table, *rowid, rows.order, rows.temporary);
  if (rows.people_have != nullptr && rows.people_have->triggers) {
    return fmt::format("{}", fmt::join(statements, "; "));
  }
  for (const auto& sql : statements) {
    connection.execute(sql);
  }
  return {};
}

}  // namespace abgleich::db::sqlite
