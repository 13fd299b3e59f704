// One line of a contract: a column, its class and the options that go with the class.
#pragma once

#include "contract/contract.hpp"
#include "contract/document.hpp"

#include <string>
#include <string_view>

namespace abgleich::contract {

/// Parses `name = "plain"` or `name = { class = "…", … }` of the named table. What concerns several
/// columns is left to contract/consistency.hpp.
Column parse_column(const Member& member, std::string_view table);

/// The value of `country = "DE"`: two capital letters.
std::string country_of(const Member& member);

}  // namespace abgleich::contract
