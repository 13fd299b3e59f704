// The text of every statement on data, base and temporary tables: pure functions of a dialect and a
// relation. Identifiers go through the dialect's quoting; values are never part of the text.
//
// Temporary tables of a run, one set a relation (N is the relation's number), with
// `temporary_name`'s prefix:
//   stage_N  what the primary has: c0…cn (typed as the secondary's columns), cells (its digests;
//            NULL: the row is held back, only its key counts), mark (its fingerprints and place)
//   gone_N   what the primary may no longer have: k0…kn, mark; only where the primary was not read
//            whole
//   plan_N   what is to be done: n, action, mask, c0…cn, cells (the base afterwards; NULL: no row
//            in it), fate, key_text, before, after
#pragma once

#include "core/catalog.hpp"
#include "db/dialect.hpp"
#include "db/relation.hpp"

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
  agree = 'a',   // base only
  forget = 'f',  // base only: its row goes
  // The secondary's constraints would not take it; the base stands:
  refused_insert = 'I',
  refused_update = 'U',
  refused_remove = 'D',
};

/// The name of a temporary table. Its prefix is reserved: in SQLite a temporary table would hide
/// one of the data that has the same name.
std::string temporary_name(std::string_view what, std::int64_t relation);

/// The names that a run uses for one relation: real tables, or temporary stand-ins for tables that
/// do not exist yet (a dry run creates nothing).
struct Names {
  std::string data;
  std::string base;
  std::string stage;
  std::string plan;
  std::string gone;
};

std::string select_columns(const Dialect& dialect, const std::string& schema,
                           const std::string& table,
                           const std::vector<const CatalogColumn*>& columns);

// The same with the place of each row in front, and of some rows only; `place` and `where` are SQL,
// or empty.
std::string select_unknown(const Dialect& dialect, const std::string& schema,
                           const std::string& table,
                           const std::vector<const CatalogColumn*>& columns,
                           const std::string& place, const std::string& where);

// DDL of the data and its base.
enum class Lifetime : std::uint8_t { lasting, temporary };
std::string create_data_table(const Dialect& dialect, const std::string& name,
                              const Relation& relation, const std::string& schema,
                              Lifetime lifetime);
// A view of the data as it would be: NULL for columns that are missing, new names for old.
// `holders`: the table's own column for each of the relation's, empty where there is none yet.
std::string create_data_view(const Dialect& dialect, const std::string& name,
                             const Relation& relation, const std::string& schema,
                             const std::vector<std::string>& holders);
