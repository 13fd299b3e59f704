// Applying the plans of a run: in whole sets first; where a constraint refuses, in halves until
// just the rows that cannot be taken are left; of these, together what needs each other.
#pragma once

#include "db/secondary/plan_step.hpp"
#include "db/secondary/planned_table.hpp"
#include "db/secondary/target.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace abgleich::db {

/// In a dry run a rehearsal, which leaves out tables that do not exist yet.
class PlanApplication {
 public:
  /// The plans, parents before children; they outlive this.
  PlanApplication(Target& target, const std::vector<PlannedTable*>& plans);

  /// Rows that the secondary's constraints refuse are left out and marked so in their plan;
  /// everything else is applied. Throws Failure{secondary_refuses} where the secondary undoes or
  /// adds to it without a word.
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
  /// As a whole, or else piecemeal. Says whose fault it is where people's own code does not work.
  void write();
  /// The number of rows of every prepared table; none where no trigger could change it unseen.
  std::vector<std::int64_t> rows_beside_triggers();
  void expect_applied(const std::vector<std::int64_t>& before);

  Target& target_;
  std::vector<PlannedTable*> plans_;
  std::vector<Applied> applied_;
  bool whole_ = false;
};

}  // namespace abgleich::db
