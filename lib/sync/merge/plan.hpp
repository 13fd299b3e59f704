// Merge: what the primary has against base and secondary, row by row, into the plan.
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

/// The fate of a row that another subject's took the place of: both images are in one record.
inline constexpr std::string_view kReplaced = "replaced";

/// Whether rows that the base has and the stage lacks are deleted rows.
enum class Absence : std::uint8_t { deletion, unknown };

/// The result of one table's merge.
struct Planned {
  report::TableCounts counts;
  db::PlannedTable plan;
  /// Rows of the primary under whose keys the secondary has another row, until a person decides:
  /// of each the cells that others can refer to.
  std::vector<Row> strangers;
};

/// Merges one staged table: fills its plan and finds its conflicts. Writes no data.
Planned plan_table(db::StagedTable& table, const ExportedTable& exported, const Staged& staged,
                   Absence absence, const SipKey& id_key, Progress& progress);

/// Tells of every row that the plan inserts, updates, deletes or lets go, in the plan's order; rows
/// that were refused are not among them.
void tell_plan(const db::PlannedTable& plan, const ExportedTable& exported,
               const OnChange& on_change);

/// The conflict of kind `constraint` of a planned row that the secondary refused.
/// Both rows as they are, and what is in the way. REQUIRES: no cursor is open.
journal::Conflict constraint_conflict(const db::PlannedTable& plan, const db::RefusedRow& refused);

/// Which of the counts such a row was planned as.
std::int64_t& counted_as(const journal::Conflict& conflict, report::TableCounts& counts);

/// A conflict, and a row that is held back, as the reports show them.
report::Change change_of(const std::string& table, const journal::Conflict& conflict);
report::Change change_of(const std::string& table, const db::QuarantineRow& row);
/// A row that is held back for being rare.
report::Change change_of(const ExportedTable& exported, const db::RareRow& row);
/// What a run did to one row: the primary's side is the row after it, the secondary's before.
report::Change change_of(const std::string& table, const db::JournalRow& row);
/// The same, for the reader: a row that was replaced is a delete and an insert.
void tell_change(const std::string& table, const db::JournalRow& row, const OnChange& on_change);

}  // namespace abgleich::sync
