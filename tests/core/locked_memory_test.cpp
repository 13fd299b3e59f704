#include "core/locked_memory.hpp"

#include "core/error.hpp"
#include "core/fingerprint.hpp"
#include "support/locked_pages.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <sys/wait.h>
#include <unistd.h>

namespace abgleich {

using test::locked_kib;

namespace {

TEST_CASE("keys are locked against swapping as long as they live") {
  if (!test::locks_pages()) {
    MESSAGE("not looked at: AddressSanitizer locks no pages");
    return;
  }
  const auto before = locked_kib();
  {
    const LockedMemory one(32);
    const auto with_one = locked_kib();
    CHECK(with_one > before);
    const LockedMemory large(100'000);
    CHECK(locked_kib() >= with_one + 96);
  }
  CHECK(locked_kib() == before);
}

TEST_CASE("what is as secret as a key is locked, and so is its copy") {
  if (!test::locks_pages()) {
    MESSAGE("not looked at: AddressSanitizer locks no pages");
    return;
  }
  const auto before = locked_kib();
  {
    LockedSipKey key;
    key->fill(7);
    const auto with_one = locked_kib();
    CHECK(with_one > before);
    const auto copy = key;
    const auto with_two = locked_kib();
    CHECK(with_two > with_one);
    CHECK(copy == key);
    const Fingerprinter fingerprinter(key);
    CHECK(locked_kib() > with_two);
    CHECK(fingerprinter.of("a") == Fingerprinter(copy).of("a"));
  }
  CHECK(locked_kib() == before);
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
}  // namespace abgleich
