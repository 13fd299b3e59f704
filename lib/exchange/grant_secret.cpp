#include "exchange/grant_secret.hpp"

#include "core/error.hpp"
#include "core/locked_memory.hpp"
#include "seal/hkdf.hpp"

#include <sodium.h>

#include <array>
#include <span>

namespace abgleich::exchange {

namespace {

constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kSealed = kNonce + seal::Identity::kTextSize + kTag;

/// Made of what only the owner of the node's key can compute: its agreement with itself.
Subkey key_of(const seal::Identity& node) {
  Subkey shared;
  if (!node.agree(node.recipient(), std::span<std::uint8_t, 32>(shared.bytes()))) {
    throw Failure(Code::bug, "the node's key is of low order");
  }
  Subkey key;
  seal::hkdf_sha256(shared.bytes(), {}, seal::info_of({"abgleich grant at rest", "1"}),
                    key.bytes());
  return key;
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string sealed_grant(const seal::Identity& node, const BoxName& box,
                         const seal::Identity& grant) {
  LockedMemory text(seal::Identity::kTextSize);
  grant.write_text(std::span<char, seal::Identity::kTextSize>(
      reinterpret_cast<char*>(text.bytes().data()), seal::Identity::kTextSize));
  std::string sealed(kSealed, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(sealed.data());
  randombytes_buf(out, kNonce);
  const auto key = key_of(node);
  crypto_aead_xchacha20poly1305_ietf_encrypt(out + kNonce, nullptr, text.bytes().data(),
                                             text.bytes().size(), box.data(), box.size(), nullptr,
                                             out, key.bytes().data());
  return sealed;
}

std::optional<seal::Identity> opened_grant(const seal::Identity& node, const BoxName& box,
                                           std::string_view sealed) {
  if (sealed.size() != kSealed) {
    return std::nullopt;
  }
  LockedMemory text(seal::Identity::kTextSize);
  const auto key = key_of(node);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          text.bytes().data(), nullptr, nullptr, bytes_of(sealed) + kNonce, sealed.size() - kNonce,
          box.data(), box.size(), bytes_of(sealed), key.bytes().data()) != 0) {
    return std::nullopt;
  }
  return seal::Identity::from_text(
      {reinterpret_cast<const char*>(text.bytes().data()), text.bytes().size()});
}

}  // namespace abgleich::exchange
