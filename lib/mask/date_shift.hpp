// Dates moved by days that nobody knows: one number of days a subject, the same in every table and
// every run, so that the order of a subject's dates and the days between them stay.
#pragma once

#include "core/value.hpp"
#include "mask/keyring.hpp"
#include "mask/normalise.hpp"
#include "mask/pseudonym.hpp"
#include "mask/reason.hpp"
#include "mask/value_mac.hpp"

#include <string>

namespace abgleich::mask {

/// Not thread-safe: it has working memory.
class DateShift {
 public:
  /// `subject` is the recipe of the subject's pseudonym, of which all but the format counts.
  /// `epoch`: of the key; where it has
  /// fewer, its last. REQUIRES: `most` is at least 1.
  DateShift(const Keyring& keyring, const Recipe& subject, int most, int epoch = 1);

  /// Days of this subject: -most to most, never 0. REQUIRES: `subject` is not NULL and valid UTF-8.
  Reason days(const Value& subject, int& days);

  /// Writes the moved date, of the kind and with the time of day that it had. `out` is left as it
  /// was where there is a reason against. REQUIRES: neither is NULL, both are valid UTF-8.
  Reason make(const Value& date, const Value& subject, Value& out);

 private:
  NormalForm subject_;
  int most_;
  ValueMac mac_;
};

}  // namespace abgleich::mask
