// Foreign keys of the primary that the secondary has too, and that go. That one comes is no drift:
// nothing that was accepted is another, and the secondary gets it as soon as its rows keep it.
// Pure.
#pragma once

#include "drift/drift.hpp"

#include <vector>

namespace abgleich::drift {

/// An event for each that was accepted and is not live, between exported columns of tables of the
/// contract. What happens to the columns themselves is others' to
/// tell.
void compare_foreign_keys(const contract::Contract& contract, const Catalog& accepted,
                          const Catalog& live, std::vector<Event>& events);

}  // namespace abgleich::drift
