#include "db/postgresql/cancel.hpp"

#include <array>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace abgleich::db::postgresql {

namespace {

constexpr auto kWait = std::chrono::seconds(10);

struct FreeCancel {
  void operator()(PGcancel* cancel) const { PQfreeCancel(cancel); }
};

/// Shared by both threads: the one that asks the server may go on when the other no longer waits.
struct Asked {
  std::unique_ptr<PGcancel, FreeCancel> cancel;
  std::mutex mutex;
  std::condition_variable changed;
  bool answered = false;
};

}  // namespace

bool cancel_soon(PGconn* connection) noexcept {
  try {
    const auto asked = std::make_shared<Asked>();
    asked->cancel.reset(PQgetCancel(connection));
    if (!asked->cancel) {
      return false;
    }
    // PQcancel makes another connection, and waits for the server without a limit
    std::thread([asked] {
      std::array<char, 256> why{};
      PQcancel(asked->cancel.get(), why.data(), static_cast<int>(why.size()));
      const std::lock_guard lock(asked->mutex);
      asked->answered = true;
      asked->changed.notify_all();
    }).detach();
    std::unique_lock lock(asked->mutex);
    asked->changed.wait_for(lock, kWait, [&] { return asked->answered; });
    return asked->answered;
  } catch (...) {  // no memory, or no thread can be made
    return false;
  }
}

}  // namespace abgleich::db::postgresql
