#include "db/secondary/plan_step.hpp"

#include "db/secondary/constraint_statements.hpp"

#include <fmt/format.h>

namespace abgleich::db {

namespace {

std::string action_sql(const PlanStep& step) {
  const auto& plan = *step.plan;
  const auto& dialect = plan.target().dialect();
  switch (step.action) {
    case PlanAction::insert:
      return apply_insert(dialect, plan.names(), plan.relation(), step.rows);
    case PlanAction::update:
      return apply_update(dialect, plan.names(), plan.relation(), plan.summary().updated_columns,
                          step.rows);
    default:
      return apply_delete(dialect, plan.names(), plan.relation(), step.rows);
  }
}

/// A query for a row that refers to the step's rows and would be lost with them; empty: there can
/// be none.
std::string find_lost(const PlanStep& step, const Dependant& dependant) {
  const auto& plan = *step.plan;
  const auto& dialect = plan.target().dialect();
  const bool removes = step.action == PlanAction::remove || step.action == PlanAction::replace;
  if (removes && dependant.on_delete == Dependant::Effect::loses) {
    return find_bereaved(dialect, plan.names(), plan.relation(), dependant, step.rows);
  }
  if (step.action == PlanAction::update && dependant.on_update == Dependant::Effect::loses) {
    return find_cut_off(dialect, plan.names(), plan.relation(), dependant, step.rows);
  }
  return {};
}

bool takes_along(Target& target, const PlanStep& step) {
  for (const auto& dependant : target.dependants(step.plan->relation())) {
    const auto sql = find_lost(step, dependant);
    if (sql.empty()) {
      continue;
    }
    if (!dependant.readable) {
      throw Failure(
          Code::secondary_refuses,
          fmt::format("rows of '{}.{}' refer to '{}' and would change with it, but this role "
                      "may not read them",
                      dependant.schema, dependant.table, step.plan->relation().name),
          fmt::format("GRANT SELECT ON {} to it, so that nobody's row is lost unseen. "
                      "Nothing was changed",
                      target.dialect().table(dependant.schema, dependant.table)));
    }
    bool found = false;
    target.connection().query(sql, {}, [&](std::span<const Cell>) { found = true; });
    if (found) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::optional<std::int64_t> perform(Target& target, const PlanStep& step) {
  if (takes_along(target, step)) {
    return std::nullopt;
  }
  if (step.action == PlanAction::replace) {
    // rows that refer to the key find it again when the new row is there
    target.connection().defer_constraints();
    const auto& plan = *step.plan;
    (void)target.write(apply_delete(target.dialect(), plan.names(), plan.relation(), step.rows,
                                    PlanAction::replace));
    return target.write(apply_insert(target.dialect(), plan.names(), plan.relation(), step.rows,
                                     PlanAction::replace));
  }
  return target.write(action_sql(step));
}

bool is_about_rows(Target& target, const PlanStep& step) {
  return target.count(fmt::format("SELECT count(*) FROM {} WHERE action = '{}' AND {}",
                                  step.plan->names().plan, static_cast<char>(step.action),
                                  step.rows.have(target.dialect(), "n"))) > 0;
}

}  // namespace abgleich::db
