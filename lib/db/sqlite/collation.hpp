// SQLite's own collations that take different bytes for equal.
#pragma once

#include <string>
#include <string_view>

namespace abgleich::db::sqlite {

/// What goes behind a value that is to be compared in a collation of SQLite's own; empty for the
/// default, and for one that only another program knows.
std::string collate(const std::string& collation);

/// The one of RTRIM. Versions 3.38 to 3.40 look values up by their length, and find none that is
/// equal and longer, where they make an index of their own for a join: so joins write rtrim().
inline constexpr std::string_view kTrims = " COLLATE RTRIM";

}  // namespace abgleich::db::sqlite
