// Waits for the thing itself, however long a busy machine takes; a test that waits in vain fails
// and says for what.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>

namespace abgleich::test {

/// Looks again and again until `holds()`; for at least two minutes before it fails.
template <class Holds>
void wait_until(const std::string& what, const Holds& holds) {
  for (int tries = 0; tries < 24'000; ++tries) {
    if (holds()) {
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  FAIL("waited in vain until ", what);
}

}  // namespace abgleich::test
