// Work that is done in a thread of its own, one piece after the other, while the caller does
// something else: whole tables of a first load, batches of COPY.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace abgleich::db::postgresql {

/// One caller. What the work itself calls does not wait for the work.
class Background {
 public:
  /// So many pieces may wait while one is done.
  explicit Background(std::size_t most_waiting = 1) : most_waiting_(most_waiting) {}
  /// Waits for what is being done; what waits is not done.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  /// Returns while it is done or waits; where too many wait, this does. Throws what an earlier
  /// piece failed with: nothing more is done until that was thrown or forgotten.
  void post(std::function<void()> work);
  /// Waits until nothing is done and nothing waits.
  void wait() noexcept;
  /// The same, and throws what a piece failed with.
  void rest();
  /// What waits is not done, and what failed is not told.
  void forget() noexcept;

 private:
  void work();
  void rethrow();
  [[nodiscard]] bool is_worker() const { return std::this_thread::get_id() == worker_; }

  std::size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool working_ = false;
  bool ending_ = false;
  std::exception_ptr failure_;
  std::thread thread_;
  std::thread::id worker_;  // written before any work is done
};

}  // namespace abgleich::db::postgresql
