// How much a test does: the usual run does a part, `tests/run --all` does more.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>

namespace abgleich::test {

/// Whether this is `tests/run --all` (ABGLEICH_THOROUGH is set).
inline bool thorough() {
  return std::getenv("ABGLEICH_THOROUGH") != nullptr;
}

/// How many histories are played: in a usual run, and in a thorough one.
struct Histories {
  std::uint64_t usual;
  std::uint64_t thorough;
};

/// The seeds to play, first and last + 1: ABGLEICH_SEED=N plays only that one, ABGLEICH_HISTORIES=N
/// plays the first N.
struct Seeds {
  Seeds(std::uint64_t from, Histories many)
      : first(from), last(from + (thorough() ? many.thorough : many.usual)) {
    if (const char* histories = std::getenv("ABGLEICH_HISTORIES")) {
      last = first + std::stoull(histories);
    }
    if (const char* seed = std::getenv("ABGLEICH_SEED")) {
      first = std::stoull(seed);
      last = first + 1;
    }
  }

  std::uint64_t first;
  std::uint64_t last;
};

}  // namespace abgleich::test
