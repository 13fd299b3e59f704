#include "sync/schema.hpp"

#include "core/digest.hpp"
#include "journal/record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace abgleich::sync {

namespace {

constexpr std::string_view kLacksTables =
    "the secondary lacks tables or columns, and [secondary] manage_schema is false";

std::vector<std::string> missing(db::Target& target, std::vector<ExportedTable>& tables) {
  std::vector<db::Relation> relations;
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
  std::string scratch;
  target.rewrite_base(exported.relation, [&](const Row& key, std::string_view cells) {
    const auto old = unpack_digests(cells);
    key_bytes.clear();
    for (const auto i : exported.relation.key) {
      append_key_bytes(key.cells[i], key_bytes);
    }
    std::vector<Digest> now;
    for (std::size_t i = 0; i < exported.labels.size(); ++i) {
      const auto found = std::ranges::find(before, exported.labels[i]);
      const auto at = static_cast<std::size_t>(found - before.begin());
      now.push_back(at < old.size()
                        ? old[at]
                        : digest_cell(exported.digest_keys[i], key_bytes, Value{}, scratch));
    }
    return pack(now);
  });
}

/// A table that was dropped is nobody's delete of its rows.
void refuse_lost_tables(db::Target& target, const std::vector<ExportedTable>& tables) {
  for (const auto& exported : tables) {
    const auto& name = exported.relation.name;
    if (exported.previous_labels.empty() || target.catalog().find_table(name) != nullptr) {
      continue;
    }
    const auto rows = target.base_seal(exported.relation).rows;
    if (rows == 0) {
      continue;
    }
    const auto tracked = target.books().tracked();
    const auto known = std::ranges::find(tracked, exported.relation.id, &db::TrackedRow::id);
    const bool renamed = known->target != name && target.catalog().find_table(known->target);
    throw Failure(
        Code::other_secondary,
        fmt::format("this is not the secondary as it was: table '{}' is not there, and the last "
                    "run left {} in it",
                    name, rows == 1 ? "1 row" : fmt::format("{} rows", rows)),
        fmt::format("{}; or, to have it made and filled anew, run: abgleich adopt --reason TEXT, "
                    "then: abgleich sync. Nothing was changed",
                    renamed
                        ? fmt::format("rename '{}' in the secondary to '{}'", known->target, name)
                        : "put it back from a backup"));
  }
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
  Schema schema;
  auto ddl = missing(target, tables);
  const bool books = target.books().exist();
  if (!pairing.config.secondary.manage_schema && (!ddl.empty() || !books)) {
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
  const auto ddl = missing(target, tables);
  if (!pairing.config.secondary.manage_schema && (!ddl.empty() || !target.books().exist())) {
    throw Failure(Code::drift_decision, std::string(kLacksTables),
                  "see the statements that its owner has to run: abgleich sync");
  }
  std::vector<db::Relation> relations;
  for (const auto& exported : tables) {
    relations.push_back(exported.relation);
  }
  if (const auto grants = target.missing_rights(relations, ddl); !grants.empty()) {
    throw Failure(Code::secondary_refuses, "this role lacks rights in the secondary",
                  fmt::format("as its administrator, run: {}", fmt::join(grants, "; ")));
  }
}

report::Outcome refuse_for_schema(const Schema& schema, report::Outcome outcome) {
  outcome.result = report::Result::refused;
  outcome.code = Code::drift_decision;
  outcome.ddl = schema.refused;
  outcome.error = Error{
      .code = Code::drift_decision,
      .message = std::string(kLacksTables),
      .hint =
          "run the statements on stdout (in JSON: ddl) in the secondary as its owner, then run: "
          "abgleich sync. Nothing was changed"};
  return outcome;
}

}  // namespace abgleich::sync
