// How the last run left the columns of the secondary's tables, so that changes by people are found.
#pragma once

#include "db/secondary/target.hpp"
#include "sync/mapping/located_table.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace abgleich::sync {

/// A column of the secondary as a run has left it.
struct LeftColumn {
  std::int64_t at = 0;  // PostgreSQL: its number, which never changes. SQLite: its place
  std::string type;
  bool nullable = true;
  bool tightening = false;  // NOT NULL in the primary, and not yet here, where some rows are NULL
};

struct LeftTable {
  std::int64_t table = 0;                // PostgreSQL: its number, which never changes
  std::int64_t columns = 0;              // how many there were, people's included
  std::map<std::string, LeftColumn> of;  // by label
};

/// `id`: the tracked table's number. Empty where no run has recorded its columns. Throws
/// Failure{integrity} where the bookkeeping is damaged.
std::optional<LeftTable> read_left(db::Target& target, std::int64_t id);

/// Whether a column that a run made has since got a type that holds more, which does no harm.
bool holds_more(const db::Dialect& dialect, const CatalogColumn& found, const LeftColumn& left,
                const Remembered& before);

/// For commands that write to a table without looking for drift. Throws Failure{drift_decision}
/// where the table or an exported column of it is missing, a column holds less than before, or
/// other tables inherit from the table. REQUIRES: the target's catalogue is loaded.
void refuse_changed_columns(db::Target& target, const db::TrackedRow& row);

/// Records how this run leaves the columns. What people have changed is not recorded, so that it is
/// found until somebody decides. `epoch`: the run's number.
void remember_columns(db::Target& target, const std::vector<LocatedTable>& tables,
                      std::int64_t epoch);
/// Records the columns as people have changed them: they are accepted so. Columns that are missing
/// stay as recorded. `epoch`: the run's number.
void accept_columns(db::Target& target, std::int64_t epoch);

}  // namespace abgleich::sync
