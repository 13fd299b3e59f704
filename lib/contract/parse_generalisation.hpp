// How a column is generalised: `to` and the options that belong to its words.
#pragma once

#include "contract/contract.hpp"
#include "contract/document.hpp"

namespace abgleich::contract {

/// Parses `to` and its options into `column`, whose name, class and place are set. Refuses a column
/// without `to`, options that belong to another word, and missing ones.
void parse_generalisation(const Node& options, Column& column);

}  // namespace abgleich::contract
