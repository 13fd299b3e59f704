// The secondary's tables: made from the contract where they are missing, if abgleich may.
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
  std::vector<LocatedTable> tables;   // empty where DDL was refused
  std::vector<std::string> executed;  // DDL that this run has executed
  std::vector<std::string> refused;   // DDL that it would have needed, but may not execute
  bool swaps = false;  // that changes names in a circle: nobody can tell later whether it was run
};

/// Leaves only the tables that were asked for, by their names in the contract. Throws
/// Failure{usage} for a name that the contract does not have.
void keep_chosen(const std::set<std::string>& chosen, std::vector<ExportedTable>& tables);

/// Throws Failure{other_secondary} where a table with rows of an earlier run is not there, or not
/// under its name: where it was dropped, nobody has deleted its rows.
void refuse_lost_tables(db::Target& target, const std::vector<ExportedTable>& tables);

/// Makes what is missing (a dry run: stands in for it), locates the tables, and rewrites the base
/// of those whose exported columns have changed.
Schema bring_schema(const Pairing& pairing, db::Target& target, std::vector<ExportedTable> tables,
                    report::Run kind);

/// The DDL that the next run would need. Changes nothing.
std::vector<std::string> lacking_ddl(const Pairing& pairing, db::Target& target,
                                     std::vector<ExportedTable>& tables);

/// What a run would be refused for, found without running: throws Failure where tables are missing
/// and abgleich must not make them (23), or where the role lacks rights (26, with the statements
/// that grant them).
void check_schema(const Pairing& pairing, db::Target& target, std::vector<ExportedTable>& tables);

/// Adds what constraints the primary has and the secondary lacks, where its rows, those of this run
/// included, allow it.
void bring_constraints(const Pairing& pairing, db::Target& target, Schema& schema);

report::Outcome refuse_for_schema(const Schema& schema, report::Outcome outcome);

}  // namespace abgleich::sync
