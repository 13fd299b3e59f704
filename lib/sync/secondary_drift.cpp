#include "sync/secondary_drift.hpp"

#include "contract/toml_text.hpp"
#include "contract/words.hpp"
#include "core/error.hpp"
#include "drift/retype.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace abgleich::sync {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kKind = "column";
constexpr std::string_view kPrefix = "secondary_column_";

/// A column of the secondary as a run has left it.
struct Left {
  std::int64_t at = 0;  // PostgreSQL: its number for ever. SQLite: its place
  std::string type;
  bool nullable = true;
};

struct LeftTable {
  std::int64_t table = 0;          // PostgreSQL: its number for ever
  std::int64_t columns = 0;        // how many there were, people's included
  std::map<std::string, Left> of;  // by label
};

std::optional<LeftTable> read_left(db::Target& target, std::int64_t id) {
  if (!target.books().exist()) {
    return std::nullopt;
  }
  const auto fact = target.books().find_fact(kKind, std::to_string(id));
  if (!fact) {
    return std::nullopt;
  }
  try {
    const auto json = Json::parse(fact->value);
    LeftTable left{.table = json.at("table"), .columns = json.at("columns"), .of = {}};
    for (const auto& [label, column] : json.at("of").items()) {
      left.of[label] = {
          .at = column.at("at"), .type = column.at("type"), .nullable = column.at("nullable")};
    }
    return left;
  } catch (const nlohmann::json::exception&) {
    throw Failure(Code::integrity,
                  "what the bookkeeping says of the secondary's columns is damaged",
                  "restore the secondary from its backup, then run: abgleich adopt --reason TEXT. "
                  "Nothing was changed");
  }
}

std::string text_of(const LeftTable& left) {
  Json json{{"table", left.table}, {"columns", left.columns}, {"of", Json::object()}};
  for (const auto& [label, column] : left.of) {
    json["of"][label] = {{"at", column.at}, {"type", column.type}, {"nullable", column.nullable}};
  }
  return json.dump();
}

bool of_run(const std::vector<Remembered>& columns, const std::string& name) {
  return std::ranges::find(columns, name, &Remembered::name) != columns.end();
}

/// One table's columns, one after the other.
class Look {
 public:
  Look(db::Target& target, ExportedTable& exported, const CatalogTable& held,
       const std::set<std::string>& refill, std::vector<drift::Event>& events)
      : engine_(target.dialect().engine()),
        dialect_(target.dialect()),
        exported_(exported),
        held_(held),
        refill_(refill),
        left_(read_left(target, exported.relation.id)),
        events_(events) {}

  void run() {
    const auto& layout = exported_.layout;
    for (std::size_t i = 0; i < exported_.columns.size(); ++i) {
      if (layout.known[i] && layout.previous[*layout.known[i]].state == ColumnState::exported) {
        look_at(i, layout.previous[*layout.known[i]]);
      }
    }
  }

 private:
  void look_at(std::size_t i, const Remembered& before) {
    auto& column = exported_.relation.columns[i];
    const auto* found = held_.find_column(before.name);
    if (found == nullptr) {
      found = held_.find_column(column.name);
    }
    const auto* left = left_of(before.label);
    if (refill_.contains(name(i))) {
      refill(i, found, left);
      return;
    }
    if (found == nullptr) {
      missing(i, before, left);
      return;
    }
    if (left == nullptr) {
      return;
    }
    if (found->type.native != left->type && !holds_more(*found, *left, before)) {
      add(i, "retyped", left->type, found->type.native, drift::Verdict::block,
          exported_.relation.is_key(i)
              ? fmt::format("give it its type again; or, to go on with it as it is, run: {}",
                            kAdopt)
              : fmt::format("{}; or, to leave it to people, run: {}; or, to go on with it as it "
                            "is, run: {}",
                            refill_hint(i), withhold_command(i), kAdopt));
    }
    if (left->nullable && !found->nullable && column.nullable && !exported_.relation.is_key(i)) {
      add(i, "not_null", "null", "not null", drift::Verdict::info,
          engine_ == Engine::sqlite
              ? fmt::format("rows without a value wait as conflicts; to go on so, run: {}", kAdopt)
              : fmt::format("rows without a value wait as conflicts; to go on so, run: {}; to "
                            "take it off again, run: {}",
                            kAdopt, refill_command(i)));
    }
  }

  void missing(std::size_t i, const Remembered& before, const Left* left) {
    const bool key = exported_.relation.is_key(i);
    const auto now = left == nullptr ? std::string() : new_name(*left);
    const auto anew =
        key ? std::string(
                  "no row can be told from another without it: put it back, "
                  "or drop the table and run: abgleich adopt --reason TEXT")
            : fmt::format("{}; or, to leave it out, run: {}", refill_hint(i), withhold_command(i));
    if (now.empty()) {
      add(i, "dropped", before.name, {}, drift::Verdict::block, anew);
      return;
    }
    const auto follow = fmt::format("to follow it, run: abgleich contract set {} --as {}",
                                    contract::in_shell(name(i)), contract::in_shell(now));
    add(i, "renamed", before.name, now, drift::Verdict::block,
        key ? follow : fmt::format("{}; or, {}", follow, anew));
  }

