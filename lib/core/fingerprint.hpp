// Fingerprints of rows: XXH3, 128 bits, under a secret. Fast, but not safe against forgery. On disk
// they are encrypted in addition.
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

/// Makes the fingerprints for one purpose. Under another key, equal bytes have another fingerprint.
class Fingerprinter {
 public:
  explicit Fingerprinter(const SipKey& key);

  [[nodiscard]] Fingerprint of(std::string_view bytes) const;

 private:
  Locked<std::array<std::uint8_t, 192>> secret_;  // XXH3 requires at least 136
};

}  // namespace abgleich
