// The one retry boundary: a run that a busy server did not let through, or that lost a race with
// another transaction, is tried again whole, on new connections and from new snapshots. What was
// committed never is: an unknown outcome is a Failure, and no Fault.
#pragma once

#include "db/engine/connection.hpp"

#include <chrono>
#include <functional>

namespace abgleich::db {

/// Whether the same may go well in a moment: no free connection, a server that is starting or
/// stopping, a session or statement that was ended there (on a standby: for its recovery), a
/// statement or lock that took too long, a deadlock, a serialization failure.
bool may_pass(const Fault& fault);

/// How long it is tried again: at most `kTries` times in all, after pauses that grow, and not once
/// `in_all` has passed since the first one failed.
struct Patience {
  static constexpr int kTries = 5;

  std::chrono::milliseconds in_all;
  /// Set once what an attempt has found is out, and would be told twice: then there is no other.
  const bool* told = nullptr;
  std::function<void(const Error&)> on_retry = {};  // told of what is tried again
};

class Retries {
 public:
  explicit Retries(const Patience& patience) : patience_(patience) {}

  /// Waits for the next try. Throws Failure, which says how often it was tried, where there is to
  /// be none.
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
