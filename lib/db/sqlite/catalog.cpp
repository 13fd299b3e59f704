#include "core/catalog.hpp"

#include "db/sqlite/declared_type.hpp"
#include "db/sqlite/sqlite.hpp"
#include "db/sqlite/sqlite_connection.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <utility>

namespace abgleich::db::sqlite {

namespace {

/// One row of a pragma as texts; NULL is an empty text, too.
using Record = std::vector<std::string>;

std::vector<Record> records(Connection& connection, std::string_view sql,
                            std::string_view parameter = {}) {
  std::vector<Record> result;
  const std::array bound{text_cell(parameter)};
  const bool binds = sql.find("$1") != std::string_view::npos;
  connection.query(sql, binds ? std::span<const Cell>(bound) : std::span<const Cell>(),
                   [&](std::span<const Cell> cells) {
                     auto& record = result.emplace_back();
                     for (const auto& cell : cells) {
                       record.emplace_back(cell.bytes);
                     }
                   });
  return result;
}

std::int64_t number(const std::string& text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// SQLite compares names without regard to the case of ASCII letters.
bool same_name(const std::string& a, const std::string& b) {
  return sqlite3_stricmp(a.c_str(), b.c_str()) == 0;
}

bool has_prefix(const std::string& name, std::string_view prefix) {
  return sqlite3_strnicmp(name.c_str(), prefix.data(), static_cast<int>(prefix.size())) == 0;
}

/// What pragma_table_list says of a table.
struct Listed {
  std::string name;
  TableKind kind = TableKind::table;
  bool without_rowid = false;
  Strictness strictness = Strictness::ordinary;
};

std::vector<Listed> list_tables(Connection& connection) {
  std::vector<Listed> tables;
  for (const auto& row : records(connection,
                                 "SELECT name, type, wr, strict FROM pragma_table_list "
                                 "WHERE schema = 'main' AND type <> 'shadow' ORDER BY name")) {
    if (has_prefix(row[0], "sqlite_") || has_prefix(row[0], "abgleich_")) {
      continue;
    }
    tables.push_back({.name = row[0],
                      .kind = row[1] == "view"      ? TableKind::view
                              : row[1] == "virtual" ? TableKind::foreign
                                                    : TableKind::table,
                      .without_rowid = row[2] == "1",
                      .strictness = row[3] == "1" ? Strictness::strict : Strictness::ordinary});
  }
  return tables;
}

/// A unique index of a table.
struct Index {
  std::string name;
  std::string origin;  // "c" CREATE INDEX, "u" UNIQUE, "pk" PRIMARY KEY
};

std::vector<Index> unique_indexes(Connection& connection, const std::string& table) {
  std::vector<Index> indexes;
  for (const auto& row : records(connection,
                                 "SELECT name, origin FROM pragma_index_list($1, 'main') "
                                 "WHERE \"unique\" = 1 AND partial = 0 ORDER BY name",
                                 table)) {
    indexes.push_back({.name = row[0], .origin = row[1]});
  }
  return indexes;
}

void read_columns(SqliteConnection& connection, const Listed& listed, CatalogTable& table) {
  std::vector<std::pair<std::int64_t, std::string>> key;
  for (const auto& row :
       records(connection,
               "SELECT cid, name, type, \"notnull\", dflt_value, pk, hidden "
               "FROM pragma_table_xinfo($1, 'main') WHERE hidden <> 1 ORDER BY cid",
               listed.name)) {
    CatalogColumn column;
    column.name = row[1];
    column.identity = number(row[0]) + 1;
    column.type = type_of(row[2], listed.strictness);
    column.nullable = row[3] == "0";
    column.generated = row[6] != "0";
    column.default_value = row[4];
    if (listed.kind == TableKind::table) {
      column.collation = connection.collation_of(listed.name, column.name);
    }
    if (row[5] != "0") {
      key.emplace_back(number(row[5]), column.name);
    }
    table.columns.push_back(std::move(column));
  }
  if (key.empty()) {
    return;
  }
  std::ranges::sort(key);
  table.primary_key.emplace();
  for (auto& [position, name] : key) {
    table.primary_key->columns.push_back(std::move(name));
  }
}

/// Marks the column that is the rowid: PRIMARY KEY of exactly the type INTEGER, and without an
/// index of its own (INTEGER PRIMARY KEY DESC has one for historical reasons). Other columns of a
/// primary key may be NULL unless they are declared NOT NULL, which the pragma tells.
void mark_rowid_alias(const Listed& listed, const std::vector<Index>& indexes,
                      CatalogTable& table) {
  if (listed.without_rowid || !table.primary_key || table.primary_key->columns.size() != 1 ||
      std::ranges::any_of(indexes, [](const Index& index) { return index.origin == "pk"; })) {
    return;
  }
  for (auto& column : table.columns) {
    if (column.name == table.primary_key->columns.front() &&
        same_name(column.type.native, "INTEGER")) {
      column.auto_identity = true;
      column.nullable = false;
    }
  }
}

void read_uniques(Connection& connection, const std::vector<Index>& indexes, CatalogTable& table) {
  for (const auto& index : indexes) {
    if (index.origin == "pk") {
      continue;
    }
    CatalogKey key{.name = index.name};
    bool plain = true;
    for (const auto& row :
         records(connection, "SELECT cid, name FROM pragma_index_info($1, 'main') ORDER BY seqno",
                 index.name)) {
      plain = plain && number(row[0]) >= 0;  // -1 is the rowid, -2 an expression
      key.columns.push_back(row[1]);
    }
    if (plain) {
      table.uniques.push_back(std::move(key));
    }
  }
}

/// Spells the columns in `names` as the table's definition does.
void spell_as(const CatalogTable& table, std::vector<std::string>& names) {
  for (auto& name : names) {
    for (const auto& column : table.columns) {
      if (same_name(column.name, name)) {
        name = column.name;
      }
    }
  }
}

void read_foreign_keys(Connection& connection, const std::vector<CatalogTable>& tables,
                       CatalogTable& table) {
  std::map<std::int64_t, CatalogForeignKey, std::greater<>> keys;  // SQLite gives the last one id 0
  for (const auto& row : records(connection,
                                 "SELECT id, \"table\", \"from\", \"to\", \"to\" IS NULL "
                                 "FROM pragma_foreign_key_list($1, 'main') ORDER BY id, seq",
                                 table.name)) {
    auto& key = keys[number(row[0])];
    key.table = row[1];
    key.columns.push_back(row[2]);
    if (row[4] == "0") {
      key.referenced.push_back(row[3]);
    }
  }
  for (auto& numbered : keys) {
    auto& key = numbered.second;
    const auto parent = std::ranges::find_if(
        tables, [&](const CatalogTable& other) { return same_name(other.name, key.table); });
    if (parent != tables.end()) {
      key.table = parent->name;
      if (key.referenced.empty() && parent->primary_key) {
        key.referenced = parent->primary_key->columns;
      }
      spell_as(*parent, key.referenced);
    }
    spell_as(table, key.columns);
    // A key that cannot be resolved is left out: SQLite itself refuses to write to such a table.
    if (key.referenced.size() == key.columns.size()) {
      table.foreign_keys.push_back(std::move(key));
    }
  }
}

/// A view or virtual table whose table or module no longer exists cannot be resolved. It cannot be
/// read either, and must not keep the other tables from being read.
bool can_be_resolved(SqliteConnection& connection, const Listed& listed) {
  if (listed.kind == TableKind::table) {
    return true;
  }
  try {
    records(connection, "SELECT count(*) FROM pragma_table_xinfo($1, 'main')", listed.name);
    return true;
  } catch (const Fault& fault) {
    if (fault.cause() == Fault::Cause::missing || fault.state() == "SQLITE_ERROR") {
      return false;
    }
    throw;
  }
}

}  // namespace

Catalog read_catalog(Connection& connection) {
  auto& file = dynamic_cast<SqliteConnection&>(connection);
  Catalog catalog;
  catalog.identity.engine = Engine::sqlite;
  catalog.identity.version = sqlite3_libversion();
  const auto triggers =
      records(file, "SELECT DISTINCT tbl_name FROM sqlite_schema WHERE type = 'trigger'");
  for (const auto& listed : list_tables(file)) {
    if (!can_be_resolved(file, listed)) {
      continue;
    }
    CatalogTable table;
    table.name = listed.name;
    table.kind = listed.kind;
    read_columns(file, listed, table);
    if (listed.kind == TableKind::table) {
      const auto indexes = unique_indexes(file, listed.name);
      mark_rowid_alias(listed, indexes, table);
      read_uniques(file, indexes, table);
    }
    table.triggers = std::ranges::any_of(
        triggers, [&](const Record& row) { return same_name(row[0], table.name); });
    catalog.tables.push_back(std::move(table));
  }
  std::ranges::sort(catalog.tables, {}, &CatalogTable::name);
  for (auto& table : catalog.tables) {
    read_foreign_keys(file, catalog.tables, table);
  }
  return catalog;
}

}  // namespace abgleich::db::sqlite
