#include "core/base32.hpp"

#include <string_view>

namespace abgleich {

namespace {

constexpr std::string_view kDigits = "abcdefghijklmnopqrstuvwxyz234567";
constexpr unsigned kDigitBits = 5;

}  // namespace

bool read_base32(std::string_view text, std::span<std::uint8_t> out) {
  if (text.size() != (8 * out.size() + kDigitBits - 1) / kDigitBits) {
    return false;
  }
  unsigned held = 0;
  unsigned count = 0;
  std::size_t filled = 0;
  for (const char c : text) {
    const auto digit = kDigits.find(c);
    if (digit == std::string_view::npos) {
      return false;
    }
    held = (held << kDigitBits) | static_cast<unsigned>(digit);
    count += kDigitBits;
    if (count >= 8 && filled < out.size()) {
      count -= 8;
      out[filled++] = static_cast<std::uint8_t>(held >> count);
    }
    held &= (1U << count) - 1;
  }
  return held == 0;  // the padding bits of the last digit
}

void append_base32(std::span<const std::uint8_t> bytes, std::string& out) {
  constexpr unsigned kMask = 31;
  const auto begin = out.size();
  out.resize(begin + (8 * bytes.size() + kDigitBits - 1) / kDigitBits);
  char* to = out.data() + begin;
  unsigned held = 0;   // bits that are not written yet
  unsigned count = 0;  // how many they are
  for (const auto byte : bytes) {
    held = (held << 8U) | byte;
    count += 8;
    while (count >= kDigitBits) {
      count -= kDigitBits;
      *to++ = kDigits[(held >> count) & kMask];
    }
    held &= (1U << count) - 1;
  }
  if (count > 0) {
    *to = kDigits[(held << (kDigitBits - count)) & kMask];
  }
}

}  // namespace abgleich
