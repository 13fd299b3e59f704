#include "db/secondary/plan_application.hpp"

#include "db/secondary/data_table.hpp"
#include "db/secondary/dependency_cycles.hpp"
#include "db/secondary/respelled_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace abgleich::db {

namespace {

constexpr std::size_t kRefusedAtOnce = 500;  // numbers in one statement

[[noreturn]] void refuse(const Relation& relation, std::int64_t rows, std::string_view what) {
  throw Failure(Code::secondary_refuses,
                fmt::format("the secondary {} '{}' ({} of the rows): a trigger or a cascade is "
                            "at work",
                            what, relation.name, rows),
                "correct the secondary, then run: abgleich check. Nothing was changed");
}

}  // namespace

PlanApplication::PlanApplication(Target& target, const std::vector<PlannedTable*>& plans)
    : target_(target), plans_(plans) {
  for (auto* plan : plans) {
    if (!target.stand_ins().has_data(plan->relation()) && plan->table().is_made()) {
      applied_.push_back({.plan = plan});
    }
  }
}

void PlanApplication::apply() {
  if (target_.mode() == Mode::dry) {
    target_.connection().execute("SAVEPOINT rehearsal");
  }
  const auto before = rows_beside_triggers();
  write();
  expect_applied(before);
}

void PlanApplication::write() {
  try {
    whole_ = apply_whole();
    if (!whole_) {
      apply_piecemeal();
    }
  } catch (const Fault& fault) {
    // our own statements name only what exists: a missing object is named by people's own code
    const bool theirs =
        fault.cause() == Fault::Cause::missing ||
        (fault.cause() == Fault::Cause::other && fault.error().code == Code::secondary_refuses);
    if (!theirs && fault.error().code != Code::bug) {
      throw;
    }
    throw Failure(Code::secondary_refuses, fault.error().message,
                  "a trigger, rule or foreign key of the secondary does not work: correct it, then "
                  "run: abgleich sync. Nothing was changed");
  }
}

void PlanApplication::take_back() {
  auto& connection = target_.connection();
  connection.execute("ROLLBACK TO SAVEPOINT rehearsal");
  target_.books().forget_read();
  connection.execute("RELEASE SAVEPOINT rehearsal");
  for (const auto* plan : plans_) {
    plan->refuse_again();
  }
}

// Looking for what nobody has planned -----------------------------------------------------------

std::vector<std::int64_t> PlanApplication::rows_beside_triggers() {
  std::vector<std::int64_t> rows;
  const bool triggers = std::ranges::any_of(applied_, [this](const Applied& applied) {
    const auto* table = target_.catalog().find_table(applied.plan->relation().name);
    return table != nullptr && table->triggers;
  });
  if (!triggers) {
    return rows;
  }
  for (const auto& table : target_.prepared()) {
    rows.push_back(target_.stand_ins().has_data(table->relation())
                       ? 0
                       : target_.count("SELECT count(*) FROM " + table->names().data));
  }
  return rows;
}

void PlanApplication::expect_applied(const std::vector<std::int64_t>& before) {
  for (const auto& applied : applied_) {
    const auto& plan = *applied.plan;
    if (whole_ && applied.written == plan.summary().writes &&
        DataTable(target_, plan.relation()).stores_as_sent()) {
      continue;
    }
    const auto astray =
        target_.count(count_astray(target_.dialect(), plan.names(), plan.relation()));
    if (astray > 0) {
      refuse(plan.relation(), astray, "undoes what is written to");
    }
  }
  const auto now = rows_beside_triggers();
  for (std::size_t i = 0; i < before.size(); ++i) {
    const auto& table = *target_.prepared()[i];
    const auto growth = table.is_made() ? target_.count(count_growth(table.names())) : 0;
    const auto vanished = before[i] + growth - now[i];
    if (vanished > 0) {
      refuse(table.relation(), vanished, "deletes more than was asked from");
    }
  }
}

