#include "mask/value_mac.hpp"

#include "core/error.hpp"

// OpenSSL's SHA-256 uses the processor's own instructions, libsodium's does not. Its interface is
// deprecated, but the new one allocates memory for every copy of a state.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstring>

namespace abgleich::mask {

namespace {

// RFC 2104, section 2
constexpr std::uint8_t kInnerPad = 0x36;
constexpr std::uint8_t kOuterPad = 0x5c;

/// The state of a hash that has absorbed the key's block.
SHA256_CTX after_key(std::span<const std::uint8_t> key, std::uint8_t pad) {
  std::array<std::uint8_t, SHA256_CBLOCK> block{};
  std::ranges::copy(key, block.begin());
  for (auto& byte : block) {
    byte ^= pad;
  }
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, block.data(), block.size());
  OPENSSL_cleanse(block.data(), block.size());
  return state;
}

}  // namespace

ValueMac::ValueMac(std::span<const std::uint8_t> key) : keyed_(2 * sizeof(SHA256_CTX)) {
  if (key.size() > SHA256_CBLOCK) {
    throw Failure(Code::bug, "a key is longer than a block of SHA-256");
  }
  auto* to = keyed_.bytes().data();
  for (const auto pad : {kInnerPad, kOuterPad}) {
    auto state = after_key(key, pad);
    std::memcpy(to, &state, sizeof state);
    OPENSSL_cleanse(&state, sizeof state);
    to += sizeof state;
  }
  keyed_.seal();
}

ValueMac::Mac ValueMac::of(char input_class, std::string_view bytes) const {
  std::array<std::uint8_t, 5> head{static_cast<std::uint8_t>(input_class)};
  for (unsigned i = 0; i < 4; ++i) {
    head.at(1 + i) = static_cast<std::uint8_t>((bytes.size() >> (8 * i)) & 0xffU);
  }
  Mac mac;
  SHA256_CTX state;
  std::memcpy(&state, keyed_.bytes().data(), sizeof state);
  SHA256_Update(&state, head.data(), head.size());
  SHA256_Update(&state, bytes.data(), bytes.size());
  SHA256_Final(mac.data(), &state);
  std::memcpy(&state, keyed_.bytes().data() + sizeof state, sizeof state);
  SHA256_Update(&state, mac.data(), mac.size());
  SHA256_Final(mac.data(), &state);
  OPENSSL_cleanse(&state, sizeof state);
  return mac;
}

}  // namespace abgleich::mask
