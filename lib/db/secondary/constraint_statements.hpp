// The text of the statements that a run needs because of the secondary's constraints: they find
// rows of others that a write would change, and move values that are in each other's way. Pure.
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

/// Gives a row where deleting these rows of the plan would change or delete rows of `dependant`
/// that are not among them; no row otherwise.
std::string find_bereaved(const Dialect& dialect, const Names& names, const Relation& relation,
                          const Dependant& dependant, const PlanRows& rows);
/// The same for an update. Empty: the relation has none of the columns that `dependant` refers to.
std::string find_cut_off(const Dialect& dialect, const Names& names, const Relation& relation,
                         const Dependant& dependant, const PlanRows& rows);

/// What replaces, for a while, a value that is in another row's way. `to_null`: NULL where the
/// column allows it, else a value that no row has. `to_value`: such a value even where NULL is
/// allowed (references still become NULL), since two NULLs can be in each other's way, too (NULLS
/// NOT DISTINCT).
enum class Aside : std::uint8_t { to_null, to_value };

/// A column of rows that are in each other's way, and how its values are moved aside.
struct ColumnAside {
  std::size_t column = 0;  // of the relation
  bool unique = false;     // moved aside in rows that are updated or deleted
  bool refers = false;     // part of a foreign key: moved aside in rows that are deleted
  bool nullable = false;
  Aside aside = Aside::to_null;
};
/// Whether the values of the column can be moved aside.
bool can_set_aside(const Dialect& dialect, const Relation& relation,
                   const ColumnAside& column_aside);
std::string set_aside(const Dialect& dialect, const Names& names, const Relation& relation,
                      const std::vector<ColumnAside>& columns, const PlanRows& rows);

/// Inserts rows with NULL in the columns of `loose`; `restore` writes the planned values
/// into these afterwards.
std::string insert_loosely(const Dialect& dialect, const Names& names, const Relation& relation,
                           const std::vector<std::size_t>& loose, const PlanRows& rows);
std::string restore(const Dialect& dialect, const Names& names, const Relation& relation,
                    const std::vector<std::size_t>& loose, const PlanRows& rows);

/// Pairs of numbers, of a delete and an insert among these rows whose keys the secondary takes for
/// the same. Empty: it tells all keys apart.
std::string select_respelled(const Dialect& dialect, const Names& names, const Relation& relation,
                             const PlanRows& rows);
/// Does both at once, by an UPDATE: the row that is to be deleted becomes the one that is
/// to be inserted.
std::string respell(const Dialect& dialect, const Names& names, const Relation& relation,
                    std::int64_t removed, std::int64_t inserted);

/// n, and for every one of `columns` (the secondary's names) the value before and after as text.
std::string select_before_after(const Dialect& dialect, const Names& names,
                                const Relation& relation, const std::vector<std::string>& columns,
                                const PlanRows& rows);

}  // namespace abgleich::db
