// A library to preload: a program sees the clock as it was some days ago, or at one moment (Unix
// time). For tests of what depends on age or on the time of day.
#include <cstdlib>
#include <ctime>

extern "C" std::time_t time(std::time_t* out) noexcept {
  std::timespec now{};
  const char* const moment = std::getenv("ABGLEICH_TEST_TIME");
  if (moment != nullptr) {
    now.tv_sec = std::atol(moment);
  } else {
    ::clock_gettime(CLOCK_REALTIME, &now);
  }
  const char* const days = std::getenv("ABGLEICH_TEST_DAYS_AGO");
  now.tv_sec -= days == nullptr ? 0 : std::atol(days) * 86'400;
  if (out != nullptr) {
    *out = now.tv_sec;
  }
  return now.tv_sec;
}
