#include "sync/run/apply.hpp"

#include "db/secondary/base_table.hpp"
#include "db/secondary/data_table.hpp"
#include "db/secondary/plan_application.hpp"
#include "journal/quarantine_cause.hpp"
#include "journal/record.hpp"
#include "sync/detect/k_anonymity.hpp"
#include "sync/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace abgleich::sync {

namespace {

bool may_fill(const Judged& judged, const Options& options) {
  auto& target = judged.table->target();
  const auto& relation = judged.table->relation();
  const auto* there = target.catalog().find_table(relation.name);
  return options.kind == report::Run::real && options.detail == Detail::counts &&
         judged.base_rows == 0 && there != nullptr && !there->triggers &&
         db::DataTable(target, relation).is_empty();
}

/// Checks that the secondary has stored what was written.
void check_written(const db::PlannedTable& plan, const ExportedTable& exported) {
  std::string key_bytes;
  std::vector<Digest> now;
  plan.written_rows([&](std::string_view mask, std::string_view cells, const Row& row) {
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
                    "correct the secondary, or set owner = \"secondary\" for this column in the "
                    "contract. Nothing was changed");
    }
  });
}

/// Gives the conflicts of rows that min_k was to take out of the secondary their reason.
void note_rare(const Judged& judged, const std::string& reason,
               std::vector<journal::Conflict>& conflicts) {
  std::map<std::string_view, journal::Conflict*> refused;
  for (auto& conflict : conflicts) {
    if (conflict.action == journal::ConflictAction::remove) {
      refused.emplace(conflict.key_text, &conflict);
    }
  }
  if (refused.empty() || judged.counts.withdrawn == 0) {
    return;
  }
  judged.table->rare_rows([&](const db::RareRow& row) {
    const auto key = journal::key_text(judged.table->relation(), row.key);
    if (const auto found = refused.find(key); found != refused.end()) {
      found->second->reason = reason;
    }
  });
}

void refused_to_conflicts(db::Books& books, const ExportedTable& exported, const SipKey& id_key,
                          Judged& judged) {
  std::vector<db::RefusedRow> all;
  judged.plan->refused_rows([&](const db::RefusedRow& refused) {
    all.push_back(refused);
    judged.counts.overridden -= std::ranges::count(refused.mask, '2');
  });
  std::vector<journal::Conflict> conflicts;
  conflicts.reserve(all.size());
  for (const auto& refused : all) {
    conflicts.push_back(constraint_conflict(*judged.plan, refused));
  }
  note_rare(judged, rarity_reason(*exported.table), conflicts);
  for (auto& conflict : conflicts) {
    auto& counts = judged.counts;
    --counted_as(conflict, counts);
    counts.withdrawn -= conflict.reason.empty() ? 0 : 1;
    --judged.plan_rows;
    // a row has only one conflict: this one replaces that of its cells, which was counted already
    if (!books.unfind_conflict(conflict.tracked, conflict.key_text)) {
      ++counts.conflicts;
    }
    books.found_conflict(journal::to_row(conflict, id_key));
  }
}

void plan(const ExportedTable& exported, const SipKey& id_key, Progress& progress, Judged& judged) {
  // A row without a usable key may be any row of the base: then no row counts as deleted.
  const auto absence = judged.staged.keyless > 0 ? Absence::unknown : Absence::deletion;
  auto planned = plan_table(*judged.table, exported, judged.staged, absence, id_key, progress);
  judged.counts = planned.counts;
  judged.strangers = std::move(planned.strangers);
  judged.plan_rows = planned.plan.rows();
  judged.plan = std::move(planned.plan);
  judged.way = HowWritten::planned;
}

/// The table's place among those of the run, by its name in the secondary.
std::optional<std::size_t> place_of(const std::vector<LocatedTable>& tables,
                                    const std::string& relation) {
  const auto found = std::ranges::find_if(
      tables, [&](const ExportedTable& exported) { return exported.relation.name == relation; });
  return found == tables.end() ? std::nullopt
                               : std::optional(static_cast<std::size_t>(found - tables.begin()));
}

}  // namespace

Judged plan_or_wait(db::StagedTable& table, const ExportedTable& exported, const Staged& staged,
                    const SipKey& id_key, const Options& options, Progress& progress) {
  db::BaseTable base(table.target(), table.relation());
  Judged judged{.table = &table, .staged = staged, .base_rows = base.seal().rows};
  // in a run that finds nothing new, nothing depends on their number, and to count them would be
  // most of its work
  const bool damaged = staged.nothing_new() ? base.was_empty() != (judged.base_rows == 0)
                                            : base.rows() != judged.base_rows;
  if (damaged) {
    damaged_base(exported.table->name);
  }
  if (may_fill(judged, options)) {
    judged.way = HowWritten::to_fill;
  } else {
    plan(exported, id_key, progress, judged);
  }
  return judged;
}

void fill_empty(const std::vector<LocatedTable>& tables, const SipKey& id_key, Progress& progress,
                std::vector<Judged>& judged) {
  if (std::ranges::none_of(judged,
                           [](const Judged& one) { return one.way == HowWritten::to_fill; })) {
    return;
  }
  std::vector<bool> may_wait(tables.size());  // some of its rows may refer to one that waits
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const auto& relation = tables[i].relation;
    may_wait[i] = std::ranges::any_of(relation.foreign_keys, [&](const auto& key) {
      const auto parent = place_of(tables, key.table);
      return parent && (may_wait[*parent] || !judged[*parent].strangers.empty());
    });
    if (judged[i].way != HowWritten::to_fill) {
      continue;
    }
    const auto rows = may_wait[i] ? std::nullopt : judged[i].table->fill_empty_table();
    if (rows) {
      judged[i].counts.table = tables[i].table->name;
      judged[i].counts.inserted = *rows;
      judged[i].way = HowWritten::filled;
    } else {
      plan(tables[i], id_key, progress, judged[i]);
    }
  }
}

