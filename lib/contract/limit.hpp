// Reading a limit on mass changes: a share ("5%") or a count (100).
#pragma once

#include "contract/contract.hpp"
#include "contract/document.hpp"

namespace abgleich::contract {

/// Throws Failure{configuration} with what to write instead.
Limit limit_of(const Member& member);

}  // namespace abgleich::contract
