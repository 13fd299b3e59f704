#include "seal/age_key.hpp"

#include "core/error.hpp"
#include "seal/bech32.hpp"

#include <sodium.h>

#include <utility>

namespace abgleich::seal {

namespace {

constexpr std::string_view kPublicPrefix = "age";
constexpr std::string_view kSecretPrefix = "age-secret-key-";
constexpr std::string_view kSecretPrefixAsWritten = "AGE-SECRET-KEY-";

}  // namespace

std::string recipient_text(const Recipient& recipient) {
  std::string text(bech32_size(kPublicPrefix, recipient.size()), '\0');
  write_bech32(kPublicPrefix, recipient, Letters::small, text);
  return text;
}

std::optional<Recipient> recipient_from(std::string_view text) {
  Recipient recipient;
  const auto parts = read_bech32(text);
  if (!parts || parts->prefix != kPublicPrefix || !bytes_of(*parts, recipient)) {
    return std::nullopt;
  }
  return recipient;
}

Identity::Identity(Subkey secret) : secret_(std::move(secret)), recipient_() {
  if (crypto_scalarmult_base(recipient_.data(), secret_.bytes().data()) != 0) {
    throw Failure(Code::bug, "a key of X25519 has no public key");
  }
}

Identity Identity::generate() {
  start_sodium();
  Subkey secret;
  randombytes_buf(secret.bytes().data(), secret.bytes().size());
  return Identity(std::move(secret));
}

std::optional<Identity> Identity::from_text(std::string_view text) {
  start_sodium();
  Subkey secret;
  const auto parts = read_bech32(text);
  if (!parts || parts->prefix != kSecretPrefixAsWritten || !bytes_of(*parts, secret.bytes())) {
    return std::nullopt;
  }
  return Identity(std::move(secret));
}

void Identity::write_text(std::span<char, kTextSize> out) const {
  write_bech32(kSecretPrefix, secret_.bytes(), Letters::capital, out);
}

bool Identity::agree(const Recipient& share, std::span<std::uint8_t, 32> out) const {
  return crypto_scalarmult(out.data(), secret_.bytes().data(), share.data()) == 0;
}

}  // namespace abgleich::seal
