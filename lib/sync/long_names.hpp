// Names that PostgreSQL would cut: 63 bytes are what it keeps of one, without an error.
#pragma once

#include "contract/config.hpp"
#include "contract/contract.hpp"

namespace abgleich::sync {

/// Throws Failure{configuration}, with place and name, where a name of the contract is longer than
/// its database keeps. Two such names may be one there.
void refuse_long_names(const contract::Config& config, const contract::Contract& contract);

}  // namespace abgleich::sync
