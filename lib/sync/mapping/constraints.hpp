// The secondary's foreign keys that correspond to the primary's. The bookkeeping remembers which of
// them this program made: only these are dropped when the primary's are.
#pragma once

#include "db/secondary/target.hpp"
#include "sync/mapping/located_table.hpp"
#include "sync/pairing.hpp"

#include <cstdint>
#include <vector>

namespace abgleich::sync {

/// Finds for every table which foreign keys are to be dropped and which are to be added
/// (`lost_keys` and `new_keys` of its relation), and whether this run makes it (`made_here`).
/// REQUIRES: the secondary's catalogue is loaded; no DDL of this run has been executed.
void follow_constraints(const Pairing& pairing, db::Target& target,
                        std::vector<ExportedTable>& tables);

/// Records the foreign keys that these tables have after this run, and who made them. `epoch`: the
/// run's number.
void remember_constraints(const Pairing& pairing, db::Target& target,
                          const std::vector<LocatedTable>& located, std::int64_t epoch);

}  // namespace abgleich::sync
