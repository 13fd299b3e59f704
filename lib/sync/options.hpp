// What one run is asked to do.
#pragma once

#include "merge/merge.hpp"
#include "report/change.hpp"

#include <cstdint>
#include <functional>
#include <set>
#include <string>

namespace abgleich::sync {

/// Whether every change is wanted, or the counts are enough.
enum class Detail : std::uint8_t { counts, changes };

struct Options {
  report::Run kind = report::Run::real;
  Detail detail = Detail::counts;
  std::set<std::string> tables;         // of `diff`: only these; empty: all
  std::set<std::string> accepted_mass;  // tables that may pass the limits in this run
  std::string reason;                   // why these may, or why rows are adopted
  bool full = false;                    // compare every row; owner = "primary" overrides edits
  merge::Adopt adopt = merge::Adopt::ask;
  // columns of the contract, "TABLE.COLUMN", that people have changed in the secondary, and that
  // are to be made and filled again
  std::set<std::string> refill;
  // for `diff`, which people read before they accept a mass change or run the DDL: where `sync`
  // would refuse the run (a limit, a missing table, a widening), goes on and adds a note
  bool beyond_refusal = false;
  // called when the run has taken the pairing's lock; never in a dry run
  std::function<void()> on_lock;
};

/// Called for every row that changes, conflicts or is held back.
using OnChange = std::function<void(const report::Change&)>;
/// Called with the counts of every table; the rest of the outcome is empty.
using OnCounts = std::function<void(const report::Outcome&)>;

}  // namespace abgleich::sync
