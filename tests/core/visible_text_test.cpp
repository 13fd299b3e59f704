#include "core/visible_text.hpp"

#include <doctest/doctest.h>

#include <string>

namespace abgleich {

using namespace std::string_literals;

TEST_CASE("what steers a terminal is spelled out, and what people read is left alone") {
  CHECK(visible("Größe 名前 😀 a'b\"c\\") == "Größe 名前 😀 a'b\"c\\");
  CHECK(visible("\x1b[31mred\x1b]0;title\a") == "\\u001b[31mred\\u001b]0;title\\u0007");
  CHECK(visible("a\0b\x7f"s) == "a\\u0000b\\u007f");
  CHECK(visible("\u009b31m \u0085") == "\\u009b31m \\u0085");  // C1: a CSI of one character
  CHECK(visible("evil\u202etxt.exe\u2066\u200b\ufeff\u00ad") ==
        "evil\\u202etxt.exe\\u2066\\u200b\\ufeff\\u00ad");
  CHECK(visible("\u2028\u2029\u061c") == "\\u2028\\u2029\\u061c");
  CHECK(visible("\U000e0041\U0001d173") == "\\udb40\\udc41\\ud834\\udd73");  // tags
}

TEST_CASE("bytes that are no UTF-8 are shown as bytes") {
  CHECK(visible("a\xff\xc3(") == "a\\xff\\xc3(");
  CHECK(visible("\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80") ==
        "\\xc0\\xaf \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80");
  CHECK(visible("\xe2\x80") == "\\xe2\\x80");
  CHECK(visible("\x9b[2J") == "\\x9b[2J");
}

TEST_CASE("line ends are ours between lines, and others' within one") {
  CHECK(visible("a\nb\tc\r") == "a\\u000ab\\u0009c\\u000d");
  CHECK(visible("a\nb\tc\r", Lines::several) == "a\nb\tc\\u000d");
}

TEST_CASE("only our own marks become colours") {
  const auto red = colour_mark("31") + "x" + colour_mark("0");
  CHECK(visible(red, Lines::several) == "\x1b[31mx\x1b[0m");
  CHECK(visible(red) == "\\xfe31mx\\xfe0m");
  CHECK(visible("\x1b[31mx", Lines::several) == "\\u001b[31mx");
  CHECK(visible("\xfe[2J \xfe"
                "31",
                Lines::several) == "\\xfe[2J \\xfe31");
}

TEST_CASE("what has become visible stays as it is") {
  const auto once = visible("\x1b\u202e\xff\n");
  CHECK(visible(once) == once);
  CHECK(visible(once, Lines::several) == once);
}

}  // namespace abgleich
