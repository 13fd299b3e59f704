// The unit in which a plan is applied; shared by the files of Target that apply.
#pragma once

#include "db/target.hpp"

namespace abgleich::db {

/// One statement over rows of one plan.
struct Target::Work {
  const Relation* relation;
  PlanAction action;
  PlanRows rows;
};

}  // namespace abgleich::db
