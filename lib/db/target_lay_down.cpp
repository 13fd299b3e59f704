// Rows that are there already, laid down anew in the order of their keys: after a rotation, where
// the old order would tell which pseudonym was which, and in secondaries that were written in the
// order of their primary.
#include "db/clauses.hpp"
#include "db/lay_down_statements.hpp"
#include "db/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace abgleich::db {

namespace {

constexpr std::string_view kLockNotAvailable = "55P03";

/// The index that keeps the relation's key unique; null where there is none of just these columns.
const CatalogKey* index_of_key(const CatalogTable& table, const Relation& relation) {
  std::vector<std::string> key;
  for (const auto i : relation.key) {
    key.push_back(relation.columns[i].name);
  }
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

/// SQLite: whether its rows have no numbers of their own.
bool lies_by_key(Connection& connection, const std::string& table) {
  const Cell cell = text_cell(table);
  bool by_key = false;
  connection.query(count_by_key(), {&cell, 1},
                   [&](std::span<const Cell> row) { by_key = row[0].bytes != "0"; });
  return by_key;
}

}  // namespace

std::string Target::cluster(const std::string& table, const CatalogKey& index) {
  auto& connection = *session_.connection;
  const Cell cell = text_cell(table);
  std::string clustered;
  connection.query(select_clustered(), {&cell, 1},
                   [&](std::span<const Cell> row) { clustered = row[0].bytes; });
  const auto statements = cluster_statements(dialect(), table, index.name, clustered);
  bool owned = false;
  connection.query(count_owned(), {&cell, 1},
                   [&](std::span<const Cell> row) { owned = row[0].bytes != "0"; });
  if (owned && try_statements(statements)) {
    return {};
  }
  const auto key =
      list(index.columns.size(), [&](std::size_t i) { return dialect().quote(index.columns[i]); });
  return count(count_out_of_order(table, key)) == 0
             ? std::string()
             : fmt::format("{}; {}", statements[0], statements[1]);
}

bool Target::try_statements(const std::vector<std::string>& statements) {
  auto& connection = *session_.connection;
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
    // somebody reads the table, or an expression of an index needs a path that we do not have
    connection.execute("ROLLBACK TO SAVEPOINT lay_down");
    done = false;
  }
  connection.execute("RELEASE SAVEPOINT lay_down");
  return done;
}

std::string Target::lay_down_data(const Relation& relation) {
  const auto* table = catalog_.find_table(relation.name);
  if (table == nullptr || table->kind != TableKind::table || stands_in(relation)) {
    return {};
  }
  if (dialect().engine() == Engine::postgresql) {
    const auto* index = index_of_key(*table, relation);
    return index == nullptr ? std::string() : cluster(names(relation).data, *index);
  }
  const auto rowid = rowid_of(*table);
  if (!rowid || lies_by_key(*session_.connection, relation.name)) {
    return {};
  }
  const auto statements =
      renumber_statements(names(relation).data, *rowid, data_key_order(dialect(), "", relation),
                          temporary_name(dialect(), "order", ++maps_));
  if (table->triggers) {
    return fmt::format("{}", fmt::join(statements, "; "));  // which are not to see rows move
  }
  for (const auto& sql : statements) {
    session_.connection->execute(sql);
  }
  return {};
}

std::string Target::lay_down_base(const Relation& relation) {
  if (!own_table_exists(base_name(relation))) {
    return {};
  }
  const auto base = names(relation).base;
  auto& connection = *session_.connection;
  if (dialect().engine() == Engine::postgresql) {
    CatalogKey index;
    for (std::size_t i = 0; i < relation.key.size(); ++i) {
      index.columns.push_back(fmt::format("k{}", i));
    }
    const Cell cell = text_cell(base);
    connection.query(
        "SELECT c.relname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c "
        "ON c.oid = i.indexrelid WHERE i.indrelid = CAST($1 AS regclass) AND i.indisprimary",
        {&cell, 1}, [&](std::span<const Cell> row) { index.name = row[0].bytes; });
    return index.name.empty() ? std::string() : cluster(base, index);
  }
  if (lies_by_key(connection, "abgleich_" + base_name(relation))) {
    return {};
  }
  for (const auto& sql : renumber_statements(base, "rowid", base_key_order(dialect(), "", relation),
                                             temporary_name(dialect(), "order", ++maps_))) {
    connection.execute(sql);
  }
  return {};
}

}  // namespace abgleich::db
