// The time of day, as runs and files keep it. It orders nothing and decides nothing.
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

/// Seconds since such a time; 0 for one in the future (another machine's clock).
std::int64_t seconds_since(std::string_view utc);

}  // namespace abgleich
