// Edits the text in which SQLite stores a table's definition (sqlite_schema.sql): so constraints
// are added and removed without touching a row, as "Making Other Kinds Of Table Schema Changes" in
// SQLite's manual of ALTER TABLE describes. Pure.
#pragma once

#include "core/catalog.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace abgleich::db::sqlite {

/// The definition without the foreign key over these columns, where it is written as this program
/// writes its own; empty where there is none.
std::optional<std::string> without_foreign_key(std::string_view definition,
                                               const CatalogForeignKey& key);

/// The definition with UNIQUE in place of PRIMARY KEY over these columns, and without their NOT
/// NULL. UNIQUE uses the same index as PRIMARY KEY. Empty where the definition is not written as
/// this program writes its own.
std::optional<std::string> with_unique_for_primary_key(std::string_view definition,
                                                       const CatalogKey& key);

/// The definition with one more clause after all others. Empty where it does not define a table by
/// a list of columns.
std::optional<std::string> with_clause(std::string_view definition, std::string_view clause);

}  // namespace abgleich::db::sqlite
