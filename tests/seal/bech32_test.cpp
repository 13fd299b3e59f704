#include "seal/bech32.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

namespace abgleich::seal {
namespace {

std::string written(std::string_view prefix, const std::vector<std::uint8_t>& bytes,
                    Letters letters) {
  std::string text(bech32_size(prefix, bytes.size()), '\0');
  write_bech32(prefix, bytes, letters, text);
  return text;
}

TEST_CASE("bech32: what BIP 173 calls valid is read") {
  for (const std::string text :
       {"A12UEL5L", "a12uel5l",
        "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio"
        "1tt5tgs",
        "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
        "11qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqc8247"
        "j",
        "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", "?1ezyfcl"}) {
    CAPTURE(text);
    const auto parts = read_bech32(text);
    REQUIRE(parts);
    CHECK(parts->prefix == text.substr(0, text.rfind('1')));
    CHECK(parts->digits.size() == text.size() - parts->prefix.size() - 7);
  }
}

TEST_CASE("bech32: what BIP 173 calls invalid is not") {
  for (const std::string text :
       {"\x20"
        "1nwldj5",
        "\x7f"
        "1axkwrx",
        "\x80"
        "1eym55h",
        "an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio"
        "1569pvx",
        "pzry9x0s0muk", "1pzry9x0s0muk", "x1b4n0q5v", "li1dgmt3", "de1lg7wt\xff", "A1G7SGD8",
        "10a06t8", "1qzzfhee", "a12UEL5L", "A12uEL5L", ""}) {
    CAPTURE(text);
    CHECK_FALSE(read_bech32(text));
  }
}

TEST_CASE("bech32: bytes come back as they were written, in either kind of letters") {
  std::vector<std::uint8_t> bytes;
  for (unsigned size = 0; size <= 40; ++size) {
    for (const auto letters : {Letters::small, Letters::capital}) {
      const auto text = written("p-q", bytes, letters);
      CAPTURE(text);
      const auto parts = read_bech32(text);
      REQUIRE(parts);
      CHECK(parts->prefix == (letters == Letters::small ? "p-q" : "P-Q"));
      std::vector<std::uint8_t> back(bytes.size());
      CHECK(bytes_of(*parts, back));
      CHECK(back == bytes);
      // another number of bytes is not what it holds
      std::vector<std::uint8_t> longer(bytes.size() + 1);
      CHECK_FALSE(bytes_of(*parts, longer));
    }
    bytes.push_back(static_cast<std::uint8_t>(size * 37 + 11));
  }
}

TEST_CASE("bech32: bits behind the last byte have to be zero") {
  // 8 bits in two digits: of the second one, two bits are left over
  std::size_t found = 0;
  for (const char digit : std::string_view("qpzry9x8gf2tvdw0s3jn54khce6mua7l")) {
    std::array<std::uint8_t, 1> out{};
    const std::string digits{'q', digit};
    found += bytes_of({.prefix = "x", .digits = digits}, out) ? 1U : 0U;
  }
  CHECK(found == 8);  // of 32 last digits, those that end in two zeros
}

TEST_CASE("bech32: one wrong character is always found") {
  const auto text = written("age", std::vector<std::uint8_t>(32, 0xa7), Letters::small);
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char c : std::string_view("qpzry9x8gf2tvdw0s3jn54khce6mua7l1b-")) {
      auto wrong = text;
      wrong[at] = c;
      if (wrong != text) {
        CHECK_FALSE(read_bech32(wrong));
      }
    }
  }
}

}  // namespace
}  // namespace abgleich::seal
