// Rows that no order can bring in one by one, since each waits for another: found by what they need
// of each other, and applied together, set aside out of each other's way where that is what it
// takes.
#pragma once

#include "db/secondary/plan_step.hpp"

#include <deque>

namespace abgleich::db {

/// Finds such rows among steps of one row each that were refused, applies them together, and takes
/// them out of `open`. True: there were some.
bool apply_dependency_cycles(Target& target, std::deque<PlanStep>& open);

}  // namespace abgleich::db
