// To which length a file is padded, so that its length tells little about its content.
#pragma once

#include <bit>
#include <cstdint>

namespace abgleich::seal {

inline constexpr std::uint64_t kLeastPadded = std::uint64_t{1} << 16U;

/// The size to which `size` bytes are filled up: the next power of two, 64 KiB at least.
/// REQUIRES: size is at most 2^62.
constexpr std::uint64_t padded_size(std::uint64_t size) {
  return size <= kLeastPadded ? kLeastPadded : std::bit_ceil(size);
}

}  // namespace abgleich::seal
