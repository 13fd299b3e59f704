// What `check` says of a contract that works and tells or loses more than its author may think.
#pragma once

#include "contract/contract.hpp"
#include "core/catalog.hpp"
#include "db/source.hpp"

#include <optional>
#include <string>

namespace abgleich::sync {

/// Tables whose key the primary gives to another subject once its row is deleted, and that name
/// nothing in `fixed`, with the line to write. Empty: there are none.
std::string reused_keys_text(const contract::Contract& contract, const Catalog& primary,
                             db::Source& source);

/// Generalised moments without a zone whose day is read. Empty: there are none.
std::string zoneless_text(const contract::Contract& contract, const Catalog& primary);

bool shifts_dates(const contract::Contract& contract);

/// Throws Failure{configuration} where a shifted date says when something was done: the run that
/// brings it tells what it was before it was shifted.
void refuse_record_dates(const contract::Contract& contract, const Catalog& primary);

}  // namespace abgleich::sync
