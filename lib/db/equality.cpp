#include "db/equality.hpp"

#include "db/cell_values.hpp"
#include "db/file_collation.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace abgleich::db {

namespace {

// The operator is that of the type's default btree operator class, and only where it is no code
// that somebody without the server's own rights could have written.
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

/// As SQLite compares names.
bool is_called(std::string_view name, std::string_view capitals) {
  return std::ranges::equal(name, capitals, {}, [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
}

}  // namespace

std::string file_collate(const std::string& collation) {
  return is_called(collation, "NOCASE")  ? " COLLATE NOCASE"
         : is_called(collation, "RTRIM") ? std::string(kTrims)
                                         : std::string();
}

Equalities read_equalities(Session& session, const Catalog& catalog) {
  Equalities found;
  if (session.dialect->engine() == Engine::sqlite) {
    for (const auto& table : catalog.tables) {
      for (const auto& column : table.columns) {
        if (column.collation.empty()) {
          continue;
        }
        // a collation that only another program knows cannot be asked
        const bool known = !file_collate(column.collation).empty();
        found[{table.name, column.name}] = {.by = Equality::By::collation,
                                            .own = known ? "=" : "",
                                            .collate = file_collate(column.collation)};
      }
    }
    return found;
  }
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

}  // namespace abgleich::db
