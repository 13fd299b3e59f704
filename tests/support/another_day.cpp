// Preloaded, it makes a program see the clock as it was so many days ago: for what depends on age.
#include <cstdlib>
#include <ctime>

extern "C" std::time_t time(std::time_t* out) noexcept {
  std::timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const char* const days = std::getenv("ABGLEICH_TEST_DAYS_AGO");
  now.tv_sec -= days == nullptr ? 0 : std::atol(days) * 86'400;
  if (out != nullptr) {
    *out = now.tv_sec;
  }
  return now.tv_sec;
}
