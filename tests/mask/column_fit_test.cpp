#include "mask/masker.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace abgleich::mask {
namespace {

using contract::Class;
using contract::Column;
using contract::Format;
using contract::Generalisation;
using contract::Normaliser;
using To = Generalisation::To;

constexpr std::array kFamilies{
    Family::boolean, Family::integer, Family::decimal, Family::real,      Family::text,
    Family::bytes,   Family::date,    Family::time,    Family::timestamp, Family::timestamptz,
    Family::uuid,    Family::json,    Family::other,   Family::dynamic};

Type of_family(Family family, std::optional<int> bits = {}) {
  Type type;
  type.family = family;
  type.native = "native";
  type.bits = bits;
  return type;
}

Column generalised(To to) {
  return {.name = "c",
          .cls = Class::generalise,
          .generalisation = {.to = to, .n = 5, .reference = "2020-01-01"}};
}

Column pseudonym_with(Normaliser normaliser, Format format = Format::automatic) {
  return {.name = "c",
          .cls = Class::pseudonym,
          .identity = "p",
          .format = format,
          .normaliser = normaliser};
}

std::vector<Family> families_that_fit(const Column& column) {
  std::vector<Family> fitting;
  for (const auto family : kFamilies) {
    if (!misfit(column, of_family(family))) {
      fitting.push_back(family);
    }
  }
  return fitting;
}

TEST_CASE("plain and plain pseudonyms fit every type") {
  CHECK(families_that_fit({.name = "c", .cls = Class::plain}).size() == kFamilies.size());
  for (const auto format : {Format::automatic, Format::text, Format::uuid}) {
    CHECK(families_that_fit(pseudonym_with(Normaliser::none, format)).size() == kFamilies.size());
  }
}

TEST_CASE("years, months, weeks and ages fit what may hold a date") {
  const std::vector<Family> dates{Family::text, Family::date, Family::timestamp,
                                  Family::timestamptz, Family::dynamic};
  for (const auto to : {To::year, To::month, To::week, To::age_band}) {
    CHECK(families_that_fit(generalised(to)) == dates);
  }
}

TEST_CASE("prefixes fit text and integers") {
  CHECK(families_that_fit(generalised(To::prefix)) ==
        std::vector{Family::integer, Family::text, Family::dynamic});
}

TEST_CASE("name, email and phone fit text, and text fits anything but bytes") {
  for (const auto normaliser : {Normaliser::name, Normaliser::email, Normaliser::phone}) {
    CHECK(families_that_fit(pseudonym_with(normaliser)) ==
          std::vector{Family::text, Family::dynamic});
  }
  CHECK(families_that_fit(pseudonym_with(Normaliser::text)).size() == kFamilies.size() - 1);
  CHECK(misfit(pseudonym_with(Normaliser::text), of_family(Family::bytes)).has_value());
}

TEST_CASE("integer pseudonyms fit integers of 32 and 64 bits") {
  const auto column = pseudonym_with(Normaliser::none, Format::integer);
  CHECK(families_that_fit(column) == std::vector{Family::integer, Family::dynamic});
  CHECK(misfit(column, of_family(Family::integer, 16)).has_value());
  CHECK_FALSE(misfit(column, of_family(Family::integer, 32)).has_value());
  CHECK_FALSE(misfit(column, of_family(Family::integer, 64)).has_value());
  CHECK(misfit(pseudonym_with(Normaliser::phone, Format::integer), of_family(Family::dynamic))
            .has_value());
}

TEST_CASE("a misfit names class, need, column and type") {
  auto note = text_type();
  note.native = "character varying(20)";
  CHECK(misfit(pseudonym_with(Normaliser::none, Format::integer), note) ==
        "format = \"integer\" needs integers; 'c' is character varying(20)");
  Type integers = of_family(Family::integer, 16);
  integers.native = "smallint";
  CHECK(misfit(pseudonym_with(Normaliser::none, Format::integer), integers) ==
        "format = \"integer\" needs 32 or 64 bits; 'c' is smallint");
  CHECK(misfit(generalised(To::year), integers) ==
        "year needs a date, a timestamp, or text that holds one; 'c' is smallint");
  CHECK(misfit(generalised(To::age_band), integers) ==
        "age-band needs a date, a timestamp, or text that holds one; 'c' is smallint");
  integers.native.clear();
  CHECK(misfit(pseudonym_with(Normaliser::phone), integers) ==
        "normalise = \"phone\" needs text; 'c' is integer");
}

TEST_CASE("plain columns keep their type") {
  const auto source = of_family(Family::decimal);
  CHECK(exported_type({.name = "c", .cls = Class::plain}, source) == source);
}

TEST_CASE("years are integers, other generalisations text") {
  const auto source = of_family(Family::date);
  CHECK(exported_type(generalised(To::year), source).family == Family::integer);
  CHECK(exported_type(generalised(To::year), source).bits == 32);
  for (const auto to : {To::month, To::week, To::age_band, To::prefix}) {
    CHECK(exported_type(generalised(to), source) == text_type());
  }
}

TEST_CASE("pseudonyms have the type of their format") {
  const auto uuid = of_family(Family::uuid);
  const auto number = of_family(Family::integer, 32);
  CHECK(exported_type(pseudonym_with(Normaliser::none), number) == text_type());
  CHECK(exported_type(pseudonym_with(Normaliser::none), uuid) == uuid);
  CHECK(exported_type(pseudonym_with(Normaliser::none, Format::text), uuid) == text_type());
  CHECK(exported_type(pseudonym_with(Normaliser::none, Format::uuid), number).family ==
        Family::uuid);
  CHECK(exported_type(pseudonym_with(Normaliser::none, Format::integer), number) == number);
  const auto dynamic =
      exported_type(pseudonym_with(Normaliser::none, Format::integer), of_family(Family::dynamic));
  CHECK(dynamic.family == Family::integer);
  CHECK(dynamic.bits == 64);
}

TEST_CASE("round fits numbers, shift dates, map anything but bytes, a constant everything") {
  CHECK(families_that_fit(generalised(To::round)) ==
        std::vector{Family::integer, Family::decimal, Family::real, Family::dynamic});
  CHECK(families_that_fit(generalised(To::shift)) == families_that_fit(generalised(To::year)));
  CHECK(families_that_fit(generalised(To::map)).size() == kFamilies.size() - 1);
  CHECK(misfit(generalised(To::map), of_family(Family::bytes)) ==
        "map needs anything but bytes; 'c' is native");
  CHECK(families_that_fit(generalised(To::constant)).size() == kFamilies.size());
  CHECK(misfit(generalised(To::round), of_family(Family::text)) ==
        "round needs numbers; 'c' is native");
}

TEST_CASE("what is rounded is a big integer, what is shifted keeps its type, the rest is text") {
  CHECK(exported_type(generalised(To::round), of_family(Family::decimal)).family ==
        Family::integer);
  CHECK(exported_type(generalised(To::round), of_family(Family::integer, 16)).bits == 64);
  for (const auto family : {Family::date, Family::timestamp, Family::timestamptz, Family::text}) {
    CHECK(exported_type(generalised(To::shift), of_family(family)) == of_family(family));
  }
  for (const auto to : {To::map, To::constant}) {
    CHECK(exported_type(generalised(to), of_family(Family::integer)) == text_type());
  }
}

TEST_CASE("a country that has no phone numbers does not fit") {
  auto column = pseudonym_with(Normaliser::phone);
  column.country = "AT";
  CHECK_FALSE(misfit(column, text_type()).has_value());
  column.country = "XX";
  CHECK(misfit(column, text_type()) == "no phone numbers are known of country 'XX'; 'c' has it");
}

}  // namespace
}  // namespace abgleich::mask
