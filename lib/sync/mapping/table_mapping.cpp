#include "sync/mapping/table_mapping.hpp"

#include "contract/words.hpp"
#include "core/condition_misfit.hpp"
#include "core/error.hpp"
#include "core/shallow_json.hpp"
#include "db/secondary/target.hpp"
#include "drift/retype.hpp"
#include "mask/masker.hpp"
#include "sync/mapping/references.hpp"
#include "sync/mapping/table_matches.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <set>

namespace abgleich::sync {

namespace {

using Json = nlohmann::ordered_json;

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

db::RowFilter filter_of(const contract::Table& table) {
  return {.condition = *table.where, .place = table.where_place.text(), .what = table.choice()};
}

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
  exported.relation.columns.push_back(
      {.source = column.name,
       .name = column.as,
       .type = mask::exported_type(column, source.type),
       .pseudonym = column.cls == contract::Class::pseudonym,
       .nullable = source.nullable || column.owner == contract::Owner::secondary ||
                   column.on_unusable == contract::OnUnusable::null ||
                   column.cls == contract::Class::generalise});
  exported.rules.cells.push_back(
      {.owner = owner_of(column.owner), .group = group_of(table, column.name)});
  exported.columns.push_back(&column);
  exported.sources.push_back(&source);
}

/// Throws Failure{configuration} where `where` does not fit the table.
void expect_askable(const contract::Table& table, const CatalogTable& source,
                    const Catalog& primary) {
  const auto why = table.where ? misfit_of(*table.where, source, &primary) : std::nullopt;
  if (why) {
    db::refuse_filter(filter_of(table), *why);
  }
}

/// Brings the key's columns into the order in which the contract has them.
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

std::optional<MadeWith> made_with(const contract::Column& column, const Type& source) {
  if (column.cls != contract::Class::pseudonym) {
    return std::nullopt;
  }
  const auto recipe = mask::recipe_of(column, source);
  return MadeWith{.identity = std::string(recipe.identity),
                  .normaliser = recipe.normaliser,
                  .format = recipe.format,
                  .form = recipe.form};
}

/// A text that changes whenever a generalisation, or a token that is resolved, makes something else
/// of values. Empty for the other classes: they change nothing, or MadeWith remembers what a
/// pseudonym is made with.
std::string how(const contract::Column& column, const SipKey& map_key) {
  if (column.resolves) {
    return fmt::format("resolves {}.{}", column.resolves->table, column.resolves->column);
  }
  if (column.cls != contract::Class::generalise) {
    return {};
  }
  const auto& to = column.generalisation;
  const auto word = contract::kGeneralisations.at(static_cast<std::size_t>(to.to));
  auto out = Json::array();  // only what leaves: the left side has values of the primary
  auto all = Json::array();
  for (const auto& mapped : to.map) {
    out.push_back(mapped.second);
    all.push_back(mapped.first);
    all.push_back(mapped.second);
  }
  Json text{word,     to.n,    to.reference,  out, to.otherwise.value_or(""),
            to.value, to.zone, to.shift_epoch};
  if (!to.map.empty()) {
    text.push_back(
        fmt::format("{:016x}", digest_cell(map_key, {}, Value(Kind::text, all.dump())).bits));
  }
  return text.dump();
}

/// Marks the `fixed` columns, where a changed value means that the row is another subject's; but
/// not those that the last run did not export or masked in another way: their values change anyway.
void mark_fixed(const contract::Table& table, ExportedTable& exported) {
  const auto& layout = exported.layout;
  for (std::size_t i = 0; i < exported.columns.size(); ++i) {
    if (!layout.known[i] ||
        std::ranges::find(table.fixed, exported.columns[i]->name) == table.fixed.end()) {
      continue;
    }
    const auto& before = layout.previous[*layout.known[i]];
    const auto& now = layout.columns[i];
    exported.rules.cells[i].fixed = before.state == ColumnState::exported &&
                                    before.how == now.how && before.pseudonym == now.pseudonym;
  }
}

/// The exported columns as the bookkeeping is to remember them.
std::vector<Remembered> wanted_columns(const ExportedTable& exported, const Catalog& primary,
                                       const CatalogTable& source, const SipKey& map_key) {
  std::vector<Remembered> wanted;
  wanted.reserve(exported.columns.size());
  for (std::size_t i = 0; i < exported.columns.size(); ++i) {
    const auto& column = exported.relation.columns[i];
    wanted.push_back({.source = column.source,
                      .was = exported.columns[i]->was,
                      .name = column.name,
                      .type = column.type,
                      .read_as = reading_of(exported.sources[i]->type),
                      .nullable = column.nullable,
                      .how = how(*exported.columns[i], map_key),
                      .identity = identity_of(primary.identity, source, *exported.sources[i]),
                      .pseudonym = made_with(*exported.columns[i], exported.sources[i]->type)});
  }
  return wanted;
}

/// Notes what has changed of a column that the bookkeeping knows.
void follow(const Remembered& before, const std::string& renamed_from, db::RelationColumn& column) {
  column.renamed_from = renamed_from;
  if (drift::compare_types(before.type, column.type) == drift::Retype::widened) {
    column.widened_from = before.type;
  }
  column.loosened = !before.nullable && column.nullable;
  column.tightened = before.nullable && !column.nullable;
}

/// If the key has the same columns as before, keeps their old order: the base's columns and all its
/// digests depend on it.
void keep_key_order(const db::TrackedRow& known, ExportedTable& exported) {
  std::vector<std::size_t> key;
  const auto names = parse_shallow<Json>(known.key_columns);
  if (!names.is_array()) {
    damaged_layout(known);
  }
  const auto& layout = exported.layout;
  for (const auto& name : names) {
    for (const auto i : exported.relation.key) {
      if (name.is_string() && layout.known[i] &&
          layout.previous[*layout.known[i]].source == name.get_ref<const std::string&>()) {
        key.push_back(i);
      }
    }
  }
  if (key.size() == exported.relation.key.size()) {
    exported.relation.key = key;
  }
}

/// Fills in the number and the names under which the bookkeeping knows the table, or new ones, and
/// what has become of its columns since the last run.
void remember(const db::TrackedRow* known, const Catalog& primary, const CatalogTable& source,
              const SipKey& map_key, std::int64_t& next, ExportedTable& exported) {
  exported.relation.id = known != nullptr ? known->id : next++;
  if (known != nullptr && known->target != exported.relation.name) {
    exported.relation.renamed_from = known->target;
  }
  exported.layout = next_column_history(
      known != nullptr ? read_column_history(*known) : std::vector<Remembered>{},
      wanted_columns(exported, primary, source, map_key), *exported.table, source);
  const auto& layout = exported.layout;
  const auto identity = identity_of(primary.identity, source);
  if (known != nullptr && known->source != exported.table->name &&
      (identity.empty() || table_of(layout.previous) != identity)) {
    exported.called = known->source;
  }
  for (const auto& column : layout.previous) {
    if (column.state == ColumnState::exported) {
      exported.previous_labels.push_back(column.label);
    }
  }
  if (known != nullptr) {
    keep_key_order(*known, exported);
  }
  for (std::size_t i = 0; i < exported.columns.size(); ++i) {
    exported.labels.push_back(layout.columns[i].label);
    if (layout.known[i]) {
      follow(layout.previous[*layout.known[i]], layout.renamed_from(i),
             exported.relation.columns[i]);
    }
  }
  for (std::size_t i = exported.columns.size(); i < layout.columns.size(); ++i) {
    exported.relation.kept.push_back(
        {.name = layout.columns[i].name, .renamed_from = layout.renamed_from(i)});
  }
  for (const auto& column : layout.erased) {
    exported.relation.kept.push_back({.name = column.name, .renamed_from = {}});
  }
}

}  // namespace

