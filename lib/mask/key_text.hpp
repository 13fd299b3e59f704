// The text of a key file, as schemas/pseudonyms.md specifies it: roots to text and back.
#pragma once

#include "core/locked_memory.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace abgleich::mask {

/// The roots of one epoch, one after the other: pseudonyms, digests, date shifts.
inline constexpr std::size_t kRootSize = 32;
inline constexpr std::size_t kRootsOfEpoch = 3;
inline constexpr std::size_t kEpochSize = kRootSize * kRootsOfEpoch;

/// The roots of all epochs, from the first, one epoch after the other. Throws
/// Failure{key_or_trust}, never with a byte of the text; `name` is for messages.
LockedMemory parse_key_text(std::string_view text, const std::string& name);

/// The inverse: the text of a key file with these roots (a multiple of `kEpochSize`).
LockedMemory key_text(std::span<const std::uint8_t> roots);

}  // namespace abgleich::mask
