// Whether a condition of the contract can be used on a table. Pure.
#pragma once

#include "core/catalog.hpp"
#include "core/condition.hpp"

#include <optional>
#include <string>

namespace abgleich {

/// Why the condition cannot be used on the table; empty: it can. The table does not have a column,
/// or a column cannot be compared with such a value ("column 'born' of 'person' (date) is compared
/// with a date in single quotes"). The text never holds a value of the condition. Other tables that
/// it reaches are looked at only with their `catalog`.
std::optional<std::string> misfit_of(const Condition& condition, const CatalogTable& table,
                                     const Catalog* catalog = nullptr);

}  // namespace abgleich
