// Whether a table can be asked a condition of the contract. Pure.
#pragma once

#include "core/catalog.hpp"
#include "core/condition.hpp"

#include <optional>
#include <string>

namespace abgleich {

/// Why the table cannot be asked, if so: a column that it does not have, or that cannot be compared
/// with such a value ("column 'born' of 'person' (date) is compared with a date in single quotes").
/// Never with a value.
std::optional<std::string> misfit_of(const Condition& condition, const CatalogTable& table);

}  // namespace abgleich
