// What others could put in the way of a run's statements, or run with its rights: for `check`.
#include "db/cell_values.hpp"
#include "db/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace abgleich::db {

namespace {

// Who but its owner, the database's, the superusers and this role may create in a schema that names
// are looked up in. Of the path as it is set while this runs.
constexpr std::string_view kCreators = R"(
SELECT n.nspname, CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(r.rolname) END
FROM pg_catalog.pg_namespace n
CROSS JOIN LATERAL pg_catalog.aclexplode(
  coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) a
LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
WHERE (n.nspname = ANY (pg_catalog.current_schemas(false)) OR n.nspname = 'abgleich')
  AND n.nspname <> 'pg_catalog' AND n.oid <> pg_catalog.pg_my_temp_schema()
  AND a.privilege_type = 'CREATE' AND a.grantee <> n.nspowner
  AND coalesce(NOT r.rolsuper AND r.rolname <> current_user
               AND r.oid <> (SELECT d.datdba FROM pg_catalog.pg_database d
                             WHERE d.datname = pg_catalog.current_database()), true)
ORDER BY 1, 2)";

// Tables of the data and of the bookkeeping that belong to somebody whom nobody expects.
constexpr std::string_view kOwners = R"(
SELECT n.nspname, c.relname, r.rolname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
WHERE n.nspname IN ('abgleich', $1) AND c.relkind IN ('r', 'p')
  AND NOT r.rolsuper AND r.rolname <> current_user
  AND (r.oid <> n.nspowner OR n.nspname = 'abgleich')
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
WHERE n.nspname IN ('abgleich', $1) AND c.relkind IN ('r', 'p')
GROUP BY 1, 2 ORDER BY 1, 2)";

}  // namespace

std::vector<std::string> Target::strangers(const std::vector<Relation>& relations) {
  std::vector<std::string> found;
  if (dialect().engine() != Engine::postgresql) {
    return found;
  }
  auto& connection = *session_.connection;
  as_people([&] {
    connection.query(kCreators, {}, [&](std::span<const Cell> row) {
      found.push_back(
          fmt::format("{1} may create in schema '{0}': REVOKE CREATE ON SCHEMA {2} "
                      "FROM {1}",
                      row[0].bytes, row[1].bytes, dialect().quote(row[0].bytes)));
    });
  });
  const auto ours = [&](std::span<const Cell> row) {
    return row[0].bytes == "abgleich" ||
           std::ranges::find(relations, row[1].bytes, &Relation::name) != relations.end();
  };
  const std::array schema{text_cell(session_.schema)};
  connection.query(kOwners, schema, [&](std::span<const Cell> row) {
    if (ours(row)) {
      found.push_back(
          fmt::format("table '{}.{}' belongs to '{}'", row[0].bytes, row[1].bytes, row[2].bytes));
    }
  });
  connection.query(kTriggers, schema, [&](std::span<const Cell> row) {
    if (ours(row)) {
      found.push_back(fmt::format("table '{}.{}' has triggers or rules: {}", row[0].bytes,
                                  row[1].bytes, row[2].bytes));
    }
  });
  return found;
}

}  // namespace abgleich::db
