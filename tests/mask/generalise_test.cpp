#include "mask/generalise.hpp"

#include "core/error.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace abgleich::mask {
namespace {

using contract::Generalisation;
using To = Generalisation::To;

constexpr std::string_view kReference = "2020-05-17";

Generalisation generalisation(To to, int n = 0) {
  return {.to = to, .n = n, .reference = to == To::age_band ? std::string(kReference) : ""};
}

Value made(const Generalisation& how, const Value& value) {
  Value out(Kind::text, "left over");
  const auto why = Generaliser(how).make(value, out);
  REQUIRE_FALSE(why.has_value());
  return out;
}

Reason refusal(const Generalisation& how, const Value& value) {
  Value out(Kind::text, "left over");
  return Generaliser(how).make(value, out);
}

Value text(std::string bytes) {
  return {Kind::text, std::move(bytes)};
}
Value date(std::string bytes) {
  return {Kind::date, std::move(bytes)};
}

TEST_CASE("a year is an integer without leading zeros") {
  const auto year = generalisation(To::year);
  CHECK(made(year, date("1980-05-17")) == Value(Kind::integer, "1980"));
  CHECK(made(year, date("0009-05-17")) == Value(Kind::integer, "9"));
  CHECK(made(year, date("12345-05-17")) == Value(Kind::integer, "12345"));
  CHECK(made(year, {Kind::timestamp, "1980-12-31 23:59:59.5"}) == Value(Kind::integer, "1980"));
  CHECK(made(year, {Kind::timestamptz, "1980-12-31 23:59:59.5+00"}) ==
        Value(Kind::integer, "1980"));
  CHECK(made(year, text("1980-05-17")) == Value(Kind::integer, "1980"));
}

TEST_CASE("months and weeks are text as ISO 8601 writes it") {
  CHECK(made(generalisation(To::month), date("1980-05-17")) == text("1980-05"));
  CHECK(made(generalisation(To::month), date("0009-05-17")) == text("0009-05"));
  CHECK(made(generalisation(To::week), date("1980-05-19")) == text("1980-W21"));
  CHECK(made(generalisation(To::week), date("2005-01-01")) == text("2004-W53"));
  CHECK(made(generalisation(To::week), date("2020-03-04")) == text("2020-W10"));
}

TEST_CASE("an age band starts at a multiple of its width and names both ends") {
  const auto ten = generalisation(To::age_band, 10);
  CHECK(made(ten, date("1980-05-18")) == text("30-39"));
  CHECK(made(ten, date("1980-05-17")) == text("40-49"));
  CHECK(made(ten, date("2020-05-17")) == text("0-9"));
  CHECK(made(generalisation(To::age_band, 5), date("1980-05-18")) == text("35-39"));
  CHECK(made(generalisation(To::age_band, 18), date("1980-05-18")) == text("36-53"));
  CHECK(made(generalisation(To::age_band, 1), date("1980-05-18")) == text("39-39"));
}

TEST_CASE("an age before birth or beyond 150 years is refused") {
  const auto ten = generalisation(To::age_band, 10);
  CHECK(refusal(ten, date("2020-05-18")) == Cause::after_reference);
  CHECK(refusal(ten, date("9999-12-31")) == Cause::after_reference);
  CHECK(made(ten, date("1869-05-18")) == text("150-159"));
  CHECK(refusal(ten, date("1869-05-17")) == Cause::implausible);
  CHECK(refusal(ten, date("0001-01-01")) == Cause::implausible);
}

TEST_CASE("what has no date is refused, by every generalisation that needs one") {
  for (const auto to : {To::year, To::month, To::week, To::age_band}) {
    const auto how = generalisation(to, 10);
    CHECK(refusal(how, text("")) == Cause::not_date);
    CHECK(refusal(how, text("  ")) == Cause::not_date);
    CHECK(refusal(how, text("17.05.1980")) == Cause::not_date);
    CHECK(refusal(how, {Kind::integer, "1980"}) == Cause::not_date);
    CHECK(refusal(how, {Kind::bytes, "1980-05-17"}) == Cause::not_date);
    CHECK(refusal(how, date("infinity")) == Cause::no_year);
    CHECK(refusal(how, {Kind::timestamp, "-infinity"}) == Cause::no_year);
    CHECK(refusal(how, date("0044-03-15 BC")) == Cause::no_year);
  }
}

TEST_CASE("a prefix is the first characters of text or of an integer") {
  CHECK(made(generalisation(To::prefix, 2), text("38100")) == text("38"));
  CHECK(made(generalisation(To::prefix, 2), {Kind::integer, "38100"}) == text("38"));
  CHECK(made(generalisation(To::prefix, 5), text("38100")) == text("38100"));
  CHECK(made(generalisation(To::prefix, 9), text("38100")) == text("38100"));
  CHECK(made(generalisation(To::prefix, 1), text("")) == text(""));
  CHECK(made(generalisation(To::prefix, 2), text("   x")) == text("  "));
  CHECK(refusal(generalisation(To::prefix, 2), {Kind::bytes, "38100"}) == Cause::not_text);
  CHECK(refusal(generalisation(To::prefix, 2), {Kind::real, "1.5"}) == Cause::not_text);
}

TEST_CASE("a prefix never cuts through what a reader sees as one character") {
  CHECK(first_characters("Öl", 1) == "Ö");
  CHECK(first_characters("O\u0308l", 1) == "O\u0308");  // keeps its normal form
  CHECK(first_characters("e\u0301\u0323x", 1) == "e\u0301\u0323");
  CHECK(first_characters("🇩🇪🇫🇷", 1) == "🇩🇪");
  CHECK(first_characters("👩‍👩‍👧x", 1) == "👩‍👩‍👧");
  CHECK(first_characters("\r\nx", 1) == "\r\n");
  CHECK(first_characters("각각", 1) == "각");
  CHECK(first_characters("\u0301a", 1) == "\u0301");  // a mark without a letter is a character
  CHECK(first_characters(std::string("\0ab", 3), 2) == std::string("\0a", 2));
  CHECK(first_characters("abc", 1000000) == "abc");
}

TEST_CASE("a refused value leaves what was there") {
  Value out(Kind::text, "left over");
  CHECK(Generaliser(generalisation(To::year)).make(text("x"), out).has_value());
  CHECK(out == text("left over"));
}

TEST_CASE("a generalisation that the contract must not let pass is a bug") {
  CHECK_THROWS_AS(Generaliser(generalisation(To::prefix, 0)), Failure);
  CHECK_THROWS_AS(Generaliser(generalisation(To::age_band, 0)), Failure);
  CHECK_THROWS_AS(Generaliser({.to = To::age_band, .n = 5, .reference = "today"}), Failure);
}

TEST_CASE("a number is rounded to the nearest multiple, halves away from zero, exactly") {
  const auto rounded = [](std::string_view number, int step) -> std::string {
    std::int64_t out = 0;
    const auto why = round_to(number, step, out);
    return why ? "!" + std::string(text_of(*why)) : std::to_string(out);
  };
  CHECK(rounded("0", 5) == "0");
  CHECK(rounded("2", 5) == "0");
  CHECK(rounded("3", 5) == "5");
  CHECK(rounded("-3", 5) == "-5");
  CHECK(rounded("-2", 5) == "0");
  CHECK(rounded("5", 10) == "10");
  CHECK(rounded("-5", 10) == "-10");
  CHECK(rounded("4.999999999999999999999", 10) == "0");
  CHECK(rounded("2.4999", 5) == "0");
  CHECK(rounded("2.5", 5) == "5");
  CHECK(rounded("2.50", 5) == "5");
  CHECK(rounded("-2.5", 5) == "-5");
  CHECK(rounded("0.5", 1) == "1");
  CHECK(rounded("0.49", 1) == "0");
  CHECK(rounded("1e3", 7) == "1001");
  CHECK(rounded("1.5e-7", 1) == "0");
  CHECK(rounded("999999999999999999", 1'000'000'000) == "1000000000000000000");
  CHECK(rounded("1000000000000000000", 5) == "!too large to be rounded");
  CHECK(rounded("1e300", 5) == "!too large to be rounded");
  for (const auto* other : {"NaN", "Infinity", "-Infinity", "", "-", "x", "1.2.3", "--1", " 1"}) {
    CAPTURE(std::string(other));
    CHECK(rounded(other, 5).starts_with("!"));
  }
  for (int i = -200; i <= 200; ++i) {
    for (const int step : {1, 2, 3, 7, 10}) {
      const int away = (std::abs(i) * 2 + step) / (2 * step) * step;
      CHECK(rounded(std::to_string(i), step) == std::to_string(i < 0 ? -away : away));
    }
  }
}

TEST_CASE("numbers of every kind are rounded to integers, anything else is refused") {
  const auto round = generalisation(To::round, 10);
  CHECK(made(round, {Kind::integer, "47"}) == Value(Kind::integer, "50"));
  CHECK(made(round, {Kind::decimal, "44.90"}) == Value(Kind::integer, "40"));
  CHECK(made(round, {Kind::real, "45"}) == Value(Kind::integer, "50"));
  for (const auto* other : {"", " ", "47"}) {
    CHECK(refusal(round, text(other)) == Cause::not_number);
  }
  CHECK(refusal(round, date("1980-05-17")) == Cause::not_number);
}

TEST_CASE("a map has a value for each value, or one for all others, or refuses") {
  Generalisation map{.to = To::map, .map = {{"A", "ill"}, {"B", "well"}, {"", "empty"}}};
  CHECK(made(map, text("A")) == text("ill"));
  CHECK(made(map, text("")) == text("empty"));
  CHECK(refusal(map, text("a")) == Cause::not_in_map);
  CHECK(refusal(map, text(" ")) == Cause::not_in_map);
  map.map.emplace("7", "seven");
  CHECK(made(map, {Kind::integer, "7"}) == text("seven"));
  map.otherwise = "other";
  CHECK(made(map, text("a")) == text("other"));
  CHECK(made(map, text(" ")) == text("other"));
}

TEST_CASE("a constant stands for every value, of every kind") {
  const Generalisation constant{.to = To::constant, .value = "hidden"};
  for (const auto& value : {text(""), text(" "), text("x"), date("infinity"),
                            Value(Kind::bytes, "\xff"), Value(Kind::integer, "0")}) {
    CHECK(made(constant, value) == text("hidden"));
  }
}

}  // namespace
}  // namespace abgleich::mask
