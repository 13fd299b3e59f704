// A conflict on a page: which row it is, both values of each cell, and which of them differ.
#pragma once

#include "report/page/html.hpp"
#include "report/page/shown_row.hpp"
#include "report/page/words.hpp"

#include <string>
#include <vector>

namespace abgleich::report {

/// A value; what stands in its place where there is none is in other type.
void write_value(Html& html, Language language, const ShownValue& value);

/// "id=p1_…, day=2026-03-09"
void write_key(Html& html, Language language, const std::vector<ShownKey>& key);

/// The table's name, the row's key and the conflict's id, for a heading.
void write_conflict_name(Html& html, Language language, const ShownConflict& conflict);

/// What kind of conflict it is, since when it is open, and its cells.
void write_conflict(Html& html, Language language, const ShownConflict& conflict);

/// "2026-03-09T08:55:04Z, 66 minutes ago"
std::string moment_words(Language language, std::string_view utc, std::int64_t age);

}  // namespace abgleich::report
