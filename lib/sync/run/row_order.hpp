// Whether a table's rows lie in the order of their masked keys, as every run writes them, or came
// in the primary's order once, before runs did so.
#pragma once

#include "db/bookkeeping/books.hpp"
#include "db/engine/relation.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace abgleich::sync {

/// Remembers that a table is written in the order of its masked keys, by this run and all later
/// ones.
void remember_order(db::Books& books, const db::Relation& relation, std::int64_t epoch);

/// Remembers that it is not, or not yet.
void forget_order(db::Books& books, const db::Relation& relation);

/// Tables, by their names in the primary, whose rows came in the primary's order once and lie so.
std::vector<std::string> tables_out_of_order(db::Books& books);

}  // namespace abgleich::sync
