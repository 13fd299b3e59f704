#include "sync/mapping/constraints.hpp"

#include "core/error.hpp"
#include "db/secondary/secondary_constraints.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

namespace abgleich::sync {

namespace {

using Json = nlohmann::ordered_json;
using Labels = std::vector<std::string>;

constexpr std::string_view kConstraintFact = "constraint";

/// Who made a foreign key of the secondary.
enum class Maker : std::uint8_t { program, people, nobody_yet };
constexpr std::array<std::string_view, 3> kMakers{"program", "people", "nobody yet"};

/// A foreign key of the primary, in terms that no rename changes.
struct Key {
  Labels columns;
  std::int64_t parent = 0;  // the tracked table's number
  Labels referenced;

  bool operator==(const Key&) const = default;
};

struct Known {
  Key key;
  Maker maker = Maker::people;
  std::string name;  // of the constraint in the secondary, where constraints have one
};

std::string fact_name(const ExportedTable& exported) {
  return std::to_string(exported.relation.id);
}

std::vector<Known> read_known(const db::FactRow& fact) {
  std::vector<Known> known;
  try {
    for (const auto& json : Json::parse(fact.value)) {
      const auto maker = std::ranges::find(kMakers, json.at("maker").get<std::string>());
      if (maker == kMakers.end()) {
        continue;
      }
      known.push_back({.key = {.columns = json.at("columns"),
                               .parent = json.at("parent"),
                               .referenced = json.at("referenced")},
                       .maker = static_cast<Maker>(maker - kMakers.begin()),
                       .name = json.at("name")});
    }
  } catch (const nlohmann::json::exception&) {
    throw Failure(Code::integrity, "what the bookkeeping says of the foreign keys is damaged",
                  "restore the secondary from its backup, then run: abgleich adopt --reason TEXT. "
                  "Nothing was changed");
  }
  return known;
}

std::string text_of(const std::vector<Known>& known) {
  Json json = Json::array();
  for (const auto& one : known) {
    json.push_back({{"columns", one.key.columns},
                    {"parent", one.key.parent},
                    {"referenced", one.key.referenced},
                    {"maker", kMakers.at(static_cast<std::size_t>(one.maker))},
                    {"name", one.name}});
  }
  return json.dump();
}

const ExportedTable* table_of_id(const std::vector<ExportedTable>& tables, std::int64_t id) {
  const auto found = std::ranges::find_if(
      tables, [&](const ExportedTable& exported) { return exported.relation.id == id; });
  return found == tables.end() ? nullptr : &*found;
}

/// Empty where this run does not process the table that is referred to.
std::optional<Key> key_of(const std::vector<ExportedTable>& tables, const ExportedTable& exported,
                          const db::RelationForeignKey& foreign) {
  const auto parent = std::ranges::find_if(
      tables, [&](const ExportedTable& other) { return other.relation.name == foreign.table; });
  if (parent == tables.end()) {
    return std::nullopt;
  }
  Key key{.parent = parent->relation.id};
  for (const auto i : foreign.columns) {
    key.columns.push_back(exported.labels[i]);
  }
  for (const auto& name : foreign.referenced) {
    for (std::size_t i = 0; i < parent->labels.size(); ++i) {
      if (parent->relation.columns[i].name == name) {
        key.referenced.push_back(parent->labels[i]);
      }
    }
  }
  return key;
}

enum class When : std::uint8_t { before, after };  // the DDL of this run

/// What the columns of a table are called in the secondary; empty where one is not known.
std::optional<Labels> names_of(const std::vector<Remembered>& columns, const Labels& labels) {
  Labels names;
  for (const auto& label : labels) {
    const auto found = std::ranges::find(columns, label, &Remembered::label);
    if (found == columns.end()) {
      return std::nullopt;
    }
    names.push_back(found->name);
  }
  return names;
}

/// The secondary's foreign keys, as one run finds them.
class Keys {
 public:
  Keys(db::Target& target, const std::vector<ExportedTable>& tables, When when)
      : target_(target),
        tables_(tables),
        when_(when),
        books_(target.books().exist()),
        tracked_(books_ ? target.books().tracked() : std::vector<db::TrackedRow>{}) {}

  [[nodiscard]] const db::TrackedRow* tracked(std::int64_t id) const {
    const auto found = std::ranges::find(tracked_, id, &db::TrackedRow::id);
    return found == tracked_.end() ? nullptr : &*found;
  }

  /// Empty where no run has noted any.
  [[nodiscard]] std::optional<std::vector<Known>> known(const ExportedTable& exported) const {
    const auto fact =
        books_ ? target_.books().find_fact(kConstraintFact, fact_name(exported)) : std::nullopt;
    return fact ? std::optional(read_known(*fact)) : std::nullopt;
  }

  [[nodiscard]] std::vector<std::pair<std::size_t, Key>> wanted(
      const ExportedTable& exported) const {
    std::vector<std::pair<std::size_t, Key>> keys;
    for (std::size_t i = 0; i < exported.relation.foreign_keys.size(); ++i) {
      const auto& foreign = exported.relation.foreign_keys[i];
      auto key = foreign.promised ? key_of(tables_, exported, foreign) : std::nullopt;
      if (key) {
        keys.emplace_back(i, std::move(*key));
      }
    }
    return keys;
  }

  /// The exported table as the secondary has it; null where it does not.
  [[nodiscard]] const CatalogTable* holder(const ExportedTable& exported) const {
    return target_.catalog().find_table(name_of(exported.relation.id));
  }

