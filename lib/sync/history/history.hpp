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
/// Failure{usage} where no run fits, with the nearest id, or where several do.
db::RunRow find_run(db::Books& books, std::string_view called);

/// Throws Failure{usage} where the journal no longer has the run's changes.
void expect_kept(const Pairing& pairing, const db::RunRow& run);

/// Calls `on_run` for the run that `called` means (see find_run), then `on_change` for every row
/// that it changed, in the order of tables and rows; a first load is one change for each table.
/// `only`: one table, by its name in the contract; empty: all. Returns the run. Throws
/// Failure{usage} for a table that no run has ever written to.
db::RunRow show(const Pairing& pairing, const std::string& called, const std::string& only,
                const std::function<void(const db::RunRow&)>& on_run,
                const std::function<void(const report::Change&)>& on_change);

}  // namespace abgleich::sync
