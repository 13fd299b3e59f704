#include "sync/apply.hpp"

#include "sync/rarity.hpp"
#include "sync/sync.hpp"

#include <fmt/format.h>

#include <algorithm>

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
  std::vector<journal::Conflict> conflicts;
  target.refused_rows(exported.relation, [&](const db::Target::Refused& refused) {
    conflicts.push_back(constraint_conflict(exported.relation, refused));
    judged.counts.overridden -= std::ranges::count(refused.mask, '2');
  });
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

}  // namespace

Judged plan_or_fill(db::Target& target, const ExportedTable& exported, const Staged& staged,
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
    if (const auto rows = target.fill(exported.relation)) {
      judged.counts.table = exported.table->name;
      judged.counts.inserted = *rows;
      judged.way = Way::filled;
      return judged;
    }
  }
  // A row whose key cannot be known may be any row of the base: nothing counts as deleted then.
  const auto absence = staged.nameless > 0 ? Absence::unknown : Absence::deletion;
  judged.counts = plan_table(target, exported, staged, absence, id_key, progress);
  judged.plan_rows = target.planned(exported.relation);
  return judged;
}

void count_quarantine(db::Target& target, const std::vector<ExportedTable>& tables,
                      std::vector<Judged>& judged) {
  target.books().found_quarantines([&](const db::QuarantineRow& row) {
    for (std::size_t i = 0; i < tables.size(); ++i) {
      if (tables[i].relation.id == row.tracked) {
        judged[i].counts.quarantined += row.rows;
        judged[i].rare += is_rarity(row.reason) ? row.rows : 0;
      }
    }
  });
}

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
  target.books().found_quarantines(
      [&](const db::QuarantineRow& row) { on_change(change_of(name_of(row.tracked), row)); });
}

}  // namespace abgleich::sync
