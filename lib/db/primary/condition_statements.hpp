// A condition of the contract in a server's SQL. Pure.
#pragma once

#include "core/catalog.hpp"
#include "core/condition.hpp"
#include "db/engine/dialect.hpp"

#include <string>

namespace abgleich::db {

/// The condition as SQL for a WHERE clause: names are quoted, and every value is a literal that
/// takes the column's own type. It is true for exactly the rows that meet the condition; for the
/// others it is false or NULL. A value that is not of its column's type (SQLite) counts as NULL.
/// Other tables that it reaches are those of `catalog`, in `schema`. REQUIRES: misfit_of finds
/// nothing.
std::string condition_text(const Dialect& dialect, const std::string& schema,
                           const Condition& condition, const CatalogTable& table,
                           const Catalog& catalog);

}  // namespace abgleich::db
