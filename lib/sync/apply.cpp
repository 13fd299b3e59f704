#include "sync/apply.hpp"

#include "journal/record.hpp"
#include "sync/rarity.hpp"
#include "sync/sync.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace abgleich::sync {

namespace {

bool may_fill(db::Target& target, const ExportedTable& exported, const Judged& judged,
              const Options& options) {
  const auto* table = target.catalog().find_table(exported.relation.name);
  return options.kind == report::Run::real && options.detail == Detail::counts &&
         judged.base_rows == 0 && table != nullptr && !table->triggers &&
         target.data_is_empty(exported.relation);
}

/// What stands in the secondary after the write must be what was written.
void check_written(db::Target& target, const ExportedTable& exported) {
  std::string key_bytes;
  std::vector<Digest> now;
  target.written_rows(exported.relation, [&](std::string_view mask, std::string_view cells,
                                             const Row& row) {
    const auto planned = unpack_digests(cells);
    digest_row(exported, row, key_bytes, now);
    for (std::size_t i = 0; i < mask.size(); ++i) {
      if (mask[i] == '0' || now[i] == planned[i] ||
          exported.rules.cells[i].owner == merge::Owner::secondary) {
        continue;
      }
      throw Failure(Code::secondary_refuses,
                    fmt::format("the secondary changes what is written to '{}.{}': a trigger, a "
                                "rounding type or a default is at work",
                                exported.relation.name, exported.relation.columns[i].name),
                    "mend the secondary, or set owner = \"secondary\" for this column in the "
                    "contract. Nothing was changed");
    }
  });
}

void refused_to_conflicts(db::Target& target, const ExportedTable& exported, const SipKey& id_key,
                          Judged& judged) {
  std::vector<db::Target::Refused> all;
  target.refused_rows(exported.relation, [&](const db::Target::Refused& refused) {
    all.push_back(refused);
    judged.counts.overridden -= std::ranges::count(refused.mask, '2');
  });
  std::vector<journal::Conflict> conflicts;
  for (const auto& refused : all) {
    conflicts.push_back(constraint_conflict(target, exported.relation, refused));
  }
  for (auto& conflict : conflicts) {
    auto& counts = judged.counts;
    auto& taken_back = conflict.action == "insert"   ? counts.inserted
                       : conflict.action == "update" ? counts.updated
                                                     : counts.deleted;
    --taken_back;
    --judged.plan_rows;
    // a row has one conflict: this one replaces that of its cells, which was counted already
    if (!target.books().unfind_conflict(conflict.tracked, conflict.key_text)) {
      ++counts.conflicts;
    }
    target.books().found_conflict(journal::to_row(conflict, id_key));
  }
}

void plan(db::Target& target, const ExportedTable& exported, const SipKey& id_key,
          Progress& progress, Judged& judged) {
  // A row whose key cannot be known may be any row of the base: nothing counts as deleted then.
  const auto absence = judged.staged.nameless > 0 ? Absence::unknown : Absence::deletion;
  judged.counts = plan_table(target, exported, judged.staged, absence, id_key, progress);
  judged.plan_rows = target.planned(exported.relation);
  judged.way = Way::planned;
}

const ExportedTable* exported_as(const std::vector<ExportedTable>& tables,
                                 const std::string& relation) {
  const auto found = std::ranges::find_if(
      tables, [&](const ExportedTable& exported) { return exported.relation.name == relation; });
  return found == tables.end() ? nullptr : &*found;
}

/// The keys of the rows of which each side has another, by table.
std::map<std::int64_t, std::vector<Row>> find_strangers(db::Target& target,
                                                        const std::vector<ExportedTable>& tables) {
  std::map<std::int64_t, std::vector<Row>> strangers;
  target.books().found_conflicts([&](const db::ConflictRow& found) {
    const auto at = std::ranges::find(
        tables, found.tracked, [](const ExportedTable& exported) { return exported.relation.id; });
    if (found.kind != merge::name_of(merge::Fate::both_inserted) || at == tables.end()) {
      return;
    }
    Row key;
    key.cells.resize(at->relation.columns.size());
    for (auto& [name, value] : journal::read_cells(found.key_text)) {
      const auto column = std::ranges::find(at->relation.columns, name, &db::RelationColumn::name);
      key.cells[static_cast<std::size_t>(column - at->relation.columns.begin())] = value;
    }
    strangers[found.tracked].push_back(std::move(key));
  });
  return strangers;
}

}  // namespace

Judged plan_or_wait(db::Target& target, const ExportedTable& exported, const Staged& staged,
                    const SipKey& id_key, const Options& options, Progress& progress) {
  Judged judged{.staged = staged, .base_rows = target.base_seal(exported.relation).rows};
  // to count them is most of the work of a run that finds nothing new, and builds on nothing
  const bool damaged = staged.nothing_new()
                           ? target.base_is_empty(exported.relation) != (judged.base_rows == 0)
                           : target.base_rows(exported.relation) != judged.base_rows;
  if (damaged) {
    damaged_base(exported.table->name);
  }
  if (may_fill(target, exported, judged, options)) {
    judged.way = Way::to_fill;
  } else {
    plan(target, exported, id_key, progress, judged);
  }
  return judged;
}

