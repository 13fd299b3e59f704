#include "core/fingerprint.hpp"

#include <xxhash.h>

namespace abgleich {

Fingerprinter::Fingerprinter(const SipKey& key) {
  // XXH3 needs a secret that looks random: it is derived from the key by SipHash, a pseudorandom
  // function
  for (std::size_t at = 0; at < secret_->size(); at += 8) {
    const std::array<std::uint8_t, 1> counter{static_cast<std::uint8_t>(at)};
    const auto word = siphash(key, counter);
    for (std::size_t i = 0; i < 8; ++i) {
      secret_->at(at + i) = static_cast<std::uint8_t>(word >> (8 * i));
    }
  }
}

Fingerprint Fingerprinter::of(std::string_view bytes) const {
  const auto hash =
      XXH3_128bits_withSecret(bytes.data(), bytes.size(), secret_->data(), secret_->size());
  return {.low = hash.low64, .high = hash.high64};
}

}  // namespace abgleich
