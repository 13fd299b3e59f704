// The secondary's tables: made or adapted where they do not fit the contract, if abgleich may.
#pragma once

#include "db/secondary/target.hpp"
#include "mask/keyring.hpp"
#include "report/change.hpp"
#include "sync/mapping/located_table.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/pairing.hpp"

#include <set>
#include <string>
#include <vector>

namespace abgleich::sync {

struct Schema {
  std::vector<LocatedTable> tables;   // empty in a real run that may not execute its DDL
  std::vector<std::string> executed;  // what this run has changed: DDL, and other changes in words
  std::vector<std::string> refused;   // DDL that it would have needed, but may not execute
  bool swaps = false;  // `refused` swaps names: nobody can tell later whether it was executed
};

/// Leaves only the tables that were asked for, by their names in the contract; `chosen` empty: all.
/// Names that the contract does not have are ignored.
void keep_chosen(const std::set<std::string>& chosen, std::vector<ExportedTable>& tables);

/// Throws Failure{other_secondary} where a table that had rows after the last run is missing or has
/// another name: that a table was dropped does not mean that its rows were deleted.
void refuse_lost_tables(db::Target& target, const std::vector<ExportedTable>& tables);

/// Makes what is missing (in a dry run: temporary stand-ins), locates the tables, and rewrites the
/// base of those whose exported columns have changed.
Schema bring_schema(const Pairing& pairing, db::Target& target, std::vector<ExportedTable> tables,
                    report::Run kind);

/// The DDL that the next run would need. Locates the relations of `tables`; executes nothing.
std::vector<std::string> lacking_ddl(const Pairing& pairing, db::Target& target,
                                     std::vector<ExportedTable>& tables);

/// Checks, without a run, what a run would be refused for: throws Failure where tables are missing
/// and abgleich must not make them (23), or where the role lacks rights (26, with the statements
/// that grant them).
void check_schema(const Pairing& pairing, db::Target& target, std::vector<ExportedTable>& tables);

/// Adds constraints that the primary has and the secondary lacks, if abgleich may and all rows,
/// those of this run included, keep them.
void bring_constraints(const Pairing& pairing, db::Target& target, Schema& schema);

/// The outcome of a run that is refused because of `schema.refused`.
report::Outcome refuse_for_schema(const Schema& schema, report::Outcome outcome);

}  // namespace abgleich::sync
