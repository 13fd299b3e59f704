#include "mask/locked_memory.hpp"

#include "core/error.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace abgleich::mask {
namespace {

/// kB of this process that may not be swapped out.
long locked() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmLck:")) {
      return std::stol(line.substr(line.find_first_of("0123456789")));
    }
  }
  return -1;
}

TEST_CASE("keys are locked against swapping as long as they live") {
  const auto before = locked();
  {
    const LockedMemory one(32);
    const auto with_one = locked();
    CHECK(with_one > before);
    const LockedMemory large(100'000);
    CHECK(locked() >= with_one + 96);
  }
  CHECK(locked() == before);
}

TEST_CASE("what is behind the keys is out of bounds, and they are gone when freed") {
  for (const bool beyond : {true, false}) {
    const auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      std::signal(SIGSEGV, SIG_DFL);  // doctest's would report it as a failure
      const volatile std::uint8_t* stray = nullptr;
      {
        const LockedMemory memory(32);
        stray = memory.bytes().data() + (beyond ? 32 : 0);
        if (beyond) {
          [[maybe_unused]] const auto byte = *stray;
          ::_exit(0);
        }
      }
      [[maybe_unused]] const auto byte = *stray;  // after it was freed
      ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
  }
}

}  // namespace
}  // namespace abgleich::mask
