#include "seal/hkdf.hpp"

#include "core/error.hpp"
#include "core/locked_memory.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <new>

namespace abgleich::seal {

namespace {

using Mac = std::array<std::uint8_t, crypto_auth_hmacsha256_BYTES>;

/// The intermediate results, which are as secret as the key and so in locked memory, too.
struct Work {
  crypto_auth_hmacsha256_state state;
  Mac pseudorandom_key;
  Mac block;
};
static_assert(alignof(Work) <= 16);

constexpr std::size_t kMostBlocks = 255;  // the counter is one byte (RFC 5869, section 2.3)

}  // namespace

void hkdf_sha256(std::span<const std::uint8_t> key, std::span<const std::uint8_t> salt,
                 std::string_view info, std::span<std::uint8_t> out) {
  if (out.size() > kMostBlocks * sizeof(Mac)) {
    throw Failure(Code::bug, "more key material was asked for than HKDF can give");
  }
  LockedMemory memory(sizeof(Work));
  auto& [state, pseudorandom_key, block] = *new (memory.bytes().data()) Work;
  // no salt is a salt of zeros (RFC 5869, section 2.2)
  const Mac zeros{};
  const std::span<const std::uint8_t> salted = salt.empty() ? zeros : salt;
  crypto_auth_hmacsha256_init(&state, salted.data(), salted.size());
  crypto_auth_hmacsha256_update(&state, key.data(), key.size());
  crypto_auth_hmacsha256_final(&state, pseudorandom_key.data());

  std::size_t filled = 0;
  for (std::uint8_t counter = 1; filled < out.size(); ++counter) {
    crypto_auth_hmacsha256_init(&state, pseudorandom_key.data(), pseudorandom_key.size());
    if (counter > 1) {
      crypto_auth_hmacsha256_update(&state, block.data(), block.size());
    }
    crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(info.data()),
                                  info.size());
    crypto_auth_hmacsha256_update(&state, &counter, 1);
    crypto_auth_hmacsha256_final(&state, block.data());
    const auto part = std::min(block.size(), out.size() - filled);
    std::copy_n(block.begin(), part, out.begin() + static_cast<std::ptrdiff_t>(filled));
    filled += part;
  }
}

std::string info_of(std::initializer_list<std::string_view> fields) {
  std::string info;
  for (const auto field : fields) {
    for (unsigned shift = 0; shift < 32; shift += 8) {
      info += static_cast<char>((field.size() >> shift) & 0xffU);
    }
    info += field;
  }
  return info;
}

}  // namespace abgleich::seal
