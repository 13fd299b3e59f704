// Plan a table or fill it, apply all plans, look at what the secondary made of it.
#pragma once

#include "db/secondary/planned_table.hpp"
#include "db/secondary/staged_table.hpp"
#include "db/secondary/target.hpp"
#include "sync/detect/stage.hpp"
#include "sync/mapping/located_table.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/merge/plan.hpp"

#include <optional>
#include <vector>

namespace abgleich::sync {

struct Options;

enum class Way : std::uint8_t { planned, to_fill, filled };

/// One table after staging and planning.
struct Judged {
  report::TableCounts counts;
  db::StagedTable* table = nullptr;
  Staged staged;
  std::int64_t base_rows = 0;  // before this run
  std::int64_t plan_rows = 0;  // that the secondary has taken
  Way way = Way::planned;
  std::optional<db::PlannedTable> plan;  // where the way is a plan's
  std::vector<Row> strangers;            // see Planned
};

/// Merges a staged table into its plan. The first load of an empty table without triggers goes
/// straight in instead, once the other tables are planned: it waits for fill_empty().
Judged plan_or_wait(db::StagedTable& table, const ExportedTable& exported, const Staged& staged,
                    const SipKey& id_key, const Options& options, Progress& progress);

/// Fills the tables that wait for it; but plans those that refer to a row of which each side has
/// another, to which they must not refer.
void fill_empty(const std::vector<LocatedTable>& tables, const SipKey& id_key, Progress& progress,
                std::vector<Judged>& judged);

/// Counts the rows that were held back.
void count_quarantine(db::Target& target, const std::vector<LocatedTable>& tables,
                      std::vector<Judged>& judged);

/// After the plans: of the rows that are rare the secondary learns how many there are, and of how
/// many that it still has them.
void record_rarity(db::Target& target, const std::vector<LocatedTable>& tables,
                   const std::vector<Judged>& judged);

/// Applies the plans (in a dry run: rehearses them and takes them back); rows that the secondary's
/// constraints refuse become conflicts. Throws Failure{secondary_refuses} where a value reads back
/// otherwise than it was written (a trigger, a type that rounds).
void apply_plans(db::Target& target, const std::vector<LocatedTable>& tables,
                 std::vector<Judged>& judged, const SipKey& id_key);

/// Tells of everything that was planned, is in conflict or held back.
void tell(db::Target& target, const std::vector<LocatedTable>& tables,
          const std::vector<Judged>& judged, const OnChange& on_change);

}  // namespace abgleich::sync
