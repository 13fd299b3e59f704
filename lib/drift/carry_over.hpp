// An accepted catalogue goes on to mean what it meant when the primary is restored into another
// database, where everything has other numbers.
#pragma once

#include "core/catalog.hpp"

namespace abgleich::drift {

/// `accepted` with the numbers that `live` has for the same names; of what `live` does not have, no
/// number. What was accepted stays as it is, where both have such numbers at all.
Catalog carry_over(const Catalog& accepted, const Catalog& live);

}  // namespace abgleich::drift
