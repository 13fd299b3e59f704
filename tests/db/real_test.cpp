#include "db/engine/real.hpp"

#include <doctest/doctest.h>

#include <string>

using abgleich::db::canonical_real;

namespace {

std::string canonical(std::string_view text) {
  std::string scratch;
  return std::string(canonical_real(text, scratch));
}

}  // namespace

TEST_CASE("a real has one text whatever form an engine prints it in") {
  CHECK(canonical("5") == "5");
  CHECK(canonical("5.0") == "5");
  CHECK(canonical("+5.") == "5");
  CHECK(canonical("0.1") == "0.1");
  CHECK(canonical("1.0000000000000001e-01") == "0.1");
  CHECK(canonical("100000") == "1e+05");
  CHECK(canonical("1E22") == "1e+22");
  CHECK(canonical("123456.789") == "123456.789");
}

TEST_CASE("zeros, infinities and NaN keep apart") {
  CHECK(canonical("0") == "0");
  CHECK(canonical("-0") == "-0");
  CHECK(canonical("-0.0") == "-0");
  CHECK(canonical("NaN") == "NaN");
  CHECK(canonical("nan") == "NaN");
  CHECK(canonical("Infinity") == "Infinity");
  CHECK(canonical("-Inf") == "-Infinity");
}

TEST_CASE("the ends of the double's range are exact") {
  CHECK(canonical("1.7976931348623157e+308") == "1.7976931348623157e+308");
  CHECK(canonical("4.94065645841246544e-324") == "5e-324");
  CHECK(canonical("2.2250738585072014e-308") == "2.2250738585072014e-308");
}

TEST_CASE("what is no double has no canonical text") {
  for (const auto* text : {"", "-", "+-5", "--5", "+", ".", "1e400", "-1e400", "1e-400", "5x", " 5",
                           "0x10", "nan(1)", "five", "1,5", "-nan(2)"}) {
    CAPTURE(text);
    CHECK(canonical(text).empty());
  }
}
