// Rows of the primary that no peer gets, although a contract says that peers get the table: none
// takes them, or several do. Nobody would miss them, so every run counts them.
#pragma once

#include "contract/config.hpp"
#include "core/trace.hpp"
#include "report/peer_outcome.hpp"

#include <vector>

namespace abgleich::sync {

/// One for each routed table with such rows. A table that does not fit its contract is left out:
/// the peers' own runs say so. Throws Failure where the primary or a contract cannot be read.
std::vector<report::Unrouted> find_unrouted(const contract::Config& node,
                                            const OnStatement& on_statement);

}  // namespace abgleich::sync
