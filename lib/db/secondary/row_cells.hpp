// Rows of one relation as cells of the secondary, and back. Pure.
#pragma once

#include "core/type.hpp"
#include "core/value.hpp"
#include "db/engine/connection.hpp"
#include "db/engine/dialect.hpp"
#include "db/engine/relation.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db {

/// The type by which a cell of the secondary is decoded, so that a value reads back as `fit` has
/// left it. It is that of the secondary's own column; where a column may hold anything, it is the
/// exported type.
const Type& read_as(const Dialect& dialect, const RelationColumn& column);

/// All columns, in the relation's order.
void decode_row(const Dialect& dialect, const Relation& relation, std::span<const Cell> cells,
                Row& row);
/// The key's columns, in the key's order; the row's other cells stay as they are.
void decode_key(const Dialect& dialect, const Relation& relation, std::span<const Cell> cells,
                Row& row);

/// Appends all columns to `cells`, which may point into `row` and `scratch`.
void encode_row(const Dialect& dialect, const Relation& relation, const Row& row,
                std::vector<Cell>& cells, std::vector<std::string>& scratch);
/// The key's columns, likewise.
std::vector<Cell> key_cells(const Dialect& dialect, const Relation& relation, const Row& key,
                            std::vector<std::string>& scratch);

/// A blob; NULL where it is empty.
Cell blob_or_null(std::string_view bytes);
/// A packed cell; empty where it is NULL.
std::string_view packed_or_empty(const Dialect& dialect, const Cell& cell, std::string& scratch);

}  // namespace abgleich::db
