// Reports as text for people: `+ - ~ !` lines, counts, hints; in colour where it is wanted.
#pragma once

#include "db/bookkeeping/books.hpp"
#include "report/change.hpp"
#include "report/verification.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace abgleich::report {

enum class Colour : std::uint8_t { off, on };

/// One row of a diff: a mark, the table, the key, and one line per cell.
std::string text_of(const Change& change, Colour colour);

/// The cells of a conflict on one line, for an error: "status: primary … | secondary …; note: …".
std::string one_line(const Change& change);

/// An open conflict, both sides, with the commands that decide it.
std::string conflict_text(const Change& change, Colour colour);

/// "verdict kind table.column: was -> now", and the hint on a line of its own.
std::string text_of(const drift::Event& event, Colour colour);

/// One run of the history: one line, and one for each table that it changed.
std::string text_of(const db::RunRow& run);

/// The tables that drift blocks, each once.
std::vector<std::string> blocked_tables(const std::vector<drift::Event>& events);
/// A line with them; empty where there are none.
std::string blocked_text(const std::vector<drift::Event>& events);

/// "5 minutes ago".
std::string age_text(std::int64_t seconds);

/// What a run ends with: one line for each table in which something happened, then what was done
/// and what is open.
std::string text_of(const Outcome& outcome, Colour colour);
/// Of these, the lines that say what is open.
std::string open_text(const Outcome& outcome);

/// A row that does not agree: a mark, the table, the key, why, and one line per cell.
std::string text_of(const Difference& difference, Colour colour);

/// "person: 12,867 rows agree; 2 edited in the secondary; 0 unexplained" for every table, then the
/// damage, each with what to do.
std::string text_of(const Verification& verification, Colour colour);

/// "error: …" and "hint: …".
std::string text_of(const Error& error, Colour colour);

}  // namespace abgleich::report
