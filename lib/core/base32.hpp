// Base32 (RFC 4648, section 6) in lower case, without padding. Such text can be dictated on the
// telephone and selected by one double click.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace abgleich {

/// Decodes exactly `out.size()` bytes. False where the text is not what `append_base32` makes of
/// that many bytes.
bool read_base32(std::string_view text, std::span<std::uint8_t> out);

/// Appends ceil(8 n / 5) characters for n bytes.
void append_base32(std::span<const std::uint8_t> bytes, std::string& out);

}  // namespace abgleich