std::vector<db::TrackedRow> known_tables(db::Target& target) {
  return target.books().exist() ? target.books().tracked() : std::vector<db::TrackedRow>{};
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

std::vector<ExportedTable> export_tables(const contract::Contract& contract, const Catalog& primary,
                                         const std::vector<drift::Event>& drift,
                                         const std::vector<db::TrackedRow>& tracked,
                                         const mask::Keyring& keyring) {
  std::int64_t next = 1;
  for (const auto& row : tracked) {
    next = std::max(next, row.id + 1);
  }
  std::set<std::string> by_name;  // made anew, and by their rows the same tables as before
  for (const auto& event : drift) {
    if (event.kind == drift::EventKind::replaced_table && event.verdict == drift::Verdict::adapt) {
      by_name.insert(event.table);
    }
  }
  const TableMatches known(contract, primary, tracked, by_name);
  const auto map_key = keyring.until(1).purpose_key("map");  // a rotation must not change it
  std::vector<ExportedTable> tables;
  for (const auto& table : contract.tables) {
    const auto* source = primary.find_table(table.name);
    if (source == nullptr || drift::is_blocked(drift, contract, table)) {
      continue;
    }
    ExportedTable exported{.table = &table};
    exported.relation.source = table.name;
    exported.relation.name = table.target;
    exported.rules.on_delete = on_delete_of(table.on_delete);
    for (const auto* column : table.exported()) {
      // a dropped column is left out, but its values stay in the secondary; drift has an event
      if (const auto* found = source->find_column(column->name)) {
        add_column(table, *column, *found, exported);
      }
    }
    expect_askable(table, *source, primary);
    order_key(table, exported);
    remember(known.of(table), primary, *source, map_key, next, exported);
    mark_fixed(table, exported);
    for (const auto& label : exported.labels) {
      exported.digest_keys.push_back(
          keyring.digest_key(std::to_string(exported.relation.id), label));
    }
    tables.push_back(std::move(exported));
  }
  add_references(primary, tables);
  return in_order(std::move(tables));
}

std::vector<db::Relation> relations_of(const std::vector<ExportedTable>& tables) {
  std::vector<db::Relation> relations;
  relations.reserve(tables.size());
  std::ranges::transform(tables, std::back_inserter(relations), &ExportedTable::relation);
  return relations;
}

db::Relation relation_of(const db::TrackedRow& row) {
  db::Relation relation{.source = row.source, .name = row.target, .id = row.id};
  for (auto& column : read_column_history(row)) {
    if (column.state == ColumnState::exported) {
      relation.columns.push_back({.source = std::move(column.source),
                                  .name = std::move(column.name),
                                  .type = std::move(column.type)});
    }
  }
  const auto key = parse_shallow<Json>(row.key_columns);
  if (!key.is_array()) {
    damaged_layout(row);
  }
  try {
    for (const auto& name : key) {
      const auto found =
          std::ranges::find(relation.columns, name.get<std::string>(), &db::RelationColumn::source);
      if (found == relation.columns.end()) {
        damaged_layout(row);
      }
      relation.key.push_back(static_cast<std::size_t>(found - relation.columns.begin()));
    }
  } catch (const nlohmann::json::exception&) {
    damaged_layout(row);
  }
  return relation;
}

db::TrackedRow tracked_row(const ExportedTable& exported) {
  Json key = Json::array();
  for (const auto i : exported.relation.key) {
    key.push_back(exported.columns[i]->name);
  }
  return {.id = exported.relation.id,
          .source = exported.table->name,
          .target = exported.relation.name,
          .key_columns = key.dump(),
          .columns = column_history_text(exported.layout.columns)};
}

bool same_order(const db::TrackedRow& one, const db::TrackedRow& other) {
  const auto names = [](const db::TrackedRow& row) {
    std::vector<std::string> all;
    for (auto& column : read_column_history(row)) {
      if (column.state == ColumnState::exported) {
        all.push_back(std::move(column.label));
        all.push_back(std::move(column.name));
      }
    }
    return all;
  };
  return one.target == other.target && one.key_columns == other.key_columns &&
         names(one) == names(other);
}

std::optional<Row> referred_cells(const ExportedTable& exported, const Row& row) {
  if (exported.referred.empty()) {
    return std::nullopt;
  }
  Row referred;
  referred.cells.resize(row.cells.size());
  for (const auto i : exported.referred) {
    referred.cells[i] = row.cells[i];
  }
  return referred;
}

db::RowFilters filters_of(const contract::Contract& contract) {
  db::RowFilters filters;
  for (const auto& table : contract.tables) {
    if (table.where) {
      filters.emplace(table.name, filter_of(table));
    }
  }
  return filters;
}

std::vector<db::Reading> readings_of(const contract::Contract& contract) {
  std::vector<db::Reading> readings;
  for (const auto& table : contract.tables) {
    db::Reading reading{.table = table.name, .columns = {}};
    for (const auto& column : table.columns) {
      if (table.reads(column)) {
        reading.columns.push_back(column.name);
      }
    }
    readings.push_back(std::move(reading));
  }
  return readings;
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

SipKeys digest_keys_of(const db::TrackedRow& row, const mask::Keyring& keyring) {
  SipKeys keys;
  for (const auto& column : read_column_history(row)) {
    if (column.state == ColumnState::exported) {
      keys.push_back(keyring.digest_key(std::to_string(row.id), column.label));
    }
  }
  return keys;
}

void key_bytes_of(const db::Relation& relation, const Row& row, std::string& bytes) {
  bytes.clear();
  for (const auto i : relation.key) {
    append_key_bytes(row.cells[i], bytes);
  }
}

void digest_row(const db::Relation& relation, const SipKeys& keys, const Row& row,
                std::string& key_bytes, std::vector<Digest>& digests) {
  key_bytes_of(relation, row, key_bytes);
  digests.resize(keys.size());
  RowDigester(key_bytes).digest(keys, row.cells, digests);
}

void digest_row(const ExportedTable& exported, const Row& row, std::string& key_bytes,
                std::vector<Digest>& digests) {
  digest_row(exported.relation, exported.digest_keys, row, key_bytes, digests);
}

}  // namespace abgleich::sync
