#include "mask/date_shift.hpp"

#include "mask/known_keyring.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace abgleich::mask {
namespace {

using contract::Normaliser;

Value text(std::string bytes) {
  return {Kind::text, std::move(bytes)};
}
Value date(std::string bytes) {
  return {Kind::date, std::move(bytes)};
}

DateShift shift_of(int most, const Recipe& subject = {.identity = "person"}) {
  const auto keyring = known_keyring();
  return {keyring, subject, most};
}

std::string moved(DateShift& shift, const Value& value, const Value& subject) {
  Value out(Kind::text, "left over");
  const auto why = shift.make(value, subject, out);
  if (why) {
    CHECK(out == text("left over"));
    return "!" + std::string(text_of(*why));
  }
  CHECK(out.kind() == value.kind());
  return out.bytes();
}

int days(DateShift& shift, const std::string& subject) {
  int out = 0;
  CHECK_FALSE(shift.days(text(subject), out).has_value());
  return out;
}

TEST_CASE("shifts are those of schemas/pseudonyms.md, for ever") {
  const std::map<int, std::vector<int>> expected{
      {1, {1, -1, 1}}, {14, {-9, 1, 14}}, {90, {88, 37, 6}}, {3650, {1348, -3424, -1335}}};
  for (const auto& [most, shifts] : expected) {
    auto shift = shift_of(most);
    CHECK(days(shift, "42") == shifts[0]);
    CHECK(days(shift, "43") == shifts[1]);
    CHECK(days(shift, "44") == shifts[2]);
  }
  auto shift = shift_of(14);
  CHECK(moved(shift, date("1980-05-18"), text("42")) == "1980-05-09");
}

TEST_CASE("a shift is never nothing, and every other number of days comes") {
  auto shift = shift_of(3);
  std::map<int, int> seen;
  for (int i = 0; i < 6000; ++i) {
    ++seen[days(shift, std::to_string(i))];
  }
  REQUIRE(seen.size() == 6);
  CHECK(seen.begin()->first == -3);
  CHECK(seen.rbegin()->first == 3);
  CHECK_FALSE(seen.contains(0));
  for (const auto& [number, times] : seen) {
    CAPTURE(number);
    CHECK(times > 850);
    CHECK(times < 1150);
  }
}

TEST_CASE("order and distance of one subject's dates stay") {
  auto shift = shift_of(90);
  const std::vector<std::string> dates{"0999-12-31", "1980-02-28", "1980-02-29", "1980-03-01",
                                       "1999-12-31", "2000-01-01", "2024-02-29"};
  for (int subject = 0; subject < 50; ++subject) {
    std::vector<std::string> out;
    for (const auto& one : dates) {
      out.push_back(moved(shift, date(one), text(std::to_string(subject))));
    }
    CHECK(std::ranges::is_sorted(out));
    CHECK(std::set<std::string>(out.begin(), out.end()).size() == dates.size());
  }
}

TEST_CASE("the time of day, the zone and the kind stay") {
  auto shift = shift_of(14);  // -9 days for 42
  const auto subject = text("42");
  CHECK(moved(shift, {Kind::timestamp, "2020-03-05 23:59:59.5"}, subject) ==
        "2020-02-25 23:59:59.5");
  CHECK(moved(shift, {Kind::timestamptz, "2020-03-05 00:00:00+00"}, subject) ==
        "2020-02-25 00:00:00+00");
  CHECK(moved(shift, text("2020-01-05T12:00Z"), subject) == "2019-12-27T12:00Z");
  CHECK(moved(shift, date("12345-01-05"), subject) == "12344-12-27");
}

TEST_CASE("one subject has one shift whatever its column's type, and every identity its own") {
  auto shift = shift_of(3650);
  int of_text = days(shift, "42");
  int of_integer = 0;
  CHECK_FALSE(shift.days({Kind::integer, "42"}, of_integer).has_value());
  CHECK(of_text == of_integer);
  auto other = shift_of(3650, {.identity = "case"});
  CHECK(days(other, "42") != of_text);
  const auto keyring = other_keyring();
  DateShift foreign(keyring, {.identity = "person"}, 3650);
  CHECK(days(foreign, "42") != of_text);
  auto phones = shift_of(90, {.identity = "phone", .normaliser = Normaliser::phone});
  CHECK(days(phones, "0531 / 123456") == days(phones, "+49 531 123456"));
}

TEST_CASE("another epoch has the same shifts: a second one would tell more of the date") {
  const auto two = Keyring::parse(counting_key_text(2, 0), "two epochs");
  DateShift later(two, {.identity = "person"}, 3650);
  auto first = shift_of(3650);
  CHECK(days(later, "42") == days(first, "42"));
}

TEST_CASE("what is no date, or whose subject cannot be normalised, is refused") {
  auto shift = shift_of(14);
  const auto subject = text("42");
  for (const auto* other : {"", " ", "yesterday", "1980-02-30", "1980"}) {
    CHECK(moved(shift, text(other), subject) == "!not a date");
  }
  CHECK(moved(shift, {Kind::integer, "1980"}, subject) == "!not a date");
  CHECK(moved(shift, date("infinity"), subject) == "!has no year of our era");
  CHECK(moved(shift, date("0044-03-15 BC"), subject) == "!has no year of our era");
  CHECK(moved(shift, date("0001-01-03"), subject) == "!has no year of our era");
  auto phones = shift_of(90, {.identity = "phone", .normaliser = Normaliser::phone});
  CHECK(moved(phones, date("1980-01-01"), text("none")) == "!not a phone number");
}

}  // namespace
}  // namespace abgleich::mask
