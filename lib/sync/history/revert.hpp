// Taking one run back: data and base as they were before it, by a run of its own.
#pragma once

#include "db/bookkeeping/books.hpp"
#include "report/change.hpp"
#include "sync/pairing.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace abgleich::sync {

/// Rows of the record of a table's first load (kFirstLoad).
std::int64_t first_load_rows(const db::JournalRow& row);

/// Whether the record has lost its images: `on_delete = "erase"` leaves none.
bool erased(const db::JournalRow& row);

/// Takes back what the run `called` (see find_run) changed, cell by cell, against its after-image:
/// what is still as the run left it becomes what it was; what has been edited since stays and
/// becomes a conflict. The base goes back as well, so that the primary's change counts as a new one
/// when syncs go on; therefore the pairing is paused afterwards. Throws Failure{usage} for a run
/// that is not there, is no longer kept, changed nothing, or knows other columns.
report::Outcome revert(const Pairing& pairing, const std::string& called,
                       const std::string& reason);

/// Lets syncs go on. Returns the run's id. Throws Failure{usage} where nothing is paused.
std::string resume(const Pairing& pairing, const std::string& reason);

}  // namespace abgleich::sync