  /// The foreign key in the secondary; null where it is not there.
  [[nodiscard]] const CatalogForeignKey* find(const ExportedTable& exported, const Key& key,
                                              const std::string& name) const {
    const auto* table = holder(exported);
    const auto columns = names_of(columns_of(exported.relation.id), key.columns);
    const auto referenced = names_of(columns_of(key.parent), key.referenced);
    if (table == nullptr) {
      return nullptr;
    }
    const auto parent = name_of(key.parent);
    const auto found =
        std::ranges::find_if(table->foreign_keys, [&](const CatalogForeignKey& there) {
          return name.empty() ? columns && referenced && there.columns == *columns &&
                                    there.table == parent && there.referenced == *referenced
                              : there.name == name && there.deferrable;
        });
    return found == table->foreign_keys.end() ? nullptr : &*found;
  }

 private:
  /// A table's name in the secondary; empty where neither bookkeeping nor run knows the table.
  [[nodiscard]] std::string name_of(std::int64_t id) const {
    const auto* exported = table_of_id(tables_, id);
    const auto* row = tracked(id);
    if (exported == nullptr || (when_ == When::before && row != nullptr &&
                                target_.catalog().find_table(row->target) != nullptr)) {
      return row == nullptr ? std::string() : row->target;
    }
    return exported->relation.name;
  }

  [[nodiscard]] std::vector<Remembered> columns_of(std::int64_t id) const {
    if (const auto* exported = table_of_id(tables_, id)) {
      return when_ == When::before && !exported->layout.previous.empty() ? exported->layout.previous
                                                                         : exported->layout.columns;
    }
    const auto* row = tracked(id);
    return row == nullptr ? std::vector<Remembered>{} : read_column_history(*row);
  }

  db::Target& target_;
  const std::vector<ExportedTable>& tables_;
  When when_;
  bool books_;
  std::vector<db::TrackedRow> tracked_;
};

/// Whether the contract has the table although this run does not process it: it is blocked, or was
/// not asked for.
bool stands_aside(const Pairing& pairing, const std::vector<ExportedTable>& tables,
                  const db::TrackedRow* parent, std::int64_t id) {
  return table_of_id(tables, id) == nullptr && parent != nullptr &&
         std::ranges::any_of(pairing.contract.tables, [&](const contract::Table& table) {
           return table.name == parent->source || table.was == parent->source;
         });
}

bool has(const std::vector<std::pair<std::size_t, Key>>& wanted, const Key& key) {
  return std::ranges::any_of(wanted, [&](const auto& one) { return one.second == key; });
}

const Known* find_known(const std::vector<Known>& known, const Key& key) {
  const auto found = std::ranges::find(known, key, &Known::key);
  return found == known.end() ? nullptr : &*found;
}

}  // namespace

void follow_constraints(const Pairing& pairing, db::Target& target,
                        std::vector<ExportedTable>& tables) {
  const Keys keys(target, tables, When::before);
  for (auto& exported : tables) {
    auto& relation = exported.relation;
    exported.made_here = keys.holder(exported) == nullptr;
    const auto known = keys.known(exported);
    if (exported.made_here || !known) {
      continue;
    }
    const auto wanted = keys.wanted(exported);
    for (const auto& one : *known) {
      if (one.maker != Maker::program || has(wanted, one.key) ||
          stands_aside(pairing, tables, keys.tracked(one.key.parent), one.key.parent)) {
        continue;
      }
      if (const auto* there = keys.find(exported, one.key, one.name)) {
        relation.lost_keys.push_back(*there);
      }
    }
    for (const auto& [i, key] : wanted) {
      const auto* before = find_known(*known, key);
      if ((before == nullptr || before->maker == Maker::nobody_yet) &&
          keys.find(exported, key, {}) == nullptr) {
        relation.new_keys.push_back(i);
      }
    }
  }
}

void remember_constraints(const Pairing& pairing, db::Target& target,
                          const std::vector<LocatedTable>& located, std::int64_t epoch) {
  const std::vector<ExportedTable> tables(located.begin(), located.end());
  const Keys keys(target, tables, When::after);
  const db::SecondaryConstraints made_here(target);
  for (const auto& exported : tables) {
    const auto before = keys.known(exported);
    const auto wanted = keys.wanted(exported);
    const auto& asked = exported.relation.new_keys;
    std::vector<Known> now;
    for (const auto& [i, key] : wanted) {
      const auto* known = before ? find_known(*before, key) : nullptr;
      const auto* there = keys.find(exported, key, {});
      if (known != nullptr && (known->maker != Maker::nobody_yet || there == nullptr)) {
        now.push_back(*known);
        continue;
      }
      const bool added = exported.made_here || std::ranges::find(asked, i) != asked.end();
      // the key may be ours though this run did not add it: the owner has run the DDL that was
      // printed, or an older version of this program, which recorded nothing, has added it
      const bool told =
          !pairing.config.secondary.manage_schema || (!before && !exported.previous_labels.empty());
      const bool ours = there != nullptr &&
                        (added || (told && made_here.is_ours(exported.relation.name, *there)));
      now.push_back({.key = key,
                     .maker = ours                        ? Maker::program
                              : added && there == nullptr ? Maker::nobody_yet
                                                          : Maker::people,
                     .name = there == nullptr ? std::string() : there->name});
    }
    for (const auto& known : before.value_or(std::vector<Known>{})) {
      if (!has(wanted, known.key) &&
          stands_aside(pairing, tables, keys.tracked(known.key.parent), known.key.parent)) {
        now.push_back(known);
      }
    }
    const auto text = text_of(now);
    if (!before || text != text_of(*before)) {
      target.books().put_fact({.kind = std::string(kConstraintFact),
                               .name = fact_name(exported),
                               .value = text,
                               .epoch = epoch});
    }
  }
}

}  // namespace abgleich::sync
