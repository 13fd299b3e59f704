#include "db/constraints.hpp"

#include "db/file_collation.hpp"

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace abgleich::db {

namespace {

using Effect = Dependant::Effect;

// One row a column of a key, in the key's order. A partition's copy of a key (conparentid) says the
// same as its table's.
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

constexpr std::string_view kForeignKeys = R"(
SELECT m.name, f.id, f."table", f."from", f."to", f.on_delete, f.on_update, f."to" IS NULL
FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name, 'main') f
WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq)";

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

constexpr std::string_view kUniqueColumnsOfFile = R"(
SELECT i.name, c.name
FROM pragma_index_list($1, 'main') i JOIN pragma_index_info(i.name, 'main') c
WHERE i."unique" = 1
  AND NOT EXISTS (SELECT 1 FROM pragma_index_info(i.name, 'main') e WHERE e.cid < 0)
ORDER BY i.name, c.seqno)";

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

Effect effect_of(std::string_view words, Effect of_cascade) {
  return effect_of(words == "CASCADE"       ? 'c'
                   : words == "SET NULL"    ? 'n'
                   : words == "SET DEFAULT" ? 'd'
                                            : 'a',
                   of_cascade);
}

using Dependants = std::map<std::string, std::vector<Dependant>>;

Dependants dependants_of_server(Session& session) {
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

/// SQLite compares names without regard to the case of ASCII letters.
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

Dependants dependants_in_file(Session& session, const Catalog& catalog) {
  struct Key {
    std::string table;
    std::string id;
    std::string parent;
    bool by_primary_key = false;
    Dependant dependant;
  };
  std::vector<Key> keys;
  session.connection->query(kForeignKeys, {}, [&](std::span<const Cell> cells) {
    if (keys.empty() || keys.back().table != cells[0].bytes || keys.back().id != cells[1].bytes) {
      keys.push_back({.table = std::string(cells[0].bytes),
                      .id = std::string(cells[1].bytes),
                      .parent = std::string(cells[2].bytes),
                      .by_primary_key = cells[7].bytes == "1",
                      .dependant = {.table = std::string(cells[0].bytes),
                                    .on_delete = effect_of(cells[5].bytes, Effect::loses),
                                    .on_update = effect_of(cells[6].bytes, Effect::follows)}});
    }
    keys.back().dependant.columns.emplace_back(cells[3].bytes);
    keys.back().dependant.referenced.emplace_back(cells[4].bytes);
  });
  Dependants found;
  for (auto& key : keys) {
    if (key.dependant.on_delete == Effect::none && key.dependant.on_update == Effect::none) {
      continue;
    }
    for (const auto& table : catalog.tables) {
      if (!same_name(table.name, key.parent)) {
        continue;
      }
      if (key.by_primary_key && table.primary_key) {
        key.dependant.referenced = table.primary_key->columns;
      }
      for (auto& name : key.dependant.referenced) {
        std::string collate;
        for (const auto& column : table.columns) {
          if (same_name(column.name, name)) {
            name = column.name;
            collate = file_collate(column.collation);
          }
        }
        key.dependant.collations.push_back(collate);
      }
      if (key.dependant.referenced.size() == key.dependant.columns.size()) {
        found[table.name].push_back(key.dependant);
      }
    }
  }
  return found;
}

}  // namespace

Dependants read_dependants(Session& session, const Catalog& catalog) {
  return session.dialect->engine() == Engine::postgresql ? dependants_of_server(session)
                                                         : dependants_in_file(session, catalog);
}

std::vector<std::vector<std::string>> read_uniques(Session& session, const std::string& table) {
  std::vector<std::vector<std::string>> uniques;
  std::optional<std::string> last;
  const auto column = [&](std::span<const Cell> cells) {
    if (last != cells[0].bytes) {
      last = cells[0].bytes;
      uniques.emplace_back();
    }
    uniques.back().emplace_back(cells[1].bytes);
  };
  if (session.dialect->engine() == Engine::postgresql) {
    const std::array parameters{text_cell(session.schema), text_cell(table)};
    session.connection->query(kUniqueColumns, parameters, column);
  } else {
    const std::array parameters{text_cell(table)};
    session.connection->query(kUniqueColumnsOfFile, parameters, column);
  }
  return uniques;
}

}  // namespace abgleich::db
