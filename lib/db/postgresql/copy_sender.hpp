// Sends batches of COPY … FROM STDIN in a thread of its own, while the caller makes the next one.
// At most two batches are queued.
#pragma once

#include "db/postgresql/background.hpp"

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace abgleich::db::postgresql {

struct CopyBatch {
  std::string copy;   // the statement
  std::string bytes;  // what follows it
  std::size_t rows = 0;
};

/// For one calling thread. Nothing else may use the connection between `send` and `rest` or `wait`.
class CopySender {
 public:
  /// `run` does one COPY, or throws. It is called in the sender's thread.
  explicit CopySender(std::function<void(const CopyBatch&)> run);

  /// Queues a batch; while the queue is full, waits. Throws what an earlier batch failed with;
  /// after a failure nothing more is sent until it was thrown or forgotten.
  void send(CopyBatch&& batch);
  /// An empty text, with the memory of a batch that was sent, where there is one.
  std::string spare();

  /// Waits until nothing is being sent.
  void wait() noexcept { sending_.wait(); }
  /// The same, and throws what a batch failed with.
  void rest() { sending_.rest(); }
  /// Queued batches are never sent; a failure is forgotten.
  void forget() noexcept { sending_.forget(); }

 private:
  void keep(std::string&& bytes);

  std::function<void(const CopyBatch&)> run_;
  std::mutex mutex_;  // of the spares
  std::vector<std::string> spares_;
  Background sending_;  // destroyed first
};

}  // namespace abgleich::db::postgresql
