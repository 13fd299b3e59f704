#include "db/postgresql/row_versions.hpp"

#include "db/engine/cell_values.hpp"
#include "db/primary/source_statements.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace abgleich::db::postgresql {

namespace {

constexpr std::uint64_t kXids = std::uint64_t{1} << 32U;
constexpr int kFirstOfUsers = 16384;  // FirstNormalObjectId: objects that initdb made are below

}  // namespace

namespace {

bool may_have_versions(const CatalogTable& table) {
  return table.kind == TableKind::table || table.kind == TableKind::partitioned;
}

/// What is the same for all tables: `usable` says whether any of them can have row versions.
RowVersions server_facts(Connection& connection, const DatabaseIdentity& database) {
  RowVersions facts;
  connection.query(select_server_facts(), {}, [&](std::span<const Cell> row) {
    facts.usable = row[0].bytes == "f" && !database.system.empty();
    facts.facts = database.system + " " + database.database + " " + std::string(row[1].bytes) + " ";
    facts.horizon = number<std::uint64_t>(row[2].bytes);
    facts.next = number<std::uint64_t>(row[3].bytes);
  });
  return facts;
}

[[noreturn]] void refuse_moved(const CatalogTable& table) {
  throw Fault(Fault::Cause::serialization, "55000",
              Error{.code = Code::try_again,
                    .message = "table '" + table.name +
                               "' of the primary was replaced while it was to be read",
                    .hint = "run the same command again. Nothing was changed"});
}

}  // namespace

std::vector<RowVersions> row_versions(Session& session, const std::vector<VersionedTable>& asked) {
  constexpr std::size_t kAtOnce = 100;
  std::vector<RowVersions> all(asked.size());
  auto& connection = *session.connection;
  std::vector<const VersionedTable*> tables;
  std::map<std::int64_t, std::size_t> places;  // by oid
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto& one = asked[i];
    if (!may_have_versions(one.table)) {
      continue;
    }
    if (!one.locked) {
      // reads no row, and keeps the lock; LOCK TABLE would need rights on the whole table
      connection.execute(select_unknown(*session.dialect, session.schema, one.table.name,
                                        {one.columns.front()}, {}, "false"));
    }
    if (one.may_ask_facts) {
      tables.push_back(&one);
      places.emplace(one.table.identity, i);
    }
  }
  if (tables.empty()) {
    return all;
  }
  const auto server = server_facts(connection, tables.front()->database);
  // asked before: the server checks the right to a function also where CASE never calls it
  bool may_ask_size = false;
  connection.query(fmt::format("SELECT {}", may_select_size()), {},
                   [&](std::span<const Cell> row) { may_ask_size = row[0].bytes == "t"; });
  for (std::span rest(std::as_const(tables)); !rest.empty();) {
    const auto some = rest.first(std::min(kAtOnce, rest.size()));
    rest = rest.subspan(some.size());
    connection.query(select_table_facts(some, may_ask_size), {}, [&](std::span<const Cell> row) {
      const auto at = places.at(number<std::int64_t>(row[0].bytes));
      auto& versions = all[at] = server;
      versions.usable = server.usable && row[1].bytes == "t";
      versions.facts += row[3].bytes;
      if (row[2].bytes == "t") {
        refuse_moved(asked[at].table);
      }
      if (versions.usable && row[4].storage != Cell::Storage::null) {
        versions.pages = number<std::uint64_t>(row[4].bytes);
      }
    });
  }
  return all;
}

std::string may_select_server_facts() {
  return "has_table_privilege('pg_stat_archiver', 'SELECT')"
         " AND has_table_privilege('pg_database', 'SELECT')"
         " AND has_function_privilege('pg_walfile_name(pg_lsn)', 'EXECUTE')"
         " AND has_function_privilege('pg_current_wal_lsn()', 'EXECUTE')";
}

std::string select_server_facts() {
  return "SELECT pg_is_in_recovery(), "
         "concat_ws(' ', current_setting('server_version_num'), "
         "CASE WHEN NOT pg_is_in_recovery() THEN "
         "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END, "
         "pg_postmaster_start_time(), (SELECT stats_reset FROM pg_stat_archiver), "
         "(SELECT xmin FROM pg_database WHERE datname = current_database())), "
         "txid_snapshot_xmin(txid_current_snapshot()), txid_snapshot_xmax(txid_current_snapshot())";
}

namespace {

/// SQL: whether the rows of the table (an alias of pg_class) lie on other servers: Citus has
/// distributed it, and here is only an empty table that looks like any other. True also where this
/// role may not read Citus's list.
std::string is_distributed(std::string_view table) {
  return fmt::format(
      "EXISTS (SELECT FROM pg_class d JOIN pg_namespace n ON n.oid = d.relnamespace "
      "JOIN pg_attribute a ON a.attrelid = d.oid AND a.attname = 'logicalrel' "
      "AND a.atttypid = 'pg_catalog.regclass'::pg_catalog.regtype "
      "WHERE d.relname = 'pg_dist_partition' AND d.relkind = 'r' AND "
      "CASE WHEN has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(d.oid, 'SELECT') "
      "THEN CAST(query_to_xml(format("
      "'SELECT 1 FROM %I.%I WHERE logicalrel = %s', n.nspname, d.relname, {}.oid), "
      "false, false, '') AS text) LIKE '%<row%' ELSE true END)",
      table);
}

}  // namespace

