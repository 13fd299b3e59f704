// Lays the rows of the secondary down in the order of their masked keys, so that where they lie
// tells nothing.
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

/// Lays the data of these tables down anew, and remembers that it is in order. Where this role may
/// not do that, the table is remembered as out of order. Returns the statements that the owners of
/// such tables have to run.
std::vector<std::string> lay_down_data(db::Target& target,
                                       const std::vector<db::LocatedRelation>& relations,
                                       std::int64_t epoch);

/// What the owner has to do with these statements, for people.
std::string text_of(const std::vector<std::string>& left);

/// Lays data, bases, journal, conflicts and quarantine of all tables down anew, in a run of its
/// own. No row changes.
report::LaidDown lay_down(const Pairing& pairing, const std::string& reason);

}  // namespace abgleich::sync
