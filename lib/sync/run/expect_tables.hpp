// Refuses a contract that names no table.
#pragma once

#include "contract/contract.hpp"

namespace abgleich::sync {

/// Throws Failure{configuration} where the contract has no table: a run would compare nothing and
/// still report "up to date".
void expect_tables(const contract::Contract& contract);

}  // namespace abgleich::sync
