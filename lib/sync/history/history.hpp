// The runs that a secondary remembers, and what each of them changed.
#pragma once

#include "db/bookkeeping/books.hpp"
#include "report/change.hpp"
#include "sync/pairing.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::sync {

/// Newest first.
std::vector<db::RunRow> runs(const Pairing& pairing, std::int64_t limit);

/// The run that a person means: a whole id, its beginning ("r7", "r7-1c"), or "latest". Throws
/// Failure{usage} with the nearest id where there is none, or several.
db::RunRow find_run(db::Books& books, std::string_view called);

/// Throws Failure{usage} where the run's changes are no longer kept.
void expect_kept(const Pairing& pairing, const db::RunRow& run);

/// Calls `on_change` for every row that a run changed, in the order of tables and rows; a first
/// load is told as one change a table. `only`, a table by its name in the contract, narrows it;
/// empty: all tables. Returns the run. Throws Failure{usage} for a table that no run has ever
/// written to.
db::RunRow show(const Pairing& pairing, const std::string& called, const std::string& only,
                const std::function<void(const db::RunRow&)>& on_run,
                const std::function<void(const report::Change&)>& on_change);

}  // namespace abgleich::sync