void fill_empty(db::Target& target, const std::vector<ExportedTable>& tables, const SipKey& id_key,
                Progress& progress, std::vector<Judged>& judged) {
  if (std::ranges::none_of(judged, [](const Judged& one) { return one.way == Way::to_fill; })) {
    return;
  }
  const auto strangers = find_strangers(target, tables);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (judged[i].way != Way::to_fill) {
      continue;
    }
    const auto& relation = tables[i].relation;
    const bool refers = std::ranges::any_of(relation.foreign_keys, [&](const auto& key) {
      const auto* parent = exported_as(tables, key.table);
      return parent != nullptr && strangers.contains(parent->relation.id);
    });
    const auto rows = refers ? std::nullopt : target.fill(relation);
    if (rows) {
      judged[i].counts.table = tables[i].table->name;
      judged[i].counts.inserted = *rows;
      judged[i].way = Way::filled;
    } else {
      plan(target, tables[i], id_key, progress, judged[i]);
    }
  }
}

void count_quarantine(db::Target& target, const std::vector<ExportedTable>& tables,
                      std::vector<Judged>& judged) {
  target.books().found_quarantines([&](const db::QuarantineRow& row) {
    for (std::size_t i = 0; i < tables.size(); ++i) {
      if (tables[i].relation.id == row.tracked) {
        judged[i].counts.quarantined += row.rows;
      }
    }
  });
  for (auto& table : judged) {
    table.counts.quarantined += table.staged.rare;
  }
}

void record_rarity(db::Target& target, const std::vector<ExportedTable>& tables,
                   const std::vector<Judged>& judged) {
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (judged[i].staged.rare == 0) {
      continue;
    }
    std::int64_t rows = 0;
    std::int64_t still_there = 0;
    target.rare_rows(tables[i].relation, [&](const db::Target::RareRow& row) {
      ++rows;
      still_there += row.in_secondary ? 1 : 0;
    });
    const auto& table = *tables[i].table;
    for (const auto& [reason, count] : {std::pair{rarity_reason(table), rows - still_there},
                                        std::pair{still_there_reason(table), still_there}}) {
      if (count > 0) {
        target.books().found_quarantine({.tracked = tables[i].relation.id,
                                         .key_text = "null",
                                         .column = "",
                                         .reason = reason,
                                         .rows = count});
      }
    }
  }
}

namespace {

/// Rows that refer to one of which each side has another would come to hang on the secondary's:
/// they wait until somebody has decided which it is.
void hold_references(db::Target& target, const std::vector<ExportedTable>& tables) {
  const auto strangers = find_strangers(target, tables);
  for (const auto& exported : tables) {
    for (const auto& key : exported.relation.foreign_keys) {
      const auto* parent = exported_as(tables, key.table);
      if (parent != nullptr && strangers.contains(parent->relation.id) &&
          target.planned(exported.relation) > 0) {
        target.hold_references(exported.relation, key, parent->relation,
                               strangers.at(parent->relation.id));
      }
    }
  }
}

}  // namespace

void apply_plans(db::Target& target, const std::vector<ExportedTable>& tables,
                 std::vector<Judged>& judged, const SipKey& id_key) {
  std::vector<db::Relation> relations;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (judged[i].plan_rows > 0) {
      relations.push_back(tables[i].relation);
    }
  }
  if (relations.empty()) {
    return;
  }
  hold_references(target, tables);
  target.apply(relations);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (judged[i].plan_rows > 0 && !target.stands_in(tables[i].relation) &&
        !target.stores_as_sent(tables[i].relation)) {
      check_written(target, tables[i]);
    }
  }
  if (target.mode() == db::Mode::dry) {
    target.take_back();
  }
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (judged[i].plan_rows > 0) {
      refused_to_conflicts(target, tables[i], id_key, judged[i]);
    }
  }
}

void tell(db::Target& target, const std::vector<ExportedTable>& tables, const OnChange& on_change) {
  const auto name_of = [&](std::int64_t id) {
    const auto found = std::ranges::find_if(
        tables, [&](const ExportedTable& exported) { return exported.relation.id == id; });
    return found->table->name;
  };
  for (const auto& exported : tables) {
    tell_plan(target, exported, on_change);
  }
  target.books().found_conflicts([&](const db::ConflictRow& row) {
    on_change(change_of(name_of(row.tracked), journal::from_row(row)));
  });
  target.books().found_quarantines([&](const db::QuarantineRow& row) {
    if (!is_rarity(row.reason)) {  // of those only the numbers are there
      on_change(change_of(name_of(row.tracked), row));
    }
  });
  for (const auto& exported : tables) {
    target.rare_rows(exported.relation, [&](const db::Target::RareRow& row) {
      auto change = change_of(exported, row);
      if (target.mode() == db::Mode::dry) {
        change.reason = rarity_reason(*exported.table);  // it may be about to be withdrawn
      }
      on_change(change);
    });
  }
}

}  // namespace abgleich::sync
