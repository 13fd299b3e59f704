// Hexadecimal digits in lower case. In constant time, which a lookup table would not be, because
// keys are written with it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace abgleich {

/// Two digits a byte.
std::string hex(std::span<const std::uint8_t> bytes);

/// The same, written to `to` (such as locked memory), with a NUL at the end. REQUIRES: `to` has
/// room for 2 * bytes.size() + 1 characters.
void write_hex(std::span<const std::uint8_t> bytes, char* to);

/// Reads exactly `out.size()` bytes. False for any other text, also for digits in upper case.
bool read_hex(std::string_view text, std::span<std::uint8_t> out);

}  // namespace abgleich
