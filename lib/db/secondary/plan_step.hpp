// The unit in which plans are applied: one statement over rows of one plan.
#pragma once

#include "db/secondary/plan_statements.hpp"
#include "db/secondary/planned_table.hpp"

#include <cstdint>
#include <optional>

namespace abgleich::db {

/// The plan outlives it.
struct PlanStep {
  PlannedTable* plan;
  PlanAction action;
  PlanRows rows;
};

/// Applies the step and returns the number of rows. Returns nothing where rows that the plan does
/// not touch would be deleted or changed along with these (then nothing was done). Throws
/// Fault{constraint, data} where the secondary refuses a row, Failure{secondary_refuses} where this
/// role may not read the rows that refer to these.
std::optional<std::int64_t> perform(Target& target, const PlanStep& step);

/// Whether the plan has any row that the step is about.
bool is_about_rows(Target& target, const PlanStep& step);

}  // namespace abgleich::db
