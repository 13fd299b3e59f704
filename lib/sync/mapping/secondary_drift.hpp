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

/// Returns events for every exported column that is no longer as the last run left it, and removes
/// from `tables` those that must not be written to until a person decides. Columns of `refill`
/// ("TABLE.COLUMN" of the contract) are decided: they are made anew and filled from the primary.
/// Throws Failure{usage} where one of them is not exported, or is of the key.
std::vector<drift::Event> find_secondary_drift(const Pairing& pairing, db::Target& target,
                                               const std::set<std::string>& refill,
                                               std::vector<ExportedTable>& tables);

/// The new name of a table that is no longer there under its own; empty where none is found.
std::string renamed_table(db::Target& target, const ExportedTable& exported);

/// The event in words: "'person.phone' was renamed to 'telephone'".
std::string secondary_text(const drift::Event& event);

/// Whether an event is about the secondary's tables.
bool of_the_secondary(const drift::Event& event);

}  // namespace abgleich::sync
