// Rows whose key changes only in what the secondary does not tell apart (`Bob` to `bob`). For the
// secondary, what refers to the old key refers to the new one, too; so neither the delete nor the
// insert can be done before the other.
#pragma once

#include "db/secondary/plan_step.hpp"

#include <deque>

namespace abgleich::db {

/// Finds such pairs among the steps in `open`, which are of one row each and were refused. Does
/// delete and insert of a pair at once, and takes both out of `open`. True: there were some.
bool apply_respelled(Target& target, std::deque<PlanStep>& open);

}  // namespace abgleich::db
