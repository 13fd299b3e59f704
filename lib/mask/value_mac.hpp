// HMAC-SHA-256 of values under one key: what pseudonyms and date shifts are made of.
#pragma once

#include "core/locked_memory.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace abgleich::mask {

/// Keeps the two states of the hash after the key's blocks, so that a short value costs two blocks
/// of SHA-256.
class ValueMac {
 public:
  using Mac = std::array<std::uint8_t, 32>;

  /// REQUIRES: the key has at most 64 bytes; RFC 2104 hashes longer ones first.
  explicit ValueMac(std::span<const std::uint8_t> key);

  /// The MAC of class, length (32 bits, little endian) and bytes: different values have different
  /// input.
  [[nodiscard]] Mac of(char input_class, std::string_view bytes) const;

 private:
  LockedMemory keyed_;  // as secret as the key
};

}  // namespace abgleich::mask
