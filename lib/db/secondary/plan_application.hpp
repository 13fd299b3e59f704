// Applies the plans of a run, in whole sets first. Where a constraint refuses a set, it is halved,
// until only the rows are left that cannot be taken one by one; those of them that need each other
// are then applied together.
#pragma once

#include "db/secondary/plan_step.hpp"
#include "db/secondary/planned_table.hpp"
#include "db/secondary/target.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace abgleich::db {

/// In a dry run this is a rehearsal; tables that do not exist yet are left out.
class PlanApplication {
 public:
  /// The plans, parents before children; they outlive this.
  PlanApplication(Target& target, const std::vector<PlannedTable*>& plans);

  /// Rows that the secondary's constraints refuse are left out and marked as refused in their plan;
  /// everything else is applied. Throws Failure{secondary_refuses} where a trigger or a cascade
  /// undoes what was written, or deletes more rows than the plans do.
  void apply();

  /// Ends the rehearsal: data and base are as they were, and the plans remember which rows were
  /// refused. REQUIRES: Mode::dry, after `apply`.
  void take_back();

 private:
  /// A plan of a table that is there, and in which something was staged or planned.
  struct Applied {
    PlannedTable* plan = nullptr;
    std::int64_t written = 0;  // rows that statements say they wrote
  };
  struct Attempt {
    std::optional<Blame> blame;  // nothing: it was taken
    std::int64_t rows = 0;
  };

  [[nodiscard]] std::vector<PlanStep> all_steps();
  bool apply_whole();
  void apply_piecemeal();
  bool apply_in_halves(std::deque<PlanStep>& open);
  Attempt attempt(const PlanStep& step);
  /// As a whole, or else piecemeal. Where people's own code in the secondary does not work, the
  /// error says so.
  void write();
  /// The number of rows of every prepared table, which triggers could change; empty where there are
  /// no triggers.
  std::vector<std::int64_t> rows_beside_triggers();
  void expect_applied(const std::vector<std::int64_t>& before);

  Target& target_;
  std::vector<PlannedTable*> plans_;
  std::vector<Applied> applied_;
  bool whole_ = false;
};

}  // namespace abgleich::db
