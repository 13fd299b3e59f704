#include "mask/ff1.hpp"

#include "core/error.hpp"
#include "mask/locked_openssl.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <utility>
#include <vector>

namespace abgleich::mask {

namespace {

constexpr int kRoundCount = 10;
constexpr std::uint64_t kSmallestDomain = 1'000'000;  // SP 800-38G, section 5.1 with revision 1
constexpr std::uint64_t kLargestHalf = std::uint64_t{1} << 56U;  // times 256 still fits 64 bits
constexpr std::size_t kBlock = 16;

using Block = std::array<std::uint8_t, kBlock>;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};

struct FreeCipher {
  void operator()(EVP_CIPHER* cipher) const noexcept { EVP_CIPHER_free(cipher); }
};

std::unique_ptr<EVP_CIPHER, FreeCipher> cipher_for(std::size_t key_size) {
  const char* const name = key_size == 16   ? "AES-128-ECB"
                           : key_size == 24 ? "AES-192-ECB"
                           : key_size == 32 ? "AES-256-ECB"
                                            : nullptr;
  if (name == nullptr) {
    throw Failure(Code::bug, "an AES key of a wrong size");
  }
  return std::unique_ptr<EVP_CIPHER, FreeCipher>(EVP_CIPHER_fetch(nullptr, name, nullptr));
}

/// radix^count, or `kLargestHalf` + 1 where it is more than that.
std::uint64_t power(unsigned radix, unsigned count) {
  std::uint64_t product = 1;
  for (unsigned i = 0; i < count; ++i) {
    if (product > kLargestHalf / radix) {
      return kLargestHalf + 1;
    }
    product *= radix;
  }
  return product;
}

}  // namespace

/// The Feistel network; names as in the standard.
struct Ff1::Rounds {
  Rounds(std::span<const std::uint8_t> key, Domain domain)
      : radix(domain.radix),
        n(domain.length),
        u(domain.length / 2),
        v(domain.length - domain.length / 2) {
    if (radix < 2 || radix > 256 || power(radix, n) < kSmallestDomain ||
        power(radix, v) > kLargestHalf) {
      throw Failure(Code::bug, "a domain that FF1 is not made for");
    }
    modulus_u = power(radix, u);
    modulus_v = power(radix, v);
    const auto bits = static_cast<std::size_t>(std::bit_width(modulus_v - 1));
    b = (bits + 7) / 8;
    d = 4 * ((b + 3) / 4) + 4;
    const auto cipher = cipher_for(key.size());
    const SecretContexts locked;
    context.reset(EVP_CIPHER_CTX_new());
    if (!cipher || !context ||
        EVP_EncryptInit_ex(context.get(), cipher.get(), nullptr, key.data(), nullptr) != 1) {
      throw Failure(Code::bug, "libcrypto has no AES");
    }
    EVP_CIPHER_CTX_set_padding(context.get(), 0);
  }

  /// CIPH, AES of one block, in place.
  void encipher(Block& block) const {
    int length = 0;
    if (EVP_EncryptUpdate(context.get(), block.data(), &length, block.data(), kBlock) != 1) {
      throw Failure(Code::bug, "AES does not run");
    }
  }

  /// PRF: the last block of AES-CBC without an initial vector, continued from `state`.
  void absorb(std::span<const std::uint8_t> blocks, Block& state) const {
    for (std::size_t at = 0; at < blocks.size(); at += kBlock) {
      for (std::size_t i = 0; i < kBlock; ++i) {
        state[i] ^= blocks[at + i];
      }
      encipher(state);
    }
  }

  /// The part of the PRF that all rounds have in common: its state after P (step 5).
  [[nodiscard]] Block start(std::size_t tweak_size) const {
    const auto byte = [](std::size_t number, unsigned shift) {
      return static_cast<std::uint8_t>((number >> shift) & 0xffU);
    };
    const Block p{1,
                  2,
                  1,
                  byte(radix, 16),
                  byte(radix, 8),
                  byte(radix, 0),
                  kRoundCount,
                  byte(u, 0),
                  byte(n, 24),
                  byte(n, 16),
                  byte(n, 8),
                  byte(n, 0),
                  byte(tweak_size, 24),
                  byte(tweak_size, 16),
                  byte(tweak_size, 8),
                  byte(tweak_size, 0)};
    Block state{};
    absorb(p, state);
    return state;
  }

