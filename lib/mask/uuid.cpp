#include "mask/uuid.hpp"

#include <algorithm>
#include <array>

namespace abgleich::mask {

namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::size_t kVersionByte = 6;
constexpr std::size_t kVariantByte = 8;

bool hyphen_before(std::size_t byte) {
  return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

}  // namespace

void stamp_uuid8(UuidBytes bytes) {
  bytes[kVersionByte] = static_cast<std::uint8_t>((bytes[kVersionByte] & 0x0fU) | 0x80U);
  bytes[kVariantByte] = static_cast<std::uint8_t>((bytes[kVariantByte] & 0x3fU) | 0x80U);
}

void append_uuid8(std::span<const std::uint8_t, 16> bytes, std::string& out) {
  std::array<std::uint8_t, 16> stamped{};
  std::ranges::copy(bytes, stamped.begin());
  stamp_uuid8(stamped);
  for (std::size_t i = 0; i < stamped.size(); ++i) {
    if (hyphen_before(i)) {
      out += '-';
    }
    out += kHex[stamped.at(i) >> 4U];
    out += kHex[stamped.at(i) & 0x0fU];
  }
}

bool read_uuid8(std::string_view text, UuidBytes bytes) {
  constexpr std::size_t kLength = 36;
  if (text.size() != kLength) {
    return false;
  }
  std::size_t at = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (hyphen_before(i) && text[at++] != '-') {
      return false;
    }
    const auto high = kHex.find(text[at]);
    const auto low = kHex.find(text[at + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) {
      return false;
    }
    bytes[i] = static_cast<std::uint8_t>(high << 4U | low);
    at += 2;
  }
  return (bytes[kVersionByte] & 0xf0U) == 0x80U && (bytes[kVariantByte] & 0xc0U) == 0x80U;
}

}  // namespace abgleich::mask
