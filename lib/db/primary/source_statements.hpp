// The text of the statements that read a table of the primary: named columns only. Pure.
#pragma once

#include "core/catalog.hpp"
#include "db/engine/dialect.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace abgleich::db {

// SELECT of `columns`, with the place of each row in front, of the rows that meet `where`. `place`
// and `where` are SQL, or empty.
std::string select_unknown(const Dialect& dialect, const std::string& schema,
                           const std::string& table,
                           const std::vector<const CatalogColumn*>& columns,
                           const std::string& place, const std::string& where);

// The same without a place, for at most `rows` rows.
std::string select_some(const Dialect& dialect, const std::string& schema, const std::string& table,
                        const std::vector<const CatalogColumn*>& columns, const std::string& where,
                        std::int64_t rows);

// How many rows meet `where`.
std::string count_all(const Dialect& dialect, const std::string& schema, const std::string& table,
                      const std::string& where);
/// Counts at most `most` rows of the table.
std::string count_some(const Dialect& dialect, const std::string& schema, const std::string& table,
                       std::int64_t most);

}  // namespace abgleich::db
