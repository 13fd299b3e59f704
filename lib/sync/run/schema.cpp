#include "sync/run/schema.hpp"

#include "contract/toml_text.hpp"
#include "core/digest.hpp"
#include "db/secondary/base_table.hpp"
#include "db/secondary/data_table.hpp"
#include "db/secondary/rights.hpp"
#include "db/secondary/secondary_constraints.hpp"
#include "db/secondary/secondary_schema.hpp"
#include "journal/record.hpp"
#include "sync/mapping/constraints.hpp"
#include "sync/mapping/secondary_drift.hpp"
#include "sync/run/other_books.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace abgleich::sync {

namespace {

constexpr std::string_view kLacksTables =
    "the secondary lacks tables or columns, and [secondary] manage_schema is false";

/// To be called after the DDL was executed: otherwise swapped names would be swapped again.
void forget_changes(std::vector<ExportedTable>& tables) {
  for (auto& exported : tables) {
    auto& relation = exported.relation;
    relation.renamed_from.clear();
    relation.lost_keys.clear();
    relation.name_leaves = false;
    for (auto& column : relation.columns) {
      column.renamed_from.clear();
    }
    for (auto& column : relation.kept) {
      column.renamed_from.clear();
    }
  }
}

/// Rewrites the base in the new layout: digests of columns that are still exported are moved, and a
/// new column begins as NULL on both sides.
void rewrite_base(db::Target& target, const ExportedTable& exported) {
  db::BaseTable base(target, exported.relation);
  if (base.measure().seal != base.seal()) {
    damaged_base(exported.table->name);  // the new seal would hide the damage
  }
  const auto& before = exported.previous_labels;
  std::string key_bytes;
  base.rewrite([&](const Row& key, std::string_view cells) {
    const auto old = unpack_digests(cells);
    key_bytes_of(exported.relation, key, key_bytes);
    std::vector<Digest> now;
    now.reserve(exported.labels.size());
    for (std::size_t i = 0; i < exported.labels.size(); ++i) {
      const auto found = std::ranges::find(before, exported.labels[i]);
      const auto at = static_cast<std::size_t>(found - before.begin());
      now.push_back(at < old.size() ? old[at]
                                    : digest_cell(exported.digest_keys[i], key_bytes, Value{}));
    }
    return pack(now);
  });
}

/// Whether some of the renames (old name -> new name) form a cycle.
bool go_round(const std::map<std::string, std::string>& renames) {
  return std::ranges::any_of(renames, [&](const auto& rename) {
    auto next = renames.find(rename.second);
    for (std::size_t steps = 0; next != renames.end() && steps < renames.size(); ++steps) {
      if (next->second == rename.second) {
        return true;
      }
      next = renames.find(next->second);
    }
    return false;
  });
}

bool swaps_names(const std::vector<ExportedTable>& tables) {
  std::map<std::string, std::string> names;
  for (const auto& exported : tables) {
    const auto& relation = exported.relation;
    if (!relation.renamed_from.empty()) {
      names.emplace(relation.renamed_from, relation.name);
    }
    std::map<std::string, std::string> columns;
    for (const auto& column : relation.columns) {
      if (!column.renamed_from.empty()) {
        columns.emplace(column.renamed_from, column.name);
      }
    }
    if (go_round(columns)) {
      return true;
    }
  }
  return go_round(names);
}

/// Whether a foreign key that refers to the table is to be dropped: then it no longer prevents that
/// rows of the table are deleted.
bool is_released(const std::vector<db::LocatedRelation>& relations, const db::Relation& parent) {
  return std::ranges::any_of(relations, [&](const db::LocatedRelation& child) {
    return std::ranges::any_of(child.lost_keys, [&](const CatalogForeignKey& key) {
      return key.table == parent.name || key.table == parent.renamed_from;
    });
  });
}

std::string rows_text(std::int64_t rows) {
  return rows == 1 ? "1 row" : fmt::format("{} rows", rows);
}

/// Empties the columns that the contract wants erased, in the data and in the journal.
void erase_columns(db::Target& target, const LocatedTable& exported, Schema& schema) {
  for (const auto& column : exported.layout.erased) {
    db::DataTable(target, exported.located()).empty_column(column.name);
    auto names = column.formerly;
    names.push_back(column.name);
    target.books().edit_images(exported.relation.id, [&](std::string& image) {
      return journal::forget_cells(image, names);
    });
    schema.executed.push_back(fmt::format("'{}.{}' erased", exported.relation.name, column.name));
  }
}

}  // namespace

void refuse_lost_tables(db::Target& target, const std::vector<ExportedTable>& tables) {
  const auto has = [&](const std::string& name) {
    return !name.empty() && target.catalog().find_table(name) != nullptr;
  };
  for (const auto& exported : tables) {
    const auto& relation = exported.relation;
    const bool old = has(relation.renamed_from);
    if (exported.previous_labels.empty() || old != has(relation.name)) {
      continue;
    }
    const auto rows = db::BaseTable(target, relation).seal().rows;
    const bool makes_way = std::ranges::any_of(tables, [&](const ExportedTable& other) {
      return other.relation.renamed_from == relation.name;
    });
    if (rows == 0 || (old && makes_way)) {
      continue;
    }
    if (old) {
      throw Failure(
          Code::other_secondary,
          fmt::format("'{}' in the secondary is to be called '{}', and that name is taken",
                      relation.renamed_from, relation.name),
          fmt::format("rename or drop one of the two tables in the secondary (the last run left {} "
                      "in '{}'), or write target = \"{}\" below [tables.{}] in the contract. "
                      "Nothing was changed",
                      rows_text(rows), relation.renamed_from, relation.renamed_from,
                      contract::toml_key(relation.source)));
    }
    const auto& name = relation.renamed_from.empty() ? relation.name : relation.renamed_from;
    if (const auto now = renamed_table(target, exported); !now.empty()) {
      throw Failure(
          Code::other_secondary,
          fmt::format("table '{}' of the secondary is called '{}' now", name, now),
          fmt::format("to go on under that name, write target = {} below [tables.{}] in the "
                      "contract, then run: abgleich sync; otherwise rename it back. Nothing was "
                      "changed",
                      contract::toml_string(now), contract::toml_key(exported.table->name)));
    }
    throw Failure(
        Code::other_secondary,
        fmt::format("this is not the secondary as it was: table '{}' is not there, and the last "
                    "run left {} in it",
                    relation.renamed_from.empty() ? relation.name : relation.renamed_from,
                    rows_text(rows)),
        "put it back from a backup; or, to have it made and filled anew, run: abgleich adopt "
        "--reason TEXT, then: abgleich sync. Nothing was changed");
  }
}

