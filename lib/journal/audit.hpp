// Checks whether the bookkeeping is what the runs have left: the chain of runs, the journal, what
// is open.
#pragma once

#include "db/bookkeeping/books.hpp"
#include "state/latch.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace abgleich::journal {

/// What is damaged in the bookkeeping, and which parts of it.
struct Findings {
  std::vector<state::Damage> damage;
  bool head_forged = false;
  bool seals_forged = false;           // then the seals of the bases prove nothing
  bool tables_forged = false;          // then the layout of the bases is not known
  std::vector<std::int64_t> journals;  // numbers of runs whose entries are not as the run left them
};

/// Recomputes every run's hash and follows the chain up to the head. Checks the MAC of every row
/// and the seal of every set, and those of every run's journal. Looks for rows that name a table
/// that is not tracked. Damage to the chain from before the last repair was accepted by that repair
/// and is not reported again. At most 20 findings are listed. REQUIRES: the books were opened with
/// Forged::taken.
Findings audit(db::Books& books, const db::HeadRow& head);

}  // namespace abgleich::journal