// In sets, and in ever smaller ones -------------------------------------------------------------

std::vector<PlanStep> PlanApplication::all_steps() {
  // Children are deleted before their parents, and parents inserted before their children. Deletes
  // come first, since they may free a unique value that an insert needs. Only deletes in a table
  // that others refer to with an effect (a cascade, SET NULL) come last: rows that the plan moves
  // to another parent have to be moved before.
  std::vector<PlanStep> steps;
  std::vector<PlanStep> last;
  for (auto applied = applied_.rbegin(); applied != applied_.rend(); ++applied) {
    auto* const plan = applied->plan;
    if (plan->has(PlanAction::remove)) {
      const bool alone = target_.dependants(plan->relation()).empty();
      (alone ? steps : last).push_back({plan, PlanAction::remove, {1, plan->rows()}});
    }
  }
  for (const auto& [plan, written] : applied_) {
    for (const auto action : {PlanAction::replace, PlanAction::update, PlanAction::insert}) {
      if (plan->has(action)) {
        steps.push_back({plan, action, {1, plan->rows()}});
      }
    }
  }
  steps.insert(steps.end(), last.begin(), last.end());
  return steps;
}

bool PlanApplication::apply_whole() {
  const auto refused = target_.refused("apply_whole", [&] {
    target_.connection().defer_constraints();
    for (const auto& step : all_steps()) {
      const auto rows = perform(target_, step);
      if (!rows) {
        return false;
      }
      std::ranges::find(applied_, step.plan, &Applied::plan)->written += *rows;
    }
    target_.as_people([&] { target_.connection().check_constraints(); });
    return true;
  });
  return !refused;
}

PlanApplication::Attempt PlanApplication::attempt(const PlanStep& step) {
  Attempt attempt;
  attempt.blame = target_.refused("attempt", [&] {
    const auto rows = perform(target_, step);
    attempt.rows = rows.value_or(0);
    target_.as_people([&] { target_.connection().check_constraints(); });
    return rows.has_value();
  });
  return attempt;
}

/// Tries every step; one that is refused is tried in halves. A row may need another one that comes
/// later, so all this is repeated until nothing more is taken. Leaves in `open` the rows that were
/// not taken, one by one. True: some were taken.
bool PlanApplication::apply_in_halves(std::deque<PlanStep>& open) {
  bool any = false;
  for (bool progress = true; progress && !open.empty();) {
    progress = false;
    std::deque<PlanStep> left;
    while (!open.empty()) {
      const auto step = open.front();
      const auto& rows = step.rows;
      open.pop_front();
      if (auto tried = attempt(step); !tried.blame) {
        progress = progress || tried.rows > 0;
      } else if (rows.first == rows.last) {
        // a trigger may refuse a statement even where it is about no row
        if (is_about_rows(target_, step)) {
          step.plan->note_blame(rows.first, *std::move(tried.blame));
          left.push_back(step);
        }
      } else {
        const auto middle = rows.first + (rows.last - rows.first) / 2;
        open.push_front({step.plan, step.action, {middle + 1, rows.last}});
        open.push_front({step.plan, step.action, {rows.first, middle}});
      }
    }
    open = std::move(left);
    any = any || progress;
  }
  return any;
}

void PlanApplication::apply_piecemeal() {
  std::deque<PlanStep> open;
  for (const auto& step : all_steps()) {
    open.push_back(step);
  }
  apply_in_halves(open);
  while (!open.empty() &&
         (apply_respelled(target_, open) || apply_dependency_cycles(target_, open))) {
    apply_in_halves(open);
  }
  for (auto step = open.begin(); step != open.end();) {
    PlanRows rows;
    auto* const plan = step->plan;
    for (; step != open.end() && step->plan == plan && rows.only.size() < kRefusedAtOnce; ++step) {
      rows.only.push_back(step->rows.first);
    }
    plan->refuse(rows);
  }
}

}  // namespace abgleich::db
