// Runs the controls of the hostile tests in a process of their own. A control does what the program
// would do without its guards.
#pragma once

#include <doctest/doctest.h>

#include <csignal>
#include <exception>
#include <functional>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace abgleich::test {

/// Does `work` in a child; false where it throws or the child is ended by a signal. REQUIRES: this
/// process has no other threads. One of them could hold a lock of the allocator, for which the
/// child then waits for ever: a sanitizer's allocator does not see to that.
inline bool ends_well(const std::function<void()>& work) {
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    ::setrlimit(RLIMIT_CORE, &none);
    for (const int number : {SIGSEGV, SIGBUS, SIGABRT}) {
      std::signal(number, SIG_DFL);  // a crash ends the child only
    }
    try {
      work();
    } catch (const std::exception&) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace abgleich::test
