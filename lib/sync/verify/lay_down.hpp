// Order tells nothing: whether the rows of the secondary lie in the order of their masked keys, and
// laying them down so.
#pragma once

#include "db/secondary/located_relation.hpp"
#include "db/secondary/target.hpp"
#include "report/verification.hpp"
#include "sync/pairing.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::sync {

/// Lays the data of these tables down anew, and remembers that. Returns what is left to the tables'
/// owners to run; such a table is remembered as out of order.
std::vector<std::string> lay_down_data(db::Target& target,
                                       const std::vector<db::LocatedRelation>& relations,
                                       std::int64_t epoch);

/// What the owner is to do with that, for people.
std::string text_of(const std::vector<std::string>& left);

/// Data, bases, journal, conflicts and quarantine of all tables, in a run of its own. No row
/// changes.
report::LaidDown lay_down(const Pairing& pairing, const std::string& reason);

}  // namespace abgleich::sync
