// Where a text, such as a pseudonym, still stands in the secondary: data, bases, and every record
// of the bookkeeping. For `privacy --erased`.
#pragma once

#include "db/bookkeeping/books_rows.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db {

class Target;

/// Whether a value mentions a text: it is this text, or has it within it, where the text is long
/// enough to be no accident. In JSON of the bookkeeping, also where it is a value (`kind:TEXT`).
bool mentions(std::string_view value, std::string_view text);

/// The rows of one table that mention it.
struct Mention {
  enum class In : std::uint8_t { data, base, journal, conflict, quarantine, run, head };
  In in = In::data;
  std::string table;  // of data and base: its name in the primary's contract, and in the secondary
  std::int64_t rows = 0;
  /// Of the journal: the newest run with such an entry; of a run: the newest such run.
  std::int64_t epoch = 0;
};

/// In the order of Mention::In. Reads all of it. REQUIRES: the target's catalogue is loaded, and
/// the bookkeeping exists.
std::vector<Mention> find_mentions(Target& target, const std::vector<TrackedRow>& tracked,
                                   std::string_view text);

}  // namespace abgleich::db
