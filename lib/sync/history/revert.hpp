// Takes one run back: a run of its own makes data and base what they were before.
#pragma once

#include "db/bookkeeping/books.hpp"
#include "report/change.hpp"
#include "sync/pairing.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace abgleich::sync {

/// How many rows a first load has written, by its record in the journal (kFirstLoad).
std::int64_t first_load_rows(const db::JournalRow& row);

/// Whether the record has no images of row and base: `on_delete = "erase"` keeps none.
bool erased(const db::JournalRow& row);

/// Takes back, cell by cell, what the run `called` (see find_run) changed. A cell that is still as
/// the run left it becomes what it was before; one that was edited since stays and becomes a
/// conflict. The base goes back as well, so that the primary's change counts as a new one when
/// syncs go on; therefore the pairing is paused afterwards. Throws Failure{usage} for a run that is
/// unknown, is no longer kept, changed nothing, or had other columns.
report::Outcome revert(const Pairing& pairing, const std::string& called,
                       const std::string& reason);

/// Lets syncs go on. Returns the run's id. Throws Failure{usage} where nothing is paused.
std::string resume(const Pairing& pairing, const std::string& reason);

}  // namespace abgleich::sync
