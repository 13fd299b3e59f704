// Rows that take each other's place under a key that the secondary does not tell from the old one:
// what refers to the one refers to the other, so that neither may go first.
#pragma once

#include "db/secondary/plan_step.hpp"

#include <deque>

namespace abgleich::db {

/// Finds such pairs among steps of one row each that were refused, does both at once, and takes
/// them out of `open`. True: there were some.
bool apply_respelled(Target& target, std::deque<PlanStep>& open);

}  // namespace abgleich::db
