#include "sync/schema.hpp"

#include "contract/toml_text.hpp"
#include "core/digest.hpp"
#include "journal/record.hpp"
#include "sync/constraints.hpp"
#include "sync/secondary_drift.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace abgleich::sync {

namespace {

constexpr std::string_view kLacksTables =
    "the secondary lacks tables or columns, and [secondary] manage_schema is false";

/// For when the DDL is done: two names that were swapped would look as if they still were to
/// be.
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

std::vector<std::string> missing(db::Target& target, std::vector<ExportedTable>& tables) {
  std::vector<db::Relation> relations;
  relations.reserve(tables.size());
  for (auto& exported : tables) {
    relations.push_back(std::move(exported.relation));
  }
  auto ddl = target.missing_ddl(relations);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    tables[i].relation = std::move(relations[i]);
  }
  return ddl;
}

/// A base row in the new layout: digests that are still exported move, a new column starts as NULL
/// on both sides.
void rewrite_base(db::Target& target, const ExportedTable& exported) {
  if (target.measure_base(exported.relation).seal != target.base_seal(exported.relation)) {
    damaged_base(exported.table->name);  // or the new seal would hide it
  }
  const auto& before = exported.previous_labels;
  std::string key_bytes;
  target.rewrite_base(exported.relation, [&](const Row& key, std::string_view cells) {
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

/// Whether names go round in a circle, by old name and new.
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

std::string rows_text(std::int64_t rows) {
  return rows == 1 ? "1 row" : fmt::format("{} rows", rows);
}

/// Columns that were exported once, and of which the contract wants nothing left.
void erase_columns(db::Target& target, const ExportedTable& exported, Schema& schema) {
  for (const auto& column : exported.layout.erased) {
    target.empty_column(exported.relation, column.name);
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
    const auto rows = target.base_seal(relation).rows;
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

Schema bring_schema(const Pairing& pairing, db::Target& target, std::vector<ExportedTable>& tables,
                    report::Run kind) {
  target.load_catalog();
  refuse_lost_tables(target, tables);
  follow_constraints(pairing, target, tables);
  Schema schema;
  auto ddl = missing(target, tables);
  const bool books = target.books().exist();
  if (!pairing.config.secondary.manage_schema) {
    // only what its rows keep: the others come with this run, or will come
    std::ranges::move(target.lacking_constraints(relations_of(tables)), std::back_inserter(ddl));
  }
  if (!pairing.config.secondary.manage_schema && (!ddl.empty() || !books)) {
    schema.swaps = swaps_names(tables);
    if (!books) {
      auto script = std::string(target.books().ddl());
      script.erase(script.find_last_not_of("; \n") + 1);  // one statement of a list, as the others
      schema.refused.push_back(std::move(script));
    }
    schema.refused.insert(schema.refused.end(), ddl.begin(), ddl.end());
    if (kind == report::Run::real) {
      return schema;
    }
  }
  if (kind == report::Run::dry) {
    for (const auto& exported : tables) {
      target.stand_in(exported.relation);
    }
  } else {
    if (!books) {
      target.books().create();
    }
    if (!ddl.empty() || !books) {
      target.execute_ddl(ddl);
      forget_changes(tables);
      missing(target, tables);
    }
    schema.executed = std::move(ddl);
  }
  for (const auto& exported : tables) {
    if (!exported.previous_labels.empty() && exported.previous_labels != exported.labels) {
      rewrite_base(target, exported);
      schema.executed.push_back(fmt::format("base of '{}'", exported.table->name));
    }
    if (kind == report::Run::real) {
      erase_columns(target, exported, schema);
    }
  }
  return schema;
}

void check_schema(const Pairing& pairing, db::Target& target, std::vector<ExportedTable>& tables) {
  target.load_catalog();
  follow_constraints(pairing, target, tables);
  const auto ddl = missing(target, tables);
  if (!pairing.config.secondary.manage_schema && (!ddl.empty() || !target.books().exist())) {
    throw Failure(Code::drift_decision, std::string(kLacksTables),
                  "see the statements that its owner has to run: abgleich sync");
  }
  if (const auto grants = target.missing_rights(relations_of(tables), ddl); !grants.empty()) {
    throw Failure(Code::secondary_refuses, "this role lacks rights in the secondary",
                  fmt::format("as its administrator, run: {}", fmt::join(grants, "; ")));
  }
}

void bring_constraints(const Pairing& pairing, db::Target& target,
                       const std::vector<ExportedTable>& tables, Schema& schema) {
  if (pairing.config.secondary.manage_schema) {
    std::ranges::move(target.add_constraints(relations_of(tables)),
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
