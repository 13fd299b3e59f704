// Keeps an accepted catalogue valid when the primary is restored into another database, where all
// tables and columns have other numbers.
#pragma once

#include "core/catalog.hpp"

namespace abgleich::drift {

/// `accepted` with the numbers that `live` has for the same names, and without a number for what
/// `live` does not have. Unchanged where it is the same database, or where the engine does not
/// number its objects.
Catalog carry_over(const Catalog& accepted, const Catalog& live);

}  // namespace abgleich::drift
