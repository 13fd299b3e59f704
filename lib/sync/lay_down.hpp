// Order tells nothing: whether the rows of the secondary lie in the order of their masked keys, and
// laying them down so.
#pragma once

#include "db/target.hpp"
#include "report/verification.hpp"
#include "sync/pairing.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::sync {

/// The kind of a run that does nothing else.
inline constexpr std::string_view kLayDown = "lay-down";

/// Remembers that a table is written in the order of its masked keys, by this run and all later
/// ones.
void remember_order(db::Books& books, const db::Relation& relation, std::int64_t epoch);

/// Tables, by their names in the primary, whose rows came in the primary's order once and lie so.
std::vector<std::string> tables_out_of_order(db::Books& books);

/// Lays the data of these tables down anew, and remembers that. Returns what is left to the tables'
/// owners to run; such a table is remembered as out of order.
std::vector<std::string> lay_down_data(db::Target& target,
                                       const std::vector<db::Relation>& relations,
                                       std::int64_t epoch);

/// What the owner is to do with that, for people.
std::string text_of(const std::vector<std::string>& left);

/// Data, bases, journal, conflicts and quarantine of all tables, in a run of its own. No row
/// changes.
report::LaidDown lay_down(const Pairing& pairing, const std::string& reason);

}  // namespace abgleich::sync
