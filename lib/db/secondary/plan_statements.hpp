// The text of the statements on plan_N, which holds what is to be done to the secondary's rows and
// to the base: they apply it in sets and check the result. Pure.
#pragma once

#include "db/engine/clauses.hpp"
#include "db/engine/dialect.hpp"
#include "db/engine/relation.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db {

/// What a plan row does to the secondary: one character in plan_N.action.
enum class PlanAction : char {
  insert = 'i',
  update = 'u',
  remove = 'd',
  replace = 'r',  // another subject's row under the same key: the old one goes, the new one comes
  agree = 'a',    // base only
  forget = 'f',   // base only: its row goes
  // Refused by the secondary's constraints; the base stays as it is:
  refused_insert = 'I',
  refused_update = 'U',
  refused_remove = 'D',
  refused_replace = 'R',
};

/// Rows of a plan, by their numbers.
struct PlanRows {
  std::int64_t first = 1;
  std::int64_t last = 0;
  std::vector<std::int64_t> only{};  // where not empty, these instead of the range

  /// The condition that `number`, which is SQL, is the number of one of these rows.
  [[nodiscard]] std::string have(const Dialect& dialect, std::string_view number) const;
};

/// The condition that a plan row (`alias` with its dot) was not refused.
std::string not_refused(std::string_view alias);

std::string create_plan(const Dialect& dialect, const Names& names, const Relation& relation);
std::vector<std::string> plan_columns(const Relation& relation);
std::string apply_insert(const Dialect& dialect, const Names& names, const Relation& relation,
                         const PlanRows& rows, PlanAction action = PlanAction::insert);
std::string apply_update(const Dialect& dialect, const Names& names, const Relation& relation,
                         const std::vector<std::size_t>& columns, const PlanRows& rows);
/// Deletes the rows that the plan removes, or those that it replaces by another subject's.
std::string apply_delete(const Dialect& dialect, const Names& names, const Relation& relation,
                         const PlanRows& rows, PlanAction action = PlanAction::remove);
/// The condition that the plan row `p` writes a column.
std::string is_written(const Dialect& dialect, std::size_t column);
std::string refuse_rows(const Dialect& dialect, const Names& names, const PlanRows& rows);
/// Whether the journal keeps the values that deleted rows had.
enum class BeforeImages : std::uint8_t { keep, not_of_deleted };
/// Copies what was applied, and what becomes of the base, into the table `journal`.
std::string journal_plan(const Names& names, const Relation& relation, const std::string& journal,
                         std::int64_t epoch, BeforeImages images);
// The keys of the rows that the plan deletes, as the journal writes them.
std::string select_leaving(const Names& names);
// Bring the base to what the plan says, for rows that were not refused.
std::string update_base(const Dialect& dialect, const Names& names, const Relation& relation);
std::string insert_base(const Names& names, const Relation& relation);
std::string forget_base(const Names& names, const Relation& relation);
// ANALYZE of a large plan, so that the server joins it in sets; empty where the engine needs none.
std::string analyze_plan(const Dialect& dialect, const Names& names, const Relation& relation);
// action, key_text, before and after of the rows that are not refused, in order.
std::string select_plan(const Dialect& dialect, const Names& names, const Relation& relation);
// n, action, mask, cells, key_text and c0…cn of the plan, for rows refused.
std::string select_refused(const Dialect& dialect, const Names& names, const Relation& relation);
// mask, cells of the plan, c0…cn of the secondary, for rows inserted or updated.
std::string select_written(const Dialect& dialect, const Names& names, const Relation& relation);

// How many rows are not as the plan says: inserted or updated, but not there; or
// deleted, but there.
std::string count_astray(const Dialect& dialect, const Names& names, const Relation& relation);
// By how many rows the plan makes its table grow.
std::string count_growth(const Names& names);

}  // namespace abgleich::db
