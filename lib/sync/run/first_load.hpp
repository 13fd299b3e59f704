// The first load of a secondary whose tables are empty: rows are loaded without a comparison.
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

struct FirstLoaded {
  /// Empty where this run cannot load the tables so, or the secondary has refused a row: then
  /// nothing was changed, and the tables have to be compared and merged one by one, which finds the
  /// rows that are wrong.
  std::optional<std::vector<Judged>> tables{};
  /// Why this machine could not keep the rows until they were sorted; empty: it could.
  std::string rows_not_kept{};
};

/// Loads all tables, if the secondary's tables are empty and take every row.
FirstLoaded load_first(db::Source& source, db::Target& target,
                       const std::vector<LocatedTable>& tables, const Options& options,
                       Detection& detection, Progress& progress);

}  // namespace abgleich::sync