std::string add_foreign_key(const Dialect& dialect, const std::string& schema,
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
std::string empty_column(const Dialect& dialect, const std::string& table, std::string_view column);
std::string create_base_table(const Dialect& dialect, const std::string& name,
                              const Relation& relation, Lifetime lifetime);

// Staging.
std::string create_stage(const Dialect& dialect, const Names& names, const Relation& relation);
std::vector<std::string> stage_columns(const Relation& relation);
std::string create_gone(const Dialect& dialect, const Names& names, const Relation& relation);
std::vector<std::string> gone_columns(const Relation& relation);
std::vector<std::string> finish_gone(const Dialect& dialect, const Names& names,
                                     const Relation& relation);
std::vector<std::string> finish_stage(const Dialect& dialect, const Names& names,
                                      const Relation& relation);
std::string select_duplicates(const Names& names, const Relation& relation);
std::string hold_duplicates(const Names& names, const Relation& relation);

// Pairing: c0…cn of the stage, its cells, the base's cells, 1 or NULL for "the secondary has the
// row", c0…cn of the secondary.
std::string select_changed_pairs(const Dialect& dialect, const Names& names,
                                 const Relation& relation);
// The same for every row of the stage, whether or not the base has it so.
std::string select_staged_pairs(const Dialect& dialect, const Names& names,
                                const Relation& relation);
// The same for rows of the base that the stage lacks; stage columns are the key's, from the base.
std::string select_missing_pairs(const Dialect& dialect, const Names& names,
                                 const Relation& relation);

// The same, of those that gone_N names.
std::string select_gone_pairs(const Dialect& dialect, const Names& names, const Relation& relation);

// What a run has left open, after its writes: key columns, mark, cells of stage and base, of rows
// of the stage that are not as the base has them, or that are held back; key columns and mark of
// rows of gone_N that the base still has; the same, without a mark, of all rows of the base that
// the stage does not have, for a primary that was read whole; marks of rows of the stage that the
// base does not have; and keys of rows of the stage that the base has although gone_N does not name
// them.
std::string select_open(const Dialect& dialect, const Names& names, const Relation& relation);
std::string select_held(const Dialect& dialect, const Names& names, const Relation& relation);
std::string select_absent(const Dialect& dialect, const Names& names, const Relation& relation);
std::string select_missing_keys(const Dialect& dialect, const Names& names,
                                const Relation& relation);
std::string select_new_marks(const Names& names, const Relation& relation);
std::string count_doubtful(const Names& names, const Relation& relation);

// For `verify`, in the same shape: rows of the base that are held back; and rows of the data that
// neither stage nor base has.
std::string select_held_pairs(const Dialect& dialect, const Names& names, const Relation& relation);
std::string select_secondary_only(const Dialect& dialect, const Names& names,
                                  const Relation& relation);

// For the base's seal: key and cells of all base rows, and of those that a plan is about. The key
// as the engine writes it.
std::string select_sealed(const Names& names, const Relation& relation);
std::string select_sealed_of_plan(const Names& names, const Relation& relation);

// The base as a whole (key, cells), and one row of base or data by its key ($1, …).
std::vector<std::string> base_columns(const Relation& relation);
std::string select_base(const Dialect& dialect, const Names& names, const Relation& relation);
std::string replace_base(const Names& names, const std::string& by, const Relation& relation);
std::string select_base_row(const Dialect& dialect, const Names& names, const Relation& relation);
std::string select_row(const Dialect& dialect, const Names& names, const Relation& relation);

// First load, straight from the stage.
std::string fill_data(const Dialect& dialect, const Names& names, const Relation& relation);
std::string fill_base(const Names& names, const Relation& relation);

/// Rows of a plan, by their numbers.
struct PlanRows {
  std::int64_t first = 1;
  std::int64_t last = 0;
  std::vector<std::int64_t> only{};  // where not empty, these instead of the range

  /// The condition that a row's number (as it stands in the statement) is one of these.
  [[nodiscard]] std::string have(std::string_view number) const;
};

// What INSERT and UPDATE say between their words: a secondary's own ON CONFLICT REPLACE or IGNORE
// in SQLite must not drop anybody's row, and an identity column (GENERATED ALWAYS) is to take our
// value as well.
std::string_view or_abort(const Dialect& dialect);
std::string_view overriding(const Dialect& dialect);

// name and definition of the foreign keys, or the primary key, of a PostgreSQL table ($1) that this
// transaction has made; and the number of rows that are both in the stage and in the data.
std::string select_constraints(bool foreign);
std::string count_held_and_filled(const Dialect& dialect, const Names& names,
                                  const Relation& relation);

// Plan and application.
std::string create_plan(const Dialect& dialect, const Names& names, const Relation& relation);
std::vector<std::string> plan_columns(const Relation& relation);
std::string apply_insert(const Dialect& dialect, const Names& names, const Relation& relation,
                         const PlanRows& rows);
std::string apply_update(const Dialect& dialect, const Names& names, const Relation& relation,
                         const std::vector<std::size_t>& columns, const PlanRows& rows);
std::string apply_delete(const Dialect& dialect, const Names& names, const Relation& relation,
                         const PlanRows& rows);
std::string refuse_rows(const Names& names, const PlanRows& rows);
// Copies what was applied, and what becomes of the base, into the journal (a real table's name); to
// be run before the base moves.
enum class BeforeImages : std::uint8_t { keep, not_of_deleted };
std::string journal_plan(const Names& names, const Relation& relation, const std::string& journal,
                         std::int64_t epoch, BeforeImages images);
// Forgets what earlier runs' journal knows of the rows that the plan deletes.
std::string erase_images(const Names& names, const Relation& relation, const std::string& journal);
// The base as the plan says, for what was not refused.
std::string advance_base(const Dialect& dialect, const Names& names, const Relation& relation);
std::string forget_base(const Dialect& dialect, const Names& names, const Relation& relation);
// action, key_text, before and after of the rows that are not refused, in order.
std::string select_plan(const Dialect& dialect, const Names& names, const Relation& relation);
// n, action, mask, cells, key_text and c0…cn of the plan, for rows refused.
std::string select_refused(const Dialect& dialect, const Names& names, const Relation& relation);
// mask, cells of the plan, c0…cn of the secondary, for rows inserted or updated.
std::string select_written(const Dialect& dialect, const Names& names, const Relation& relation);

// The number of rows that were inserted or updated and are not there, or deleted and are.
std::string count_astray(const Dialect& dialect, const Names& names, const Relation& relation);
// By how many rows the plan lets its table grow.
std::string count_growth(const Names& names);

}  // namespace abgleich::db
