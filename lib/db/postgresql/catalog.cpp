#include "core/catalog.hpp"

#include "core/shallow_json.hpp"
#include "core/value.hpp"
#include "db/engine/cell_values.hpp"
#include "db/postgresql/column_types.hpp"
#include "db/postgresql/postgresql.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace abgleich::db::postgresql {

namespace {

constexpr const char* kIdentity =
    "SELECT d.oid, current_setting('server_version'),"
    " has_function_privilege('pg_control_system()', 'EXECUTE')"
    " FROM pg_database d WHERE d.datname = current_database()";

// $1: oid of the schema, here and below. Temporary tables live in schemas of their own.
constexpr const char* kTables =
    "SELECT c.oid, c.relname, c.relkind, c.relispartition,"
    " (SELECT p.relname FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent"
    "  WHERE i.inhrelid = c.oid AND c.relispartition),"
    " c.relkind IN ('r', 'p') AND row_security_active(c.oid),"
    // 'O' and 'A' fire in our sessions, 'R' only in a replica
    " EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal"
    "  AND t.tgenabled IN ('O', 'A'))"
    " OR (c.relkind IN ('r', 'p', 'f') AND EXISTS (SELECT FROM pg_rewrite r"
    "  WHERE r.ev_class = c.oid AND r.ev_enabled IN ('O', 'A'))),"
    " CASE WHEN c.relkind = 'r' THEN"
    "  (SELECT json_agg(format('%I.%I', n.nspname, o.relname) ORDER BY n.nspname, o.relname)"
    "   FROM pg_inherits h JOIN pg_class o ON o.oid = h.inhrelid"
    "   JOIN pg_namespace n ON n.oid = o.relnamespace WHERE h.inhparent = c.oid) END"
    " FROM pg_class c WHERE c.relnamespace = $1::oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";

// A domain over a domain has no modifier: only the innermost domain has one.
constexpr const char* kColumns =
    "WITH RECURSIVE peeled AS ("
    " SELECT t.oid AS domain, t.typbasetype AS base, t.typtypmod AS modifier, t.typnotnull AS "
    "filled"
    "  FROM pg_type t WHERE t.typtype = 'd'"
    " UNION ALL"
    " SELECT p.domain, t.typbasetype, t.typtypmod, p.filled OR t.typnotnull"
    "  FROM peeled p JOIN pg_type t ON t.oid = p.base WHERE t.typtype = 'd'"
    "), domains AS ("
    " SELECT p.domain, p.base, p.modifier, p.filled"
    "  FROM peeled p JOIN pg_type t ON t.oid = p.base WHERE t.typtype <> 'd'"
    ") SELECT a.attrelid, a.attname, a.attnum, t.typname,"
    " t.typnamespace = 'pg_catalog'::regnamespace,"
    " format_type(t.oid, coalesce(d.modifier, a.atttypmod)), coalesce(d.modifier, a.atttypmod),"
    " CASE WHEN t.typtype = 'e' THEN t.oid END,"
    // nullable, too: NOT NULL is not validated yet, or a table that inherits does not have it
    " NOT (a.attnotnull OR coalesce(d.filled, false))"
    " OR EXISTS (SELECT FROM pg_constraint v WHERE v.conrelid = a.attrelid AND v.contype = 'n'"
    "  AND NOT v.convalidated AND a.attnum = ANY (v.conkey))"
    " OR (c.relkind = 'r' AND EXISTS (WITH RECURSIVE heirs AS ("
    "  SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = c.oid"
    "  UNION SELECT i.inhrelid FROM pg_inherits i JOIN heirs h ON i.inhparent = h.inhrelid)"
    "  SELECT FROM heirs h JOIN pg_attribute o ON o.attrelid = h.inhrelid"
    "  WHERE o.attname = a.attname AND NOT o.attnotnull AND NOT coalesce(d.filled, false))),"
    " a.attgenerated <> '', a.attidentity <> '',"
    " (SELECT pg_get_expr(x.adbin, x.adrelid) FROM pg_attrdef x"
    "  WHERE x.adrelid = a.attrelid AND x.adnum = a.attnum),"
    " CASE WHEN a.attcollation <> t.typcollation THEN"
    "  (SELECT CASE WHEN o.collnamespace = 'pg_catalog'::regnamespace THEN quote_ident(o.collname)"
    "   ELSE format('%I.%I', n.nspname, o.collname) END"
    "   FROM pg_collation o JOIN pg_namespace n ON n.oid = o.collnamespace"
    "   WHERE o.oid = a.attcollation) END,"
    " has_schema_privilege(c.relnamespace, 'USAGE')"
    "  AND has_column_privilege(a.attrelid, a.attnum, 'SELECT'),"
    " (SELECT format('%I.%I', n.nspname, o.typname)"
    "  FROM pg_type o JOIN pg_namespace n ON n.oid = o.typnamespace"
    "  WHERE o.oid = a.atttypid AND o.typtype = 'd'),"
    " EXISTS (SELECT FROM pg_collation o"
    "  WHERE o.oid = a.attcollation AND NOT o.collisdeterministic)"
    " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
    " LEFT JOIN domains d ON d.domain = a.atttypid"
    " JOIN pg_type t ON t.oid = coalesce(d.base, a.atttypid)"
    " WHERE c.relnamespace = $1::oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
    " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum";

constexpr const char* kLabels =
    "SELECT e.enumtypid, e.enumlabel FROM pg_enum e ORDER BY e.enumtypid, e.enumsortorder";

// Keys over plain columns only: an expression has attribute number 0 in indkey. Columns that
// INCLUDE adds come after the first indnkeyatts.
constexpr const char* kKeys =
    "SELECT i.indrelid, x.relname, i.indisprimary, a.attname"
    " FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid"
    " CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, place)"
    " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum"
    " WHERE c.relnamespace = $1::oid AND i.indisunique AND i.indisvalid AND i.indisready"
    " AND i.indislive"
    " AND i.indpred IS NULL AND i.indexprs IS NULL AND k.place <= i.indnkeyatts"
    " ORDER BY i.indrelid, x.relname, k.place";

// A foreign key to a partitioned table has a copy for each partition, on the same referencing
// table; these are left out. Where other tables inherit from the referencing one, their rows need
// not satisfy the key, so it does not count as validated.
constexpr const char* kForeignKeys =
    "SELECT f.conrelid, f.conname, r.relname, f.condeferrable, a.attname, b.attname,"
    " f.convalidated AND NOT (c.relkind = 'r'"
    "  AND EXISTS (SELECT FROM pg_inherits h WHERE h.inhparent = c.oid))"
    " FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid"
    " JOIN pg_class r ON r.oid = f.confrelid"
    " CROSS JOIN LATERAL unnest(f.conkey, f.confkey) WITH ORDINALITY k(own, other, place)"
    " JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.own"
    " JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = k.other"
    " WHERE f.contype = 'f' AND c.relnamespace = $1::oid AND r.relnamespace = $1::oid"
    " AND NOT EXISTS (SELECT FROM pg_constraint p"
    "  WHERE p.oid = f.conparentid AND p.conrelid = f.conrelid)"
    " ORDER BY f.conrelid, f.conname, k.place";

bool yes(const Cell& cell) {
  return cell.bytes == "t";
}

/// The names in a text that json_agg made. A text of another form counts as one name, so that the
/// result is not empty.
std::vector<std::string> names_in(std::string_view text) {
  const auto json = parse_shallow<nlohmann::json>(text);
  const bool are_names =
      json.is_array() && std::ranges::all_of(json, [](const auto& one) { return one.is_string(); });
  return are_names ? json.get<std::vector<std::string>>()
                   : std::vector<std::string>{std::string(text)};
}

TableKind kind_from(std::string_view relkind, bool partition) {
  if (partition) {
    return TableKind::partition;
  }
  switch (relkind.empty() ? 'r' : relkind.front()) {
    case 'p':
      return TableKind::partitioned;
    case 'v':
      return TableKind::view;
    case 'm':
      return TableKind::materialised_view;
    case 'f':
      return TableKind::foreign;
    default:
      return TableKind::table;
  }
}

using Labels = std::map<std::int64_t, std::vector<std::string>>;
using Tables = std::map<std::int64_t, CatalogTable>;

std::string schema_oid(Connection& connection, const std::string& schema) {
  std::string oid;
  const Cell name = text_cell(schema);
  connection.query("SELECT oid FROM pg_namespace WHERE nspname = $1", {&name, 1},
                   [&](std::span<const Cell> row) { oid = text(row[0]); });
  if (oid.empty()) {
    throw Failure(Code::configuration,
                  fmt::format("schema '{}' does not exist in the database", schema),
                  "set schema = \"…\" beside the url");
  }
  return oid;
}

Tables read_tables(Connection& connection, const Cell& schema) {
  Tables tables;
  connection.query(kTables, {&schema, 1}, [&](std::span<const Cell> row) {
    CatalogTable table;
    table.identity = number(row[0]);
    table.name = text(row[1]);
    table.kind = kind_from(row[2].bytes, yes(row[3]));
    table.parent = text(row[4]);
    table.row_security = yes(row[5]);
    table.triggers = yes(row[6]);
    if (row[7].storage != Cell::Storage::null) {
      table.heirs = names_in(row[7].bytes);
    }
    tables.emplace(table.identity, std::move(table));
  });
  return tables;
}

Labels read_labels(Connection& connection) {
  Labels labels;
  connection.query(kLabels, {}, [&](std::span<const Cell> row) {
    labels[number(row[0])].push_back(text(row[1]));
  });
  return labels;
}

void read_columns(Connection& connection, const Cell& schema, const Labels& labels,
                  Tables& tables) {
  connection.query(kColumns, {&schema, 1}, [&](std::span<const Cell> row) {
    const auto table = tables.find(number(row[0]));
    if (table == tables.end()) {
      return;  // made between the two queries, where there is no snapshot
    }
    CatalogColumn column;
    column.name = text(row[1]);
    column.identity = number(row[2]);
    column.type = type_from({.name = text(row[3]),
                             .built_in = yes(row[4]),
                             .native = text(row[5]),
                             .modifier = static_cast<std::int32_t>(number(row[6]))});
    if (row[7].storage != Cell::Storage::null) {
      column.type.family = Family::text;
      if (const auto found = labels.find(number(row[7])); found != labels.end()) {
        column.type.labels = found->second;
      }
    }
    column.nullable = yes(row[8]);
    column.generated = yes(row[9]);
    column.auto_identity = yes(row[10]);
    column.default_value = text(row[11]);
    column.collation = text(row[12]);
    column.readable = yes(row[13]);
    column.domain = text(row[14]);
    column.folds = yes(row[15]);
    table->second.columns.push_back(std::move(column));
  });
}

void read_keys(Connection& connection, const Cell& schema, Tables& tables) {
  connection.query(kKeys, {&schema, 1}, [&](std::span<const Cell> row) {
    const auto found = tables.find(number(row[0]));
    if (found == tables.end()) {
      return;
    }
    auto& table = found->second;
    if (yes(row[2])) {
      if (!table.primary_key) {
        table.primary_key = CatalogKey{.name = text(row[1]), .columns = {}};
      }
      table.primary_key->columns.push_back(text(row[3]));
      return;
    }
    if (table.uniques.empty() || table.uniques.back().name != row[1].bytes) {
      table.uniques.push_back({.name = text(row[1]), .columns = {}});
    }
    table.uniques.back().columns.push_back(text(row[3]));
  });
}

void read_foreign_keys(Connection& connection, const Cell& schema, Tables& tables) {
  connection.query(kForeignKeys, {&schema, 1}, [&](std::span<const Cell> row) {
    const auto found = tables.find(number(row[0]));
    if (found == tables.end()) {
      return;
    }
    auto& keys = found->second.foreign_keys;
    if (keys.empty() || keys.back().name != row[1].bytes) {
      keys.push_back({.name = text(row[1]),
                      .columns = {},
                      .table = text(row[2]),
                      .referenced = {},
                      .deferrable = yes(row[3]),
                      .valid = yes(row[6])});
    }
    keys.back().columns.push_back(text(row[4]));
    keys.back().referenced.push_back(text(row[5]));
  });
}

/// A database in SQL_ASCII takes any bytes as names. Objects that no contract can name are left
/// out, and so are keys and columns that use them.
void leave_out_unreadable(Catalog& catalog) {
  const auto unreadable = [](const std::string& name) { return !is_utf8(name); };
  const auto any = [&](const std::vector<std::string>& names) {
    return std::ranges::any_of(names, unreadable);
  };
  std::erase_if(catalog.tables, [&](const auto& table) {
    return unreadable(table.name) || unreadable(table.parent);
  });
  for (auto& table : catalog.tables) {
    std::erase_if(table.columns, [&](const auto& column) {
      return unreadable(column.name) || unreadable(column.type.native) ||
             unreadable(column.domain) || unreadable(column.collation);
    });
    for (auto& column : table.columns) {
      std::erase_if(column.type.labels, unreadable);
      if (unreadable(column.default_value)) {
        column.default_value.clear();
      }
    }
    if (table.primary_key &&
        (any(table.primary_key->columns) || unreadable(table.primary_key->name))) {
      table.primary_key.reset();
    }
    std::erase_if(table.uniques,
                  [&](const auto& key) { return any(key.columns) || unreadable(key.name); });
    std::erase_if(table.foreign_keys, [&](const auto& key) {
      return any(key.columns) || any(key.referenced) || unreadable(key.table) ||
             unreadable(key.name);
    });
  }
}

}  // namespace

