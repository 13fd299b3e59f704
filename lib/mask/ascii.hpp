// Whether text is ASCII, eight bytes at a time: most values are, and then need no decoding.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace abgleich::mask {

inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

inline bool is_ascii(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080U;
  std::uint64_t seen = 0;
  for (; text.size() >= sizeof seen; text.remove_prefix(sizeof seen)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof word);
    seen |= word;
  }
  for (const char c : text) {
    seen |= static_cast<unsigned char>(c);
  }
  return (seen & kHighBits) == 0;
}

}  // namespace abgleich::mask
