// A contract that names no table at all, which is no contract yet.
#pragma once

#include "contract/contract.hpp"

namespace abgleich::sync {

/// Throws Failure{configuration} where the contract has no table: nothing would be compared, and
/// "up to date" would be said of nothing.
void expect_tables(const contract::Contract& contract);

}  // namespace abgleich::sync
