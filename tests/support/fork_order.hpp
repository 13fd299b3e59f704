// What fork_server.hpp and fork_server.cpp say to each other. An order is one packet: directory,
// number of words, words and settings of the environment, each with a NUL behind it, one more NUL,
// and three files that become the standard ones.
#pragma once

#include <cstddef>

namespace abgleich::test {

inline constexpr std::size_t kLongestOrder = 64 * 1024;

struct Answer {
  int status = 0x7f00;  // of wait4; until then exit code 127
  long peak_kib = 0;    // largest resident set
};

}  // namespace abgleich::test
