// The main job, from lock to report: one run.
#pragma once

#include "merge/merge.hpp"
#include "report/change.hpp"
#include "sync/pairing.hpp"
#include "sync/plan.hpp"
#include "sync/progress.hpp"

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
  std::string reason;                   // of that acceptance, or of that adoption
  bool full = false;                    // look at unchanged rows too: owner = primary re-asserts
  merge::Adopt adopt = merge::Adopt::ask;
  // columns of the contract, "TABLE.COLUMN", that people have changed in the secondary, and that
  // are to be made and filled anew
  std::set<std::string> refill;
  // of `diff`, which people look at before they accept a mass change or run the DDL: tells what
  // would be done but for a limit or a missing table, with a note that sync would refuse
  bool beyond_refusal = false;
};

/// Runs once. With Run::dry, everything but the writes: no state directory, no lock, and the
/// secondary's transaction is rolled back. With Detail::changes, `on_change` is told of every row
/// that changes, conflicts or is held back, in the secondary's terms. Expected outcomes are
/// returned; throws Failure where the run cannot go on, and then nothing in the secondary has
/// changed (but see Code::outcome_unknown).
report::Outcome run(const Pairing& pairing, const Options& options, Progress& progress,
                    const OnChange& on_change);

}  // namespace abgleich::sync
