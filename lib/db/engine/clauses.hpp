// What the statements on data, base and temporary tables are made of: names, and lists of a
// relation's columns in all their forms. Pure. Identifiers go through the dialect's quoting; values
// are never part of the text.
//
// Temporary tables of a run, one set per relation (N is the relation's number). Their names have
// the prefix that `temporary_name` adds:
//   stage_N  what the primary has: c0…cn (typed as the secondary's columns), cells (its digests;
//            NULL: the row is held back, only its key is used), mark (its fingerprints and its
//            place in the primary)
//   gone_N   what the primary may no longer have: k0…kn, mark; only where the primary was not read
//            whole
//   fill_N   of a first load: c0…cn and cells, as they come from the primary, until they are laid
//            down in the order of their keys
//   plan_N   what is to be done: n, action, mask, c0…cn, cells (the base afterwards; NULL: it has
//            no such row then), fate, key_text, before, after, and what the journal records of the
//            base: moved, base_before, base_after (only where not all cells moved; otherwise it is
//            the same as `cells`), mac
#pragma once

#include "db/engine/dialect.hpp"
#include "db/engine/relation.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace abgleich::db {

/// The name of a temporary table of a relation.
std::string temporary_name(const Dialect& dialect, std::string_view what, std::int64_t relation);
/// The same without the schema, for statements that must not name it.
std::string_view unqualified(std::string_view temporary);
/// The name of a relation's base, among the bookkeeping's own tables.
std::string base_name(const Relation& relation);

/// The names that a run uses for one relation: real tables, or temporary stand-ins for tables that
/// do not exist yet (a dry run creates nothing).
struct Names {
  std::string data;
  std::string base;
  std::string stage;
  std::string plan;
  std::string gone;
  std::string fill;
};

/// What stage_N.mark contains for a row that is held back because it is rare.
inline constexpr std::string_view kRareMark = "rare";

enum class Lifetime : std::uint8_t { lasting, temporary };

/// "a, b, c" of what `item` gives for 0 … count-1.
template <class Item>
std::string list(std::size_t count, const Item& item, std::string_view separator = ", ") {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0) {
      text += separator;
    }
    text += item(i);
  }
  return text;
}

/// What ends a CREATE TABLE, from the closing parenthesis of its list.
std::string table_end(const Dialect& dialect, Lifetime lifetime);

// Lists of columns. `alias` is put before every name as it is, so it ends with a dot (`b.`); where
// select expressions are made of the columns, it has no dot (`b`).

/// Columns of stage and plan: one; all; those of the key; all, each with its type.
std::string cell(std::size_t column);
std::string columns_of(std::string_view alias, const Relation& relation);
std::string key_columns(std::string_view alias, const Relation& relation);
std::string typed_columns(const Dialect& dialect, const Relation& relation);
/// The type and collation for a column that is compared with the secondary's own. If the collations
/// differed, no index could be used.
std::string stored_type(const Dialect& dialect, const RelationColumn& column);
/// The type for a key's column in our own tables, where it is compared by its bytes.
std::string key_type(const Dialect& dialect, const RelationColumn& column);
/// A column of stage or plan as a value to be written to the secondary's own column.
std::string value_for(std::string_view alias, const Relation& relation, std::size_t column);
std::string values_for(std::string_view alias, const Relation& relation);
/// The COLLATE clause for a column that is to have the collation of the secondary's own.
/// `stored_type` includes it; other types need it.
std::string collate(const Dialect& dialect, const RelationColumn& column);
/// The key's columns in the base: named by their position in the key, so that changes of other
/// columns do not matter.
std::string base_key(std::string_view alias, const Relation& relation);
/// The secondary's own names: of all columns, and of the key's.
std::string quoted_columns(const Dialect& dialect, const Relation& relation);
std::string quoted_key(const Dialect& dialect, std::string_view alias, const Relation& relation);

/// For ORDER BY: the key by its bytes, whatever collation people's column has. The order in which a
/// run writes rows must depend on masked keys only. The first is for stage and plan, then for the
/// base, and for the secondary's own table.
std::string key_order(const Dialect& dialect, std::string_view alias, const Relation& relation);
std::string base_key_order(const Dialect& dialect, std::string_view alias,
                           const Relation& relation);
std::string data_key_order(const Dialect& dialect, std::string_view alias,
                           const Relation& relation);

/// Select expressions, which Dialect::decode reads: the columns of the secondary's row, of stage or
/// plan, of their key, and of the base's key.
std::string data_columns(const Dialect& dialect, std::string_view alias, const Relation& relation);
std::string selected_columns(const Dialect& dialect, std::string_view alias,
                             const Relation& relation);
std::string selected_key(const Dialect& dialect, std::string_view alias, const Relation& relation);
std::string selected_base_key(const Dialect& dialect, std::string_view alias,
                              const Relation& relation);

// In statements that write data, a plain operator could be one that a user has made. These are the
// server's own under any search path.
std::string equal(const Dialect& dialect);
std::string unequal(const Dialect& dialect);

/// SQL: whether a value of ours (a column of stage, plan or base, or a parameter) and a column of
/// the secondary have the same bytes. Written so that an index of the column can be used.
std::string same_value(const Dialect& dialect, const RelationColumn& column, std::string_view ours,
                       std::string_view theirs);
/// SQL: whether the secondary would take two values of ours for equal.
std::string taken_for(const Dialect& dialect, const RelationColumn& column, std::string_view ours,
                      std::string_view other);

/// "s.c0 = b.k0 AND …" over the key: stage or plan on the left, base on the right.
std::string key_equal(std::string_view left, std::string_view base, const Relation& relation);
/// "b.k0 = t.id AND …" over the key: base on the left, the secondary's own names on the right.
std::string base_equal_data(const Dialect& dialect, std::string_view base, std::string_view data,
                            const Relation& relation);
/// "s.c0 = t.id AND …" over the key: stage or plan on the left, the secondary's own names on the
/// right.
std::string key_equal_data(const Dialect& dialect, std::string_view left, std::string_view right,
                           const Relation& relation);

/// SQL: whether a row of the data (`data`: its alias) is one of another pairing that writes to the
/// same table. Empty: there is none.
std::string in_shared_base(const Dialect& dialect, std::string_view data, const Relation& relation);

/// SQL: 1 where a table has rows, without counting them, else 0.
std::string count_to_one(const std::string& table);

}  // namespace abgleich::db
