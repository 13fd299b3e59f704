// A text whose last line is a checksum of everything before it, as in key files. Text that was cut
// off, mistyped or added is noticed.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>

namespace abgleich {

using Checksum = std::array<std::uint8_t, 16>;
/// How a kind of file computes its checksum.
using ChecksumOf = Checksum (*)(std::string_view text);

/// The first bytes of a hash.
template <std::size_t size>
Checksum checksum_from(const std::array<std::uint8_t, size>& hash) {
  static_assert(size >= std::tuple_size_v<Checksum>);
  Checksum checksum;
  std::copy_n(hash.begin(), checksum.size(), checksum.begin());
  return checksum;
}

/// The last line is this word, the digits of the checksum in hexadecimal, and a line feed.
inline constexpr std::string_view kChecksumWord = "checksum ";
inline constexpr std::size_t kChecksumDigits = 2 * std::tuple_size_v<Checksum>;
inline constexpr std::size_t kChecksumLine = kChecksumWord.size() + kChecksumDigits + 1;

struct CheckedText {
  std::string_view body;   // the lines before the checksum; empty where something is wrong
  std::string_view wrong;  // what is wrong, for a message ("is damaged: …"); empty: nothing
};

/// Compares the last line with the lines before it. The result holds views into `text`.
CheckedText checked_text(std::string_view text, ChecksumOf checksum_of);

}  // namespace abgleich
