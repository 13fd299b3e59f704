#include "db/postgresql/stall_watch.hpp"

#include <algorithm>
#include <sys/socket.h>
#include <system_error>

namespace abgleich::db::postgresql {

namespace {

/// How often an exchange is checked. It is cut off at its limit, or up to about this much later.
constexpr auto kLook = std::chrono::seconds(1);

}  // namespace

StallWatch::StallWatch(int socket, std::chrono::seconds limit) : socket_(socket), limit_(limit) {
  if (limit_.count() <= 0) {
    return;
  }
  try {
    thread_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
  } catch (const std::system_error&) {
    limit_ = {};  // no thread can be made: only the server's own limits apply
  }
}

void StallWatch::watch(const std::stop_token& stop) {
  using Clock = std::chrono::steady_clock;
  std::unique_lock lock(mutex_);
  auto seen = beats_.load(std::memory_order_relaxed);
  auto since = Clock::now();
  while (!stop.stop_requested()) {
    changed_.wait_for(lock, stop, kLook, [] { return false; });
    const auto now = beats_.load(std::memory_order_relaxed);
    if (now != seen || now % 2 == 0) {
      seen = now;
      since = Clock::now();
    } else if (Clock::now() - since >= limit_) {
      cut_ = true;
      ::shutdown(socket_, SHUT_RDWR);
      return;
    }
  }
}

}  // namespace abgleich::db::postgresql
