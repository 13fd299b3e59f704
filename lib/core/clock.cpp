#include "core/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace abgleich {

std::int64_t now_seconds() {
  return std::time(nullptr);
}

std::string utc_of(std::int64_t moment) {
  const auto seconds = static_cast<std::time_t>(moment);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

std::string now_utc() {
  return utc_of(now_seconds());
}

std::string utc_days_ago(std::int64_t days) {
  constexpr std::int64_t kSecondsADay = 86'400;
  return utc_of(now_seconds() - days * kSecondsADay);
}

std::int64_t seconds_since(std::string_view utc) {
  std::tm then{};
  const auto* end = strptime(std::string(utc).c_str(), "%Y-%m-%dT%H:%M:%SZ", &then);
  return end == nullptr ? 0 : std::max<std::int64_t>(0, now_seconds() - timegm(&then));
}

}  // namespace abgleich
