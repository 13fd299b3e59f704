#include "mask/calendar.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

namespace abgleich::mask {
namespace {

Date date_of(std::string_view text) {
  Date date{9999, 12, 31};
  const auto why = read_date(text, date);
  REQUIRE_FALSE(why.has_value());
  return date;
}

Reason refusal_of(std::string_view text) {
  Date date{9999, 12, 31};
  const auto why = read_date(text, date);
  if (why) {
    CHECK(date == Date{9999, 12, 31});
  }
  return why;
}

TEST_CASE("dates are read from dates and timestamps as the engines print them") {
  for (const std::string_view text :
       {"2020-02-29", "2020-02-29 00:00:00", "2020-02-29 23:59:59.999999", "2020-02-29T12:30",
        "2020-02-29 23:59:59.5+00", "2020-02-29T12:00:00Z", "2020-02-29 12:00:00-05:30"}) {
    CAPTURE(text);
    CHECK(date_of(text) == Date{2020, 2, 29});
  }
  CHECK(date_of("0001-01-01") == Date{1, 1, 1});
  CHECK(date_of("12345-12-31") == Date{12345, 12, 31});
  CHECK(date_of("5874897-12-31") == Date{5874897, 12, 31});
}

TEST_CASE("what is not a day of the calendar is not a date") {
  for (const std::string_view text : {"",
                                      " ",
                                      "1980",
                                      "1980-05",
                                      "80-05-17",
                                      "1980-5-17",
                                      "1980-05-7",
                                      "17.05.1980",
                                      "1980/05/17",
                                      "1980-00-17",
                                      "1980-13-17",
                                      "1980-05-00",
                                      "1980-05-32",
                                      "1981-02-29",
                                      "1900-02-29",
                                      "2100-02-29",
                                      "1980-04-31",
                                      " 1980-05-17",
                                      "1980-05-17 ",
                                      "1980-05-17x",
                                      "1980-05-17 x",
                                      "1980-05-17T",
                                      "1980-05-17 12:00 Uhr",
                                      "1980-05-170",
                                      "-1980-05-17",
                                      "+1980-05-17",
                                      "12345678-01-01",
                                      "19800517",
                                      "Infinity",
                                      "now"}) {
    CAPTURE(text);
    CHECK(refusal_of(text) == Cause::not_date);
  }
}

TEST_CASE("leap days exist in leap years only") {
  CHECK(date_of("2000-02-29") == Date{2000, 2, 29});
  CHECK(date_of("2024-02-29") == Date{2024, 2, 29});
  CHECK(refusal_of("2023-02-29") == Cause::not_date);
  CHECK(refusal_of("1700-02-29") == Cause::not_date);
}

TEST_CASE("infinities and days before our era have no year of it") {
  for (const std::string_view text : {"infinity", "-infinity", "0044-03-15 BC", "4713-01-01 BC",
                                      "0001-12-31 23:59:59 BC", "0000-01-01"}) {
    CAPTURE(text);
    CHECK(refusal_of(text) == Cause::no_year);
  }
}

TEST_CASE("weeks at the turn of the year belong to the year of their Thursday") {
  // ISO 8601, and the table of the calendar's years in its Wikipedia article
  CHECK(week_of({2005, 1, 1}) == Week{2004, 53});
  CHECK(week_of({2005, 1, 2}) == Week{2004, 53});
  CHECK(week_of({2005, 12, 31}) == Week{2005, 52});
  CHECK(week_of({2006, 1, 1}) == Week{2005, 52});
  CHECK(week_of({2006, 1, 2}) == Week{2006, 1});
  CHECK(week_of({2007, 1, 1}) == Week{2007, 1});
  CHECK(week_of({2007, 12, 30}) == Week{2007, 52});
  CHECK(week_of({2007, 12, 31}) == Week{2008, 1});
  CHECK(week_of({2008, 12, 28}) == Week{2008, 52});
  CHECK(week_of({2008, 12, 29}) == Week{2009, 1});
  CHECK(week_of({2009, 12, 31}) == Week{2009, 53});
  CHECK(week_of({2010, 1, 3}) == Week{2009, 53});
  CHECK(week_of({2010, 1, 4}) == Week{2010, 1});
  CHECK(week_of({1980, 5, 17}) == Week{1980, 20});
  CHECK(week_of({1980, 5, 19}) == Week{1980, 21});
  CHECK(week_of({2020, 3, 22}) == Week{2020, 12});
  CHECK(week_of({1, 1, 1}) == Week{1, 1});
}

TEST_CASE("over four centuries, weeks follow one another every seventh day") {
  // 1 January 2001 is a Monday. A calendar of 400 years repeats itself.
  Week week{2001, 1};
  int weekday = 0;
  int changes = 0;
  for (int year = 2001; year <= 2400; ++year) {
    for (int month = 1; month <= 12; ++month) {
      for (int day = 1; day <= 31; ++day) {
        Date date;
        if (read_date(fmt::format("{:04}-{:02}-{:02}", year, month, day), date)) {
          continue;
        }
        if (weekday == 7) {
          weekday = 0;
          ++changes;
          const bool next_year = week_of(date).week == 1;
          CHECK((next_year ? week.week == 52 || week.week == 53 : true));
          week = next_year ? Week{week.year + 1, 1} : Week{week.year, week.week + 1};
        }
        if (week_of(date) != week) {
          FAIL("a day in a wrong week");
        }
        ++weekday;
      }
    }
  }
  CHECK(changes == 146097 / 7 - 1);
}

TEST_CASE("ages count full years") {
  CHECK(full_years({1980, 5, 17}, {2020, 5, 16}) == 39);
  CHECK(full_years({1980, 5, 17}, {2020, 5, 17}) == 40);
  CHECK(full_years({1980, 5, 17}, {2020, 6, 1}) == 40);
  CHECK(full_years({1980, 5, 17}, {2020, 4, 30}) == 39);
  CHECK(full_years({2020, 5, 17}, {2020, 5, 17}) == 0);
  CHECK(full_years({2020, 5, 18}, {2020, 5, 17}) == -1);
}

TEST_CASE("who was born on a leap day has the birthday on 1 March in common years") {
  CHECK(full_years({2000, 2, 29}, {2001, 2, 28}) == 0);
  CHECK(full_years({2000, 2, 29}, {2001, 3, 1}) == 1);
  CHECK(full_years({2000, 2, 29}, {2004, 2, 28}) == 3);
  CHECK(full_years({2000, 2, 29}, {2004, 2, 29}) == 4);
  CHECK(full_years({2000, 2, 28}, {2004, 2, 29}) == 4);
}

}  // namespace
}  // namespace abgleich::mask
