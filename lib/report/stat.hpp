// A diff by its numbers: a line a table, and nothing of any row.
#pragma once

#include "report/change.hpp"
#include "report/text.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace abgleich::report {

/// Rows, by their table's name, that are gone from the primary and that the contract keeps: a
/// difference that no run does away with.
using Kept = std::map<std::string, std::int64_t>;

/// The rows of a table that a run would do something with.
std::int64_t rows_of(const TableCounts& counts);

/// A line a table that has such rows or keeps some, its numbers below each other; empty where none
/// has.
std::string stat_text(const Outcome& outcome, const Kept& kept, Colour colour);

/// The same as JSON lines of `abgleich.stat/1`.
std::string stat_lines(const Outcome& outcome, const Kept& kept);

}  // namespace abgleich::report
