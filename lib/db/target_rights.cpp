// What the role may do in the secondary: for `check`, before a run finds out.
#include "db/target.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace abgleich::db {

namespace {

// Rights on columns count as rights on their table: whether they suffice is found by the run.
constexpr std::string_view kTables = R"(
SELECT n.nspname, c.relname, string_agg(r.name, ', ' ORDER BY r.name)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
     unnest(ARRAY['DELETE', 'INSERT', 'SELECT', 'UPDATE']) AS r (name)
WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('abgleich', $1)
  AND NOT CASE r.name WHEN 'DELETE' THEN pg_catalog.has_table_privilege(c.oid, r.name)
                      ELSE pg_catalog.has_any_column_privilege(c.oid, r.name) END
  AND (n.nspname <> 'abgleich' OR r.name IN ('INSERT', 'SELECT') OR c.relname LIKE 'base%'
       OR (c.relname = 'head' AND r.name = 'UPDATE'))
GROUP BY 1, 2 ORDER BY 1, 2)";

constexpr std::string_view kSchemas = R"(
SELECT n.nspname, r.name
FROM pg_catalog.pg_namespace n, unnest(ARRAY['USAGE', 'CREATE']) AS r (name)
WHERE n.nspname IN ('abgleich', $1) AND NOT pg_catalog.has_schema_privilege(n.oid, r.name)
ORDER BY 1, 2)";

constexpr std::string_view kDatabase = R"(
SELECT r.name, pg_catalog.current_database(), current_user
FROM unnest(ARRAY['CREATE', 'TEMPORARY']) AS r (name)
WHERE NOT pg_catalog.has_database_privilege(pg_catalog.current_database(), r.name))";

}  // namespace

std::vector<std::string> Target::missing_rights(const std::vector<Relation>& relations,
                                                const std::vector<std::string>& ddl) {
  std::vector<std::string> grants;
  if (dialect().engine() == Engine::sqlite) {
    return grants;
  }
  auto& connection = *session_.connection;
  std::string role;
  connection.query("SELECT current_user", {},
                   [&](std::span<const Cell> cells) { role = dialect().quote(cells[0].bytes); });
  const auto grant = [&](std::string_view rights, std::string_view what, const std::string& name) {
    grants.push_back(fmt::format("GRANT {} ON {}{} TO {}", rights, what, name, role));
  };
  const bool books = books_->exist();
  connection.query(kDatabase, {}, [&](std::span<const Cell> cells) {
    // CREATE is for the schema of the bookkeeping
    if (cells[0].bytes == "TEMPORARY" || !books) {
      grant(cells[0].bytes, "DATABASE ", dialect().quote(cells[1].bytes));
    }
  });
  const Cell schema[] = {text_cell(session_.schema)};
  connection.query(kSchemas, schema, [&](std::span<const Cell> cells) {
    if (cells[1].bytes == "USAGE" || !ddl.empty()) {
      grant(cells[1].bytes, "SCHEMA ", dialect().quote(cells[0].bytes));
    }
  });
  connection.query(kTables, schema, [&](std::span<const Cell> cells) {
    const auto& name = cells[1].bytes;
    if (cells[0].bytes == "abgleich") {
      grant(cells[2].bytes, "", dialect().own_table(name));
    } else if (std::ranges::find(relations, name, &Relation::name) != relations.end()) {
      grant(cells[2].bytes, "", dialect().table(session_.schema, name));
    }
  });
  return grants;
}

}  // namespace abgleich::db
