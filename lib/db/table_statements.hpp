// The text of every statement that makes or changes the secondary's tables and the base's. Pure.
#pragma once

#include "db/clauses.hpp"
#include "db/dialect.hpp"
#include "db/relation.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db {

std::string create_data_table(const Dialect& dialect, const std::string& name,
                              const Relation& relation, const std::string& schema,
                              Lifetime lifetime);
// A view of the data as it would be: NULL for columns that are missing, new names for old.
// `table`: the one that has it now, quoted. `holders`: its own column for each of the relation's,
// empty where there is none yet.
std::string create_data_view(const Dialect& dialect, const std::string& name,
                             const Relation& relation, const std::string& table,
                             const std::vector<std::string>& holders);
std::string rename_table(const Dialect& dialect, const std::string& schema, std::string_view from,
                         std::string_view to);
/// The clause, as this program writes it. Columns and tables by their names in the secondary.
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
/// Keeps these columns unique in a table that is there.
std::string add_unique(const Dialect& dialect, const std::string& schema, const std::string& table,
                       const std::vector<std::string>& columns);
/// 1 where a row of the relation's data refers to one that is not there; 0 otherwise.
std::string count_orphans(const Dialect& dialect, const std::string& schema,
                          const Relation& relation, const RelationForeignKey& key);
/// SQLite: gives a table another definition whose rows look the same. `version`: a number of the
/// schema that was not in use before, so that other connections look again.
std::vector<std::string> redefine_table(std::string_view table, std::string_view definition,
                                        std::int64_t version);
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
std::string empty_column(const Dialect& dialect, const std::string& table, std::string_view column);
std::string create_base_table(const Dialect& dialect, const std::string& name,
                              const Relation& relation, Lifetime lifetime);

// name and definition of the foreign keys, or the primary key, of a PostgreSQL table ($1) that this
// transaction has made.
std::string select_constraints(bool foreign);
/// PostgreSQL: name and definition of the primary key of a table ($1).
std::string select_primary_key();

}  // namespace abgleich::db
