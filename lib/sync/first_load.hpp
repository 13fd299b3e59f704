// The first load of a secondary that has nothing yet: every table straight in, without a
// comparison.
#pragma once

#include "db/source.hpp"
#include "db/target.hpp"
#include "sync/apply.hpp"
#include "sync/detect.hpp"
#include "sync/exported.hpp"
#include "sync/progress.hpp"

#include <optional>
#include <vector>

namespace abgleich::sync {

struct Options;

/// Loads all tables, if this run may and their rows let it. Empty where not: then nothing of it was
/// done, and the tables are to be compared and merged one by one, which finds out what is wrong
/// with which row.
std::optional<std::vector<Judged>> load_first(db::Source& source, db::Target& target,
                                              const std::vector<ExportedTable>& tables,
                                              const Options& options, Detection& detection,
                                              Progress& progress);

}  // namespace abgleich::sync
