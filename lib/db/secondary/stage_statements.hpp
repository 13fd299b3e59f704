// The text of the statements on stage_N and gone_N: making them, pairing their rows with base and
// data, and what a run leaves open. Pure.
#pragma once

#include "db/engine/clauses.hpp"
#include "db/engine/dialect.hpp"
#include "db/engine/relation.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace abgleich::db {

std::string create_stage(const Dialect& dialect, const Names& names, const Relation& relation);
std::vector<std::string> stage_columns(const Relation& relation);
std::string create_gone(const Dialect& dialect, const Names& names, const Relation& relation);
std::vector<std::string> gone_columns(const Relation& relation);
std::string finish_gone(const Dialect& dialect, const Names& names, const Relation& relation);
std::string finish_stage(const Dialect& dialect, const Names& names, const Relation& relation);
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
std::string select_held_back(const Dialect& dialect, const Names& names, const Relation& relation);
std::string select_absent(const Dialect& dialect, const Names& names, const Relation& relation);
std::string select_missing_keys(const Dialect& dialect, const Names& names,
                                const Relation& relation);
std::string select_new_marks(const Names& names, const Relation& relation);
std::string count_doubtful(const Names& names, const Relation& relation);

// For `verify`, in the same shape: rows of the base that are held back; and rows of the data that
// neither stage nor base has.
enum class HeldBack : std::uint8_t { all, rare, others };
std::string select_held_back_pairs(const Dialect& dialect, const Names& names,
                                   const Relation& relation, HeldBack which);
std::string select_secondary_only(const Dialect& dialect, const Names& names,
                                  const Relation& relation);

// Rows that are held back for being rare: key columns, 1 or NULL for "the base has it", the same
// for the data.
std::string select_rare(const Dialect& dialect, const Names& names, const Relation& relation);

// Rows of `table` (a stage, or fill_N) that belong to a row of the parent's stage that is rare:
// they become rare as well, or, of fill_N, their keys go to the stage as such and they are left
// out.
struct Belonging {
  const Relation* parent = nullptr;
  std::string parent_stage;
  std::vector<std::pair<std::size_t, std::size_t>> columns;  // of the child, of the parent
};
std::string hold_with_rare(const Dialect& dialect, const Names& names, const Belonging& belonging);
std::vector<std::string> leave_out_with_rare(const Dialect& dialect, const Names& names,
                                             const Relation& relation, const Belonging& belonging);

// First load: from the stage, or, where tables are bare, from fill_N; in the order of the keys.
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
