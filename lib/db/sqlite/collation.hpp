// SQLite's own collations that take different bytes for equal.
#pragma once

#include <string>
#include <string_view>

namespace abgleich::db::sqlite {

/// The COLLATE clause for a value that is to be compared in a collation of SQLite's own. Empty for
/// the default, and for collations that only another program defines.
std::string collate(const std::string& collation);

/// The clause of RTRIM. Where SQLite 3.38 to 3.40 makes an index of its own for a join, it does not
/// find values that are equal in this collation, but longer. So joins compare by rtrim().
inline constexpr std::string_view kTrims = " COLLATE RTRIM";

}  // namespace abgleich::db::sqlite