  void refill(std::size_t i, const CatalogColumn* found, const Left* left) {
    auto& column = exported_.relation.columns[i];
    if (exported_.relation.is_key(i)) {
      throw Failure(
          Code::usage,
          fmt::format("'{}' is of the key, and nothing can be filled in without it", name(i)),
          "put the column back in the secondary. Nothing was changed");
    }
    exported_.refilled.insert(i);
    exported_.rules.reassert = true;
    exported_.rules.cells[i].owner = merge::Owner::primary;
    if (found == nullptr) {
      return;
    }
    column.loosened = column.loosened || (column.nullable && !found->nullable);
    const auto was = left == nullptr ? dialect_.column_type(column.type) : left->type;
    if (found->type.native != was) {
      // theirs stays beside it, with all that hangs on it
      exported_.relation.kept.push_back(
          {.name = unused_name(found->name), .renamed_from = found->name});
    }
  }

  [[nodiscard]] std::string unused_name(const std::string& name) const {
    auto aside = name + "_people";
    while (held_.find_column(aside) != nullptr || of_run(exported_.layout.columns, aside)) {
      aside += "_";
    }
    return aside;
  }

  [[nodiscard]] const Left* left_of(const std::string& label) const {
    if (!left_) {
      return nullptr;
    }
    const auto found = left_->of.find(label);
    return found == left_->of.end() ? nullptr : &found->second;
  }

  /// What the column is called now, if that can be known. In SQLite a column keeps its place when
  /// it is renamed, and gives it up when it is dropped.
  [[nodiscard]] std::string new_name(const Left& left) const {
    if (engine_ == Engine::sqlite && std::ssize(held_.columns) < left_->columns) {
      return {};
    }
    for (const auto& column : held_.columns) {
      if (column.identity == left.at && column.type.native == left.type &&
          !of_run(exported_.layout.previous, column.name) &&
          !of_run(exported_.layout.columns, column.name)) {
        return column.name;
      }
    }
    return {};
  }

  /// People may let their columns hold more; and a run that follows the primary does so, too.
  [[nodiscard]] bool holds_more(const CatalogColumn& found, const Left& left,
                                const Remembered& before) const {
    auto made = before.type;
    made.engine = engine_;
    made.native = left.type;
    const bool as_made = dialect_.column_type(before.type) == left.type;
    return as_made && drift::compare_types(made, found.type) != drift::Retype::changed;
  }

  [[nodiscard]] std::string name(std::size_t i) const {
    return exported_.table->name + "." + exported_.columns[i]->name;
  }
  [[nodiscard]] std::string refill_command(std::size_t i) const {
    return fmt::format("abgleich sync --refill {}", contract::in_shell(name(i)));
  }
  [[nodiscard]] std::string refill_hint(std::size_t i) const {
    return fmt::format("to have it made anew and filled from the primary, run: {}",
                       refill_command(i));
  }
  [[nodiscard]] std::string withhold_command(std::size_t i) const {
    return fmt::format("abgleich contract set {} --class withhold", contract::in_shell(name(i)));
  }

  void add(std::size_t i, std::string_view what, std::string was, std::string now,
           drift::Verdict verdict, std::string hint) {
    events_.push_back({.kind = fmt::format("{}{}", kPrefix, what),
                       .table = exported_.table->name,
                       .column = exported_.columns[i]->name,
                       .was = std::move(was),
                       .now = std::move(now),
                       .verdict = verdict,
                       .hint = std::move(hint)});
  }

  static constexpr std::string_view kAdopt = "abgleich adopt --reason TEXT";

  Engine engine_;
  const db::Dialect& dialect_;
  ExportedTable& exported_;
  const CatalogTable& held_;
  const std::set<std::string>& refill_;
  std::optional<LeftTable> left_;
  std::vector<drift::Event>& events_;
};

/// The table as the secondary has it, under the name that the last run left it or its new one.
const CatalogTable* holder(const Catalog& secondary, const ExportedTable& exported) {
  const auto& relation = exported.relation;
  const auto* found =
      relation.renamed_from.empty() ? nullptr : secondary.find_table(relation.renamed_from);
  return found == nullptr ? secondary.find_table(relation.name) : found;
}

