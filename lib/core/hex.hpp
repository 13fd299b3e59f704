// Hexadecimal digits, small ones only. In constant time, unlike a table: keys are written so.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace abgleich {

/// Two digits a byte.
std::string hex(std::span<const std::uint8_t> bytes);

/// The same where they belong, such as in locked memory, and a NUL behind them. REQUIRES: there is
/// room for 2 bytes.size() + 1 characters.
void write_hex(std::span<const std::uint8_t> bytes, char* to);

/// Digits for exactly `out.size()` bytes. False where the text is something else.
bool read_hex(std::string_view text, std::span<std::uint8_t> out);

}  // namespace abgleich
