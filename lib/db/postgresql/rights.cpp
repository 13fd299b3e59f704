#include "db/postgresql/rights.hpp"

#include "db/engine/cell_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace abgleich::db::postgresql {

namespace {

/// As the session began: set by the database, the role or the URL.
constexpr std::string_view kPeoplesPath =
    "SELECT reset_val FROM pg_catalog.pg_settings WHERE name = 'search_path'";

// Rights on columns count as rights on their table; whether they are enough, the run will show. All
// four are needed on the bookkeeping, too: conflicts are closed, facts change, old entries of the
// journal are deleted.
constexpr std::string_view kTableRights = R"(
SELECT n.nspname, c.relname, string_agg(r.name, ', ' ORDER BY r.name)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
     unnest(ARRAY['DELETE', 'INSERT', 'SELECT', 'UPDATE']) AS r (name)
WHERE c.relkind IN ('r', 'p') AND n.nspname IN ($2, $1)
  AND NOT CASE r.name WHEN 'DELETE' THEN pg_catalog.has_table_privilege(c.oid, r.name)
                      ELSE pg_catalog.has_any_column_privilege(c.oid, r.name) END
GROUP BY 1, 2 ORDER BY 1, 2)";

constexpr std::string_view kSchemaRights = R"(
SELECT n.nspname, r.name
FROM pg_catalog.pg_namespace n, unnest(ARRAY['USAGE', 'CREATE']) AS r (name)
WHERE n.nspname IN ($2, $1) AND NOT pg_catalog.has_schema_privilege(n.oid, r.name)
ORDER BY 1, 2)";

constexpr std::string_view kDatabaseRights = R"(
SELECT r.name, pg_catalog.current_database(), current_user
FROM unnest(ARRAY['CREATE', 'TEMPORARY']) AS r (name)
WHERE NOT pg_catalog.has_database_privilege(pg_catalog.current_database(), r.name))";

// Who may create objects in a schema of the current search path, except its owner, the owner of the
// database, superusers and this role.
constexpr std::string_view kCreators = R"(
SELECT n.nspname, CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(r.rolname) END
FROM pg_catalog.pg_namespace n
CROSS JOIN LATERAL pg_catalog.aclexplode(
  coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) a
LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
WHERE (n.nspname = ANY (pg_catalog.current_schemas(false)) OR n.nspname = $1)
  AND n.nspname <> 'pg_catalog' AND n.oid <> pg_catalog.pg_my_temp_schema()
  AND a.privilege_type = 'CREATE' AND a.grantee <> n.nspowner
  AND coalesce(NOT r.rolsuper AND r.rolname <> current_user
               AND r.oid <> (SELECT d.datdba FROM pg_catalog.pg_database d
                             WHERE d.datname = pg_catalog.current_database()), true)
ORDER BY 1, 2)";

// Tables of the data and of the bookkeeping whose owner is not expected: not this role, a
// superuser, the owner of the database or, for the data, the owner of the schema.
constexpr std::string_view kOwners = R"(
SELECT n.nspname, c.relname, r.rolname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
WHERE n.nspname IN ($2, $1) AND c.relkind IN ('r', 'p')
  AND NOT r.rolsuper AND r.rolname <> current_user
  AND (r.oid <> n.nspowner OR n.nspname = $2)
  AND r.oid <> (SELECT d.datdba FROM pg_catalog.pg_database d
                WHERE d.datname = pg_catalog.current_database())
ORDER BY 1, 2)";

constexpr std::string_view kTriggers = R"(
SELECT n.nspname, c.relname, pg_catalog.string_agg(t.name, ', ' ORDER BY t.name)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
  SELECT CAST(g.tgname AS pg_catalog.text) AS name FROM pg_catalog.pg_trigger g
  WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgenabled IN ('O', 'A')
  UNION ALL
  SELECT CAST(w.rulename AS pg_catalog.text) FROM pg_catalog.pg_rewrite w
  WHERE w.ev_class = c.oid AND w.ev_enabled IN ('O', 'A')) t
WHERE n.nspname IN ($2, $1) AND c.relkind IN ('r', 'p')
GROUP BY 1, 2 ORDER BY 1, 2)";

/// Owners of the bookkeeping that may not do everything here anyway: $1 is the data's schema, $2
/// that of the bookkeeping.
constexpr std::string_view kOwnersOfBooks = R"(
SELECT c.relname, r.rolname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
CROSS JOIN (SELECT m.rolsuper FROM pg_catalog.pg_roles m WHERE m.rolname = current_user) me
WHERE n.nspname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND NOT r.rolsuper AND r.rolname <> current_user
  AND (me.rolsuper OR NOT pg_catalog.pg_has_role(r.oid, 'USAGE'))
  AND r.oid <> (SELECT d.datdba FROM pg_catalog.pg_database d
                WHERE d.datname = pg_catalog.current_database())
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_namespace s WHERE s.nspname = $1 AND s.nspowner = r.oid)
ORDER BY 1)";

}  // namespace

