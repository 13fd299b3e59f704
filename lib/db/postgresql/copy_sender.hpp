// Sends batches of COPY … FROM STDIN while the caller makes the next one: a thread of its own, and
// at most two batches that wait for it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace abgleich::db::postgresql {

struct CopyBatch {
  std::string copy;   // the statement
  std::string bytes;  // what follows it
  std::size_t rows = 0;
};

/// One caller. Nothing else may use the connection between `send` and `rest` or `wait`.
class CopySender {
 public:
  /// `run` does one COPY, or throws. It is called in the sender's thread.
  explicit CopySender(std::function<void(const CopyBatch&)> run);
  ~CopySender();
  CopySender(const CopySender&) = delete;
  CopySender& operator=(const CopySender&) = delete;

  /// Waits for room. Throws what an earlier batch failed with; after a failure nothing more is sent
  /// until it was thrown or forgotten.
  void send(CopyBatch&& batch);
  /// Empty, with the memory of one that was sent, where there is one.
  std::string spare();

  /// Waits until nothing is being sent.
  void wait() noexcept;
  /// The same, and throws what a batch failed with.
  void rest();
  /// What waits is not sent, and what failed is not told.
  void forget() noexcept;

 private:
  void work();
  void rethrow();

  std::function<void(const CopyBatch&)> run_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<CopyBatch> waiting_;
  std::vector<std::string> spares_;
  bool sending_ = false;
  bool ending_ = false;
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace abgleich::db::postgresql
