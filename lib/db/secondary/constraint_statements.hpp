// The text of the statements with which a run gets along with the secondary's constraints: looking
// whose rows a write would take along, and moving values out of each other's way. Pure.
#pragma once

#include "db/engine/clauses.hpp"
#include "db/engine/constraints.hpp"
#include "db/engine/dialect.hpp"
#include "db/engine/relation.hpp"
#include "db/secondary/plan_statements.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db {

/// One row where a delete of these rows of the plan would change or remove rows of `dependant` that
/// are not among them; none otherwise.
std::string find_bereaved(const Dialect& dialect, const Names& names, const Relation& relation,
                          const Dependant& dependant, const PlanRows& rows);
/// The same for an update. Empty where none of the plan's columns is one that is referred to.
std::string find_cut_off(const Dialect& dialect, const Names& names, const Relation& relation,
                         const Dependant& dependant, const PlanRows& rows);

/// Where a value goes that is in another row's way: NULL where the column takes it, or at once to a
/// value that nobody has (two NULLs can be in each other's way too: NULLS NOT DISTINCT).
enum class Aside : std::uint8_t { to_null, to_value };

/// A column of rows that are in each other's way, and how its value may be moved out of it.
struct ColumnAside {
  std::size_t column = 0;  // of the relation
  bool unique = false;     // frees a unique value, of rows that are updated or deleted
  bool refers = false;     // lets go of another row, of rows that are deleted
  bool nullable = false;
  Aside aside = Aside::to_null;
};
/// Whether a value of the column can be moved to one that nobody has.
bool can_set_aside(const Dialect& dialect, const Relation& relation,
                   const ColumnAside& column_aside);
std::string set_aside(const Dialect& dialect, const Names& names, const Relation& relation,
                      const std::vector<ColumnAside>& columns, const PlanRows& rows);

/// Inserts with NULL in the columns of `loose`, and what is put there afterwards.
std::string insert_loosely(const Dialect& dialect, const Names& names, const Relation& relation,
                           const std::vector<std::size_t>& loose, const PlanRows& rows);
std::string restore(const Dialect& dialect, const Names& names, const Relation& relation,
                    const std::vector<std::size_t>& loose, const PlanRows& rows);

/// The numbers of a delete and an insert of these rows whose keys the secondary takes for the same.
/// Empty where it tells all keys apart.
std::string select_respelled(const Dialect& dialect, const Names& names, const Relation& relation,
                             const PlanRows& rows);
/// Both at once: the one row becomes the other, in its place.
std::string respell(const Dialect& dialect, const Names& names, const Relation& relation,
                    std::int64_t removed, std::int64_t inserted);

/// n, and for every one of `columns` (the secondary's names) the value before and after as text.
std::string select_before_after(const Dialect& dialect, const Names& names,
                                const Relation& relation, const std::vector<std::string>& columns,
                                const PlanRows& rows);

}  // namespace abgleich::db
