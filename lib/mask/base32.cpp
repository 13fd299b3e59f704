#include "mask/base32.hpp"

#include <string_view>

namespace abgleich::mask {

void append_base32(std::span<const std::uint8_t> bytes, std::string& out) {
  constexpr std::string_view kDigits = "abcdefghijklmnopqrstuvwxyz234567";
  constexpr unsigned kDigitBits = 5;
  constexpr unsigned kMask = 31;
  unsigned held = 0;  // bits that no digit has taken yet, and how many they are
  unsigned count = 0;
  for (const auto byte : bytes) {
    held = (held << 8U) | byte;
    count += 8;
    while (count >= kDigitBits) {
      count -= kDigitBits;
      out += kDigits[(held >> count) & kMask];
    }
    held &= (1U << count) - 1;
  }
  if (count > 0) {
    out += kDigits[(held << (kDigitBits - count)) & kMask];
  }
}

}  // namespace abgleich::mask
