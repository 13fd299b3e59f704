#include "mask/ff1.hpp"

#include "core/error.hpp"
#include "mask/locked_openssl.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::mask {
namespace {

/// Before OpenSSL has had any memory.
const bool kServed = (serve_openssl(), true);

TEST_CASE("AES's round keys lie in locked memory, which is given back") {
  REQUIRE(kServed);
  const auto before = locked_for_openssl();
  {
    const std::vector<std::uint8_t> key(32, 7);
    const Ff1 cipher(key, {.radix = 10, .length = 9});
    CHECK(locked_for_openssl() > before);
  }
  CHECK(locked_for_openssl() == before);
}

using Bytes = std::vector<std::uint8_t>;

constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";

Bytes from_hex(std::string_view hex) {
  Bytes bytes;
  for (std::size_t at = 0; at < hex.size(); at += 2) {
    bytes.push_back(
        static_cast<std::uint8_t>(std::stoi(std::string(hex.substr(at, 2)), nullptr, 16)));
  }
  return bytes;
}

Bytes numerals_of(std::string_view text) {
  Bytes numerals;
  for (const char c : text) {
    numerals.push_back(static_cast<std::uint8_t>(kDigits.find(c)));
  }
  return numerals;
}

std::string text_of(const Bytes& numerals) {
  std::string text;
  for (const auto numeral : numerals) {
    text += kDigits.at(numeral);
  }
  return text;
}

struct Sample {
  std::string_view key;
  unsigned radix;
  std::string_view tweak, plain, cipher;
};

constexpr std::string_view kKey128 = "2b7e151628aed2a6abf7158809cf4f3c";
constexpr std::string_view kKey192 = "2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f";
constexpr std::string_view kKey256 =
    "2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94";
constexpr std::string_view kTweak10 = "39383736353433323130";
constexpr std::string_view kTweak36 = "3737373770717273373737";

TEST_CASE("FF1 gives all samples that NIST published with SP 800-38G, both ways") {
  const std::vector<Sample> samples{
      {kKey128, 10, "", "0123456789", "2433477484"},
      {kKey128, 10, kTweak10, "0123456789", "6124200773"},
      {kKey128, 36, kTweak36, "0123456789abcdefghi", "a9tv40mll9kdu509eum"},
      {kKey192, 10, "", "0123456789", "2830668132"},
      {kKey192, 10, kTweak10, "0123456789", "2496655549"},
      {kKey192, 36, kTweak36, "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"},
      {kKey256, 10, "", "0123456789", "6657667009"},
      {kKey256, 10, kTweak10, "0123456789", "1001623463"},
      {kKey256, 36, kTweak36, "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"},
  };
  for (std::size_t i = 0; i < samples.size(); ++i) {
    CAPTURE(i);
    const auto& sample = samples[i];
    const Ff1 cipher(from_hex(sample.key),
                     {.radix = sample.radix, .length = static_cast<unsigned>(sample.plain.size())});
    auto numerals = numerals_of(sample.plain);
    cipher.encrypt(from_hex(sample.tweak), numerals);
    CHECK(text_of(numerals) == sample.cipher);
    cipher.decrypt(from_hex(sample.tweak), numerals);
    CHECK(text_of(numerals) == sample.plain);
  }
}

TEST_CASE("FF1 decrypts what it encrypts, for every length that integers use") {
  std::mt19937 random(7);
  for (unsigned length = 6; length <= 18; ++length) {
    const Ff1 cipher(from_hex(kKey256), {.radix = 10, .length = length});
    for (int i = 0; i < 50; ++i) {
      Bytes numerals(length);
      for (auto& numeral : numerals) {
        numeral = static_cast<std::uint8_t>(random() % 10);
      }
      const auto plain = numerals;
      cipher.encrypt(from_hex("01"), numerals);
      CHECK(*std::max_element(numerals.begin(), numerals.end()) < 10);
      cipher.decrypt(from_hex("01"), numerals);
      CHECK(numerals == plain);
    }
  }
}

TEST_CASE("another tweak is another permutation") {
  const Ff1 cipher(from_hex(kKey256), {.radix = 10, .length = 9});
  std::set<std::string> seen;
  for (int tweak = 0; tweak < 100; ++tweak) {
    auto numerals = numerals_of("000000042");
    cipher.encrypt(Bytes{static_cast<std::uint8_t>(tweak)}, numerals);
    seen.insert(text_of(numerals));
  }
  CHECK(seen.size() == 100);
}

TEST_CASE("FF1 refuses domains and keys that the standard does not allow") {
  const auto key = from_hex(kKey256);
  CHECK_THROWS_AS(Ff1(key, {.radix = 10, .length = 5}), Failure);
  CHECK_NOTHROW(Ff1(key, {.radix = 10, .length = 6}));
  CHECK_THROWS_AS(Ff1(key, {.radix = 1, .length = 6}), Failure);
  CHECK_THROWS_AS(Ff1(key, {.radix = 257, .length = 6}), Failure);
  CHECK_THROWS_AS(Ff1(key, {.radix = 10, .length = 40}), Failure);
  CHECK_THROWS_AS(Ff1(from_hex("00"), {.radix = 10, .length = 6}), Failure);
}

}  // namespace
}  // namespace abgleich::mask
