// The text of the statements that read a table of the primary: named columns only. Pure.
#pragma once

#include "core/catalog.hpp"
#include "db/dialect.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace abgleich::db {

std::string select_columns(const Dialect& dialect, const std::string& schema,
                           const std::string& table,
                           const std::vector<const CatalogColumn*>& columns);

// The same, at most so many rows.
std::string select_some(const Dialect& dialect, const std::string& schema, const std::string& table,
                        const std::vector<const CatalogColumn*>& columns, std::int64_t rows);

// The same with the place of each row in front, and of some rows only; `place` and `where` are SQL,
// or empty.
std::string select_unknown(const Dialect& dialect, const std::string& schema,
                           const std::string& table,
                           const std::vector<const CatalogColumn*>& columns,
                           const std::string& place, const std::string& where);

}  // namespace abgleich::db