void keep_chosen(const std::set<std::string>& chosen, std::vector<ExportedTable>& tables) {
  if (!chosen.empty()) {
    std::erase_if(tables, [&](const ExportedTable& exported) {
      return !chosen.contains(exported.table->name);
    });
  }
}

Schema bring_schema(const Pairing& pairing, db::Target& target, std::vector<ExportedTable> tables,
                    report::Run kind) {
  target.load_catalog();
  refuse_shared_tables(pairing, target, tables);
  refuse_lost_tables(target, tables);
  follow_constraints(pairing, target, tables);
  Schema schema;
  auto [relations, ddl] = db::SecondarySchema(target).locate(relations_of(tables));
  for (std::size_t i = 0; i < tables.size(); ++i) {
    tables[i].relation = relations[i];
  }
  const bool books = target.books().exist();
  if (!pairing.config.secondary.manage_schema) {
    // only foreign keys that every row keeps now; the others follow once this run or a later one
    // has written the missing rows
    std::ranges::move(db::SecondaryConstraints(target).lacking(relations), std::back_inserter(ddl));
  }
  if (!pairing.config.secondary.manage_schema && (!ddl.empty() || !books)) {
    schema.swaps = swaps_names(tables);
    if (!books) {
      auto script = target.books().ddl();
      script.erase(script.find_last_not_of("; \n") + 1);  // no semicolon, like the other statements
      schema.refused.push_back(std::move(script));
    }
    schema.refused.insert(schema.refused.end(), ddl.begin(), ddl.end());
    if (kind == report::Run::real) {
      return schema;
    }
  }
  if (kind == report::Run::dry) {
    db::SecondarySchema schema_there(target);
    for (const auto& relation : relations) {
      schema_there.stand_in(relation, is_released(relations, relation));
    }
  } else {
    if (!books) {
      target.books().create();
    }
    if (!ddl.empty() || !books) {
      target.execute_ddl(ddl);
      forget_changes(tables);
      relations = db::SecondarySchema(target).locate(relations_of(tables)).relations;
    }
    schema.executed = std::move(ddl);
  }
  schema.tables = located_tables(std::move(tables), std::move(relations));
  for (const auto& table : schema.tables) {
    if (!table.previous_labels.empty() && table.previous_labels != table.labels) {
      rewrite_base(target, table);
      schema.executed.push_back(fmt::format("base of '{}'", table.table->name));
    }
    if (kind == report::Run::real) {
      erase_columns(target, table, schema);
    }
  }
  return schema;
}

std::vector<std::string> lacking_ddl(const Pairing& pairing, db::Target& target,
                                     std::vector<ExportedTable>& tables) {
  target.load_catalog();
  refuse_shared_tables(pairing, target, tables);
  follow_constraints(pairing, target, tables);
  auto located = db::SecondarySchema(target).locate(relations_of(tables));
  for (std::size_t i = 0; i < tables.size(); ++i) {
    tables[i].relation = std::move(located.relations[i]);
  }
  return std::move(located.missing_ddl);
}

void check_schema(const Pairing& pairing, db::Target& target, std::vector<ExportedTable>& tables) {
  const auto ddl = lacking_ddl(pairing, target, tables);
  if (!pairing.config.secondary.manage_schema && (!ddl.empty() || !target.books().exist())) {
    throw Failure(Code::drift_decision, std::string(kLacksTables),
                  "see the statements that its owner has to run: abgleich sync");
  }
  if (const auto grants = db::missing_rights(target, relations_of(tables), ddl); !grants.empty()) {
    throw Failure(Code::secondary_refuses, "this role lacks rights in the secondary",
                  fmt::format("as its administrator, run: {}", fmt::join(grants, "; ")));
  }
}

void bring_constraints(const Pairing& pairing, db::Target& target, Schema& schema) {
  if (pairing.config.secondary.manage_schema) {
    std::ranges::move(db::SecondaryConstraints(target).add(relations_of(schema.tables)),
                      std::back_inserter(schema.executed));
  }
}

report::Outcome refuse_for_schema(const Schema& schema, report::Outcome outcome) {
  outcome.result = report::Result::refused;
  outcome.code = Code::drift_decision;
  outcome.ddl = schema.refused;
  outcome.error = Error{
      .code = Code::drift_decision,
      .message = std::string(kLacksTables),
      .hint = schema.swaps
                  ? "names are swapped, and nobody can tell later whether that was done by hand: "
                    "set manage_schema = true for one run as the secondary's owner. Nothing was "
                    "changed"
                  : "run the statements on stdout (in JSON: ddl) in the secondary as its owner, "
                    "then run: abgleich sync. Nothing was changed"};
  return outcome;
}

}  // namespace abgleich::sync
