// The text of the statements on stage_N and gone_N: making them, pairing their rows with base and
// data, and what a run leaves open. Pure.
#pragma once

#include "db/engine/clauses.hpp"
#include "db/engine/dialect.hpp"
#include "db/engine/relation.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace abgleich::db {

std::string create_stage(const Dialect& dialect, const Names& names, const Relation& relation);
std::vector<std::string> stage_columns(const Relation& relation);
std::string create_gone(const Dialect& dialect, const Names& names, const Relation& relation);
std::vector<std::string> gone_columns(const Relation& relation);
std::string finish_gone(const Dialect& dialect, const Names& names, const Relation& relation);
std::string finish_stage(const Dialect& dialect, const Names& names, const Relation& relation);
/// The keys that the stage has more than once; `hold_duplicates` holds all rows of these back.
std::string select_duplicates(const Names& names, const Relation& relation);
std::string hold_duplicates(const Names& names, const Relation& relation);
/// The keys of rows of the stage that are also in `base`, which is another pairing's (one of
/// Relation::shared_bases); `hold_taken` holds these rows back.
std::string select_taken(const Names& names, const Relation& relation, std::string_view base);
std::string hold_taken(const Dialect& dialect, const Names& names, const Relation& relation,
                       std::string_view base);

// Pairs, of rows whose cells in the stage are not those of the base: c0…cn and cells of the stage,
// cells of the base, 1 where the secondary has the row (else NULL), c0…cn of the secondary.
std::string select_changed_pairs(const Dialect& dialect, const Names& names,
                                 const Relation& relation);
// The same for every row of the stage that is not held back.
std::string select_staged_pairs(const Dialect& dialect, const Names& names,
                                const Relation& relation);
// The same for rows of the base that the stage lacks: of the stage's columns only the key's are
// set, from the base.
std::string select_missing_pairs(const Dialect& dialect, const Names& names,
                                 const Relation& relation);

// The same for those of them that gone_N names.
std::string select_gone_pairs(const Dialect& dialect, const Names& names, const Relation& relation);

// What a run has left open, after its writes.

// Key columns, mark, cells of stage and base, of rows of the stage that are held back or not as the
// base has them.
std::string select_open(const Dialect& dialect, const Names& names, const Relation& relation);
// The same columns, the cells being NULL, of rows that are held back.
std::string select_held_back(const Dialect& dialect, const Names& names, const Relation& relation);
// Key columns and mark of rows that gone_N names, the base still has and the stage lacks.
std::string select_absent(const Dialect& dialect, const Names& names, const Relation& relation);
// The same columns, the mark being NULL, of all rows of the base that the stage lacks: for a
// primary that was read whole.
std::string select_missing_keys(const Dialect& dialect, const Names& names,
                                const Relation& relation);
// The marks of rows of the stage that the base does not have.
std::string select_new_marks(const Names& names, const Relation& relation);
// The number of rows of the stage that the base has although gone_N does not name them.
std::string count_doubtful(const Names& names, const Relation& relation);

enum class HeldBack : std::uint8_t { all, rare, others };
// For `verify`, pairs again: rows of the base that are held back; and rows of the data that neither
// stage nor base has.
std::string select_held_back_pairs(const Dialect& dialect, const Names& names,
                                   const Relation& relation, HeldBack which);
std::string select_secondary_only(const Dialect& dialect, const Names& names,
                                  const Relation& relation);

// Rows that are held back for being rare: key columns, 1 where the base has the row (else NULL),
// the same for the data.
std::string select_rare(const Dialect& dialect, const Names& names, const Relation& relation);

// By which columns rows refer to rows of another table that may be rare. Those that refer to a rare
// row become rare themselves: rows of the stage are held back; rows of fill_N are left out, and
// their keys go into the stage as held back.
struct Belonging {
  const Relation* parent = nullptr;
  std::string parent_stage;
  std::vector<std::pair<std::size_t, std::size_t>> columns;  // of the child, of the parent
};
std::string hold_with_rare(const Dialect& dialect, const Names& names, const Belonging& belonging);
std::vector<std::string> leave_out_with_rare(const Dialect& dialect, const Names& names,
                                             const Relation& relation, const Belonging& belonging);

// Rows that are written at once: from the stage or, in a first load into bare tables, from fill_N;
// in the order of the keys.
std::string create_rows_to_fill(const Dialect& dialect, const Names& names,
                                const Relation& relation);
std::vector<std::string> rows_to_fill_columns(const Relation& relation);
std::string fill_data(const Dialect& dialect, const Names& names, const Relation& relation,
                      const std::string& from);
std::string fill_base(const Dialect& dialect, const Names& names, const Relation& relation,
                      const std::string& from);
// The number of rows that are both in the stage and in the data.
std::string count_held_back_and_filled(const Dialect& dialect, const Names& names,
                                       const Relation& relation);

}  // namespace abgleich::db
