// The text of the statements on the base as a whole and on one row of it, and for its seal. Pure.
#pragma once

#include "db/engine/clauses.hpp"
#include "db/engine/dialect.hpp"
#include "db/engine/relation.hpp"

#include <string>
#include <vector>

namespace abgleich::db {

// For the base's seal: key and cells of all base rows, and of those that a plan is about. The key
// as the engine writes it.
std::string select_sealed(const Names& names, const Relation& relation);
std::string select_sealed_of_plan(const Names& names, const Relation& relation);

// The base as a whole (key, cells), and one row of base or data by its key ($1, …).
std::vector<std::string> base_columns(const Relation& relation);
std::string select_base(const Dialect& dialect, const Names& names, const Relation& relation);
/// What the planner needs to know of data and base; empty ones: nothing. The other columns of
/// people's tables are the server's affair: an ANALYZE of some columns does not keep it from its
/// own.
std::vector<std::string> analyze_keys(const Dialect& dialect, const Names& names,
                                      const Relation& relation);
/// The key's column of a base that was made with a type that takes more for equal than its bytes.
std::string keep_as_text(const Dialect& dialect, const std::string& base,
                         const RelationColumn& column, std::string_view name);
std::string replace_base(const Dialect& dialect, const Names& names, const std::string& by,
                         const Relation& relation);
/// The rows of the data: all exported columns, the key's first.
std::string select_data(const Dialect& dialect, const Names& names, const Relation& relation);
std::string select_base_row(const Names& names, const Relation& relation);
std::string select_row(const Dialect& dialect, const Names& names, const Relation& relation);

}  // namespace abgleich::db
