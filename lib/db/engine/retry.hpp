// The only place where a run is tried again: after a fault of a busy server, or a race that was
// lost against another transaction. The whole run is repeated, with new connections and new
// snapshots. Nothing is repeated after a commit: an unknown outcome is a Failure, not a Fault.
#pragma once

#include "db/engine/connection.hpp"

#include <chrono>
#include <functional>

namespace abgleich::db {

/// Whether a second attempt may succeed. The faults are: no free connection, a server that is
/// starting or stopping, a session or statement that was ended there (on a standby: for its
/// recovery), a statement or lock that took too long, a deadlock, a serialization failure.
bool may_pass(const Fault& fault);

/// How long a run is tried again: at most `kTries` attempts in all, with pauses that grow, and none
/// that would begin more than `in_all` after the first one failed. `in_all` of 0: one attempt.
struct Patience {
  static constexpr int kTries = 5;

  std::chrono::milliseconds in_all;
  /// Becomes true when an attempt's results are printed: another one would print them again, so
  /// there is none.
  const bool* told = nullptr;
  std::function<void(const Error&)> on_retry = {};  // called before each pause
};

class Retries {
 public:
  explicit Retries(const Patience& patience) : patience_(patience) {}

  /// Waits until the next attempt. Where there is to be none, throws the fault, or after several
  /// attempts a Failure that says how many there were.
  void after(const Fault& fault);

 private:
  const Patience& patience_;
  int tried_ = 0;
  std::chrono::steady_clock::time_point first_failure_;
};

/// Calls `attempt` until it returns, or throws what no other attempt would change.
template <class Attempt>
auto with_retries(const Patience& patience, const Attempt& attempt) {
  for (Retries retries(patience);;) {
    try {
      return attempt();
    } catch (const Fault& fault) {
      retries.after(fault);
    }
  }
}

}  // namespace abgleich::db