  /// Steps 6.i to 6.iv: NUM(S) mod `modulus` of round `i` over the half `number`. `q` holds the
  /// tweak and zeros in front of the round's byte and the half.
  [[nodiscard]] std::uint64_t round(int i, std::uint64_t number, std::uint64_t modulus,
                                    const Block& state_after_p,
                                    std::vector<std::uint8_t>& q) const {
    for (std::size_t k = 1; k <= b; ++k) {
      q[q.size() - k] = static_cast<std::uint8_t>(number & 0xffU);
      number >>= 8U;
    }
    q[q.size() - b - 1] = static_cast<std::uint8_t>(i);
    Block r = state_after_p;
    absorb(q, r);
    std::uint64_t y = 0;  // NUM(S) mod modulus; S has at most 12 bytes: all of it is in R
    for (std::size_t k = 0; k < d; ++k) {
      y = ((y << 8U) | r[k]) % modulus;
    }
    return y;
  }

  [[nodiscard]] std::uint64_t number_of(std::span<const std::uint8_t> numerals) const {
    std::uint64_t number = 0;
    for (const auto numeral : numerals) {
      number = number * radix + numeral;
    }
    return number;
  }

  void write(std::uint64_t number, std::span<std::uint8_t> numerals) const {
    for (auto at = numerals.size(); at-- > 0;) {
      numerals[at] = static_cast<std::uint8_t>(number % radix);
      number /= radix;
    }
  }

  [[nodiscard]] std::vector<std::uint8_t> with_room_for_round(
      std::span<const std::uint8_t> tweak) const {
    std::vector<std::uint8_t> q((tweak.size() + b + 1 + kBlock - 1) / kBlock * kBlock);
    std::ranges::copy(tweak, q.begin());
    return q;
  }

  unsigned radix, n, u, v;
  std::uint64_t modulus_u = 0, modulus_v = 0;
  std::size_t b = 0, d = 0;
  std::unique_ptr<EVP_CIPHER_CTX, FreeContext> context;
};

Ff1::Ff1(std::span<const std::uint8_t> key, Domain domain)
    : rounds_(std::make_unique<Rounds>(key, domain)) {}
Ff1::Ff1(Ff1&&) noexcept = default;
Ff1& Ff1::operator=(Ff1&&) noexcept = default;
Ff1::~Ff1() = default;

void Ff1::encrypt(std::span<const std::uint8_t> tweak, std::span<std::uint8_t> numerals) const {
  const auto& network = *rounds_;
  auto q = network.with_room_for_round(tweak);
  const auto state = network.start(tweak.size());
  auto a = network.number_of(numerals.first(network.u));
  auto b = network.number_of(numerals.subspan(network.u));
  for (int i = 0; i < kRoundCount; ++i) {
    const auto modulus = i % 2 == 0 ? network.modulus_u : network.modulus_v;
    const auto c = (a + network.round(i, b, modulus, state, q)) % modulus;
    a = std::exchange(b, c);
  }
  network.write(a, numerals.first(network.u));
  network.write(b, numerals.subspan(network.u));
  OPENSSL_cleanse(q.data(), q.size());
}

void Ff1::decrypt(std::span<const std::uint8_t> tweak, std::span<std::uint8_t> numerals) const {
  const auto& network = *rounds_;
  auto q = network.with_room_for_round(tweak);
  const auto state = network.start(tweak.size());
  auto a = network.number_of(numerals.first(network.u));
  auto b = network.number_of(numerals.subspan(network.u));
  for (int i = kRoundCount - 1; i >= 0; --i) {
    const auto modulus = i % 2 == 0 ? network.modulus_u : network.modulus_v;
    const auto c = (b + modulus - network.round(i, a, modulus, state, q)) % modulus;
    b = std::exchange(a, c);
  }
  network.write(a, numerals.first(network.u));
  network.write(b, numerals.subspan(network.u));
  OPENSSL_cleanse(q.data(), q.size());
}

}  // namespace abgleich::mask
