// Merge: compares each row of the primary with base and secondary, and writes what is to be done to
// the plan.
#pragma once

#include "db/secondary/planned_table.hpp"
#include "db/secondary/staged_table.hpp"
#include "journal/record.hpp"
#include "report/change.hpp"
#include "sync/detect/stage.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/options.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::sync {

/// The fate of a row that another subject's row has replaced: one record has the images of both.
inline constexpr std::string_view kReplaced = "replaced";

/// Whether rows that are in the base, but not in the stage, count as deleted.
enum class Absence : std::uint8_t { deletion, unknown };

/// The result of one table's merge.
struct Planned {
  report::TableCounts counts;
  db::PlannedTable plan;
  /// Rows of the primary under whose keys the secondary has a stranger, until a person decides: of
  /// each only the cells that other rows can refer to.
  std::vector<Row> strangers;
};

/// Merges one staged table: fills its plan and finds its conflicts. Writes no data. `id_key`: for
/// the ids of conflicts.
Planned plan_table(db::StagedTable& table, const ExportedTable& exported, const Staged& staged,
                   Absence absence, const SipKey& id_key, Progress& progress);

/// Calls `on_change` for every row that the plan inserts, updates, deletes, or keeps although the
/// primary has deleted it, in the plan's order; not for rows that were refused.
void tell_plan(const db::PlannedTable& plan, const ExportedTable& exported,
               const OnChange& on_change);

/// The conflict of kind `constraint` for a planned row that the secondary refused, with both rows
/// and the obstacle. REQUIRES: no cursor is open.
journal::Conflict constraint_conflict(const db::PlannedTable& plan, const db::RefusedRow& refused);

/// The count that the row of such a conflict was added to when it was planned.
std::int64_t& counted_as(const journal::Conflict& conflict, report::TableCounts& counts);

/// A conflict, and a row that is held back, as the reports show them.
report::Change change_of(const std::string& table, const journal::Conflict& conflict);
report::Change change_of(const std::string& table, const db::QuarantineRow& row);
/// A row that is held back because it is rare.
report::Change change_of(const ExportedTable& exported, const db::RareRow& row);
/// What a run did to one row: the primary's side is the row after the run, the secondary's the row
/// before it.
report::Change change_of(const std::string& table, const db::JournalRow& row);
/// The same, given to `on_change`; a replaced row is given twice, as a delete and as an insert.
void tell_change(const std::string& table, const db::JournalRow& row, const OnChange& on_change);

}  // namespace abgleich::sync
