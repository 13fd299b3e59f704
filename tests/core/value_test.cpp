#include "core/value.hpp"

#include "core/error.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace abgleich {
namespace {

constexpr std::array kKinds{Kind::null, Kind::boolean,   Kind::integer,     Kind::decimal,
                            Kind::real, Kind::text,      Kind::bytes,       Kind::date,
                            Kind::time, Kind::timestamp, Kind::timestamptz, Kind::uuid,
                            Kind::json, Kind::other};

/// UTF-8 by arithmetic: decodes, then asks for the shortest form of a scalar value.
bool is_utf8_by_decoding(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const auto lead = static_cast<unsigned char>(bytes[at]);
    const int size = lead < 0x80   ? 1
                     : lead < 0xc0 ? 0
                     : lead < 0xe0 ? 2
                     : lead < 0xf0 ? 3
                     : lead < 0xf8 ? 4
                                   : 0;
    if (size == 0 || at + static_cast<std::size_t>(size) > bytes.size()) {
      return false;
    }
    std::uint32_t point = size == 1 ? lead : lead & ((1U << (7 - size)) - 1);
    for (int i = 1; i < size; ++i) {
      const auto next = static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)]);
      if ((next & 0xc0U) != 0x80) {
        return false;
      }
      point = point << 6U | (next & 0x3fU);
    }
    constexpr std::array<std::uint32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
    if (point < kSmallest.at(static_cast<std::size_t>(size)) || point > 0x10ffff ||
        (point >= 0xd800 && point <= 0xdfff)) {
      return false;
    }
    at += static_cast<std::size_t>(size);
  }
  return true;
}

std::string encode(std::uint32_t point) {
  const auto byte = [](std::uint32_t bits) { return static_cast<char>(bits); };
  if (point < 0x80) {
    return {byte(point)};
  }
  if (point < 0x800) {
    return {byte(0xc0 | point >> 6U), byte(0x80 | (point & 0x3fU))};
  }
  if (point < 0x10000) {
    return {byte(0xe0 | point >> 12U), byte(0x80 | (point >> 6U & 0x3fU)),
            byte(0x80 | (point & 0x3fU))};
  }
  return {byte(0xf0 | point >> 18U), byte(0x80 | (point >> 12U & 0x3fU)),
          byte(0x80 | (point >> 6U & 0x3fU)), byte(0x80 | (point & 0x3fU))};
}

TEST_CASE("every Unicode scalar value is UTF-8, and no surrogate is") {
  std::size_t wrong = 0;
  for (std::uint32_t point = 0; point < 0x110000; ++point) {
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    wrong += is_utf8(encode(point)) == surrogate ? 1 : 0;
  }
  CHECK(wrong == 0);
  CHECK_FALSE(is_utf8(encode(0x110000)));
}

