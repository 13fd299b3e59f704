// The one retry boundary: a run that a busy server did not let through, or that lost a race with
// another transaction, is tried again whole, on new connections and from new snapshots. What was
// committed never is: an unknown outcome is a Failure, and no Fault.
#pragma once

#include "db/connection.hpp"

#include <chrono>

namespace abgleich::db {

/// Whether the same may go well in a moment: no free connection, a server that is starting or
/// stopping, a session or statement that was ended there (on a standby: for its recovery), a
/// statement or lock that took too long, a deadlock, a serialization failure.
bool may_pass(const Fault& fault);

/// How often and how long it is tried again: at most `kTries` times in all, after pauses that grow,
/// and not once `in_all` has passed since the first one failed.
class Retries {
 public:
  static constexpr int kTries = 5;

  explicit Retries(std::chrono::milliseconds in_all) : in_all_(in_all) {}

  /// Waits for the next try. Throws Failure, which says how often it was tried, where there is to
  /// be none.
  void after(const Fault& fault);

 private:
  std::chrono::milliseconds in_all_;
  int tried_ = 0;
  std::chrono::steady_clock::time_point first_failure_;
};

/// Calls `attempt` until it returns, or throws what no other try would mend. Once `told` is true,
/// what an attempt has found is out, and would be told twice: then there is no other.
template <class Attempt>
auto with_retries(std::chrono::milliseconds in_all, const bool& told, const Attempt& attempt) {
  for (Retries retries(in_all);;) {
    try {
      return attempt();
    } catch (const Fault& fault) {
      if (told) {
        throw;
      }
      retries.after(fault);
    }
  }
}
template <class Attempt>
auto with_retries(std::chrono::milliseconds in_all, const Attempt& attempt) {
  return with_retries(in_all, false, attempt);
}

}  // namespace abgleich::db
