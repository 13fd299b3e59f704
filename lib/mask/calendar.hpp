// Dates of our era as the canonical forms write them: reading, ISO weeks, ages.
#pragma once

#include "core/value.hpp"
#include "mask/reason.hpp"

#include <string_view>

namespace abgleich::mask {

/// A day of the proleptic Gregorian calendar, year 1 or later.
struct Date {
  int year = 1;
  int month = 1;
  int day = 1;

  bool operator==(const Date&) const = default;
};

struct Week {
  int year = 1;  // the year that the week belongs to, not always the day's
  int week = 1;  // from 1

  bool operator==(const Week&) const = default;
};

/// Whether `read_date` can find a date in a value of this kind.
bool may_hold_date(Kind kind);

/// Reads the date of an ISO 8601 date or timestamp as the engines print them ("2020-02-29",
/// "2020-02-29 23:59:59.5+00", "2020-02-29T12:00Z"), as written, whatever the zone. Returns why it
/// has none: "not a date", "has no year of our era" (infinities, years before 1).
Reason read_date(std::string_view text, Date& date);

/// The week of ISO 8601: it starts on Monday and belongs to the year that has its Thursday.
Week week_of(const Date& date);

/// Moves the date by `days` (negative: to an earlier one). Returns false, and leaves `date` alone,
/// where that is before the year 1 or beyond the years that `read_date` reads.
bool shift(Date& date, int days);

/// Full years from `birth` to `on`; negative where `on` is before. Whoever was born on 29 February
/// has the birthday on 1 March in common years.
int full_years(const Date& birth, const Date& on);

}  // namespace abgleich::mask
