// Foreign keys that the secondary has too, and that the primary drops. A new foreign key is not
// drift: nothing that was accepted has changed, and the secondary gets it as soon as its rows
// fulfil it. Pure.
#pragma once

#include "drift/drift.hpp"

#include <vector>

namespace abgleich::drift {

/// Appends an event for each foreign key that was accepted and is no longer live, between exported
/// columns of tables of the contract. What happens to the columns themselves is reported elsewhere.
void compare_foreign_keys(const contract::Contract& contract, const Catalog& accepted,
                          const Catalog& live, std::vector<Event>& events);

}  // namespace abgleich::drift
