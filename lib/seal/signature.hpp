// Ed25519 (RFC 8032) over a hash and a purpose: a signature for one purpose is not valid for
// another.
#pragma once

#include "core/locked_memory.hpp"

#include <sodium.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace abgleich::seal {

/// SHA-512.
using Hash = std::array<std::uint8_t, 64>;
using Signature = std::array<std::uint8_t, 64>;
/// A public key.
using Verifier = std::array<std::uint8_t, 32>;

/// SHA-512 of bytes that come in parts.
class Hasher {
 public:
  Hasher();
  void add(std::span<const std::uint8_t> bytes);
  void add(std::string_view text);
  /// REQUIRES: `add` is not called afterwards.
  Hash finish();

 private:
  crypto_hash_sha512_state state_;
};

Hash hash_of(std::string_view text);

/// A secret key, in locked memory. Movable, not copyable.
class SigningKey {
 public:
  static constexpr std::size_t kSeedSize = 32;

  static SigningKey generate();
  /// The key of a seed (RFC 8032, section 5.1.5: the private key).
  explicit SigningKey(std::span<const std::uint8_t, kSeedSize> seed);

  [[nodiscard]] const Verifier& verifier() const { return verifier_; }
  [[nodiscard]] std::span<const std::uint8_t, kSeedSize> seed() const;
  /// Signs `purpose` ‖ `hash`.
  [[nodiscard]] Signature sign(std::string_view purpose, const Hash& hash) const;

 private:
  LockedMemory secret_;  // the seed, followed by the public key
  Verifier verifier_;
};

/// Whether the owner of the key has signed this hash for this purpose. Also false for keys of small
/// order and for signatures that are not canonical.
bool verify(const Verifier& verifier, std::string_view purpose, const Hash& hash,
            const Signature& signature);

}  // namespace abgleich::seal
