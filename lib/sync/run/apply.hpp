// Plans or fills each table, applies all plans, and checks what the secondary has stored.
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

/// How the rows of a table come into it.
enum class HowWritten : std::uint8_t { planned, to_fill, filled };

/// One table after staging and planning.
struct Judged {
  report::TableCounts counts;
  db::StagedTable* table = nullptr;
  Staged staged;
  std::int64_t base_rows = 0;  // before this run
  std::int64_t plan_rows = 0;  // without those that the secondary has refused
  HowWritten way = HowWritten::planned;
  std::optional<db::PlannedTable> plan;  // only with HowWritten::planned
  std::vector<Row> strangers;            // see Planned
};

/// Merges a staged table into its plan. A table without triggers that is empty in base and
/// secondary is not planned: it waits for fill_empty(), when the other tables are planned. Throws
/// Failure{integrity} where the base is damaged.
Judged plan_or_wait(db::StagedTable& table, const ExportedTable& exported, const Staged& staged,
                    const SipKey& id_key, const Options& options, Progress& progress);

/// Fills the tables that wait for it. A table that cannot be filled is planned, and so is one whose
/// rows may have to wait because they refer to the key of a stranger.
void fill_empty(const std::vector<LocatedTable>& tables, const SipKey& id_key, Progress& progress,
                std::vector<Judged>& judged);

/// Counts the rows that were held back.
void count_quarantine(db::Target& target, const std::vector<LocatedTable>& tables,
                      std::vector<Judged>& judged);

/// After the plans were applied: records in the secondary how many rows are rare and how many of
/// them it still has, but not which.
void record_rarity(db::Target& target, const std::vector<LocatedTable>& tables,
                   const std::vector<Judged>& judged);

/// Applies the plans (in a dry run: rehearses them and takes them back); rows that the secondary's
/// constraints refuse become conflicts. Throws Failure{secondary_refuses} where a value that was
/// written reads back as another one (a trigger, a type that rounds).
void apply_plans(db::Target& target, const std::vector<LocatedTable>& tables,
                 std::vector<Judged>& judged, const SipKey& id_key);

/// Calls `on_change` for every row that was planned, is in conflict or is held back.
void tell(db::Target& target, const std::vector<LocatedTable>& tables,
          const std::vector<Judged>& judged, const OnChange& on_change);

}  // namespace abgleich::sync
