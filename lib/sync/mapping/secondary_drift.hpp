// What people have done to the secondary's own tables since the last run: columns that were
// dropped, renamed, or can hold less. Found before anything is written, for a person to decide.
#pragma once

#include "db/secondary/target.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/pairing.hpp"

#include <set>
#include <string>
#include <vector>

namespace abgleich::sync {

/// Tells of every exported column that is no longer as the last run left it, and leaves out the
/// tables that must not be written to until that is decided. Columns of `refill` ("TABLE.COLUMN" of
/// the contract) are decided: they are made as they were and filled from the primary.
std::vector<drift::Event> find_secondary_drift(const Pairing& pairing, db::Target& target,
                                               const std::set<std::string>& refill,
                                               std::vector<ExportedTable>& tables);

/// What a table that is not there any more is called now; empty where nothing shows it.
std::string renamed_table(db::Target& target, const ExportedTable& exported);

/// "'person.phone' was renamed to 'telephone'".
std::string secondary_text(const drift::Event& event);

/// Whether an event is one of these.
bool of_the_secondary(const drift::Event& event);

}  // namespace abgleich::sync
