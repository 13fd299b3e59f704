#include "seal/age_wrap.hpp"

#include "core/error.hpp"
#include "seal/age_payload.hpp"
#include "seal/hkdf.hpp"
#include "seal/unopened.hpp"

#include <sodium.h>

#include <algorithm>
#include <utility>

namespace abgleich::seal {

namespace {

constexpr std::string_view kWrapInfo = "age-encryption.org/v1/X25519";
/// The nonce can be zero, since each wrapping key is used once.
constexpr std::array<std::uint8_t, crypto_aead_chacha20poly1305_ietf_NPUBBYTES> kNoNonce{};

/// The wrapping key, derived from the shared secret; empty where there is no shared secret.
std::optional<Subkey> wrapping_key(const Identity& own, const Recipient& with,
                                   const Recipient& share, const Recipient& recipient) {
  Subkey shared;
  if (!own.agree(with, shared.bytes().first<32>())) {
    return std::nullopt;
  }
  std::array<std::uint8_t, 64> salt{};
  std::ranges::copy(share, salt.begin());
  std::ranges::copy(recipient, salt.begin() + 32);
  Subkey key;
  hkdf_sha256(shared.bytes(), salt, kWrapInfo, key.bytes());
  return key;
}

}  // namespace

Stanza wrap_file_key(std::span<const std::uint8_t> file_key, const Recipient& recipient) {
  const auto ephemeral = Identity::generate();
  const auto key = wrapping_key(ephemeral, recipient, ephemeral.recipient(), recipient);
  if (!key) {
    throw Failure(Code::key_or_trust, "a recipient's key shares no secret with anybody",
                  "ask its owner for a new one; nothing was sealed to it");
  }
  Stanza stanza{.arguments = {std::string(kX25519), base64(ephemeral.recipient())},
                .body = std::vector<std::uint8_t>(file_key.size() + kTagSize)};
  crypto_aead_chacha20poly1305_ietf_encrypt(stanza.body.data(), nullptr, file_key.data(),
                                            file_key.size(), nullptr, 0, nullptr, kNoNonce.data(),
                                            key->bytes().data());
  return stanza;
}

std::optional<LockedMemory> unwrap_file_key(const Stanza& stanza, const Identity& identity) {
  Recipient share;
  if (stanza.arguments.size() != 2 || !read_base64(stanza.arguments[1], share) ||
      stanza.body.size() != kFileKeySize + kTagSize) {
    throw Unopened(Unopened::Why::malformed);
  }
  const auto key = wrapping_key(identity, share, share, identity.recipient());
  if (!key) {
    throw Unopened(Unopened::Why::malformed);
  }
  LockedMemory file_key(kFileKeySize);
  if (crypto_aead_chacha20poly1305_ietf_decrypt(file_key.bytes().data(), nullptr, nullptr,
                                                stanza.body.data(), stanza.body.size(), nullptr, 0,
                                                kNoNonce.data(), key->bytes().data()) != 0) {
    return std::nullopt;
  }
  return file_key;
}

HeaderMac header_mac(std::span<const std::uint8_t> file_key, std::string_view covered) {
  Subkey key;
  hkdf_sha256(file_key, {}, "header", key.bytes());
  HeaderMac mac;
  static_assert(std::tuple_size_v<HeaderMac> == crypto_auth_hmacsha256_BYTES);
  crypto_auth_hmacsha256(mac.data(), reinterpret_cast<const unsigned char*>(covered.data()),
                         covered.size(), key.bytes().data());
  return mac;
}

}  // namespace abgleich::seal
