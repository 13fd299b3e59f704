// A condition of the contract in a server's SQL. Pure.
#pragma once

#include "core/catalog.hpp"
#include "core/condition.hpp"
#include "db/engine/dialect.hpp"

#include <string>

namespace abgleich::db {

/// SQL over a row of the table: names quoted, every value a literal that takes the column's own
/// type. It is true for the rows that the condition is true of, and for no others; where it is not
/// true, it may be false or NULL. A value that is none of its column's type (SQLite) is as NULL.
/// REQUIRES: misfit_of finds nothing.
std::string condition_text(const Dialect& dialect, const Condition& condition,
                           const CatalogTable& table);

}  // namespace abgleich::db
