#include "seal/hkdf.hpp"

#include "core/error.hpp"

#include <doctest/doctest.h>

#include <numeric>
#include <string>
#include <vector>

namespace abgleich::seal {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes counting(std::size_t size, std::uint8_t first) {
  Bytes bytes(size);
  std::iota(bytes.begin(), bytes.end(), first);
  return bytes;
}

std::string hex(const Bytes& bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (const unsigned byte : bytes) {
    text += kHex[byte >> 4U];
    text += kHex[byte & 15U];
  }
  return text;
}

std::string hkdf(const Bytes& key, const Bytes& salt, const Bytes& info, std::size_t size) {
  Bytes out(size);
  hkdf_sha256(key, salt, std::string(info.begin(), info.end()), out);
  return hex(out);
}

TEST_CASE("HKDF gives test case 1 of RFC 5869: the basic one") {
  CHECK(hkdf(Bytes(22, 0x0b), counting(13, 0), counting(10, 0xf0), 42) ==
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

TEST_CASE("HKDF gives test case 2 of RFC 5869: longer inputs and outputs") {
  CHECK(hkdf(counting(80, 0x00), counting(80, 0x60), counting(80, 0xb0), 82) ==
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e"
        "590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
}

TEST_CASE("HKDF gives test case 3 of RFC 5869: neither salt nor info") {
  CHECK(hkdf(Bytes(22, 0x0b), {}, {}, 42) ==
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST_CASE("HKDF gives at most 255 blocks, and says so") {
  Bytes out(255 * 32);
  CHECK_NOTHROW(hkdf_sha256(counting(32, 0), {}, "", out));
  out.resize(255 * 32 + 1);
  CHECK_THROWS_AS(hkdf_sha256(counting(32, 0), {}, "", out), Failure);
}

TEST_CASE("the fields of an info string cannot run into one another") {
  CHECK(info_of({"ab", "c"}) != info_of({"a", "bc"}));
  CHECK(info_of({"abc", ""}) != info_of({"", "abc"}));
  CHECK(info_of({"abc"}) != info_of({"abc", ""}));
  CHECK(info_of({"a", info_of({"b"})}) != info_of({"a", "b"}));
}

TEST_CASE("a field stands behind its length in little endian") {
  CHECK(info_of({"ab", ""}) == std::string("\2\0\0\0ab\0\0\0\0", 10));
}

}  // namespace
}  // namespace abgleich::seal
