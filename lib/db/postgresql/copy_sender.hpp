// Sends batches of COPY … FROM STDIN while the caller makes the next one: in a thread of its own,
// and at most two batches wait for it.
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

/// One caller. Nothing else may use the connection between `send` and `rest` or `wait`.
class CopySender {
 public:
  /// `run` does one COPY, or throws. It is called in the sender's thread.
  explicit CopySender(std::function<void(const CopyBatch&)> run);

  /// Waits for room. Throws what an earlier batch failed with; after a failure nothing more is sent
  /// until it was thrown or forgotten.
  void send(CopyBatch&& batch);
  /// Empty, with the memory of one that was sent, where there is one.
  std::string spare();

  /// Waits until nothing is being sent.
  void wait() noexcept { sending_.wait(); }
  /// The same, and throws what a batch failed with.
  void rest() { sending_.rest(); }
  /// What waits is not sent, and what failed is not told.
  void forget() noexcept { sending_.forget(); }

 private:
  void keep(std::string&& bytes);

  std::function<void(const CopyBatch&)> run_;
  std::mutex mutex_;  // of what follows
  std::vector<std::string> spares_;
  Background sending_;  // ends first
};

}  // namespace abgleich::db::postgresql
