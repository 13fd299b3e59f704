#include "db/secondary/adaptation.hpp"

#include "db/secondary/table_statements.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace abgleich::db {

namespace {

using Rename = Adaptation::Rename;

template <class Named>
std::set<std::string> names_of(const std::vector<Named>& things) {
  std::set<std::string> names;
  for (const auto& thing : things) {
    names.insert(thing.name);
  }
  return names;
}

/// Drops the renames to a name that is in use and stays in use.
void drop_taken(const std::set<std::string>& names, std::vector<Rename>& renames) {
  const auto leaves = [&](const std::string& name) {
    return std::ranges::find(renames, name, &Rename::from) != renames.end();
  };
  while (std::erase_if(renames, [&](const Rename& rename) {
           return names.contains(rename.to) && !leaves(rename.to);
         }) > 0) {
  }
}

/// The renames that are still to be done: a person may have done some by hand.
std::vector<Rename> pending_renames(const CatalogTable& table, const Relation& relation) {
  std::vector<Rename> renames;
  const auto note = [&](const std::string& from, const std::string& to) {
    if (!from.empty() && table.find_column(from) != nullptr) {
      renames.push_back({.from = from, .to = to});
    }
  };
  for (const auto& column : relation.columns) {
    note(column.renamed_from, column.name);
  }
  for (const auto& column : relation.kept) {
    note(column.renamed_from, column.name);
  }
  drop_taken(names_of(table.columns), renames);
  return renames;
}

/// Puts renames into an order in which each new name is free. `names`: those that are in use now.
std::vector<Rename> in_order(std::set<std::string> names, std::vector<Rename> pending) {
  std::vector<Rename> ordered;
  const auto rename = [&](const std::string& from, const std::string& to) {
    ordered.push_back({.from = from, .to = to});
    names.erase(from);
    names.insert(to);
  };
  while (!pending.empty()) {
    const auto free =
        std::ranges::find_if(pending, [&](const Rename& one) { return !names.contains(one.to); });
    if (free != pending.end()) {
      rename(free->from, free->to);
      pending.erase(free);
      continue;
    }
    auto& stuck = pending.front();  // each rename that is left waits for another
    auto aside = "abgleich_" + stuck.from;
    while (names.contains(aside)) {
      aside += "_";
    }
    rename(stuck.from, aside);
    stuck.from = aside;
  }
  return ordered;
}

/// Where an engine folds names, "Id" and "id" are the same name.
bool same_but_for_capitals(std::string_view one, std::string_view other) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(one, other, {}, lower, lower);
}

/// Where an engine folds names, a table cannot be renamed from "Id" to "id" in one step: it goes
/// over a third name.
std::vector<Rename> over_a_third_name(const std::vector<Rename>& renames) {
  std::vector<Rename> steps;
  for (const auto& [from, to] : renames) {
    if (same_but_for_capitals(from, to)) {
      const auto aside = "abgleich_" + from;
      steps.push_back({.from = from, .to = aside});
      steps.push_back({.from = aside, .to = to});
    } else {
      steps.push_back({.from = from, .to = to});
    }
  }
  return steps;
}

/// The name that a column has before the renames, by its `name` after them; empty where the table
/// does not have it.
std::string holder(const CatalogTable& table, const std::vector<Rename>& pending,
                   const std::string& name) {
  const auto renamed = std::ranges::find(pending, name, &Rename::to);
  if (renamed != pending.end()) {
    return renamed->from;
  }
  const bool leaves = std::ranges::find(pending, name, &Rename::from) != pending.end();
  return leaves || table.find_column(name) == nullptr ? std::string() : name;
}

void adapt_column(const Dialect& dialect, const CatalogColumn& there, const Relation& relation,
                  std::size_t at, Adaptation& adaptation) {
  const auto& column = relation.columns[at];
  if (!dialect.traits().alters_columns) {
    return;
  }
  const auto wanted = dialect.column_type(column.type);
  // only a column of the type that this program gave it: people may have given theirs another one
  if (column.widened_from && wanted != there.type.native &&
      dialect.column_type(*column.widened_from) == there.type.native) {
    adaptation.widenings.push_back({.column = at, .type = wanted});
  }
  if (column.loosened && !there.nullable && !relation.is_key(at)) {
    adaptation.loosened.push_back(column.name);
  }
}

}  // namespace

Adaptation adapt(const Dialect& dialect, const CatalogTable& table, const Relation& relation) {
  const auto pending = pending_renames(table, relation);
  Adaptation adaptation{.renames = in_order(names_of(table.columns), pending)};
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    adaptation.holders.push_back(holder(table, pending, relation.columns[i].name));
    if (adaptation.holders.back().empty()) {
      adaptation.missing.push_back(i);
    } else {
      adapt_column(dialect, *table.find_column(adaptation.holders.back()), relation, i, adaptation);
    }
  }
  for (const auto& kept : relation.kept) {
    const auto* there = table.find_column(holder(table, pending, kept.name));
    if (there != nullptr && !there->nullable && there->default_value.empty() && !there->generated &&
        !there->auto_identity && dialect.traits().alters_columns) {
      adaptation.loosened.push_back(kept.name);  // new rows have no value for it
    }
  }
  return adaptation;
}

std::vector<Rename> table_renames(const Catalog& secondary,
                                  const std::vector<Relation>& relations) {
  std::vector<Rename> renames;
  for (const auto& relation : relations) {
    if (!relation.renamed_from.empty() && secondary.find_table(relation.renamed_from) != nullptr) {
      renames.push_back({.from = relation.renamed_from, .to = relation.name});
    }
  }
  const auto names = names_of(secondary.tables);
  drop_taken(names, renames);
  renames = in_order(names, std::move(renames));
  return traits(secondary.identity.engine).folds_names ? over_a_third_name(renames) : renames;
}

std::vector<std::string> adaptation_ddl(const Dialect& dialect, const std::string& schema,
                                        const Relation& relation, const Adaptation& adaptation) {
  const auto table = dialect.table(schema, relation.name);
  std::vector<std::string> ddl;
  for (const auto& [from, to] : adaptation.renames) {
    ddl.push_back(rename_column(dialect, schema, relation, from, to));
  }
  for (const auto at : adaptation.missing) {
    ddl.push_back(add_column(dialect, schema, relation, relation.columns[at]));
  }
  for (const auto& [at, type] : adaptation.widenings) {
    ddl.push_back(alter_type(dialect, table, relation.columns[at].name, type));
  }
  for (const auto& name : adaptation.loosened) {
    ddl.push_back(drop_not_null(dialect, table, name));
  }
  return ddl;
}

std::vector<std::string> undo_ddl(const Dialect& dialect, const std::string& schema,
                                  const Relation& relation, const Adaptation& adaptation) {
  const auto table = dialect.table(schema, relation.name);
  std::vector<std::string> ddl;
  for (const auto& name : adaptation.loosened) {
    ddl.push_back(set_not_null(dialect, table, name));
  }
  for (const auto& widening : adaptation.widenings) {
    const auto& column = relation.columns[widening.column];
    ddl.push_back(
        alter_type(dialect, table, column.name, dialect.column_type(*column.widened_from)));
  }
  for (const auto at : adaptation.missing) {
    ddl.push_back(drop_column(dialect, table, relation.columns[at].name));
  }
  for (auto rename = adaptation.renames.rbegin(); rename != adaptation.renames.rend(); ++rename) {
    ddl.push_back(rename_column(dialect, schema, relation, rename->to, rename->from));
  }
  return ddl;
}

}  // namespace abgleich::db
