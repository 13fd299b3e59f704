// The text of every statement that makes or changes the secondary's tables and the base's. Pure.
#pragma once

#include "db/engine/clauses.hpp"
#include "db/engine/dialect.hpp"
#include "db/engine/relation.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db {

/// What this program writes behind every foreign key that it makes. People rarely write it, so the
/// program knows its own keys by it.
inline constexpr std::string_view kOurKeys = "DEFERRABLE INITIALLY IMMEDIATE";

std::string create_data_table(const Dialect& dialect, const std::string& name,
                              const Relation& relation, const std::string& schema,
                              Lifetime lifetime);
// A view of the data as it would be after the run: NULL for columns that are missing,
// new names in place of old ones. `table`: the data's table as it is now, quoted.
// `holders`: see Adaptation::holders.
std::string create_data_view(const Dialect& dialect, const std::string& name,
                             const Relation& relation, const std::string& table,
                             const std::vector<std::string>& holders);
std::string rename_table(const Dialect& dialect, const std::string& schema, std::string_view from,
                         std::string_view to);
/// The clause of a foreign key as this program writes it. Columns and tables by their names
/// in the secondary.
std::string foreign_key(const Dialect& dialect, const std::string& schema,
                        const std::vector<std::string>& columns, const std::string& parent,
                        const std::vector<std::string>& referenced);
std::string foreign_key(const Dialect& dialect, const std::string& schema, const Relation& relation,
                        const RelationForeignKey& key);
std::string add_foreign_key(const Dialect& dialect, const std::string& schema,
                            const Relation& relation, const RelationForeignKey& key);
std::string add_constraint(const Dialect& dialect, const std::string& schema,
                           const std::string& table, std::string_view name,
                           const std::string& clause);
std::string drop_constraint(const Dialect& dialect, const std::string& schema,
                            const std::string& table, std::string_view name);
/// 1 where a row of the relation's data refers to one that is not there; 0 otherwise.
std::string count_orphans(const Dialect& dialect, const std::string& schema,
                          const Relation& relation, const RelationForeignKey& key);
std::string add_column(const Dialect& dialect, const std::string& schema, const Relation& relation,
                       const RelationColumn& column);
std::string rename_column(const Dialect& dialect, const std::string& schema,
                          const Relation& relation, std::string_view from, std::string_view to);
// `table` is quoted already, here and below.
std::string alter_type(const Dialect& dialect, const std::string& table, std::string_view column,
                       std::string_view type);
std::string drop_not_null(const Dialect& dialect, const std::string& table,
                          std::string_view column);
std::string set_not_null(const Dialect& dialect, const std::string& table, std::string_view column);
std::string drop_column(const Dialect& dialect, const std::string& table, std::string_view column);
/// Sets the column to NULL in all rows, but for those of other pairings.
std::string empty_column(const Dialect& dialect, const std::string& table, std::string_view column,
                         const Relation& relation);
std::string create_base_table(const Dialect& dialect, const std::string& name,
                              const Relation& relation, Lifetime lifetime);

}  // namespace abgleich::db