TEST_CASE("all strings of two bytes are judged as by decoding") {
  std::size_t wrong = 0;
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const std::string text{static_cast<char>(a), static_cast<char>(b)};
      wrong += is_utf8(text) == is_utf8_by_decoding(text) ? 0 : 1;
      wrong += is_utf8(text.substr(0, 1)) == is_utf8_by_decoding(text.substr(0, 1)) ? 0 : 1;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("strings of three and four bytes at the edges of the tables are judged as by decoding") {
  constexpr std::array<int, 24> kEdges{0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                                       0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed,
                                       0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};
  std::size_t wrong = 0;
  std::size_t valid = 0;
  std::string text(4, 'x');
  for (const int a : kEdges) {
    for (const int b : kEdges) {
      for (const int c : kEdges) {
        for (const int d : kEdges) {
          text.assign({static_cast<char>(a), static_cast<char>(b), static_cast<char>(c),
                       static_cast<char>(d)});
          valid += is_utf8(text) ? 1 : 0;
          wrong += is_utf8(text) == is_utf8_by_decoding(text) ? 0 : 1;
        }
        text.resize(3);
        wrong += is_utf8(text) == is_utf8_by_decoding(text) ? 0 : 1;
      }
    }
  }
  CHECK(wrong == 0);
  CHECK(valid > 100);
}

TEST_CASE("the empty text and text with NUL are UTF-8") {
  CHECK(is_utf8(""));
  CHECK(is_utf8(std::string("a\0b", 3)));
}

TEST_CASE("a sequence that is cut off is not UTF-8, wherever the view ends") {
  const std::string whole = "\xf0\x9f\x98\x80";
  CHECK(is_utf8(whole));
  for (std::size_t size = 1; size < whole.size(); ++size) {
    CHECK_FALSE(is_utf8(std::string_view(whole).substr(0, size)));
  }
}

TEST_CASE("every kind of value survives its text form") {
  const std::vector<std::string> samples{
      "", " ", "42", "a:b", "null:", "\xff", std::string("\0", 1), "line\nline", "00ff"};
  for (const auto kind : kKinds) {
    for (const auto& bytes : samples) {
      const Value value(kind, kind == Kind::null ? "" : bytes);
      CHECK(value_from_text(to_text(value)) == value);
    }
  }
}

TEST_CASE("all bytes survive as hexadecimal digits") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    all += static_cast<char>(byte);
  }
  const Value value(Kind::bytes, all);
  const auto text = to_text(value);
  CHECK(text.starts_with("bytes:000102"));
  CHECK(text.ends_with("fdfeff"));
  CHECK(value_from_text(text) == value);
}

TEST_CASE("the text forms are those that the journal stores") {
  CHECK(to_text({}) == "null:");
  CHECK(to_text({Kind::integer, "42"}) == "integer:42");
  CHECK(to_text({Kind::text, ""}) == "text:");
  CHECK(to_text({Kind::bytes, "\x01\xab"}) == "bytes:01ab");
  CHECK(to_text({Kind::text,
                 "\xff"
                 "a"}) == "text*:ff61");
  CHECK(to_text({Kind::timestamptz, "2020-02-29 23:59:59.5+00"}) ==
        "timestamptz:2020-02-29 23:59:59.5+00");
}

TEST_CASE("text that no value has is damage") {
  for (const std::string_view text :
       {"", "text", "texts:a", "Text:a", ":a", " text:a", "bytes:0", "bytes:0g", "bytes:0A",
        "bytes: 00", "text*:61", "text*:f", "bytes*:ff", "text:\xff"}) {
    CAPTURE(text);
    try {
      value_from_text(text);
      FAIL("read");
    } catch (const Failure& failure) {
      CHECK(failure.error().code == Code::integrity);
    }
  }
}

TEST_CASE("two values are the same exactly when kind and bytes are") {
  CHECK(Value() == Value(Kind::null, ""));
  CHECK(Value() != Value(Kind::text, ""));
  CHECK(Value(Kind::text, "42") != Value(Kind::integer, "42"));
  CHECK(Value(Kind::text, "") != Value(Kind::text, " "));
}

TEST_CASE("set overwrites in place and keeps the memory") {
  Value value(Kind::text, std::string(100, 'x'));
  const auto* const memory = value.bytes().data();
  value.set(Kind::integer, "7");
  CHECK(value == Value(Kind::integer, "7"));
  CHECK(value.bytes().data() == memory);
  value.set_null();
  CHECK(value.is_null());
  CHECK(value == Value());
}

// A raw value has no way out but mask::Reader, which lives in lib/mask.
template <typename T>
concept ShowsBytes = requires(const T& value) {
  value.bytes();
};
template <typename T>
concept Comparable = requires(const T& value) {
  value == value;
};

TEST_CASE("a raw value shows nothing and turns into no value") {
  CHECK(ShowsBytes<Value>);
  CHECK_FALSE(ShowsBytes<RawValue>);
  CHECK_FALSE(Comparable<RawValue>);
  CHECK_FALSE(std::is_convertible_v<RawValue, Value>);
  CHECK_FALSE(std::is_constructible_v<Value, RawValue>);
  CHECK_FALSE(std::is_convertible_v<RawRow, Row>);
}

}  // namespace
}  // namespace abgleich
