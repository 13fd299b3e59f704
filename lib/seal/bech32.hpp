// Bech32 (BIP 173): keys as text with a checksum that detects typing errors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace abgleich::seal {

/// A text whose checksum is right, as views into it.
struct Bech32 {
  std::string_view prefix;  // before the last '1'
  std::string_view digits;  // without those of the checksum; five bits each
};

/// Empty where the text is not Bech32: a wrong character, capitals and small letters mixed, more
/// than 90 characters, a wrong checksum. No copy is made, since the text may be a secret.
std::optional<Bech32> read_bech32(std::string_view text);

/// Reads exactly `out.size()` bytes. False where the digits hold another number of bytes, or where
/// the padding bits after the last byte are not zero.
bool bytes_of(const Bech32& text, std::span<std::uint8_t> out);

enum class Letters : std::uint8_t { small, capital };

/// How many characters `write_bech32` makes.
std::size_t bech32_size(std::string_view prefix, std::size_t bytes);

/// Fills `out`, of `bech32_size` characters. REQUIRES: the prefix is in small letters; the text has
/// at most 90 characters.
void write_bech32(std::string_view prefix, std::span<const std::uint8_t> bytes, Letters letters,
                  std::span<char> out);

}  // namespace abgleich::seal
