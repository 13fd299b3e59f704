#include "seal/age_payload.hpp"

#include "seal/hkdf.hpp"

#include <sodium.h>

namespace abgleich::seal {

ChunkCipher::ChunkCipher(std::span<const std::uint8_t> file_key, const PayloadNonce& nonce) {
  hkdf_sha256(file_key, nonce, "payload", key_.bytes());
}

ChunkCipher::Nonce ChunkCipher::nonce_of(Chunk which) const {
  // 11 bytes for the chunk's number, most significant first, and one that says whether it is the
  // last
  Nonce nonce{};
  for (unsigned i = 0; i < 8; ++i) {
    nonce[10 - i] = static_cast<std::uint8_t>(number_ >> (8 * i));
  }
  nonce[11] = which == Chunk::last ? 1 : 0;
  return nonce;
}

void ChunkCipher::seal(std::span<const std::uint8_t> plain, Chunk which,
                       std::span<std::uint8_t> sealed) {
  const auto nonce = nonce_of(which);
  crypto_aead_chacha20poly1305_ietf_encrypt(sealed.data(), nullptr, plain.data(), plain.size(),
                                            nullptr, 0, nullptr, nonce.data(), key_.bytes().data());
  ++number_;
}

bool ChunkCipher::open(std::span<const std::uint8_t> sealed, Chunk which,
                       std::span<std::uint8_t> plain) {
  const auto nonce = nonce_of(which);
  if (sealed.size() < kTagSize || crypto_aead_chacha20poly1305_ietf_decrypt(
                                      plain.data(), nullptr, nullptr, sealed.data(), sealed.size(),
                                      nullptr, 0, nonce.data(), key_.bytes().data()) != 0) {
    return false;
  }
  ++number_;
  return true;
}

}  // namespace abgleich::seal
