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

/// For one calling thread. `wait` and `rest` return at once where the work itself calls them.
class Background {
 public:
  /// `most_waiting`: how many pieces may be queued while one is being done.
  explicit Background(std::size_t most_waiting = 1) : most_waiting_(most_waiting) {}
  /// Waits for the piece that is being done. Queued ones are never done.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  /// Queues a piece; while the queue is full, waits. Throws what an earlier piece failed with, and
  /// queues nothing then. After a failure nothing is done until it was thrown or forgotten. Where
  /// no thread can be made, does the piece at once.
  void post(std::function<void()> work);
  /// Waits until nothing is being done and nothing is queued.
  void wait() noexcept;
  /// The same, and throws what a piece failed with.
  void rest();
  /// Waits for the piece that is being done. Queued ones are never done; a failure is forgotten.
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
