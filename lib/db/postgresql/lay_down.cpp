#include "db/postgresql/lay_down.hpp"

#include "db/engine/cell_values.hpp"
#include "db/engine/clauses.hpp"
#include "db/postgresql/faults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace abgleich::db::postgresql {

namespace {

/// The unique index over just the key's columns; null where there is none.
const CatalogKey* index_of_key(const CatalogTable& table, std::vector<std::string> key) {
  std::ranges::sort(key);
  const auto covers = [&](const CatalogKey& unique) {
    auto columns = unique.columns;
    std::ranges::sort(columns);
    return columns == key;
  };
  if (table.primary_key && covers(*table.primary_key)) {
    return &*table.primary_key;
  }
  const auto found = std::ranges::find_if(table.uniques, covers);
  return found == table.uniques.end() ? nullptr : &*found;
}

/// Puts the rows of `table` (quoted) into the order of its index (a plain name), and leaves the
/// table as it was otherwise. `clustered`: the index that people have clustered it on; empty: none.
std::vector<std::string> cluster_statements(const Dialect& dialect, const std::string& table,
                                            std::string_view index, std::string_view clustered) {
  return {fmt::format("CLUSTER {} USING {}", table, dialect.quote(index)),
          clustered.empty()
              ? fmt::format("ALTER TABLE {} SET WITHOUT CLUSTER", table)
              : fmt::format("ALTER TABLE {} CLUSTER ON {}", table, dialect.quote(clustered))};
}

/// SQL: the name of the index that the table ($1, quoted) is clustered on; no row: none.
std::string select_clustered() {
  return "SELECT c.relname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c "
         "ON c.oid = i.indexrelid WHERE i.indrelid = CAST($1 AS regclass) AND i.indisclustered";
}

/// SQL: 1 where this role may rewrite the table ($1, quoted), as it owns it; otherwise 0.
std::string count_owned() {
  return "SELECT count(*) FROM pg_catalog.pg_class WHERE oid = CAST($1 AS regclass) AND "
         "pg_catalog.pg_has_role(relowner, 'USAGE')";
}

/// SQL: how many rows do not lie in the order of the key. `key`: the index's columns, in its order.
std::string count_out_of_order(const std::string& table, const std::string& key) {
  return fmt::format(
      "SELECT count(*) FROM (SELECT row_number() OVER (ORDER BY ctid) AS place, row_number() OVER "
      "(ORDER BY {}) AS wanted FROM {}) AS rows WHERE place <> wanted",
      key, table);
}

/// False: they could not be run; nothing has changed.
bool try_statements(Connection& connection, const std::vector<std::string>& statements) {
  connection.execute("SAVEPOINT lay_down");
  bool done = true;
  try {
    for (const auto& sql : statements) {
      connection.execute(sql);
    }
  } catch (const Fault& fault) {
    using Cause = Fault::Cause;
    if (fault.state() != kLockNotAvailable &&
        (fault.cause() == Cause::unreachable || fault.cause() == Cause::serialization ||
         fault.cause() == Cause::no_space)) {
      throw;
    }
    // others read the table, or an expression in an index needs another search path than ours
    connection.execute("ROLLBACK TO SAVEPOINT lay_down");
    done = false;
  }
  connection.execute("RELEASE SAVEPOINT lay_down");
  return done;
}

std::string cluster(Session& session, const std::string& table, const CatalogKey& index) {
  auto& connection = *session.connection;
  const auto& dialect = *session.dialect;
  const Cell cell = text_cell(table);
  std::string clustered;
  connection.query(select_clustered(), {&cell, 1},
                   [&](std::span<const Cell> row) { clustered = row[0].bytes; });
  const auto statements = cluster_statements(dialect, table, index.name, clustered);
  bool owned = false;
  connection.query(count_owned(), {&cell, 1},
                   [&](std::span<const Cell> row) { owned = row[0].bytes != "0"; });
  if (owned && try_statements(connection, statements)) {
    return {};
  }
  const auto key =
      list(index.columns.size(), [&](std::size_t i) { return dialect.quote(index.columns[i]); });
  std::int64_t astray = 0;
  connection.query(count_out_of_order(table, key), {},
                   [&](std::span<const Cell> row) { astray = number(row[0]); });
  return astray == 0 ? std::string() : fmt::format("{}; {}", statements[0], statements[1]);
}

}  // namespace

std::string lay_down(Session& session, const RowsToLayDown& rows) {
  if (rows.people_have != nullptr) {
    const auto* index = index_of_key(*rows.people_have, rows.key);
    return index == nullptr ? std::string() : cluster(session, rows.table, *index);
  }
  CatalogKey index{.name = {}, .columns = rows.key};
  const Cell cell = text_cell(rows.table);
  session.connection->query(
      "SELECT c.relname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c "
      "ON c.oid = i.indexrelid WHERE i.indrelid = CAST($1 AS regclass) AND i.indisprimary",
      {&cell, 1}, [&](std::span<const Cell> row) { index.name = row[0].bytes; });
  return index.name.empty() ? std::string() : cluster(session, rows.table, index);
}

}  // namespace abgleich::db::postgresql
