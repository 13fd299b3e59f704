#include "sync/mapping/key_change.hpp"

#include "contract/toml_text.hpp"
#include "contract/words.hpp"
#include "core/error.hpp"
#include "db/secondary/target.hpp"
#include "sync/mapping/table_mapping.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace abgleich::sync {

namespace {

std::vector<Remembered> exported_of(const std::vector<Remembered>& columns) {
  std::vector<Remembered> exported;
  std::ranges::copy_if(columns, std::back_inserter(exported), [](const Remembered& column) {
    return column.state == ColumnState::exported;
  });
  return exported;
}

/// Adds a column of the old key that is no longer exported to the relation's columns. Returns its
/// index there.
std::size_t add_kept(const ColumnHistory& layout, std::size_t at, db::Relation& relation) {
  const auto& column = layout.columns[at];
  std::erase_if(relation.kept,
                [&](const db::KeptColumn& kept) { return kept.name == column.name; });
  relation.columns.push_back({.source = column.source,
                              .name = column.name,
                              .type = column.type,
                              .pseudonym = column.pseudonym.has_value(),
                              .nullable = false,
                              .renamed_from = layout.renamed_from(at)});
  return relation.columns.size() - 1;
}

void note_places(const std::vector<Remembered>& before, KeyChange& change) {
  change.width = before.size();
  std::size_t stay = 0;
  for (std::size_t i = 0; i < change.now.labels.size(); ++i) {
    const auto found = std::ranges::find(before, change.now.labels[i], &Remembered::label);
    const bool known = found != before.end();
    change.places.push_back(known ? std::optional(static_cast<std::size_t>(found - before.begin()))
                                  : std::nullopt);
    stay += known ? 1 : 0;
    change.keeps_order = change.keeps_order && (known || change.now.relation.is_key(i));
  }
  change.keeps_order = change.keeps_order && stay == before.size();
}

}  // namespace

std::vector<std::string> other_key(const db::TrackedRow& row, const contract::Table& table) {
  const auto relation = relation_of(row);
  std::vector<std::string> was;
  for (const auto i : relation.key) {
    was.push_back(relation.columns[i].source);
  }
  const bool same = was.size() == table.key.size() &&
                    std::ranges::all_of(table.key, [&](const std::string& name) {
                      const auto* column = table.find_column(name);
                      return std::ranges::find(was, name) != was.end() ||
                             std::ranges::find(was, column->was) != was.end();
                    });
  return same ? std::vector<std::string>{} : was;
}

void note_other_keys(std::vector<drift::Event>& events, const Pairing& pairing,
                     const std::vector<db::TrackedRow>& tracked) {
  for (const auto& table : pairing.contract.tables) {
    const auto row = std::ranges::find(tracked, table.name, &db::TrackedRow::source);
    if (row == tracked.end()) {
      continue;
    }
    const auto was = other_key(*row, table);
    if (was.empty()) {
      continue;
    }
    events.push_back({.kind = drift::EventKind::key_changed,
                      .table = table.name,
                      .column = {},
                      .was = fmt::format("{}", fmt::join(was, ", ")),
                      .now = fmt::format("{}", fmt::join(table.key, ", ")),
                      .verdict = drift::Verdict::block,
                      .hint = fmt::format(
                          "the secondary knows its rows by {0}: where the primary tells both keys "
                          "of its rows, or the secondary has the new one already, run: {1}; "
                          "otherwise below [tables.{2}] write key = {3} again",
                          fmt::join(was, ", "), how_to_rekey(table.name),
                          contract::toml_key(table.name), contract::toml_list(was))});
  }
}

void note_other_keys(std::vector<drift::Event>& events, const Pairing& pairing) {
  std::vector<db::TrackedRow> tracked;
  try {
    db::Target target(pairing.config.secondary, db::Mode::dry);
    tracked = known_tables(target);
  } catch (const Failure&) {
    return;  // the drift of the primary can be shown without the secondary
  }
  note_other_keys(events, pairing, tracked);
}

bool KeyChange::new_key_known() const {
  return std::ranges::all_of(now.relation.key,
                             [&](std::size_t i) { return places[i].has_value(); });
}

KeyChange key_change(std::vector<ExportedTable>& tables, const contract::Table& table,
                     const db::TrackedRow& row) {
  const auto found = std::ranges::find(
      tables, table.name, [](const ExportedTable& exported) { return exported.table->name; });
  KeyChange change{.now = std::move(*found)};
  auto& before = change.before = change.now.relation;
  before.key.clear();
  before.foreign_keys.clear();
  before.uniques.clear();
  const auto& layout = change.now.layout;
  const auto exported = exported_of(layout.previous);
  note_places(exported, change);
  for (const auto k : relation_of(row).key) {
    const auto& old = exported[k];
    const auto column = std::ranges::find(layout.columns, old.label, &Remembered::label);
    if (column == layout.columns.end()) {
      throw Failure(Code::drift_decision,
                    fmt::format("the contract erases '{}.{}', and rows are known by it until now",
                                table.name, old.source),
                    fmt::format("take erase = true from its line, then run: abgleich rekey {} "
                                "--reason TEXT. Nothing was changed",
                                contract::in_shell(table.name)));
    }
    const auto at = static_cast<std::size_t>(column - layout.columns.begin());
    const bool is_exported = at < change.now.columns.size();
    change.old_key_exported = change.old_key_exported && is_exported;
    before.key.push_back(is_exported ? at : add_kept(layout, at, before));
    auto names = column->formerly;
    names.push_back(column->name);
    change.old_names.push_back(std::move(names));
  }
  if (!change.old_key_exported && !change.new_key_known()) {
    throw Failure(
        Code::drift_decision,
        fmt::format("nothing tells which row of '{}' is which by another key: the contract exports "
                    "the old one ({}) no longer, and the secondary does not have the new one yet",
                    table.name, fmt::join(other_key(row, table), ", ")),
        "write the lines of the old key into the contract again, as they were, and keep them for "
        "this run; where the primary has it no more, its vendor has to bring it back. Nothing was "
        "changed");
  }
  return change;
}

std::string how_to_rekey(const std::string& table) {
  return fmt::format("abgleich rekey {} --reason TEXT", contract::in_shell(table));
}

}  // namespace abgleich::sync
