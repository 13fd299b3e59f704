// A key file whose keys everybody knows (00 01 02 … 5f), and others like it: the vectors of
// schemas/pseudonyms.md are made with it.
#pragma once

#include "mask/key_text.hpp"
#include "mask/keyring.hpp"

#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

namespace abgleich::mask {

inline const std::string kKnownKeyText =
    "abgleich-keyring 1\n"
    "epoch 1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f "
    "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f "
    "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f\n"
    "checksum e06fa28127fbeb9dd1f162874ae8d2bc\n";

inline Keyring known_keyring() {
  return Keyring::parse(kKnownKeyText, "known");
}

/// The text of a key file with keys that count up from `first`, over all epochs.
inline std::string counting_key_text(std::size_t epochs, std::uint8_t first) {
  std::vector<std::uint8_t> roots(epochs * kEpochSize);
  std::iota(roots.begin(), roots.end(), first);
  const auto text = key_text(roots);
  return {text.bytes().begin(), text.bytes().end()};
}

inline Keyring other_keyring() {
  return Keyring::parse(counting_key_text(1, 1), "other");
}

}  // namespace abgleich::mask
