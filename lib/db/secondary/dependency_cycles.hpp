// Rows that cannot be applied one by one in any order, since each waits for another. They are found
// by what they need of each other, and are applied together; where that is not enough, values that
// are in the way are moved aside meanwhile.
#pragma once

#include "db/secondary/plan_step.hpp"

#include <deque>

namespace abgleich::db {

/// Finds such rows among the steps in `open`, which are of one row each and were refused. Applies
/// them together and takes them out of `open`. True: there were some.
bool apply_dependency_cycles(Target& target, std::deque<PlanStep>& open);

}  // namespace abgleich::db
