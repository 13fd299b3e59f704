#include "report/local_time.hpp"

#include <array>
#include <ctime>

namespace abgleich::report {

namespace {

/// The time as strftime formats it; no format here gives more characters than fit.
std::string formatted(const char* format, const std::tm& time) {
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format, &time)};
}

}  // namespace

std::string with_local(std::string_view utc) {
  std::string text(utc);
  std::tm universal{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &universal);
  if (end == nullptr || *end != '\0') {
    return text;
  }
  const std::time_t moment = ::timegm(&universal);
  std::tm local{};
  ::tzset();
  if (::localtime_r(&moment, &local) == nullptr || local.tm_gmtoff == 0) {
    return text;
  }
  const bool same_day = local.tm_year == universal.tm_year && local.tm_yday == universal.tm_yday;
  return text + " (" + formatted(same_day ? "%H:%M %Z" : "%Y-%m-%d %H:%M %Z", local) + ")";
}

}  // namespace abgleich::report
