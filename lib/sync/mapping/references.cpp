#include "sync/mapping/references.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace abgleich::sync {

namespace {

/// Why rows of the secondary may break a foreign key of the primary.
enum class Looseness : std::uint8_t { none, not_kept, left_out, collation, zone };

/// A child and its parent as the contract has them.
struct Ends {
  const contract::Table& child;
  const contract::Table& parent;
};

/// Whether a row may leave although the row that it refers to does not.
bool leaves_alone(const CatalogForeignKey& key, const Ends& ends) {
  return ends.parent.where && !(key.referenced == ends.parent.key &&
                                ends.child.never_leaves_without(ends.parent, key.columns.front()));
}

/// Why rows of the secondary may break this key. With another collation or time zone, the primary
/// compares the two columns in a way that no canonical form can express.
Looseness looseness_of(const CatalogForeignKey& key, const CatalogTable& child,
                       const CatalogTable& parent, const Ends& ends) {
  if (!key.valid) {
    return Looseness::not_kept;
  }
  if (leaves_alone(key, ends)) {
    return Looseness::left_out;
  }
  for (std::size_t i = 0; i < key.columns.size(); ++i) {
    const auto* from = child.find_column(key.columns[i]);
    const auto* to = parent.find_column(key.referenced[i]);
    if (from == nullptr || to == nullptr) {
      continue;
    }
    if (to->folds) {
      return Looseness::collation;
    }
    const bool moments = from->type.family == Family::timestamptz;
    if (moments != (to->type.family == Family::timestamptz) &&
        traits(from->type.engine).has_strict_types) {
      return Looseness::zone;
    }
  }
  return Looseness::none;
}

std::string text_of(Looseness why) {
  switch (why) {
    case Looseness::not_kept:
      return "NOT VALID, or of a table that others inherit from";
    case Looseness::collation:
      return "its collation takes different texts for the same";
    case Looseness::zone:
      return "one side is a time with and the other one without time zone";
    default:
      return {};
  }
}

/// Whether these columns are unique in the primary and stay so in the secondary: different values
/// leave as different values, and the secondary does not own them.
bool stays_unique(const CatalogTable& source, const ExportedTable& parent,
                  std::vector<std::string> names) {
  const auto unchanged = [&](const std::string& name) {
    const auto found = std::ranges::find(parent.columns, name, &contract::Column::name);
    return found != parent.columns.end() && (*found)->stays_distinct();
  };
  std::ranges::sort(names);
  const auto covers = [&](const CatalogKey& unique) {
    auto columns = unique.columns;
    std::ranges::sort(columns);
    return columns == names;
  };
  return source.heirs.empty() && std::ranges::all_of(names, unchanged) &&
         ((source.primary_key && covers(*source.primary_key)) ||
          std::ranges::any_of(source.uniques, covers));
}

/// Notes that these columns, to which another table refers, are unique in the secondary.
void add_unique(const std::vector<std::string>& names, ExportedTable& parent) {
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < parent.columns.size(); ++i) {
    if (std::ranges::find(names, parent.columns[i]->name) != names.end()) {
      columns.push_back(i);
    }
  }
  auto& uniques = parent.relation.uniques;
  if (std::ranges::find(uniques, columns) == uniques.end()) {
    uniques.push_back(std::move(columns));
  }
}

