// Is the bookkeeping what the runs have left: the chain of runs, the journal, what is open?
#pragma once

#include "db/books.hpp"

#include <optional>
#include <string>
#include <vector>

namespace abgleich::journal {

/// One thing that is not as a run has left it.
struct Damage {
  std::string table;  // by its name in the contract; empty: the bookkeeping as a whole
  std::string what;   // for people, without values
  std::string hint;

  bool operator==(const Damage&) const = default;
};

/// The kind of run that accepts all damage before it.
inline constexpr std::string_view kRepair = "repair";

/// Recomputes every run's hash and follows the chain up to the head; counts the journal against its
/// seals; looks for what names no tracked table. What is older than the last run of kind "repair"
/// was accepted by it and is not told again. Of one kind of damage only the first cases are listed.
std::vector<Damage> audit(db::Books& books, const db::HeadRow& head);

}  // namespace abgleich::journal
