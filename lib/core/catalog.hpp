// The structure of a database: tables, columns, keys. Never a value, never a statistic.
#pragma once

#include "core/type.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich {

struct CatalogColumn {
  std::string name;
  std::int64_t identity = 0;  // PostgreSQL: attnum. SQLite: position from 1
  Type type;
  bool nullable = true;
  bool generated = false;      // GENERATED ALWAYS AS (…): computed, never written
  bool auto_identity = false;  // GENERATED … AS IDENTITY, or SQLite's rowid alias
  std::string default_value;   // the expression's text, empty for none
  std::string collation;       // empty for the default
  bool folds = false;          // PostgreSQL: its collation can take different texts for equal
  std::string domain;          // qualified; `type` is the domain's base type. Empty: no domain
  bool readable = true;        // the role may SELECT it

  bool operator==(const CatalogColumn&) const = default;
};

struct CatalogKey {
  std::string name;
  std::vector<std::string> columns;

  bool operator==(const CatalogKey&) const = default;
};

struct CatalogForeignKey {
  std::string name;
  std::vector<std::string> columns;
  std::string table;  // in the same schema
  std::vector<std::string> referenced;
  bool deferrable = false;
  bool valid = true;  // the server guarantees that every row that is read fulfils it

  bool operator==(const CatalogForeignKey&) const = default;
};

enum class TableKind : std::uint8_t {
  table,
  partitioned,
  partition,
  view,
  materialised_view,
  foreign
};

std::string_view name_of(TableKind kind);
std::optional<TableKind> table_kind_from(std::string_view name);

struct CatalogTable {
  std::string name;
  TableKind kind = TableKind::table;
  std::int64_t identity = 0;           // PostgreSQL: oid. SQLite: 0
  std::string parent;                  // of a partition: its table
  std::vector<CatalogColumn> columns;  // in the table's order
  std::optional<CatalogKey> primary_key;
  std::vector<CatalogKey> uniques;  // constraints and unique indexes over plain columns, no WHERE
  std::vector<CatalogForeignKey> foreign_keys;
  bool row_security = false;  // policies apply to this role
  bool triggers = false;      // user triggers that fire on writes
  // tables that inherit from this one, so that a SELECT reads their rows too; names as in SQL
  std::vector<std::string> heirs;

  [[nodiscard]] const CatalogColumn* find_column(std::string_view column) const;
  /// Whether the primary key or a unique key consists of exactly these columns, in any order.
  [[nodiscard]] bool is_unique(std::vector<std::string> names) const;
  bool operator==(const CatalogTable&) const = default;
};

/// Which database this is, as far as that can be known. A database that was restored or replaced
/// has another identity.
struct DatabaseIdentity {
  Engine engine = Engine::postgresql;
  std::string system;    // PostgreSQL: system identifier. SQLite: empty
  std::string database;  // PostgreSQL: oid of the database. SQLite: empty
  std::string version;   // of the server, for people

  /// Whether column and table identities of the two can be compared at all.
  [[nodiscard]] bool same_database(const DatabaseIdentity& other) const;
  bool operator==(const DatabaseIdentity&) const = default;
};

struct Catalog {
  DatabaseIdentity identity;
  std::string schema;
  std::vector<CatalogTable> tables;  // by name, in byte order

  [[nodiscard]] const CatalogTable* find_table(std::string_view table) const;
  bool operator==(const Catalog&) const = default;
};

}  // namespace abgleich
