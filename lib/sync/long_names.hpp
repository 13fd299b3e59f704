// Names that are too long: PostgreSQL cuts a name to 63 bytes and reports no error.
#pragma once

#include "contract/config.hpp"
#include "contract/contract.hpp"

namespace abgleich::sync {

/// Throws Failure{configuration}, with place and name, where a name of the contract is longer than
/// its database keeps. Once they are cut, two such names may be the same.
void refuse_long_names(const contract::Config& config, const contract::Contract& contract);

}  // namespace abgleich::sync