void count_quarantine(db::Target& target, const std::vector<LocatedTable>& tables,
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

void record_rarity(db::Target& target, const std::vector<LocatedTable>& tables,
                   const std::vector<Judged>& judged) {
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (judged[i].staged.rare == 0) {
      continue;
    }
    std::int64_t rows = 0;
    std::int64_t still_there = 0;
    judged[i].table->rare_rows([&](const db::RareRow& row) {
      ++rows;
      still_there += row.in_secondary ? 1 : 0;
    });
    const auto& table = *tables[i].table;
    for (const auto& [reason, count] : {std::pair{rarity_reason(table), rows - still_there},
                                        std::pair{still_there_reason(table), still_there}}) {
      if (count > 0) {
        target.books().found_quarantine({.tracked = tables[i].relation.id,
                                         .key_text = std::string(journal::kNoKey),
                                         .column = "",
                                         .reason = reason,
                                         .rows = count});
      }
    }
  }
}

namespace {

/// Rows of a table's plan that have to wait and are not in the secondary yet, so that no row may
/// refer to them.
std::vector<Row> absent_until_decided(const db::PlannedTable& plan, const ExportedTable& exported) {
  std::vector<Row> absent;
  plan.refused_rows([&](const db::RefusedRow& refused) {
    auto referred = refused.action == db::PlanAction::refused_update
                        ? std::nullopt
                        : referred_cells(exported, refused.row);
    if (referred) {
      absent.push_back(std::move(*referred));
    }
  });
  return absent;
}

/// A row that refers to a key under which the secondary has a stranger would refer to the stranger.
/// It waits until a person has decided that conflict, and the rows that refer to it wait with it.
void hold_references(const std::vector<LocatedTable>& tables, std::vector<Judged>& judged) {
  std::vector<std::vector<Row>> open;  // by table: what no row may refer to; still to be handled
  open.reserve(judged.size());
  for (auto& table : judged) {
    open.push_back(std::move(table.strangers));
  }
  while (std::ranges::any_of(open, [](const auto& rows) { return !rows.empty(); })) {
    const auto strangers = std::exchange(open, std::vector<std::vector<Row>>(tables.size()));
    for (std::size_t i = 0; i < tables.size(); ++i) {
      const auto& relation = tables[i].relation;
      std::int64_t waiting = 0;
      for (std::size_t key = 0; key < relation.foreign_keys.size(); ++key) {
        const auto parent = place_of(tables, relation.foreign_keys[key].table);
        if (parent && !strangers[*parent].empty() && judged[i].plan_rows > 0) {
          waiting +=
              judged[i].plan->hold_references(key, tables[*parent].relation, strangers[*parent]);
        }
      }
      if (waiting > 0) {
        open[i] = absent_until_decided(*judged[i].plan, tables[i]);
      }
    }
  }
}

}  // namespace

void apply_plans(db::Target& target, const std::vector<LocatedTable>& tables,
                 std::vector<Judged>& judged, const SipKey& id_key) {
  std::vector<db::PlannedTable*> plans;
  for (auto& table : judged) {
    if (table.plan_rows > 0) {
      plans.push_back(&*table.plan);
    }
  }
  if (plans.empty()) {
    return;
  }
  hold_references(tables, judged);
  db::PlanApplication application(target, plans);
  application.apply();
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const auto& relation = tables[i].relation;
    if (judged[i].plan_rows > 0 && !target.stand_ins().has_data(relation) &&
        !db::DataTable(target, tables[i].located()).stores_as_sent()) {
      check_written(*judged[i].plan, tables[i]);
    }
  }
  if (target.mode() == db::Mode::dry) {
    application.take_back();
  }
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (judged[i].plan_rows > 0) {
      refused_to_conflicts(target.books(), tables[i], id_key, judged[i]);
    }
  }
}

void tell(db::Target& target, const std::vector<LocatedTable>& tables,
          const std::vector<Judged>& judged, const OnChange& on_change) {
  const auto name_of = [&](std::int64_t id) {
    const auto found = std::ranges::find_if(
        tables, [&](const ExportedTable& exported) { return exported.relation.id == id; });
    return found->table->name;
  };
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (judged[i].plan) {
      tell_plan(*judged[i].plan, tables[i], on_change);
    }
  }
  target.books().found_conflicts([&](const db::ConflictRow& row) {
    on_change(change_of(name_of(row.tracked), journal::from_row(row)));
  });
  target.books().found_quarantines([&](const db::QuarantineRow& row) {
    if (!journal::is_rarity(row.reason)) {  // of rare rows only their number is recorded
      on_change(change_of(name_of(row.tracked), row));
    }
  });
  for (std::size_t i = 0; i < tables.size(); ++i) {
    judged[i].table->rare_rows([&](const db::RareRow& row) {
      auto change = change_of(tables[i], row);
      if (target.mode() == db::Mode::dry) {
        change.reason = rarity_reason(*tables[i].table);  // a real run may withdraw the row
      }
      on_change(change);
    });
  }
}

}  // namespace abgleich::sync