DatabaseIdentity read_identity(Connection& connection) {
  DatabaseIdentity identity;
  identity.engine = Engine::postgresql;
  bool may_ask = false;
  connection.query(kIdentity, {}, [&](std::span<const Cell> row) {
    identity.database = text(row[0]);
    identity.version = text(row[1]);
    may_ask = yes(row[2]);
  });
  if (may_ask) {
    connection.query("SELECT system_identifier FROM pg_control_system()", {},
                     [&](std::span<const Cell> row) { identity.system = text(row[0]); });
  }
  return identity;
}

Catalog read_catalog(Connection& connection, const std::string& schema) {
  Catalog catalog;
  catalog.schema = schema;
  catalog.identity = read_identity(connection);
  const auto oid = schema_oid(connection, schema);
  const Cell in_schema = text_cell(oid);
  auto tables = read_tables(connection, in_schema);
  read_columns(connection, in_schema, read_labels(connection), tables);
  read_keys(connection, in_schema, tables);
  read_foreign_keys(connection, in_schema, tables);
  for (auto& [identity, table] : tables) {
    catalog.tables.push_back(std::move(table));
  }
  leave_out_unreadable(catalog);
  std::ranges::sort(catalog.tables, {}, &CatalogTable::name);
  return catalog;
}

}  // namespace abgleich::db::postgresql
