// k-anonymity and l-diversity of the secondary as it is.
#pragma once

#include "db/secondary/anonymity.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace abgleich::db {

class Target;

/// How many subjects share the values that could tell who they are. Empty where the table
/// or one of the columns is not in the catalogue that the target has loaded. REQUIRES:
/// there are quasi-identifiers.
std::optional<Anonymity> measure_anonymity(Target& target, const AnonymityQuestion& question);
/// How many subjects differ from all others in the question's columns. Empty as above; a join whose
/// table or columns are missing is left out.
std::optional<Uniqueness> measure_uniqueness(Target& target, const UniquenessQuestion& question);
/// How many different values each column has; NULL counts as one. 0 where there is no such column.
std::vector<std::int64_t> count_values(Target& target, const std::string& table,
                                       const std::vector<std::string>& columns);

}  // namespace abgleich::db
