// The first load of a secondary that has nothing yet: every table straight in, without a
// comparison.
#pragma once

#include "db/primary/source.hpp"
#include "db/secondary/target.hpp"
#include "sync/mapping/located_table.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/progress.hpp"
#include "sync/run/apply.hpp"
#include "sync/run/detect.hpp"

#include <optional>
#include <string>
#include <vector>

namespace abgleich::sync {

struct Options;

/// The result.
struct FirstLoaded {
  /// Empty where this run may not, or the tables' rows do not let it: then nothing of it was done,
  /// and the tables are to be compared and merged one by one, which finds out what is wrong with
  /// which row.
  std::optional<std::vector<Judged>> tables{};
  std::string rows_not_kept{};  // why this machine could not keep them until they were sorted
};

/// Loads all tables, if this run may and their rows let it.
FirstLoaded load_first(db::Source& source, db::Target& target,
                       const std::vector<LocatedTable>& tables, const Options& options,
                       Detection& detection, Progress& progress);

}  // namespace abgleich::sync
