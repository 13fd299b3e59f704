#include "seal/signature.hpp"

#include "support/program.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <array>
#include <fstream>

namespace abgleich::seal {
namespace {

constexpr const char* kOpenssl = "/usr/bin/openssl";
constexpr std::string_view kPurpose = "abgleich.test/1 signature\n";

std::string text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void write(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

TEST_CASE("a signature is the key's, for its purpose and its hash only") {
  const auto key = SigningKey::generate();
  const auto hash = hash_of("what is signed");
  const auto signature = key.sign(kPurpose, hash);
  CHECK(verify(key.verifier(), kPurpose, hash, signature));
  CHECK_FALSE(verify(SigningKey::generate().verifier(), kPurpose, hash, signature));
  CHECK_FALSE(verify(key.verifier(), "abgleich.test/2 signature\n", hash, signature));
  CHECK_FALSE(verify(key.verifier(), kPurpose, hash_of("what is signed "), signature));
  for (std::size_t at = 0; at < signature.size(); ++at) {
    auto damaged = signature;
    damaged[at] ^= 1U;
    CHECK_FALSE(verify(key.verifier(), kPurpose, hash, damaged));
  }
}

TEST_CASE("the same seed is the same key and signs the same") {
  const auto key = SigningKey::generate();
  const SigningKey again(key.seed());
  CHECK(again.verifier() == key.verifier());
  CHECK(again.sign(kPurpose, hash_of("a")) == key.sign(kPurpose, hash_of("a")));
}

TEST_CASE("a signature has one form only, and a key that signs everything is none") {
  const auto key = SigningKey::generate();
  const auto hash = hash_of("a");
  auto signature = key.sign(kPurpose, hash);
  // S + L: the same modulo the group's order (RFC 8032, section 5.1)
  constexpr std::array<std::uint8_t, 32> kOrder{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                                0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                                0,    0,    0,    0,    0,    0,    0,    0,
                                                0,    0,    0,    0,    0,    0,    0,    0x10};
  unsigned carry = 0;
  for (std::size_t i = 0; i < kOrder.size(); ++i) {
    carry += signature[32 + i] + kOrder[i];
    signature[32 + i] = static_cast<std::uint8_t>(carry);
    carry >>= 8U;
  }
  CHECK(carry == 0);
  CHECK_FALSE(verify(key.verifier(), kPurpose, hash, signature));

  // the neutral point as key and as R, S = 0: the equation holds for every message
  Verifier neutral{};
  neutral[0] = 1;
  Signature everything{};
  everything[0] = 1;
  CHECK_FALSE(verify(neutral, kPurpose, hash, everything));
}

TEST_CASE("a hash in parts is the hash of the whole") {
  Hasher hasher;
  hasher.add("ab");
  hasher.add("c");
  // FIPS 180-4, the example "abc"
  CHECK(text_of(hasher.finish()).substr(0, 4) == "\xdd\xaf\x35\xa1");
  CHECK(hash_of("abc")[63] == 0x9f);
}

TEST_CASE("openssl verifies our signatures, and makes the same") {
  REQUIRE_MESSAGE(std::filesystem::exists(kOpenssl), "apt-get install openssl");
  const test::TemporaryDirectory directory;
  const auto file = [&](const char* name) { return (directory / name).string(); };
  const auto key = SigningKey::generate();
  const auto hash = hash_of("what is signed");
  const auto signature = key.sign(kPurpose, hash);
  // RFC 8410: what stands before the 32 bytes in DER
  using namespace std::string_literals;
  write(directory / "public",
        "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"s + text_of(key.verifier()));
  write(directory / "secret",
        "\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20"s + text_of(key.seed()));
  write(directory / "message", std::string(kPurpose) + text_of(hash));
  write(directory / "ours", text_of(signature));
  const auto verified = [&] {
    return test::run_program({kOpenssl, "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey",
                              file("public"), "-rawin", "-in", file("message"), "-sigfile",
                              file("ours")});
  };
  CHECK_MESSAGE(verified().exit == 0, verified().err);
  const auto made =
      test::run_program({kOpenssl, "pkeyutl", "-sign", "-keyform", "DER", "-inkey", file("secret"),
                         "-rawin", "-in", file("message"), "-out", file("theirs")});
  CHECK_MESSAGE(made.exit == 0, made.err);
  std::ifstream theirs(directory / "theirs", std::ios::binary);
  CHECK(std::string(std::istreambuf_iterator<char>(theirs), {}) == text_of(signature));

  auto damaged = signature;
  damaged[10] ^= 1U;
  write(directory / "ours", text_of(damaged));
  CHECK(verified().exit != 0);  // and it does look
}

}  // namespace
}  // namespace abgleich::seal
