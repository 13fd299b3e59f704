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
  std::string reason;                   // of that acceptance, or of that adoption
  bool full = false;                    // look at unchanged rows too: owner = primary re-asserts
  merge::Adopt adopt = merge::Adopt::ask;
  // columns of the contract, "TABLE.COLUMN", that people have changed in the secondary, and that
  // are to be made and filled again
  std::set<std::string> refill;
  // of `diff`, which people look at before they accept a mass change or run the DDL: tells what
  // would be done but for a limit or a missing table, with a note that sync would refuse
  bool beyond_refusal = false;
  // is called once the run holds the pairing's lock, which a dry run never does
  std::function<void()> on_lock;
};

/// Is told of every row that changes, conflicts or is held back.
using OnChange = std::function<void(const report::Change&)>;
/// The tables with their numbers, and nothing else.
using OnCounts = std::function<void(const report::Outcome&)>;

}  // namespace abgleich::sync
