// Fingerprints of rows: XXH3, 128 bits, under a secret. Fast, and no proof against forgery: what is
// kept of them on disk is encrypted besides.
#pragma once

#include "core/digest.hpp"
#include "core/locked_memory.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace abgleich {

struct Fingerprint {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  bool operator==(const Fingerprint&) const = default;
};

/// Makes the fingerprints of one purpose: equal bytes under another key have another one.
class Fingerprinter {
 public:
  explicit Fingerprinter(const SipKey& key);

  [[nodiscard]] Fingerprint of(std::string_view bytes) const;

 private:
  Locked<std::array<std::uint8_t, 192>> secret_;  // XXH3 asks for 136 at least
};

}  // namespace abgleich
