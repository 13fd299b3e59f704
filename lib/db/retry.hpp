// The one retry boundary: a run that lost a race with another transaction is tried again whole.
#pragma once

#include "db/connection.hpp"

#include <utility>

namespace abgleich::db {

/// Calls `attempt` up to three times while it throws Fault{serialization}; the last one's Fault
/// (code 30) goes on.
template <class Attempt>
auto with_retries(const Attempt& attempt) {
  constexpr int kTries = 3;
  for (int tried = 1;; ++tried) {
    try {
      return attempt();
    } catch (const Fault& fault) {
      if (fault.cause() != Fault::Cause::serialization || tried == kTries) {
        throw;
      }
    }
  }
}

}  // namespace abgleich::db
