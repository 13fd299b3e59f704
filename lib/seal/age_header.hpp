// The header of an age file, version 1 (C2SP age.md): text to stanzas and back. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::seal {

/// A longer header is refused; our own have about a hundredth of this length.
inline constexpr std::size_t kMostHeader = std::size_t{16} << 10U;

/// One way to get the file's key: `-> TYPE ARGUMENT…` and a body.
struct Stanza {
  std::vector<std::string> arguments;  // at least one, the type; none is empty
  std::vector<std::uint8_t> body;

  bool operator==(const Stanza&) const = default;
};

using HeaderMac = std::array<std::uint8_t, 32>;

struct AgeHeader {
  std::vector<Stanza> stanzas;  // at least one
  HeaderMac mac{};
  std::size_t size = 0;        // of the whole header, in bytes
  std::size_t mac_covers = 0;  // this many bytes from its start
};

/// Reads a header from the front of `bytes`. Throws Unopened{malformed} where they do not begin
/// with a header, or where it is longer than `kMostHeader`. Every header has exactly one text.
AgeHeader parse_age_header(std::string_view bytes);

/// The header's text up to what the MAC covers, which ends with "---".
std::string age_header_text(std::span<const Stanza> stanzas);
/// What follows: the MAC, and the end of the line.
std::string age_header_end(const HeaderMac& mac);

/// Base64 (RFC 4648, section 4) without padding.
std::string base64(std::span<const std::uint8_t> bytes);
/// Reads exactly `out.size()` bytes; false where the text is not what `base64` makes of that many
/// bytes.
bool read_base64(std::string_view text, std::span<std::uint8_t> out);

}  // namespace abgleich::seal
