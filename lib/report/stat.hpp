// A diff as numbers only: one line per table, and nothing about single rows.
#pragma once

#include "report/change.hpp"
#include "report/text.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace abgleich::report {

/// How many rows of a table (by its name) are gone from the primary and kept by the contract: a
/// difference that no run removes.
using Kept = std::map<std::string, std::int64_t>;

/// How many rows of a table a run would change or hold back.
std::int64_t rows_of(const TableCounts& counts);

/// One line for each table that has such rows or keeps some, with the numbers aligned; empty where
/// there is no such table.
std::string stat_text(const Outcome& outcome, const Kept& kept, Colour colour);

/// The same as JSON lines of `abgleich.stat/1`.
std::string stat_lines(const Outcome& outcome, const Kept& kept);

}  // namespace abgleich::report
