// The text of the statements on the base as a whole and on one row of it, and for its seal. Pure.
#pragma once

#include "db/engine/clauses.hpp"
#include "db/engine/dialect.hpp"
#include "db/engine/relation.hpp"

#include <string>
#include <vector>

namespace abgleich::db {

// For the base's seal: key and cells of all base rows, and of those that are in the plan and were
// not refused. The key as the engine writes it.
std::string select_sealed(const Names& names, const Relation& relation);
std::string select_sealed_of_plan(const Names& names, const Relation& relation);

// The base as a whole (key, cells), and one row of base or data by its key ($1, …).
std::vector<std::string> base_columns(const Relation& relation);
std::string select_base(const Dialect& dialect, const Names& names, const Relation& relation);
/// ANALYZE of the key columns of base and data, for the server's planner; an empty statement where
/// the engine needs none. People's other columns are left to the server: it still analyses whole
/// tables by itself.
std::vector<std::string> analyze_keys(const Dialect& dialect, const Names& names,
                                      const Relation& relation);
/// Changes a key column of the base to text, where it was made with a type that takes different
/// bytes for equal.
std::string keep_as_text(const Dialect& dialect, const std::string& base,
                         const RelationColumn& column, std::string_view name);
/// Sets `cells` of the base's rows to those that the table `by` has for the same key.
std::string replace_base(const Dialect& dialect, const Names& names, const std::string& by,
                         const Relation& relation);
/// The rows of the data: all exported columns, the key's first.
std::string select_data(const Dialect& dialect, const Names& names, const Relation& relation);
std::string select_base_row(const Names& names, const Relation& relation);
std::string select_row(const Dialect& dialect, const Names& names, const Relation& relation);

}  // namespace abgleich::db
