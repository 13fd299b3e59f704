#include "db/secondary/respelled_rows.hpp"

#include "db/engine/cell_values.hpp"
#include "db/secondary/constraint_statements.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

namespace abgleich::db {

namespace {

bool respell_one(Target& target, const PlannedTable& plan, std::int64_t removed,
                 std::int64_t inserted) {
  const auto& relation = plan.relation();
  const PlanRows row{.first = removed, .last = removed};
  for (const auto& dependant : target.dependants(relation)) {
    if (dependant.on_update != Dependant::Effect::loses) {
      continue;
    }
    bool found = !dependant.readable;
    if (!found) {
      target.connection().query(
          find_bereaved(target.dialect(), plan.names(), relation, dependant, row), {},
          [&](std::span<const Cell>) { found = true; });
    }
    if (found) {
      return false;
    }
  }
  const auto refused = target.refused("respelling", [&] {
    target.connection().defer_constraints();
    const auto rows =
        target.write(respell(target.dialect(), plan.names(), relation, removed, inserted));
    target.as_people([&] { target.connection().check_constraints(); });
    return rows == 1;
  });
  return !refused;
}

}  // namespace

bool apply_respelled(Target& target, std::deque<PlanStep>& open) {
  std::set<std::pair<const PlannedTable*, std::int64_t>> taken;
  std::vector<const PlannedTable*> plans;
  for (const auto& step : open) {
    if (std::ranges::find(plans, step.plan) == plans.end()) {
      plans.push_back(step.plan);
    }
  }
  for (const auto* plan : plans) {
    PlanRows rows;
    for (const auto& step : open) {
      if (step.plan == plan) {
        rows.only.push_back(step.rows.first);
      }
    }
    const auto sql = select_respelled(target.dialect(), plan->names(), plan->relation(), rows);
    if (sql.empty()) {
      continue;
    }
    std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
    target.connection().query(sql, {}, [&](std::span<const Cell> cells) {
      pairs.emplace_back(number(cells[0]), number(cells[1]));
    });
    for (const auto& [removed, inserted] : pairs) {
      if (!taken.contains({plan, removed}) && !taken.contains({plan, inserted}) &&
          respell_one(target, *plan, removed, inserted)) {
        taken.insert({plan, removed});
        taken.insert({plan, inserted});
      }
    }
  }
  std::erase_if(open, [&](const PlanStep& step) {
    return taken.contains({step.plan, step.rows.first});
  });
  return !taken.empty();
}

}  // namespace abgleich::db
