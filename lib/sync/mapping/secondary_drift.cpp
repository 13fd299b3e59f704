#include "sync/mapping/secondary_drift.hpp"

#include "contract/words.hpp"
#include "core/error.hpp"
#include "sync/mapping/left_columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace abgleich::sync {

namespace {

bool of_run(const std::vector<Remembered>& columns, const std::string& name) {
  return std::ranges::find(columns, name, &Remembered::name) != columns.end();
}

/// Compares the columns of one table with those that the last run left.
class Look {
 public:
  Look(db::Target& target, ExportedTable& exported, const CatalogTable& there,
       const std::set<std::string>& refill, std::vector<drift::Event>& events)
      : engine_(target.dialect().traits()),
        dialect_(target.dialect()),
        exported_(exported),
        there_(there),
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
    const auto* found = there_.find_column(before.name);
    if (found == nullptr) {
      found = there_.find_column(column.name);
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
    column.tightened = column.tightened || (left->tightening && !column.nullable);
    if (found->type.native != left->type && !holds_more(dialect_, *found, *left, before)) {
      add(i, drift::EventKind::secondary_column_retyped, left->type, found->type.native,
          drift::Verdict::block,
          exported_.relation.is_key(i)
              ? fmt::format("give it back its type; or, to go on with it as it is, run: {}", kAdopt)
              : fmt::format("{}; or, to leave it to people, run: {}; or, to go on with it as it "
                            "is, run: {}",
                            refill_hint(i), withhold_command(i), kAdopt));
    }
    if (left->nullable && !found->nullable && column.nullable && !exported_.relation.is_key(i)) {
      add(i, drift::EventKind::secondary_column_not_null, "null", "not null", drift::Verdict::info,
          engine_.alters_columns
              ? fmt::format("rows without a value wait as conflicts; to go on so, run: {}; to "
                            "take it off again, run: {}",
                            kAdopt, refill_command(i))
              : fmt::format("rows without a value wait as conflicts; to go on so, run: {}",
                            kAdopt));
    }
  }

  void missing(std::size_t i, const Remembered& before, const LeftColumn* left) {
    const bool key = exported_.relation.is_key(i);
    const auto now = left == nullptr ? std::string() : new_name(*left);
    const auto anew =
        key ? std::string(
                  "no row can be told from another without it: put it back, "
                  "or drop the table and run: abgleich adopt --reason TEXT")
            : fmt::format("{}; or, to leave it out, run: {}", refill_hint(i), withhold_command(i));
    if (now.empty()) {
      add(i, drift::EventKind::secondary_column_dropped, before.name, {}, drift::Verdict::block,
          anew);
      return;
    }
    const auto follow = fmt::format("to follow it, run: abgleich contract set {} --as {}",
                                    contract::in_shell(name(i)), contract::in_shell(now));
    add(i, drift::EventKind::secondary_column_renamed, before.name, now, drift::Verdict::block,
        key ? follow : fmt::format("{}; or, {}", follow, anew));
  }

  void refill(std::size_t i, const CatalogColumn* found, const LeftColumn* left) {
    auto& column = exported_.relation.columns[i];
    if (exported_.relation.is_key(i)) {
      throw Failure(
          Code::usage,
          fmt::format("'{}' belongs to the key, and nothing can be filled in without it", name(i)),
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
      // the column as people have made it stays, under another name, with all that refers to it
      exported_.relation.kept.push_back(
          {.name = unused_name(found->name), .renamed_from = found->name});
    }
  }

  [[nodiscard]] std::string unused_name(const std::string& name) const {
    auto aside = name + "_people";
    while (there_.find_column(aside) != nullptr || of_run(exported_.layout.columns, aside)) {
      aside += "_";
    }
    return aside;
  }

  [[nodiscard]] const LeftColumn* left_of(const std::string& label) const {
    if (!left_) {
      return nullptr;
    }
    const auto found = left_->of.find(label);
    return found == left_->of.end() ? nullptr : &found->second;
  }

  /// The column's new name; empty where it is not known. Where columns have no numbers, the place
  /// tells: a rename does not change it, but after a drop the places of the others do change.
  [[nodiscard]] std::string new_name(const LeftColumn& left) const {
    if (!engine_.numbers_objects && std::ssize(there_.columns) < left_->columns) {
      return {};
    }
    for (const auto& column : there_.columns) {
      if (column.identity == left.at && column.type.native == left.type &&
          !of_run(exported_.layout.previous, column.name) &&
          !of_run(exported_.layout.columns, column.name)) {
        return column.name;
      }
    }
    return {};
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

  void add(std::size_t i, drift::EventKind kind, std::string was, std::string now,
           drift::Verdict verdict, std::string hint) {
    events_.push_back({.kind = kind,
                       .table = exported_.table->name,
                       .column = exported_.columns[i]->name,
                       .was = std::move(was),
                       .now = std::move(now),
                       .verdict = verdict,
                       .hint = std::move(hint)});
  }

  static constexpr std::string_view kAdopt = "abgleich adopt --reason TEXT";

  const EngineTraits& engine_;
  const db::Dialect& dialect_;
  ExportedTable& exported_;
  const CatalogTable& there_;
  const std::set<std::string>& refill_;
  std::optional<LeftTable> left_;
  std::vector<drift::Event>& events_;
};

/// The table as the secondary has it, under its old name or else under its new one.
const CatalogTable* holder(const Catalog& secondary, const ExportedTable& exported) {
  const auto& relation = exported.relation;
  const auto* found =
      relation.renamed_from.empty() ? nullptr : secondary.find_table(relation.renamed_from);
  return found == nullptr ? secondary.find_table(relation.name) : found;
}

/// The event for a table from which others inherit: their rows would be read, changed and deleted
/// as its own.
drift::Event inherited(const ExportedTable& exported, const CatalogTable& there,
                       const std::string& in_sql) {
  std::string detach;
  for (const auto& heir : there.heirs) {
    detach += fmt::format("ALTER TABLE {} NO INHERIT {}; ", heir, in_sql);
  }
  return {.kind = drift::EventKind::secondary_table_inherited,
          .table = exported.table->name,
          .column = {},
          .was = {},
          .now = there.name,
          .verdict = drift::Verdict::block,
          .hint = fmt::format("rows of what inherits would count as its own: in the secondary, "
                              "run: {}then run: abgleich sync",
                              detach)};
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
        target.dialect().traits().numbers_objects
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
  if (event.kind == drift::EventKind::secondary_table_inherited) {
    return fmt::format("tables inherit from '{}'", event.now);
  }
  const auto name = fmt::format("'{}.{}'", event.table, event.column);
  if (event.kind == drift::EventKind::secondary_column_dropped) {
    return name + " was dropped";
  }
  if (event.kind == drift::EventKind::secondary_column_renamed) {
    return fmt::format("{} was renamed to '{}'", name, event.now);
  }
  return event.kind == drift::EventKind::secondary_column_retyped
             ? fmt::format("{} was changed to {}; it was {}", name, event.now, event.was)
             : name + " was made not null";
}

bool of_the_secondary(const drift::Event& event) {
  return name_of(event.kind).starts_with("secondary_");
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
    const auto* there = holder(target.catalog(), exported);
    if (there != nullptr && !there->heirs.empty()) {
      events.push_back(inherited(
          exported, *there, target.dialect().table(pairing.config.secondary.schema, there->name)));
    }
    if (there != nullptr && !exported.previous_labels.empty()) {
      Look(target, exported, *there, refill, events).run();
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

}  // namespace abgleich::sync
