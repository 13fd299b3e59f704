// Which table refers to which: the primary's foreign keys that hold between exported tables.
#pragma once

#include "sync/mapping/table_mapping.hpp"

#include <string>
#include <vector>

namespace abgleich::sync {

/// Adds to each table's relation the foreign keys whose two ends are exported in the same way, and
/// marks as `promised` those that every row keeps in the secondary, too.
void add_references(const Catalog& primary, std::vector<ExportedTable>& tables);

/// Sorts parents before children. Where tables refer to each other in a cycle, one child comes
/// before its parent.
std::vector<ExportedTable> in_order(std::vector<ExportedTable> tables);

/// Foreign keys of the contract's tables by which rows of the primary can refer to a key that is
/// written in another way or is not there, with the reason: "'T.C' refers to 'T.C' (why)".
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
