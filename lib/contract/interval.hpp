// A length of time in the configuration: "0", "90s", "15m", "24h", "7d".
#pragma once

#include "contract/document.hpp"

#include <chrono>

namespace abgleich::contract {

/// Throws Failure{configuration} with what to write instead.
std::chrono::seconds interval_of(const Member& member, std::string_view example);

}  // namespace abgleich::contract
