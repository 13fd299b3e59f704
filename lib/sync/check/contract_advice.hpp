// What `check` advises on a contract that is valid, but reveals or loses more than its author may
// expect.
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

/// Tables in which the primary gives the key of a deleted row to a new one, for another subject,
/// and for which the contract has no `fixed`.
std::vector<Advice> reused_keys(const contract::Contract& contract, const Catalog& primary,
                                db::Source& source);

/// Columns of type `timestamptz` that are generalised by their day and have no `zone` in the
/// contract, so that the day is read in UTC. Each as "'TABLE.COLUMN'".
std::vector<std::string> zoneless_columns(const contract::Contract& contract,
                                          const Catalog& primary);

bool shifts_dates(const contract::Contract& contract);

/// Throws Failure{configuration} where a shifted date says when something was done: the time of the
/// run that first brought the row tells the date before the shift.
void refuse_record_dates(const contract::Contract& contract, const Catalog& primary);

}  // namespace abgleich::sync
