// The text of the statements on plan_N: what is to be done to the secondary's rows and to the base,
// done in sets, and how it went. Pure.
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
  // The secondary's constraints would not take it; the base stands:
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

  /// The condition that a row's number (as it stands in the statement) is one of these.
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
/// Of the rows that are deleted, or of those that another subject's replace.
std::string apply_delete(const Dialect& dialect, const Names& names, const Relation& relation,
                         const PlanRows& rows, PlanAction action = PlanAction::remove);
/// The condition that the plan row `p` writes a column.
std::string is_written(const Dialect& dialect, std::size_t column);
std::string refuse_rows(const Dialect& dialect, const Names& names, const PlanRows& rows);
// Copies what was applied, and what becomes of the base, into the journal (a real table's name).
enum class BeforeImages : std::uint8_t { keep, not_of_deleted };
std::string journal_plan(const Names& names, const Relation& relation, const std::string& journal,
                         std::int64_t epoch, BeforeImages images);
// The keys of the rows that the plan deletes, as the journal writes them.
std::string select_leaving(const Names& names);
// The base as the plan says, for what was not refused.
std::string update_base(const Dialect& dialect, const Names& names, const Relation& relation);
std::string insert_base(const Names& names, const Relation& relation);
std::string forget_base(const Names& names, const Relation& relation);
// What the planner needs to know of a large plan, to join it in sets; empty: nothing.
std::string analyze_plan(const Dialect& dialect, const Names& names, const Relation& relation);
// action, key_text, before and after of the rows that are not refused, in order.
std::string select_plan(const Dialect& dialect, const Names& names, const Relation& relation);
// n, action, mask, cells, key_text and c0…cn of the plan, for rows refused.
std::string select_refused(const Dialect& dialect, const Names& names, const Relation& relation);
// mask, cells of the plan, c0…cn of the secondary, for rows inserted or updated.
std::string select_written(const Dialect& dialect, const Names& names, const Relation& relation);

/// 1 where a table has rows, without counting them.
std::string count_to_one(const std::string& table);
// The number of rows that were inserted or updated and are not there, or deleted and are.
std::string count_astray(const Dialect& dialect, const Names& names, const Relation& relation);
// By how many rows the plan lets its table grow.
std::string count_growth(const Names& names);

}  // namespace abgleich::db
