// Makes a plan: its rows go into plan_N, and what they will do to data, base and journal is summed
// up meanwhile.
#pragma once

#include "core/digest.hpp"
#include "db/bookkeeping/base_move.hpp"
#include "db/engine/connection.hpp"
#include "db/secondary/planned_table.hpp"
#include "db/secondary/staged_table.hpp"

#include <memory>
#include <string>
#include <vector>

namespace abgleich::db {

/// Takes a plan's rows; numbers them from 1.
class PlanWriter {
 public:
  /// `images`: whether the journal keeps the values that deleted rows had.
  explicit PlanWriter(StagedTable& table, BeforeImages images = BeforeImages::keep);
  /// `values`: the row's key, and the cells that `row.mask` says are written.
  void add(const PlanRow& row, const Row& values);
  /// Nothing can be added afterwards.
  [[nodiscard]] PlannedTable finish();

 private:
  void sum_up(const PlanRow& row);
  /// What plan_N holds of the base for the journal: without `after` where that is in `cells`.
  static BaseMove to_journal(const PlanRow& row);
  /// The MAC of the journal entry that the row becomes.
  std::string seal_entry(const PlanRow& row, const BaseMove& base);

  StagedTable& table_;
  PlanSummary summary_;
  LockedSipKey base_key_;
  std::unique_ptr<Loader> loader_;
  std::vector<Cell> cells_;
  std::vector<std::string> scratch_;
  std::vector<Cell> key_;
  std::string sum_bytes_;
};

}  // namespace abgleich::db
