// Editing the text by which SQLite remembers a table (sqlite_schema.sql): constraints come and go
// there without a row being touched, as "Making Other Kinds Of Table Schema Changes" in SQLite's
// manual of ALTER TABLE says. Pure.
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

/// The definition with UNIQUE where it says PRIMARY KEY over these columns, and without NOT NULL of
/// them: SQLite keeps both by the same index. Empty where it is not written as this program writes
/// its own.
std::optional<std::string> with_unique_for_primary_key(std::string_view definition,
                                                       const CatalogKey& key);

/// The definition with one clause more behind all others. Empty where it is no definition of a
/// table by columns.
std::optional<std::string> with_clause(std::string_view definition, std::string_view clause);

}  // namespace abgleich::db::sqlite
