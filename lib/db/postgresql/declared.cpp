#include "db/postgresql/declared.hpp"

#include "db/engine/cell_values.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace abgleich::db::postgresql {

namespace {

using Effect = Dependant::Effect;

// The operator is that of the type's default btree operator class, and only if its function is
// internal or in C: only a superuser can have made it.
constexpr std::string_view kOfServer = R"(
SELECT c.relname, a.attname, y.collisdeterministic OR t.typname = 'citext',
       (SELECT pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname)
        FROM pg_catalog.pg_opclass k
        JOIN pg_catalog.pg_am m ON m.oid = k.opcmethod AND m.amname = 'btree'
        JOIN pg_catalog.pg_amop e ON e.amopfamily = k.opcfamily AND e.amopstrategy = 3
          AND e.amoplefttype = k.opcintype AND e.amoprighttype = k.opcintype
        JOIN pg_catalog.pg_operator o ON o.oid = e.amopopr
        JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
        JOIN pg_catalog.pg_proc f ON f.oid = o.oprcode
        JOIN pg_catalog.pg_language l ON l.oid = f.prolang AND l.lanname IN ('internal', 'c')
        WHERE k.opcdefault AND k.opcintype = t.oid),
       pg_catalog.format(' COLLATE %I.%I', z.nspname, y.collname)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace x ON x.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
JOIN pg_catalog.pg_type d ON d.oid = a.atttypid
JOIN pg_catalog.pg_type t ON t.oid = CASE d.typtype WHEN 'd' THEN d.typbasetype ELSE d.oid END
JOIN pg_catalog.pg_namespace s ON s.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_collation y ON y.oid = a.attcollation
LEFT JOIN pg_catalog.pg_namespace z ON z.oid = y.collnamespace
WHERE x.nspname = $1 AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
  AND ((t.typname = 'bpchar' AND s.nspname = 'pg_catalog' AND a.atttypmod < 0
        AND d.typtypmod < 0)
       OR (t.typname = 'citext' AND s.nspname <> 'pg_catalog')
       OR NOT y.collisdeterministic))";

// One row per column of a key, in the key's order. A partition's copy of a key (conparentid) is
// left out, since it says the same as its table's.
constexpr std::string_view kDependants = R"(
SELECT k.oid, r.relname, cn.nspname, c.relname, ca.attname, ra.attname, k.confdeltype,
       k.confupdtype,
       pg_catalog.has_schema_privilege(cn.oid, 'USAGE')
         AND pg_catalog.has_table_privilege(c.oid, 'SELECT'),
       (SELECT pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname)
        FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
        WHERE o.oid = k.conpfeqop[u.n]),
       (SELECT pg_catalog.format(' COLLATE %I.%I', n.nspname, o.collname)
        FROM pg_catalog.pg_collation o JOIN pg_catalog.pg_namespace n ON n.oid = o.collnamespace
        WHERE o.oid = ra.attcollation AND ca.attcollation <> ra.attcollation)
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class r ON r.oid = k.confrelid
JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS u (own, other, n)
JOIN pg_catalog.pg_attribute ca ON ca.attrelid = k.conrelid AND ca.attnum = u.own
JOIN pg_catalog.pg_attribute ra ON ra.attrelid = k.confrelid AND ra.attnum = u.other
WHERE k.contype = 'f' AND k.conparentid = 0 AND rn.nspname = $1
  AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'))
ORDER BY k.oid, u.n)";

constexpr std::string_view kUniqueColumns = R"(
SELECT i.indexrelid, a.attname
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS u (own, n)
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.own
WHERE (i.indisunique OR i.indisexclusion) AND s.nspname = $1 AND c.relname = $2 AND u.n <= i.indnkeyatts
  AND NOT 0 = ANY (i.indkey)
ORDER BY i.indexrelid, u.n)";

Effect effect_of(char action, Effect of_cascade) {
  switch (action) {
    case 'c':
      return of_cascade;
    case 'n':
    case 'd':
      return Effect::loses;
    default:
      return Effect::none;
  }
}

}  // namespace

Equalities read_equalities(Session& session) {
  Equalities found;
  const std::array parameters{text_cell(session.schema)};
  session.connection->query(kOfServer, parameters, [&](std::span<const Cell> row) {
    const bool by_type = row[2].bytes == "t";
    found[{text(row[0]), text(row[1])}] = {
        .by = by_type ? Equality::By::type : Equality::By::collation,
        .own = text(row[3]),
        .collate = by_type ? "" : text(row[4])};
  });
  return found;
}

Dependants read_dependants(Session& session) {
  Dependants found;
  std::string last;
  Dependant* key = nullptr;
  const std::array parameters{text_cell(session.schema)};
  session.connection->query(kDependants, parameters, [&](std::span<const Cell> cells) {
    if (key == nullptr || last != cells[0].bytes) {
      last = cells[0].bytes;
      key = &found[std::string(cells[1].bytes)].emplace_back(
          Dependant{.schema = std::string(cells[2].bytes),
                    .table = std::string(cells[3].bytes),
                    .on_delete = effect_of(cells[6].bytes.front(), Effect::loses),
                    .on_update = effect_of(cells[7].bytes.front(), Effect::follows),
                    .readable = cells[8].bytes == "t"});
    }
    key->columns.emplace_back(cells[4].bytes);
    key->referenced.emplace_back(cells[5].bytes);
    key->equal.emplace_back(cells[9].bytes);
    key->collations.emplace_back(cells[10].bytes);
  });
  return found;
}

void query_uniques(Session& session, const std::string& table, const Connection::OnRow& row) {
  const std::array parameters{text_cell(session.schema), text_cell(table)};
  session.connection->query(kUniqueColumns, parameters, row);
}

bool has_heirs(Session& session, const CatalogTable& table) {
  bool any = false;
  session.connection->query(
      fmt::format("SELECT count(*) FROM pg_inherits WHERE inhparent = {}", table.identity), {},
      [&](std::span<const Cell> cells) { any = number(cells[0]) != 0; });
  return any;
}

}  // namespace abgleich::db::postgresql
