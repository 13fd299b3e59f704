// The time of day, as runs and files record it. Nothing is ordered or decided by it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace abgleich {

/// Unix time.
std::int64_t now_seconds();
/// "2026-11-23T19:05:53Z", for people.
std::string utc_of(std::int64_t moment);
std::string now_utc();
std::string utc_days_ago(std::int64_t days);

/// Seconds since a time in the form of `utc_of`; 0 for a time in the future (by the clock of
/// another machine) and for any other text.
std::int64_t seconds_since(std::string_view utc);

}  // namespace abgleich
