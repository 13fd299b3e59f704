#include "sync/exported.hpp"

#include "core/error.hpp"
#include "mask/masker.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <functional>
#include <map>

namespace abgleich::sync {

namespace {

using Json = nlohmann::ordered_json;

/// One column as the bookkeeping remembers it: the label that its digests are bound to (its first
/// name in the primary) and its name in the secondary.
struct Layout {
  std::string label;
  std::string source;
  std::string name;
};

[[noreturn]] void damaged(const db::TrackedRow& row) {
  throw Failure(
      Code::integrity,
      fmt::format("the bookkeeping of table '{}' in the secondary is damaged", row.source),
      "restore the secondary from its backup, then run: abgleich adopt --reason TEXT. Nothing was "
      "changed");
}

std::vector<Layout> read_layout(const db::TrackedRow& row) {
  std::vector<Layout> layout;
  const auto json = Json::parse(row.columns, nullptr, false);
  try {
    for (const auto& column : json) {
      layout.push_back(
          {.label = column.at("label"), .source = column.at("source"), .name = column.at("name")});
    }
  } catch (const nlohmann::json::exception&) {
    damaged(row);
  }
  return layout;
}

const Layout* find_layout(const std::vector<Layout>& layout, const contract::Column& column) {
  const auto by_name = std::ranges::find(layout, column.name, &Layout::source);
  if (by_name != layout.end()) {
    return &*by_name;
  }
  const auto by_was = std::ranges::find(layout, column.was, &Layout::source);
  return column.was.empty() || by_was == layout.end() ? nullptr : &*by_was;
}

const db::TrackedRow* find_tracked(const std::vector<db::TrackedRow>& tracked,
                                   const contract::Table& table) {
  for (const auto& name : {table.name, table.was}) {
    const auto found = std::ranges::find(tracked, name, &db::TrackedRow::source);
    if (!name.empty() && found != tracked.end()) {
      return &*found;
    }
  }
  return nullptr;
}

merge::Owner owner_of(contract::Owner owner) {
  return static_cast<merge::Owner>(owner);
}
merge::OnDelete on_delete_of(contract::OnDelete action) {
  return static_cast<merge::OnDelete>(action);
}
static_assert(static_cast<int>(merge::Owner::secondary) ==
              static_cast<int>(contract::Owner::secondary));
static_assert(static_cast<int>(merge::OnDelete::erase) ==
              static_cast<int>(contract::OnDelete::erase));

int group_of(const contract::Table& table, const std::string& column) {
  for (std::size_t i = 0; i < table.together.size(); ++i) {
    if (std::ranges::find(table.together[i], column) != table.together[i].end()) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

void add_column(const contract::Table& table, const contract::Column& column,
                const CatalogColumn& source, ExportedTable& exported) {
  if (const auto why = mask::misfit(column, source.type)) {
    throw Failure(Code::configuration, fmt::format("{}: {}", column.place.text(), *why),
                  "correct the column's class in the contract; nothing was changed");
  }
  const auto at = exported.columns.size();
  if (std::ranges::find(table.key, column.name) != table.key.end()) {
    exported.relation.key.push_back(at);
  }
  exported.relation.columns.push_back({.source = column.name,
                                       .name = column.as,
                                       .type = mask::exported_type(column, source.type),
                                       .nullable = source.nullable ||
                                                   column.owner == contract::Owner::secondary ||
                                                   column.cls == contract::Class::generalise});
  exported.rules.cells.push_back(
      {.owner = owner_of(column.owner), .group = group_of(table, column.name)});
  exported.columns.push_back(&column);
  exported.sources.push_back(&source);
}

/// The key in the order in which the contract writes it.
void order_key(const contract::Table& table, ExportedTable& exported) {
  std::vector<std::size_t> key;
  for (const auto& name : table.key) {
    for (std::size_t i = 0; i < exported.columns.size(); ++i) {
      if (exported.columns[i]->name == name) {
        key.push_back(i);
      }
    }
  }
  exported.relation.key = key;
}

/// A key of the same columns keeps the order in which the base was made: its columns and all its
/// digests depend on it.
void keep_key_order(const db::TrackedRow& known, const std::vector<Layout>& layout,
                    ExportedTable& exported) {
  std::vector<std::size_t> key;
  const auto names = Json::parse(known.key_columns, nullptr, false);
  if (!names.is_array()) {
    damaged(known);
  }
  for (const auto& name : names) {
    for (const auto i : exported.relation.key) {
      const auto* remembered = find_layout(layout, *exported.columns[i]);
      if (name.is_string() && remembered != nullptr &&
          remembered->source == name.get_ref<const std::string&>()) {
        key.push_back(i);
      }
    }
  }
  if (key.size() == exported.relation.key.size()) {
    exported.relation.key = key;
  }
}

/// Names and number under which the secondary knows the table, or new ones.
void number(const std::vector<db::TrackedRow>& tracked, std::int64_t& next,
            ExportedTable& exported) {
  const auto* known = find_tracked(tracked, *exported.table);
  exported.relation.id = known != nullptr ? known->id : next++;
  const auto layout = known != nullptr ? read_layout(*known) : std::vector<Layout>{};
  for (const auto& column : layout) {
    exported.previous_labels.push_back(column.label);
  }
  if (known != nullptr) {
    keep_key_order(*known, layout, exported);
  }
  for (std::size_t i = 0; i < exported.columns.size(); ++i) {
    const auto* remembered = find_layout(layout, *exported.columns[i]);
    exported.labels.push_back(remembered != nullptr ? remembered->label
                                                    : exported.columns[i]->name);
    if (remembered != nullptr && remembered->name != exported.relation.columns[i].name) {
      exported.relation.columns[i].renamed_from = remembered->name;
    }
  }
}

/// Foreign keys of the primary that hold in the secondary too: both tables are exported, and so are
/// all columns, with the same class and identity on both ends.
void add_foreign_keys(const std::vector<ExportedTable>& all, const CatalogTable& source,
                      ExportedTable& exported) {
  for (const auto& key : source.foreign_keys) {
    const auto parent = std::ranges::find_if(
        all, [&](const ExportedTable& other) { return other.table->name == key.table; });
    if (parent == all.end() || key.referenced.size() != parent->table->key.size()) {
      continue;
    }
    db::RelationForeignKey foreign{.table = parent->relation.name};
    bool holds = true;
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
      const auto child_column =
          std::ranges::find(exported.columns, key.columns[i], &contract::Column::name);
      const auto parent_column =
          std::ranges::find(parent->columns, key.referenced[i], &contract::Column::name);
      holds = holds && child_column != exported.columns.end() &&
              parent_column != parent->columns.end() &&
              std::ranges::find(parent->table->key, key.referenced[i]) != parent->table->key.end();
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
      foreign.columns.push_back(child_at);
      foreign.referenced.push_back(parent->relation.columns[parent_at].name);
    }
    if (holds) {
      exported.relation.foreign_keys.push_back(std::move(foreign));
    }
  }
}

/// Parents before children; a cycle is broken where it is met.
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
  for (const auto i : order) {
    sorted.push_back(std::move(tables[i]));
  }
  return sorted;
}

}  // namespace

std::vector<ExportedTable> export_tables(const contract::Contract& contract, const Catalog& primary,
                                         const std::vector<drift::Event>& drift,
                                         const std::vector<db::TrackedRow>& tracked,
                                         const mask::Keyring& keyring) {
  std::int64_t next = 1;
  for (const auto& row : tracked) {
    next = std::max(next, row.id + 1);
  }
  std::vector<ExportedTable> tables;
  for (const auto& table : contract.tables) {
    const auto* source = primary.find_table(table.name);
    if (source == nullptr || drift::blocks(drift, table.name)) {
      continue;
    }
    ExportedTable exported{.table = &table};
    exported.relation.source = table.name;
    exported.relation.name = table.target;
    exported.rules.on_delete = on_delete_of(table.on_delete);
    for (const auto* column : table.exported()) {
      // a dropped column keeps its values in the secondary; `drift` has said so
      if (const auto* found = source->find_column(column->name)) {
        add_column(table, *column, *found, exported);
      }
    }
    order_key(table, exported);
    number(tracked, next, exported);
    for (const auto& label : exported.labels) {
      exported.digest_keys.push_back(
          keyring.digest_key(std::to_string(exported.relation.id), label));
    }
    tables.push_back(std::move(exported));
  }
  for (auto& exported : tables) {
    add_foreign_keys(tables, *primary.find_table(exported.table->name), exported);
  }
  return in_order(std::move(tables));
}

db::Relation relation_of(const db::TrackedRow& row) {
  db::Relation relation{.source = row.source, .name = row.target, .id = row.id};
  const auto columns = Json::parse(row.columns, nullptr, false);
  const auto key = Json::parse(row.key_columns, nullptr, false);
  try {
    for (const auto& column : columns) {
      Type type;
      type.family = family_from(column.at("family").get<std::string>()).value_or(Family::other);
      type.engine = column.at("engine") == "sqlite" ? Engine::sqlite : Engine::postgresql;
      type.native = column.at("native");
      relation.columns.push_back(
          {.source = column.at("source"), .name = column.at("name"), .type = std::move(type)});
    }
    for (const auto& name : key) {
      const auto found =
          std::ranges::find(relation.columns, name.get<std::string>(), &db::RelationColumn::source);
      if (found == relation.columns.end()) {
        damaged(row);
      }
      relation.key.push_back(static_cast<std::size_t>(found - relation.columns.begin()));
    }
  } catch (const nlohmann::json::exception&) {
    damaged(row);
  }
  return relation;
}

db::TrackedRow tracked_row(const ExportedTable& exported) {
  Json columns = Json::array();
  for (std::size_t i = 0; i < exported.columns.size(); ++i) {
    const auto& column = exported.relation.columns[i];
    columns.push_back({{"label", exported.labels[i]},
                       {"source", column.source},
                       {"name", column.name},
                       {"family", name_of(column.type.family)},
                       {"engine", name_of(column.type.engine)},
                       {"native", column.type.native}});
  }
  Json key = Json::array();
  for (const auto i : exported.relation.key) {
    key.push_back(exported.columns[i]->name);
  }
  return {.id = exported.relation.id,
          .source = exported.table->name,
          .target = exported.relation.name,
          .key_columns = key.dump(),
          .columns = columns.dump()};
}

void damaged_base(const std::string& table) {
  throw Failure(Code::integrity, fmt::format("the base of '{}' in the secondary is damaged", table),
                "see what is damaged: abgleich verify; then repair it: abgleich verify "
                "--repair-base --reason TEXT. Nothing was changed");
}

std::vector<Digest> base_digests(const db::Relation& relation, std::string_view packed) {
  if (packed.size() != relation.columns.size() * sizeof(Digest::bits)) {
    damaged_base(relation.source);
  }
  return unpack_digests(packed);
}

std::vector<SipKey> digest_keys_of(const db::TrackedRow& row, const mask::Keyring& keyring) {
  std::vector<SipKey> keys;
  for (const auto& column : read_layout(row)) {
    keys.push_back(keyring.digest_key(std::to_string(row.id), column.label));
  }
  return keys;
}

void digest_row(const db::Relation& relation, const std::vector<SipKey>& keys, const Row& row,
                std::string& key_bytes, std::string& scratch, std::vector<Digest>& digests) {
  key_bytes.clear();
  for (const auto i : relation.key) {
    append_key_bytes(row.cells[i], key_bytes);
  }
  digests.resize(keys.size());
  for (std::size_t i = 0; i < digests.size(); ++i) {
    digests[i] = digest_cell(keys[i], key_bytes, row.cells[i], scratch);
  }
}

void digest_row(const ExportedTable& exported, const Row& row, std::string& key_bytes,
                std::string& scratch, std::vector<Digest>& digests) {
  digest_row(exported.relation, exported.digest_keys, row, key_bytes, scratch, digests);
}

}  // namespace abgleich::sync
