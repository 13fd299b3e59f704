#include "seal/signature.hpp"

#include <sodium.h>

#include <algorithm>
#include <string>
#include <utility>

namespace abgleich::seal {

namespace {

std::string signed_text(std::string_view purpose, const Hash& hash) {
  std::string text(purpose);
  text.append(reinterpret_cast<const char*>(hash.data()), hash.size());
  return text;
}

const unsigned char* unsigned_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

Hasher::Hasher() : state_() {
  crypto_hash_sha512_init(&state_);
}

void Hasher::add(std::span<const std::uint8_t> bytes) {
  crypto_hash_sha512_update(&state_, bytes.data(), bytes.size());
}

void Hasher::add(std::string_view text) {
  crypto_hash_sha512_update(&state_, unsigned_of(text), text.size());
}

Hash Hasher::finish() {
  Hash hash;
  crypto_hash_sha512_final(&state_, hash.data());
  return hash;
}

Hash hash_of(std::string_view text) {
  Hasher hasher;
  hasher.add(text);
  return hasher.finish();
}

SigningKey SigningKey::generate() {
  start_sodium();
  Subkey seed;
  randombytes_buf(seed.bytes().data(), seed.bytes().size());
  return SigningKey(std::as_const(seed).bytes().first<kSeedSize>());
}

SigningKey::SigningKey(std::span<const std::uint8_t, kSeedSize> seed)
    : secret_(crypto_sign_SECRETKEYBYTES), verifier_() {
  static_assert(crypto_sign_SEEDBYTES == kSeedSize);
  crypto_sign_seed_keypair(verifier_.data(), secret_.bytes().data(), seed.data());
}

std::span<const std::uint8_t, SigningKey::kSeedSize> SigningKey::seed() const {
  return secret_.bytes().first<kSeedSize>();
}

Signature SigningKey::sign(std::string_view purpose, const Hash& hash) const {
  const auto text = signed_text(purpose, hash);
  Signature signature;
  crypto_sign_detached(signature.data(), nullptr, unsigned_of(text), text.size(),
                       secret_.bytes().data());
  return signature;
}

bool verify(const Verifier& verifier, std::string_view purpose, const Hash& hash,
            const Signature& signature) {
  const auto text = signed_text(purpose, hash);
  return crypto_sign_verify_detached(signature.data(), unsigned_of(text), text.size(),
                                     verifier.data()) == 0;
}

}  // namespace abgleich::seal
