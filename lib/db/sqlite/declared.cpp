#include "db/sqlite/declared.hpp"

#include "db/sqlite/collation.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace abgleich::db::sqlite {

namespace {

using Effect = Dependant::Effect;

constexpr std::string_view kForeignKeys = R"(
SELECT m.name, f.id, f."table", f."from", f."to", f.on_delete, f.on_update, f."to" IS NULL
FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name, 'main') f
WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq)";

constexpr std::string_view kUniqueColumns = R"(
SELECT i.name, c.name
FROM pragma_index_list($1, 'main') i JOIN pragma_index_info(i.name, 'main') c
WHERE i."unique" = 1
  AND NOT EXISTS (SELECT 1 FROM pragma_index_info(i.name, 'main') e WHERE e.cid < 0)
ORDER BY i.name, c.seqno)";

Effect effect_of(std::string_view words, Effect of_cascade) {
  if (words == "CASCADE") {
    return of_cascade;
  }
  return words == "SET NULL" || words == "SET DEFAULT" ? Effect::loses : Effect::none;
}

/// SQLite compares names without regard to the case of ASCII letters.
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace

Equalities read_equalities(const Catalog& catalog) {
  Equalities found;
  for (const auto& table : catalog.tables) {
    for (const auto& column : table.columns) {
      if (column.collation.empty()) {
        continue;
      }
      // a collation that only another program defines cannot be used here
      const bool known = !collate(column.collation).empty();
      found[{table.name, column.name}] = {.by = Equality::By::collation,
                                          .own = known ? "=" : "",
                                          .collate = collate(column.collation)};
    }
  }
  return found;
}

Dependants read_dependants(Session& session, const Catalog& catalog) {
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
        std::string_view collate;
        for (const auto& column : table.columns) {
          if (same_name(column.name, name)) {
            name = column.name;
            // only the referenced column's collation counts; joins use it, except RTRIM (kTrims)
            collate = sqlite::collate(column.collation) == kTrims ? kTrims : std::string_view();
          }
        }
        key.dependant.collations.emplace_back(collate);
      }
      if (key.dependant.referenced.size() == key.dependant.columns.size()) {
        found[table.name].push_back(key.dependant);
      }
    }
  }
  return found;
}

void query_uniques(Session& session, const std::string& table, const Connection::OnRow& row) {
  const std::array parameters{text_cell(table)};
  session.connection->query(kUniqueColumns, parameters, row);
}

}  // namespace abgleich::db::sqlite