/// Adds foreign keys of the primary that the secondary can have, too: they refer to the key or to
/// columns that stay unique, and all columns are exported, with the same class, identity,
/// normaliser and family on both ends.
void add_foreign_keys(std::vector<ExportedTable>& all, const Catalog& primary,
                      ExportedTable& exported) {
  const auto& source = *primary.find_table(exported.table->name);
  for (const auto& key : source.foreign_keys) {
    const auto parent = std::ranges::find_if(
        all, [&](const ExportedTable& other) { return other.table->name == key.table; });
    if (parent == all.end()) {
      continue;
    }
    const bool to_key =
        key.referenced.size() == parent->table->key.size() &&
        std::ranges::all_of(key.referenced, [&](const std::string& name) {
          return std::ranges::find(parent->table->key, name) != parent->table->key.end();
        });
    if (!to_key && !stays_unique(*primary.find_table(key.table), *parent, key.referenced)) {
      continue;
    }
    db::RelationForeignKey foreign{
        .columns = {},
        .table = parent->relation.name,
        .referenced = {},
        .promised =
            looseness_of(key, source, *primary.find_table(key.table),
                         {.child = *exported.table, .parent = *parent->table}) == Looseness::none};
    std::vector<std::size_t> referred;
    bool holds = true;
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
      const auto child_column =
          std::ranges::find(exported.columns, key.columns[i], &contract::Column::name);
      const auto parent_column =
          std::ranges::find(parent->columns, key.referenced[i], &contract::Column::name);
      holds =
          holds && child_column != exported.columns.end() && parent_column != parent->columns.end();
      if (!holds) {
        break;
      }
      const auto child_at = static_cast<std::size_t>(child_column - exported.columns.begin());
      const auto parent_at = static_cast<std::size_t>(parent_column - parent->columns.begin());
      const auto& child_type = exported.relation.columns[child_at].type;
      const auto& parent_type = parent->relation.columns[parent_at].type;
      holds = (*child_column)->cls == (*parent_column)->cls &&
              (*child_column)->identity == (*parent_column)->identity &&
              (*child_column)->normaliser == (*parent_column)->normaliser &&
              child_type.family == parent_type.family;
      referred.push_back(parent_at);
      foreign.columns.push_back(child_at);
      foreign.referenced.push_back(parent->relation.columns[parent_at].name);
    }
    if (!holds) {
      continue;
    }
    if (!to_key && foreign.promised) {
      add_unique(key.referenced, *parent);
    }
    parent->referred.insert(referred.begin(), referred.end());
    exported.relation.foreign_keys.push_back(std::move(foreign));
  }
}

}  // namespace

void add_references(const Catalog& primary, std::vector<ExportedTable>& tables) {
  for (auto& exported : tables) {
    add_foreign_keys(tables, primary, exported);
  }
}

std::vector<ExportedTable> in_order(std::vector<ExportedTable> tables) {
  std::map<std::string, std::size_t> at;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    at[tables[i].relation.name] = i;
  }
  std::vector<bool> seen(tables.size(), false);
  std::vector<std::size_t> order;
  const std::function<void(std::size_t)> visit = [&](std::size_t i) {
    if (seen[i]) {
      return;
    }
    seen[i] = true;
    for (const auto& key : tables[i].relation.foreign_keys) {
      visit(at.at(key.table));
    }
    order.push_back(i);
  };
  for (std::size_t i = 0; i < tables.size(); ++i) {
    visit(i);
  }
  std::vector<ExportedTable> sorted;
  sorted.reserve(order.size());
  for (const auto i : order) {
    sorted.push_back(std::move(tables[i]));
  }
  return sorted;
}

namespace {

/// A foreign key of the contract's tables that rows of the secondary may break.
struct Loose {
  const contract::Table* child = nullptr;
  std::string text;  // "'T.C' refers to 'T.C'"
  Looseness why = Looseness::none;
};

std::vector<Loose> all_loose(const contract::Contract& contract, const Catalog& primary) {
  std::vector<Loose> loose;
  for (const auto& table : contract.tables) {
    const auto* child = primary.find_table(table.name);
    for (std::size_t i = 0; child != nullptr && i < child->foreign_keys.size(); ++i) {
      const auto& key = child->foreign_keys[i];
      const auto* parent = primary.find_table(key.table);
      const auto* named = contract.find_table(key.table);
      const auto exports = [](const contract::Table& one, const std::string& name) {
        const auto* column = one.find_column(name);
        return column != nullptr && column->exported();
      };
      if (parent == nullptr || named == nullptr || !exports(table, key.columns.front()) ||
          !exports(*named, key.referenced.front())) {
        continue;
      }
      const auto why = looseness_of(key, *child, *parent, {.child = table, .parent = *named});
      if (why != Looseness::none) {
        loose.push_back(
            {.child = &table,
             .text = fmt::format("'{}.{}' refers to '{}.{}'", table.name, key.columns.front(),
                                 key.table, key.referenced.front()),
             .why = why});
      }
    }
  }
  return loose;
}

}  // namespace

std::vector<std::string> loose_references(const contract::Contract& contract,
                                          const Catalog& primary) {
  std::vector<std::string> texts;
  for (const auto& loose : all_loose(contract, primary)) {
    if (loose.why != Looseness::left_out) {
      texts.push_back(fmt::format("{} ({})", loose.text, text_of(loose.why)));
    }
  }
  return texts;
}

std::vector<BeyondWhere> references_beyond_where(const contract::Contract& contract,
                                                 const Catalog& primary) {
  std::vector<BeyondWhere> found;
  for (const auto& loose : all_loose(contract, primary)) {
    if (loose.why == Looseness::left_out) {
      found.push_back({.child = loose.child->name,
                       .text = loose.text,
                       .chosen = loose.child->where.has_value()});
    }
  }
  return found;
}

}  // namespace abgleich::sync
