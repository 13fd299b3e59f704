// What a manifest may say: the same rules for those that are written and those that are read.
#pragma once

#include "exchange/manifest.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace abgleich::exchange {

inline constexpr std::size_t kMostTables = 1'000;
inline constexpr std::size_t kMostColumns = 2'000;  // of one table
inline constexpr std::size_t kMostGrants = 16;
inline constexpr std::size_t kMostTrail = 1'001;
inline constexpr std::size_t kLongestName = 255;  // bytes, of a table or a column
inline constexpr std::size_t kLongestType = 64;
/// Rows, or keys of rows that are gone, of one table: so small that sums do not overflow.
inline constexpr std::uint64_t kMostOfATable = 1'000'000'000'000;
inline constexpr std::int64_t kLastMoment = 253'402'300'799;  // the end of the year 9999

/// What is wrong with the tables, for a message ("table 'visit' has no key"). Empty: nothing.
std::string flaw_of(const std::vector<SentTable>& tables);

/// Whether everything but the tables' own form is as it has to be.
bool is_sound(const Manifest& manifest);

}  // namespace abgleich::exchange
