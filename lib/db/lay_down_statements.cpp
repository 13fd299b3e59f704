#include "db/lay_down_statements.hpp"

#include "db/clauses.hpp"

#include <fmt/format.h>

namespace abgleich::db {

std::vector<std::string> cluster_statements(const Dialect& dialect, const std::string& table,
                                            std::string_view index, std::string_view clustered) {
  return {fmt::format("CLUSTER {} USING {}", table, dialect.quote(index)),
          clustered.empty()
              ? fmt::format("ALTER TABLE {} SET WITHOUT CLUSTER", table)
              : fmt::format("ALTER TABLE {} CLUSTER ON {}", table, dialect.quote(clustered))};
}

std::string select_clustered() {
  return "SELECT c.relname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c "
         "ON c.oid = i.indexrelid WHERE i.indrelid = CAST($1 AS regclass) AND i.indisclustered";
}

std::string count_owned() {
  return "SELECT count(*) FROM pg_catalog.pg_class WHERE oid = CAST($1 AS regclass) AND "
         "pg_catalog.pg_has_role(relowner, 'USAGE')";
}

std::string count_out_of_order(const std::string& table, const std::string& key) {
  return fmt::format(
      "SELECT count(*) FROM (SELECT row_number() OVER (ORDER BY ctid) AS place, row_number() OVER "
      "(ORDER BY {}) AS wanted FROM {}) AS rows WHERE place <> wanted",
      key, table);
}

std::vector<std::string> renumber_statements(const std::string& table, std::string_view rowid,
                                             const std::string& key, const std::string& order) {
  // behind all others, so that no number is taken; in a table, since a statement must not read what
  // it moves
  return {fmt::format("CREATE TEMPORARY TABLE {} AS SELECT {} AS was, row_number() OVER (ORDER BY "
                      "{}) + (SELECT max({}) FROM {}) AS becomes FROM {}",
                      order, rowid, key, rowid, table, table),
          fmt::format("CREATE UNIQUE INDEX {}_was ON {} (was)", order, unqualified(order)),
          fmt::format("UPDATE OR ABORT {0} SET {1} = (SELECT becomes FROM {2} WHERE was = {0}.{1})",
                      table, rowid, order),
          fmt::format("DROP TABLE {}", order)};
}

std::string count_by_key() {
  return "SELECT (SELECT count(*) FROM pragma_table_list($1) WHERE wr = 1 AND schema = 'main') + "
         "(SELECT CASE WHEN count(*) = 1 AND max(upper(type)) = 'INTEGER' THEN 1 ELSE 0 END "
         "FROM pragma_table_info($1, 'main') WHERE pk > 0)";
}

}  // namespace abgleich::db