std::string_view may_select_size() {
  return "has_function_privilege('pg_relation_size(regclass,text)', 'EXECUTE')";
}

std::string select_table_facts(std::span<const VersionedTable* const> asked, bool may_ask_size) {
  std::string values;
  for (const auto* const one : asked) {
    std::string numbers;
    for (const auto* column : one->columns) {
      numbers += fmt::format("{}{}", numbers.empty() ? "" : ",", column->identity);
    }
    values += fmt::format("{}(CAST({} AS oid), CAST('{{{}}}' AS int[]))",
                          values.empty() ? "" : ", ", one->table.identity, numbers);
  }
  return fmt::format(
      "WITH asked (root, numbers) AS (VALUES {0}), "
      "member AS (SELECT root, root AS oid FROM asked UNION "
      "SELECT a.root, CAST(p.relid AS oid) FROM asked a, pg_partition_tree(a.root) p), "
      "fact AS (SELECT member.root, c.oid, "
      "{3} AS pages, "
      "c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND "
      "(c.relkind = 'p' OR (NOT c.relhassubclass AND am.amname = 'heap')) AND NOT {2} AND NOT "
      "EXISTS ("
      "SELECT FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "
      "JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END "
      "WHERE a.attrelid = c.oid AND a.attname IN (SELECT attname FROM pg_attribute "
      "WHERE attrelid = asked.root AND attnum = ANY (asked.numbers)) "
      "AND (a.attgenerated = 'v' OR NOT (b.typtype = 'e' OR (b.typtype = 'b' AND b.oid < {1} "
      "AND b.typname !~ '^_?(reg|aclitem)')))) AS usable, "
      "c.relkind = 'r' AND c.relfilenode IS DISTINCT FROM pg_relation_filenode(c.oid) AS moved, "
      "concat_ws(' ', c.oid, c.relkind, c.relam, c.relfilenode, c.relrowsecurity, "
      "(SELECT string_agg(concat_ws(' ', a.attnum, quote_literal(a.attname), a.atttypid, "
      "a.atttypmod, "
      "a.attisdropped, a.attgenerated, a.atthasmissing), ';' ORDER BY a.attnum) "
      "FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0), "
      "(SELECT string_agg(concat_ws(' ', e.oid, quote_literal(e.enumlabel)), ';' ORDER BY e.oid) "
      "FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "
      "JOIN pg_enum e ON e.enumtypid = ANY (ARRAY[t.oid, t.typelem, t.typbasetype]) "
      "WHERE a.attrelid = c.oid)) AS text "
      "FROM member JOIN asked ON asked.root = member.root JOIN pg_class c ON c.oid = member.oid "
      "LEFT JOIN pg_am am ON am.oid = c.relam) "
      "SELECT root, bool_and(usable) AND has_column_privilege(root, 'xmin', 'SELECT') AND "
      "has_column_privilege(root, 'ctid', 'SELECT'), bool_or(moved), "
      "md5(string_agg(text, E'\\n' ORDER BY oid)), sum(pages) FROM fact GROUP BY root",
      values, kFirstOfUsers, is_distributed("c"),
      may_ask_size ? "CASE WHEN c.oid = member.root AND c.relkind = 'r' THEN "
                     "pg_relation_size(c.oid) / CAST(current_setting('block_size') AS bigint) END"
                   : "CAST(NULL AS bigint)");
}

std::string select_lying_elsewhere(const std::vector<std::int64_t>& tables) {
  return fmt::format(
      "SELECT DISTINCT t.relname FROM pg_class t CROSS JOIN LATERAL "
      "(SELECT t.oid UNION SELECT CAST(relid AS oid) FROM pg_partition_tree(t.oid)) m (oid) "
      "JOIN pg_class c ON c.oid = m.oid LEFT JOIN pg_am am ON am.oid = c.relam "
      "WHERE t.oid IN ({}) AND (c.relkind = 'f' OR (c.relkind = 'r' AND am.amname <> 'heap') "
      "OR {}) ORDER BY 1",
      fmt::join(tables, ", "), is_distributed("c"));
}

std::string recent(std::uint64_t horizon) {
  // a subquery without a table is run once, not for every row
  return fmt::format("age(xmin) <= (SELECT age(CAST('{}' AS xid)))", horizon % kXids);
}

std::string place() {
  return "CAST(ctid AS text)";
}

std::string recent_place(std::uint64_t horizon) {
  return fmt::format("CASE WHEN {} THEN '+' ELSE '' END || {}", recent(horizon), place());
}

std::string recent_or_at(std::uint64_t horizon, const std::vector<std::string>& places) {
  if (places.empty()) {
    return recent(horizon);
  }
  std::string list;
  for (const auto& place : places) {
    // the server made it, as "(block,row)"; anything else would be a quoted text, too
    std::string quoted = place;
    std::erase(quoted, '\'');
    std::erase(quoted, '"');
    list += fmt::format("{}\"{}\"", list.empty() ? "" : ",", quoted);
  }
  return fmt::format("{} OR ctid = ANY (CAST('{{{}}}' AS tid[]))", recent(horizon), list);
}

}  // namespace abgleich::db::postgresql
