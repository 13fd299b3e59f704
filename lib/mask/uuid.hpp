// UUIDs of version 8 (RFC 9562, section 5.8): 122 bits of a pseudonym, version and variant.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace abgleich::mask {

using UuidBytes = std::span<std::uint8_t, 16>;

/// Puts version and variant into the bytes.
void stamp_uuid8(UuidBytes bytes);

/// Appends the bytes, stamped, in lower case with hyphens.
void append_uuid8(std::span<const std::uint8_t, 16> bytes, std::string& out);

/// The inverse: false where the text is no UUID of version 8 in that form.
bool read_uuid8(std::string_view text, UuidBytes bytes);

}  // namespace abgleich::mask
