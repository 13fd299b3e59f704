// What `check` says of a contract that works and tells or loses more than its author may think.
#pragma once

#include "contract/contract.hpp"
#include "core/catalog.hpp"
#include "db/primary/source.hpp"

#include <string>
#include <vector>

namespace abgleich::sync {

struct Advice {
  std::string table;  // its name in the primary
  std::string text;   // what may go wrong
  std::string hint;   // what to write
};

/// Tables whose key the primary gives to another subject once its row is deleted, and that name
/// nothing in `fixed`.
std::vector<Advice> reused_keys(const contract::Contract& contract, const Catalog& primary,
                                db::Source& source);

/// Generalised moments without a zone whose day is read: "'TABLE.COLUMN'".
std::vector<std::string> zoneless_columns(const contract::Contract& contract,
                                          const Catalog& primary);

bool shifts_dates(const contract::Contract& contract);

/// Throws Failure{configuration} where a shifted date says when something was done: the run that
/// brings it tells what it was before it was shifted.
void refuse_record_dates(const contract::Contract& contract, const Catalog& primary);

}  // namespace abgleich::sync
