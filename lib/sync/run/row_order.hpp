// Whether a table's rows lie in the order of their masked keys. Every run writes them so now; older
// versions of this program wrote them in the primary's order.
#pragma once

#include "db/bookkeeping/books.hpp"
#include "db/engine/relation.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace abgleich::sync {

/// Remembers that this run and all later ones write a table in the order of its masked keys.
void remember_order(db::Books& books, const db::Relation& relation, std::int64_t epoch);

/// Remembers that it is not, or not yet.
void forget_order(db::Books& books, const db::Relation& relation);

/// Tables, by their names in the primary, whose rows still lie in the primary's order.
std::vector<std::string> tables_out_of_order(db::Books& books);

}  // namespace abgleich::sync