std::vector<std::string> strangers_in_books(Session& session) {
  std::vector<std::string> found;
  const std::array schemas{text_cell(session.schema), text_cell(session.books)};
  session.connection->query(kOwnersOfBooks, schemas, [&](std::span<const Cell> row) {
    found.push_back(
        fmt::format("table '{}.{}' belongs to '{}'", session.books, row[0].bytes, row[1].bytes));
  });
  session.connection->query(kTriggers, schemas, [&](std::span<const Cell> row) {
    if (row[0].bytes == session.books) {
      found.push_back(fmt::format("table '{}.{}' has triggers or rules: {}", session.books,
                                  row[1].bytes, row[2].bytes));
    }
  });
  return found;
}

std::string peoples_path(Session& session) {
  std::string found;
  session.connection->query(kPeoplesPath, {}, [&](std::span<const Cell> cells) {
    const auto& path = cells[0].bytes;
    found = fmt::format("pg_catalog, {}{}{}, pg_temp", path, path.empty() ? "" : ", ",
                        session.dialect->quote(session.schema));
  });
  return found;
}

void look_up_by(Session& session, const std::string& path) {
  session.connection->execute("SET LOCAL search_path = " +
                              (path.empty() ? std::string("pg_catalog, pg_temp") : path));
}

std::vector<std::string> missing_rights(Session& session, const std::vector<Relation>& relations,
                                        const std::vector<std::string>& ddl) {
  std::vector<std::string> grants;
  const auto& dialect = *session.dialect;
  auto& connection = *session.connection;
  std::string role;
  connection.query("SELECT current_user", {},
                   [&](std::span<const Cell> cells) { role = dialect.quote(cells[0].bytes); });
  const auto grant = [&](std::string_view rights, std::string_view what, const std::string& name) {
    grants.push_back(fmt::format("GRANT {} ON {}{} TO {}", rights, what, name, role));
  };
  bool made = false;  // whether the bookkeeping's schema exists, even if this role may not use it
  const Cell books[] = {text_cell(session.books)};
  connection.query("SELECT 1 FROM pg_catalog.pg_namespace n WHERE n.nspname = $1", books,
                   [&](std::span<const Cell>) { made = true; });
  connection.query(kDatabaseRights, {}, [&](std::span<const Cell> cells) {
    // CREATE is needed only to make the bookkeeping's schema
    if (cells[0].bytes == "TEMPORARY" || !made) {
      grant(cells[0].bytes, "DATABASE ", dialect.quote(cells[1].bytes));
    }
  });
  const Cell schemas[] = {text_cell(session.schema), text_cell(session.books)};
  connection.query(kSchemaRights, schemas, [&](std::span<const Cell> cells) {
    if (cells[1].bytes == "USAGE" || !ddl.empty()) {
      grant(cells[1].bytes, "SCHEMA ", dialect.quote(cells[0].bytes));
    }
  });
  connection.query(kTableRights, schemas, [&](std::span<const Cell> cells) {
    const auto& name = cells[1].bytes;
    if (cells[0].bytes == session.books) {
      grant(cells[2].bytes, "", session.own_table(name));
    } else if (std::ranges::find(relations, name, &Relation::name) != relations.end()) {
      grant(cells[2].bytes, "", dialect.table(session.schema, name));
    }
  });
  return grants;
}

std::vector<std::string> strangers(Session& session, const std::vector<Relation>& relations,
                                   const std::string& peoples_path) {
  std::vector<std::string> found;
  auto& connection = *session.connection;
  const std::array schemas{text_cell(session.schema), text_cell(session.books)};
  look_up_by(session, peoples_path);
  connection.query(kCreators, std::span(schemas).subspan(1), [&](std::span<const Cell> row) {
    found.push_back(
        fmt::format("{1} may create in schema '{0}': REVOKE CREATE ON SCHEMA {2} "
                    "FROM {1}",
                    row[0].bytes, row[1].bytes, session.dialect->quote(row[0].bytes)));
  });
  look_up_by(session, {});
  const auto ours = [&](std::span<const Cell> row) {
    return row[0].bytes == session.books ||
           std::ranges::find(relations, row[1].bytes, &Relation::name) != relations.end();
  };
  connection.query(kOwners, schemas, [&](std::span<const Cell> row) {
    if (ours(row)) {
      found.push_back(
          fmt::format("table '{}.{}' belongs to '{}'", row[0].bytes, row[1].bytes, row[2].bytes));
    }
  });
  connection.query(kTriggers, schemas, [&](std::span<const Cell> row) {
    if (ours(row)) {
      found.push_back(fmt::format("table '{}.{}' has triggers or rules: {}", row[0].bytes,
                                  row[1].bytes, row[2].bytes));
    }
  });
  return found;
}

}  // namespace abgleich::db::postgresql
