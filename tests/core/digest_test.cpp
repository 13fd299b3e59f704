#include "core/digest.hpp"

#include "core/error.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace abgleich {
namespace {

SipKey counting_key() {
  SipKey key{};
  std::iota(key.begin(), key.end(), std::uint8_t{0});
  return key;
}

std::uint64_t hash_of_counting_bytes(std::size_t size) {
  std::vector<std::uint8_t> message(size);
  std::iota(message.begin(), message.end(), std::uint8_t{0});
  return siphash(counting_key(), message);
}

Digest digest(std::string_view row_key, const Value& value) {
  return digest_cell(counting_key(), row_key, value);
}

TEST_CASE("siphash gives the example of the paper's appendix A") {
  CHECK(hash_of_counting_bytes(15) == 0xa129ca6149be45e5U);
}

TEST_CASE("siphash gives the vectors of the reference implementation") {
  // key 00 01 .. 0f, message 00 01 .. of the given length
  constexpr std::array<std::pair<std::size_t, std::uint64_t>, 20> kVectors{{
      {0, 0x726fdb47dd0e0e31U},  {1, 0x74f839c593dc67fdU},  {2, 0x0d6c8009d9a94f5aU},
      {3, 0x85676696d7fb7e2dU},  {4, 0xcf2794e0277187b7U},  {5, 0x18765564cd99a68dU},
      {6, 0xcbc9466e58fee3ceU},  {7, 0xab0200f58b01d137U},  {8, 0x93f5f5799a932462U},
      {9, 0x9e0082df0ba9e4b0U},  {10, 0x7a5dbbc594ddb9f3U}, {11, 0xf4b32f46226bada7U},
      {12, 0x751e8fbc860ee5fbU}, {13, 0x14ea5627c0843d90U}, {14, 0xf723ca908e7af2eeU},
      {15, 0xa129ca6149be45e5U}, {16, 0x3f2acc7f57c29bdbU}, {31, 0x32d892fad841c342U},
      {32, 0x7127512f72f27cceU}, {63, 0x958a324ceb064572U},
  }};
  for (const auto& [size, expected] : kVectors) {
    CAPTURE(size);
    CHECK(hash_of_counting_bytes(size) == expected);
  }
}

TEST_CASE("siphash of 128 bits gives the first vectors of the reference implementation") {
  const Mac empty{0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6,
                  0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93};
  const Mac one{0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44,
                0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45};
  const std::vector<std::uint8_t> zero{0};
  CHECK(siphash128(counting_key(), {}) == empty);
  CHECK(siphash128(counting_key(), zero) == one);
  CHECK(MacOfParts(counting_key()).finish() == empty);
}

TEST_CASE("the MAC of a message is the same in whatever parts it comes") {
  std::string message;
  for (int i = 0; i < 300; ++i) {
    message += static_cast<char>(i * 7);
  }
  for (std::size_t size = 0; size <= message.size(); ++size) {
    const std::string_view whole(message.data(), size);
    const auto expected = siphash128(
        counting_key(), {reinterpret_cast<const std::uint8_t*>(whole.data()), whole.size()});
    for (const std::size_t part : {1U, 3U, 7U, 8U, 9U, 64U, 1000U}) {
      MacOfParts mac(counting_key());
      for (std::size_t at = 0; at < size; at += part) {
        mac.add(whole.substr(at, part));
        mac.add({});
      }
      CAPTURE(size);
      CAPTURE(part);
      CHECK(mac.finish() == expected);
    }
  }
}

TEST_CASE("every bit of siphash's key matters") {
  const std::vector<std::uint8_t> message{1, 2, 3};
  const auto plain = siphash(counting_key(), message);
  for (std::size_t bit = 0; bit < 128; ++bit) {
    auto key = counting_key();
    key[bit / 8] = static_cast<std::uint8_t>(key[bit / 8] ^ (1U << (bit % 8)));
    CAPTURE(bit);
    CHECK(siphash(key, message) != plain);
  }
}

TEST_CASE("a cell's digest tells NULL, the empty text, white space and other kinds apart") {
  const std::vector<Value> values{Value(),
                                  {Kind::text, ""},
                                  {Kind::text, " "},
                                  {Kind::bytes, ""},
                                  {Kind::text, "42"},
                                  {Kind::integer, "42"},
                                  {Kind::decimal, "42.0"}};
  for (std::size_t a = 0; a < values.size(); ++a) {
    for (std::size_t b = 0; b < values.size(); ++b) {
      CAPTURE(a);
      CAPTURE(b);
      CHECK((digest("key", values[a]) == digest("key", values[b])) == (a == b));
    }
  }
}

TEST_CASE("equal values of two rows have different digests") {
  CHECK(digest("row 1", {Kind::text, "a"}) != digest("row 2", {Kind::text, "a"}));
}

TEST_CASE("bytes cannot move between row key and value without changing the digest") {
  CHECK(digest("ab", {Kind::text, "c"}) != digest("a", {Kind::text, "bc"}));
  std::string longer = "a";
  longer += std::string("\1\0\0\0", 4);
  longer += static_cast<char>(Kind::text);
  CHECK(digest(longer, {Kind::text, "c"}) != digest("a", {Kind::text, longer.substr(1) + "c"}));
}

TEST_CASE("a cell's digest is siphash of row key, its length, kind and bytes, of any lengths") {
  std::string longest(40, '\0');
  std::iota(longest.begin(), longest.end(), '!');
  for (std::size_t key_size = 0; key_size <= 20; ++key_size) {
    const auto row_key = longest.substr(0, key_size);
    const RowDigester digester(row_key);
    for (std::size_t size = 0; size <= 20; ++size) {
      CAPTURE(key_size);
      CAPTURE(size);
      const Value value(Kind::text, longest.substr(key_size, size));
      auto message = row_key + std::string{static_cast<char>(key_size), 0, 0, 0};
      message += static_cast<char>(Kind::text);
      message += value.bytes();
      const std::vector<std::uint8_t> bytes(message.begin(), message.end());
      CHECK(digester.digest(counting_key(), value).bits == siphash(counting_key(), bytes));
    }
  }
}

TEST_CASE("the digests of several cells are those of each") {
  for (const std::size_t count : {0, 1, 2, 3, 4, 5, 8, 9, 13, 20, 31}) {
    for (const std::size_t longest :
         {std::size_t{0}, std::size_t{9}, std::size_t{64}, std::size_t{70}, std::size_t{300}}) {
      std::vector<SipKey> keys(count, counting_key());
      std::vector<Value> values;
      for (std::size_t i = 0; i < count; ++i) {
        keys[i][0] = static_cast<std::uint8_t>(100 + i);
        values.emplace_back(Kind::text, std::string(i * longest / count, 'v'));
      }
      std::vector<Digest> digests(count);
      RowDigester("a row's key").digest(keys, values, digests);
      for (std::size_t i = 0; i < count; ++i) {
        CAPTURE(count);
        CAPTURE(i);
        CHECK(digests[i] == digest_cell(keys[i], "a row's key", values[i]));
      }
    }
  }
}

TEST_CASE("key bytes are kind, length in little endian, and bytes") {
  std::string out = "x";
  append_key_bytes({Kind::text, "ab"}, out);
  CHECK(out == std::string("x\5\2\0\0\0ab", 8));
}

TEST_CASE("key bytes of composite keys do not run into one another") {
  const auto bytes = [](std::string_view a, std::string_view b) {
    std::string out;
    append_key_bytes({Kind::text, std::string(a)}, out);
    append_key_bytes({Kind::text, std::string(b)}, out);
    return out;
  };
  CHECK(bytes("ab", "c") != bytes("a", "bc"));
  CHECK(bytes("", "abc") != bytes("abc", ""));
}

TEST_CASE("key cells are read back from key bytes, and nothing is from bytes that are cut off") {
  std::string bytes;
  const std::vector<Value> cells{{Kind::text, "ab"}, {Kind::integer, ""}, {}};
  for (const auto& cell : cells) {
    append_key_bytes(cell, bytes);
  }
  std::string_view rest = bytes;
  for (const auto& cell : cells) {
    CHECK(take_key_cell(rest) == cell);
  }
  CHECK(rest.empty());
  for (std::size_t size = 0; size < 7; ++size) {
    rest = std::string_view(bytes).substr(0, size);
    CHECK_FALSE(take_key_cell(rest).has_value());
    CHECK(rest.size() == size);
  }
}

TEST_CASE("digests are packed little endian, eight bytes each") {
  const std::vector<Digest> digests{{0x0807060504030201U}, {0xffU}};
  CHECK(pack(digests) == std::string("\1\2\3\4\5\6\7\10\xff\0\0\0\0\0\0\0", 16));
}

TEST_CASE("packed digests unpack to what they were") {
  std::vector<Digest> digests;
  CHECK(unpack_digests(pack(digests)).empty());
  for (std::uint64_t i = 0; i < 100; ++i) {
    digests.push_back({i * 0x9e3779b97f4a7c15U});
  }
  CHECK(unpack_digests(pack(digests)) == digests);
}

TEST_CASE("a base row that holds part of a digest is damage") {
  for (const std::size_t size : {1U, 7U, 9U, 15U}) {
    CAPTURE(size);
    try {
      unpack_digests(std::string(size, 'x'));
      FAIL("unpacked");
    } catch (const Failure& failure) {
      CHECK(failure.error().code == Code::integrity);
    }
  }
}

TEST_CASE("fingerprints are XXH3") {
  CHECK(fingerprint("") == 0x2d06800538d394c2U);  // XXH3_64bits of nothing, seed 0
  CHECK(fingerprint("a") != fingerprint("b"));
}

}  // namespace
}  // namespace abgleich
