// How much of this process may not be swapped out.
#pragma once

#include "support/sanitized.hpp"

#include <fstream>
#include <string>

namespace abgleich::test {

constexpr bool locks_pages() {
  return !kSanitized;
}

inline long locked_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmLck:")) {
      return std::stol(line.substr(line.find_first_of("0123456789")));
    }
  }
  return -1;
}

}  // namespace abgleich::test
