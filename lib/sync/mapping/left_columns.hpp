// How a run has left the columns of the secondary's tables: by that people's changes are seen.
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
  std::int64_t at = 0;  // PostgreSQL: its number for ever. SQLite: its place
  std::string type;
  bool nullable = true;
  bool tightening = false;  // the primary has made it NOT NULL, and not every row kept that
};

struct LeftTable {
  std::int64_t table = 0;                // PostgreSQL: its number for ever
  std::int64_t columns = 0;              // how many there were, people's included
  std::map<std::string, LeftColumn> of;  // by label
};

/// Empty where no run has noted any. Throws Failure{integrity} where the bookkeeping is damaged.
std::optional<LeftTable> read_left(db::Target& target, std::int64_t id);

/// Whether people let a column hold more than a run has made it hold, which does no harm; a
/// run that follows the primary does so, too.
bool holds_more(const db::Dialect& dialect, const CatalogColumn& found, const LeftColumn& left,
                const Remembered& before);

/// Throws Failure{drift_decision} where an exported column of the table is not there any more or
/// holds less, or other tables inherit from it: for commands that write to it and cannot ask.
/// REQUIRES: the target's catalogue is loaded.
void refuse_changed_columns(db::Target& target, const db::TrackedRow& row);

/// Notes how the columns are after this run, numbered `epoch`: what people have done to them
/// remains to be decided.
void remember_columns(db::Target& target, const std::vector<LocatedTable>& tables,
                      std::int64_t epoch);
/// What people have made of the columns that are there is accepted, in a run numbered `epoch`.
void accept_columns(db::Target& target, std::int64_t epoch);

}  // namespace abgleich::sync
