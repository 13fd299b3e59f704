// Why a column does not give a value back as it got it: the words of Dialect::fit on every engine.
#pragma once

#include <string_view>

namespace abgleich::db {

inline constexpr std::string_view kOutOfRange = "out of range";
inline constexpr std::string_view kRounded = "would be rounded";

}  // namespace abgleich::db
