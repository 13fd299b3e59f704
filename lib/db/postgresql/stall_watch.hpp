// A time limit for every exchange with a server. libpq waits for an answer without a limit, and the
// server's own (statement_timeout) does not help where the server or the network to it has stopped:
// a stopped virtual machine, a proxy, a full queue.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <thread>

namespace abgleich::db::postgresql {

/// Cuts a connection off when an exchange makes no progress for longer than `limit`: what waits for
/// it returns at once, with the connection lost.
class StallWatch {
 public:
  /// `socket` is the connection's, and stays open until this is destroyed. A limit of 0: never.
  StallWatch(int socket, std::chrono::seconds limit);
  StallWatch(const StallWatch&) = delete;
  StallWatch& operator=(const StallWatch&) = delete;
  ~StallWatch() = default;

  /// Lives while we wait for the server. A new one, or `moved`, starts the time again.
  class Exchange {
   public:
    explicit Exchange(StallWatch& watch) : watch_(watch) { watch_.beat(); }
    ~Exchange() { watch_.beat(); }
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;
    void moved() {
      watch_.beat();
      watch_.beat();
    }

   private:
    StallWatch& watch_;
  };

  [[nodiscard]] bool has_cut() const { return cut_; }
  [[nodiscard]] std::chrono::seconds limit() const { return limit_; }

 private:
  void beat() { beats_.fetch_add(1, std::memory_order_relaxed); }
  void watch(const std::stop_token& stop);

  int socket_;
  std::chrono::seconds limit_;
  std::atomic<std::uint64_t> beats_{0};  // odd while the server is waited for
  std::atomic<bool> cut_{false};
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::jthread thread_;  // last: it ends before what it looks at
};

}  // namespace abgleich::db::postgresql
