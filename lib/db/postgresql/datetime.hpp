// Dates and times in ISO 8601 forms, brought into the form in which PostgreSQL prints them under
// the pinned settings. Pure; no clock, no time zone database.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace abgleich::db::postgresql {

/// Why a text cannot become a date or time, with the words of Dialect::fit; empty where it could.
using Refusal = std::optional<std::string_view>;

/// So many digits of a second's fraction PostgreSQL stores.
inline constexpr int kMicrosecondDigits = 6;

enum class Zone : std::uint8_t {
  none,  // the type has no zone, and neither may the text
  kept,  // time with time zone: the offset stays as it is
  utc,   // timestamp with time zone: the offset is needed, and the result is in UTC
};

/// "2020-02-29", "0044-03-15 BC", "infinity", but not "44-03-15". Range as PostgreSQL's:
/// 4714-11-24 BC to 5874897-12-31.
Refusal canonical_date(std::string& text);

/// "23:59", "23:59:59.5", "24:00:00", with Zone::kept followed by Z or ±hh[[:]mm[:ss]]. `digits`
/// (0 to 6) is how many digits of a second's fraction the column stores.
Refusal canonical_time(std::string& text, int digits, Zone zone);

/// A date, then T or a space and a time, then the zone; a date alone is midnight unless a zone is
/// needed. Range as PostgreSQL's: 4714-11-24 BC to 294276-12-31.
Refusal canonical_timestamp(std::string& text, int digits, Zone zone);

}  // namespace abgleich::db::postgresql
