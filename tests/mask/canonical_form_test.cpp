#include "mask/canonical_form.hpp"

#include <doctest/doctest.h>

#include <optional>

namespace abgleich::mask {

namespace {

using contract::CanonicalForm;
using Of = CanonicalForm::Of;

std::string formed(const CanonicalForm& form, Kind kind, std::string bytes, int bits = 64) {
  std::string scratch;
  return std::string(in_form(form, bits, {kind, std::move(bytes)}, scratch));
}

}  // namespace

TEST_CASE("numbers that are equal are written alike") {
  const CanonicalForm whole{.of = Of::number, .scale = 0};
  const CanonicalForm cents{.of = Of::number, .scale = 2};
  const CanonicalForm any{.of = Of::number};
  for (const auto* one : {"1", "1.0", "1.00", "+1", "001", "0.1e1", "10e-1"}) {
    CAPTURE(one);
    CHECK(formed(whole, Kind::decimal, one) == "1");
    CHECK(formed(cents, Kind::decimal, one) == "1.00");
    CHECK(formed(any, Kind::decimal, one) == "1");
  }
  CHECK(formed(cents, Kind::decimal, "-12.345") == "-12.345");
  CHECK(formed(any, Kind::decimal, "-0.50") == "-0.5");
  CHECK(formed(any, Kind::decimal, "-0.00") == "0");
  CHECK(formed(any, Kind::real, "1e+20") == "100000000000000000000");
  CHECK(formed(any, Kind::decimal, "NaN") == "NaN");
  CHECK(formed(any, Kind::decimal, "1e999999999") == "1e999999999");
}

TEST_CASE("text is a number only where the primary itself takes it for one") {
  CanonicalForm form{.of = Of::number, .scale = 0};
  CHECK(formed(form, Kind::text, "01") == "01");
  form.refers = true;
  CHECK(formed(form, Kind::text, "01") == "1");
  CHECK(formed(form, Kind::text, " 1 ") == "1");
  CHECK(formed(form, Kind::text, "1a") == "1a");
  CHECK(formed(form, Kind::text, "") == "");
  CHECK(formed(form, Kind::bytes, "01") == "01");
}

TEST_CASE("a float is written as the double that it is, and the other way round") {
  CHECK(formed({.of = Of::real}, Kind::real, "0.1", 32) == "0.10000000149011612");
  CHECK(formed({.of = Of::real, .bits = 32}, Kind::real, "0.10000000149011612") == "0.1");
  CHECK(formed({.of = Of::real}, Kind::integer, "10000000") == "1e+07");
}

TEST_CASE("days and moments meet at midnight") {
  CHECK(formed({.of = Of::timestamp}, Kind::date, "2020-01-01") == "2020-01-01 00:00:00");
  CHECK(formed({.of = Of::timestamp}, Kind::date, "0044-03-15 BC") == "0044-03-15 00:00:00 BC");
  CHECK(formed({.of = Of::date}, Kind::timestamp, "2020-01-01 00:00:00") == "2020-01-01");
  CHECK(formed({.of = Of::date}, Kind::timestamp, "2020-01-01 00:00:01") == "2020-01-01 00:00:01");
  CHECK(formed({.of = Of::timestamptz}, Kind::timestamp, "2020-01-01 10:00:00") ==
        "2020-01-01 10:00:00+00");
  CHECK(formed({.of = Of::timestamp}, Kind::date, "infinity") == "infinity");
}

TEST_CASE("capitals and blanks at the end go where the primary does not compare them") {
  const CanonicalForm citext{.of = Of::text, .fold = CanonicalForm::Fold::unicode};
  const CanonicalForm nocase{.of = Of::text, .fold = CanonicalForm::Fold::ascii};
  const CanonicalForm rtrim{.of = Of::text, .trimmed = true};
  CHECK(formed(citext, Kind::text, "ÄNNE") == "änne");
  CHECK(formed(nocase, Kind::text, "ÄNNE") == "Änne");
  CHECK(formed(rtrim, Kind::text, "Ab  ") == "Ab");
  CHECK(formed(rtrim, Kind::text, "   ") == "");
  CHECK(formed(citext, Kind::bytes, "AB") == "AB");
}

TEST_CASE("forms are remembered as text and read back") {
  for (const auto& form :
       {CanonicalForm{}, CanonicalForm{.of = Of::number},
        CanonicalForm{.of = Of::number, .scale = 2, .refers = true},
        CanonicalForm{.of = Of::real, .bits = 32},
        CanonicalForm{.of = Of::text, .fold = CanonicalForm::Fold::unicode, .trimmed = true}}) {
    CHECK(contract::canonical_form_from(contract::text_of(form)) == form);
  }
  for (const auto* text : {"", "numbers", "number  2", "number 2 2", "text folded", "written 0x"}) {
    CAPTURE(text);
    CHECK_FALSE(contract::canonical_form_from(text));
  }
}

}  // namespace abgleich::mask
