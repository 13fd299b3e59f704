// Several pairings in one secondary: each has books of its own ([secondary] books), and tables of
// its own. Two pairings that wrote to one table would take each other's rows for edits of people.
// Only the rows of several peers may come into one table (db/secondary/shared_tables.hpp).
#pragma once

#include "db/secondary/target.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/pairing.hpp"

#include <cstdint>
#include <vector>

namespace abgleich::sync {

/// Refuses a table that another pairing has, too, unless both take in what peers send
/// (db/secondary/shared_tables.hpp), and a schema of the data that is another pairing's
/// bookkeeping, as far as the books of others can be read. Every run asks: two first runs do not
/// see each other. Throws Failure{configuration}.
void refuse_shared_tables(const Pairing& pairing, db::Target& target,
                          const std::vector<ExportedTable>& tables);

/// Writes down in which schema this pairing's data is, for `refuse_shared_tables` of others.
void remember_schema(const Pairing& pairing, db::Books& books, std::int64_t epoch);

}  // namespace abgleich::sync
