// Merge: what the primary has against base and secondary, row by row, into the plan.
#pragma once

#include "db/target.hpp"
#include "journal/record.hpp"
#include "report/change.hpp"
#include "sync/exported.hpp"
#include "sync/stage.hpp"

#include <functional>

namespace abgleich::sync {

using OnChange = std::function<void(const report::Change&)>;

/// Whether rows that the base has and the stage lacks are deleted rows.
enum class Absence : std::uint8_t { deletion, unknown };

/// Merges one staged table: fills its plan and finds its conflicts. Returns the table's counts.
/// Writes no data.
report::TableCounts plan_table(db::Target& target, const ExportedTable& exported,
                               const Staged& staged, Absence absence, const SipKey& id_key,
                               Progress& progress);

/// Tells of every row that the plan inserts, updates, deletes or lets go, in the plan's order; rows
/// that were refused are not among them.
void tell_plan(db::Target& target, const ExportedTable& exported, const OnChange& on_change);

/// The conflict of kind `constraint` of a planned row that the secondary refused.
journal::Conflict constraint_conflict(const db::Relation& relation,
                                      const db::Target::Refused& refused);

/// A conflict, and a row that is held back, as the reports show them.
report::Change change_of(const std::string& table, const journal::Conflict& conflict);
report::Change change_of(const std::string& table, const db::QuarantineRow& row);
/// What a run did to one row: the primary's side is the row after it, the secondary's before.
report::Change change_of(const std::string& table, const db::JournalRow& row);

}  // namespace abgleich::sync
