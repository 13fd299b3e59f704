#include "core/hex.hpp"

#include "core/checked_text.hpp"

#include <doctest/doctest.h>

#include <array>

namespace abgleich {
namespace {

TEST_CASE("hex: bytes and their digits are each other's") {
  const std::array<std::uint8_t, 4> bytes{0x00, 0x7f, 0xa0, 0xff};
  CHECK(hex(bytes) == "007fa0ff");
  CHECK(hex({}).empty());
  std::array<char, 10> place;
  place.fill('x');
  write_hex(bytes, place.data());
  CHECK(std::string_view(place.data(), place.size()) == std::string_view("007fa0ff\0x", 10));
  std::array<std::uint8_t, 4> read{};
  CHECK(read_hex("007fa0ff", read));
  CHECK(read == bytes);
}

TEST_CASE("hex: what is anything else is not read") {
  std::array<std::uint8_t, 2> read{};
  for (const auto* text : {"", "00", "0000 ", "000g", "00AB", "0x00", "00000", "000000", "00:00"}) {
    CAPTURE(text);
    CHECK_FALSE(read_hex(text, read));
  }
}

Checksum length_of(std::string_view text) {
  return {static_cast<std::uint8_t>(text.size())};
}

TEST_CASE("checked text: a body and its checksum, and nothing else") {
  const std::string digits = "02" + std::string(30, '0');
  const std::string text = "a\nchecksum " + digits + "\n";
  CHECK(checked_text(text, length_of).body == "a\n");
  CHECK(checked_text(text, length_of).wrong.empty());
  for (const auto& cut : {std::string(), std::string("a\n"), text.substr(0, text.size() - 1),
                          text + "\n", "a" + text.substr(2), text.substr(2),
                          "a\nchecksum 0" + digits + "\n", "a\nChecksum " + digits + "\n"}) {
    CAPTURE(cut);
    CHECK(checked_text(cut, length_of).wrong == "is cut off, or something follows its checksum");
    CHECK(checked_text(cut, length_of).body.empty());
  }
  CHECK(checked_text("b" + text, length_of).wrong == "is damaged: its checksum is wrong");
}

}  // namespace
}  // namespace abgleich