LeftTable left_after(const ExportedTable& exported, const CatalogTable& held,
                     const std::optional<LeftTable>& before) {
  LeftTable left{.table = held.identity, .columns = std::ssize(held.columns), .of = {}};
  for (std::size_t i = 0; i < exported.labels.size(); ++i) {
    const auto& column = exported.relation.columns[i];
    const auto* found = held.find_column(column.name);
    if (found == nullptr) {
      continue;
    }
    auto& one = left.of[exported.labels[i]];
    one = {.at = found->identity, .type = found->type.native, .nullable = found->nullable};
    const auto known = before ? before->of.find(exported.labels[i])
                              : std::map<std::string, Left>::const_iterator{};
    if (!before || known == before->of.end() || exported.refilled.contains(i)) {
      continue;
    }
    one.type = column.widened_from ? one.type : known->second.type;
    one.nullable = column.loosened || column.tightened ? one.nullable : known->second.nullable;
  }
  return left;
}

}  // namespace

std::string renamed_table(db::Target& target, const ExportedTable& exported) {
  const auto left = read_left(target, exported.relation.id);
  if (!left) {
    return {};
  }
  const auto tracked = target.books().tracked();
  const auto& layout = exported.layout.previous;
  for (const auto& table : target.catalog().tables) {
    const bool same =
        target.dialect().engine() == Engine::postgresql
            ? table.identity == left->table
            : std::ssize(table.columns) == left->columns &&
                  std::ranges::all_of(left->of, [&](const auto& entry) {
                    const auto was = std::ranges::find(layout, entry.first, &Remembered::label);
                    const auto* now = was == layout.end() ? nullptr : table.find_column(was->name);
                    return now != nullptr && now->identity == entry.second.at &&
                           now->type.native == entry.second.type;
                  });
    if (same && std::ranges::find(tracked, table.name, &db::TrackedRow::target) == tracked.end()) {
      return table.name;
    }
  }
  return {};
}

std::string secondary_text(const drift::Event& event) {
  const auto name = fmt::format("'{}.{}'", event.table, event.column);
  if (event.kind.ends_with("dropped")) {
    return name + " was dropped";
  }
  if (event.kind.ends_with("renamed")) {
    return fmt::format("{} was renamed to '{}'", name, event.now);
  }
  return event.kind.ends_with("retyped")
             ? fmt::format("{} was made {}, it was {}", name, event.now, event.was)
             : name + " was made not null";
}

bool of_the_secondary(const drift::Event& event) {
  return event.kind.starts_with(kPrefix);
}

std::vector<drift::Event> find_secondary_drift(const Pairing& pairing, db::Target& target,
                                               const std::set<std::string>& refill,
                                               std::vector<ExportedTable>& tables) {
  target.load_catalog();
  std::vector<drift::Event> events;
  std::set<std::string> asked = refill;
  for (auto& exported : tables) {
    for (const auto* column : exported.columns) {
      asked.erase(exported.table->name + "." + column->name);
    }
    const auto* held = holder(target.catalog(), exported);
    if (held != nullptr && !exported.previous_labels.empty()) {
      Look(target, exported, *held, refill, events).run();
    }
  }
  if (!asked.empty()) {
    throw Failure(
        Code::usage, fmt::format("'{}' is no column that this run exports", *asked.begin()),
        "write TABLE.COLUMN as in " + pairing.contract.file.string() + ". Nothing was changed");
  }
  std::erase_if(tables, [&](const ExportedTable& exported) {
    return drift::blocks(events, exported.table->name);
  });
  return events;
}

void remember_columns(db::Target& target, const std::vector<ExportedTable>& tables,
                      std::int64_t epoch) {
  for (const auto& exported : tables) {
    const auto* held = target.catalog().find_table(exported.relation.name);
    if (held == nullptr) {
      continue;
    }
    const auto before = read_left(target, exported.relation.id);
    const auto text = text_of(left_after(exported, *held, before));
    if (!before || text != text_of(*before)) {
      target.books().put_fact({.kind = std::string(kKind),
                               .name = std::to_string(exported.relation.id),
                               .value = text,
                               .epoch = epoch});
    }
  }
}

void accept_columns(db::Target& target, std::int64_t epoch) {
  for (const auto& row : target.books().tracked()) {
    auto left = read_left(target, row.id);
    const auto* held = target.catalog().find_table(row.target);
    if (!left || held == nullptr) {
      continue;
    }
    const auto before = text_of(*left);
    for (const auto& column : read_layout(row)) {
      const auto known = left->of.find(column.label);
      const auto* found = held->find_column(column.name);
      if (known != left->of.end() && found != nullptr) {
        known->second.type = found->type.native;
        known->second.nullable = found->nullable;
      }
    }
    if (const auto text = text_of(*left); text != before) {
      target.books().put_fact({.kind = std::string(kKind),
                               .name = std::to_string(row.id),
                               .value = text,
                               .epoch = epoch});
    }
  }
}

}  // namespace abgleich::sync
