// Waits for the event itself, even if a busy machine takes long. If it does not come, the test
// fails and says for what it waited.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>

namespace abgleich::test {

/// Checks again and again until `holds()`; fails after two minutes at the earliest.
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
