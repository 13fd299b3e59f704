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

/// Does it. Returns the number of rows; nothing where rows that nobody has planned to touch would
/// go or change along with these (then nothing is done). Throws Fault{constraint, data} where the
/// secondary refuses a row.
std::optional<std::int64_t> perform(Target& target, const PlanStep& step);

/// Whether there are such rows at all.
bool is_about_rows(Target& target, const PlanStep& step);

}  // namespace abgleich::db
