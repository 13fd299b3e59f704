// Is the bookkeeping what the runs have left: the chain of runs, the journal, what is open?
#pragma once

#include "db/bookkeeping/books.hpp"
#include "state/latch.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace abgleich::journal {

/// What is damaged of the bookkeeping, and of which parts it is.
struct Findings {
  std::vector<state::Damage> damage;
  bool head_forged = false;
  bool seals_forged = false;           // then those of the bases are worth nothing
  bool tables_forged = false;          // nobody can say how the bases are laid out
  std::vector<std::int64_t> journals;  // epochs whose entries are not those that the run has left
};

/// Recomputes every run's hash and follows the chain up to the head; checks the MAC of every row
/// and the seal of every set, the journal's of every run too; looks for what names no tracked
/// table. What broke the chain before the last repair was accepted by it and is not
/// told again. Of one kind of damage only the first cases are listed. REQUIRES: the books were
/// opened with Forged::taken.
Findings audit(db::Books& books, const db::HeadRow& head);

}  // namespace abgleich::journal
