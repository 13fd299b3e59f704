// The messages between fork_server.hpp and fork_server.cpp. An order is one packet: directory,
// number of words, words and settings of the environment, each with a NUL after it, one more NUL,
// and three files that become standard input, output and error.
#pragma once

#include <cstddef>

namespace abgleich::test {

inline constexpr std::size_t kLongestOrder = 64 * 1024;

struct Answer {
  int status = 0x7f00;  // of wait4; until then exit code 127
  long peak_kib = 0;    // largest resident set
};

}  // namespace abgleich::test
