#include "mask/time_zone.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>

namespace abgleich::mask {

namespace {

std::string in(const char* zone, std::string_view moment) {
  const auto found = TimeZone::find(zone);
  REQUIRE(found);
  return local_date(*found, moment).value_or("none");
}

}  // namespace

TEST_CASE("midnight of 1 January in Berlin is not the year before") {
  CHECK(in("Europe/Berlin", "2019-12-31 23:00:00+00") == "2020-01-01");
  CHECK(in("Europe/Berlin", "2019-12-31 22:59:59.999999+00") == "2019-12-31");
  CHECK(in("Europe/Berlin", "2020-06-30 22:00:00+00") == "2020-07-01");
  CHECK(in("America/New_York", "2020-01-01 04:59:59+00") == "2019-12-31");
  CHECK(in("Pacific/Kiritimati", "2019-12-31 10:00:00+00") == "2020-01-01");
  CHECK(in("UTC", "2019-12-31 23:00:00+00") == "2019-12-31");
}

TEST_CASE("a moment says its day with Z, with an offset, and with a T") {
  for (const auto* moment :
       {"2019-12-31T23:30:00Z", "2020-01-01T00:30:00+01:00", "2020-01-01 00:30+01",
        "2019-12-31T18:30:00.5-0500", "2019-12-31 23:30:00+00"}) {
    CAPTURE(moment);
    CHECK(in("Europe/Berlin", moment) == "2020-01-01");
  }
}

TEST_CASE("what is no moment has no day in a zone") {
  for (const auto* text : {"2020-01-01", "2020-01-01 00:30:00", "infinity", "", "Z",
                           "0044-03-15 "
                           "12:00:00+00 BC",
                           "2020-01-01T00:30:00+01:0x", "2020-01-01T+01:00"}) {
    CAPTURE(text);
    CHECK(in("Europe/Berlin", text) == "none");
  }
}

TEST_CASE("the rule at the end of a file holds beyond its last transition") {
  CHECK(in("Europe/Berlin", "2199-12-31 23:00:00+00") == "2200-01-01");
  CHECK(in("Europe/Berlin", "2199-06-30 22:00:00+00") == "2199-07-01");
  CHECK(in("Europe/Berlin", "2199-06-30 21:59:00+00") == "2199-06-30");
  CHECK(in("Australia/Sydney", "2199-12-31 13:00:00+00") == "2200-01-01");
  CHECK(in("Australia/Sydney", "2199-06-30 13:59:00+00") == "2199-06-30");
}

TEST_CASE("before the first transition there is the place's own mean time") {
  CHECK(in("Europe/Berlin", "1799-12-31 23:06:32+00") == "1800-01-01");
  CHECK(in("Europe/Berlin", "1799-12-31 23:06:31+00") == "1799-12-31");
}

TEST_CASE("a zone's offsets are the C library's, every five hours of two centuries") {
  for (const char* name : {"Europe/Berlin", "America/New_York", "Asia/Kolkata", "Africa/Casablanca",
                           "Australia/Lord_Howe", "America/Sao_Paulo", "Europe/Dublin"}) {
    CAPTURE(name);
    const auto zone = TimeZone::find(name);
    REQUIRE(zone);
    setenv("TZ", name, 1);
    tzset();
    int wrong = 0;
    for (std::time_t moment = -3'000'000'000; moment < 4'000'000'000; moment += 18'000) {
      std::tm local{};
      localtime_r(&moment, &local);
      wrong += zone->offset_at(moment) != local.tm_gmtoff ? 1 : 0;
    }
    CHECK(wrong == 0);
  }
  setenv("TZ", "UTC", 1);
  tzset();
}

TEST_CASE("no name leads out of the directory of zones, and no other file is a zone") {
  for (const auto* name : {"", "../../../etc/passwd", "/etc/localtime", "Europe", "Nowhere/None",
                           "tzdata.zi", "Europe/Berlin\n"}) {
    CAPTURE(name);
    CHECK_FALSE(TimeZone::find(name));
  }
}

TEST_CASE(
    "a zone's file that is cut or altered anywhere is refused or read, never misread memory") {
  std::ifstream file("/usr/share/zoneinfo/Europe/Berlin", std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  REQUIRE(TimeZone::parse(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK_FALSE(TimeZone::parse(std::string_view(whole).substr(0, size)));
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto altered = whole;
    altered[at] = static_cast<char>(altered[at] ^ 0x55);
    if (const auto zone = TimeZone::parse(altered)) {
      (void)zone->offset_at(1'600'000'000);
      (void)zone->offset_at(9'600'000'000);
    }
  }
}

}  // namespace abgleich::mask
