// HKDF-SHA256 (RFC 5869), which libsodium 1.0.18 lacks, and the form of its info strings.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace abgleich::seal {

/// Fills `out` (at most 255 * 32 bytes) with key material made of `key`, `salt` (may be empty) and
/// `info`. Throws Failure{bug} for more.
void hkdf_sha256(std::span<const std::uint8_t> key, std::span<const std::uint8_t> salt,
                 std::string_view info, std::span<std::uint8_t> out);

/// The fields in turn, each after its length (32 bits, little endian). Injective: no two lists of
/// fields give the same info.
std::string info_of(std::initializer_list<std::string_view> fields);

}  // namespace abgleich::seal
