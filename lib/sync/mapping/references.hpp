// Who refers to whom: the primary's foreign keys as far as they hold between exported tables.
#pragma once

#include "sync/mapping/table_mapping.hpp"

#include <string>
#include <vector>

namespace abgleich::sync {

/// Notes in each table's relation the foreign keys of which both ends are exported alike, and which
/// of them the secondary can be promised.
void add_references(const Catalog& primary, std::vector<ExportedTable>& tables);

/// Parents before children; a cycle is broken where it is met.
std::vector<ExportedTable> in_order(std::vector<ExportedTable> tables);

/// Foreign keys of the contract's tables by which the primary's own rows can refer to what is
/// written otherwise, or is not there, and why: "'T.C' refers to 'T.C' (why)".
std::vector<std::string> loose_references(const contract::Contract& contract,
                                          const Catalog& primary);

/// A table that refers to another one whose `where` leaves rows out.
struct BeyondWhere {
  std::string child;
  std::string text;     // "'T.C' refers to 'T.C'"
  bool chosen = false;  // the child has a `where` of its own
};
std::vector<BeyondWhere> references_beyond_where(const contract::Contract& contract,
                                                 const Catalog& primary);

}  // namespace abgleich::sync
