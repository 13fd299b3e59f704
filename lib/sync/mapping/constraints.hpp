// The foreign keys that the primary's foreign keys have become in the secondary: which of them this
// program made, so that they go when the primary's go, and nobody else's do.
#pragma once

#include "db/secondary/target.hpp"
#include "sync/mapping/located_table.hpp"
#include "sync/pairing.hpp"

#include <cstdint>
#include <vector>

namespace abgleich::sync {

/// Finds, for every table, which foreign keys have to go and which have to come: `lost_keys` and
/// `new_keys` of its relation. REQUIRES: the secondary's catalogue is loaded; nothing of this run's
/// DDL has been executed.
void follow_constraints(const Pairing& pairing, db::Target& target,
                        std::vector<ExportedTable>& tables);

/// Makes the facts of these tables say what is there after this run, numbered `epoch`.
void remember_constraints(const Pairing& pairing, db::Target& target,
                          const std::vector<LocatedTable>& located, std::int64_t epoch);

}  // namespace abgleich::sync
